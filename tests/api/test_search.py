"""Searches over HTTP: what is asked, what is refused and with which words, and the lines."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from bridge.api.routes import application
from bridge.api.settings import ApiSettings
from bridge.catalogue.answers import APPROXIMATE
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Source
from bridge.engine.demands import Limits
from bridge.engine.query import EngineSettings
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from bridge.storage.view import View
from tests.api import world
from tests.api.world import NOW, START

ON = ApiSettings(enable_search=True)
HOUR = 3_600_000
UP = {"match[]": "up"}


@pytest.fixture
async def searching() -> AsyncIterator[AsyncClient]:
    """A client where searching is switched on."""
    async with world.client(settings=ON) as made:
        yield made


def lines(response: Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def results(response: Response) -> list[dict[str, Any]]:
    return [one for line in lines(response)[:-1] for one in line["results"]]


async def search(client: AsyncClient, kind: str, **parameters: Any) -> Response:
    asked = {
        {"terms": "search[]", "match": "match[]"}.get(name, name): text
        for name, text in parameters.items()
    }
    return await client.get(f"/api/v1/search/{kind}", params=asked)


async def test_searching_is_off_unless_it_is_switched_on(client: AsyncClient) -> None:
    for kind in ("metric_names", "label_names", "label_values"):
        response = await client.get(f"/api/v1/search/{kind}?limit=x")
        assert response.status_code == 500
        assert response.json() == {
            "status": "error",
            "errorType": "unavailable",
            "error": "search API disabled",
        }


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("kind", "parameters", "found"),
    [
        ("metric_names", {"match[]": '{__name__!=""}'}, ["odd", "requests_total", "up"]),
        ("metric_names", {"match[]": ["up", "odd"]}, ["odd", "up"]),
        ("metric_names", {"match[]": '{job="web"}', "search[]": "rt"}, ["requests_total"]),
        (
            "metric_names",
            {"search[]": ["rt", "u"], "match[]": '{job="web"}'},
            ["requests_total", "up"],
        ),
        ("label_names", UP, ["__name__", "instance", "job"]),
        ("label_names", UP | {"search[]": "NST"}, []),
        ("label_names", UP | {"search[]": "NST", "case_sensitive": "false"}, ["instance"]),
        ("label_values", UP | {"label": "instance"}, ["a", "b"]),
        (
            "label_values",
            UP | {"label": "instance", "sort_by": "alpha", "sort_dir": "dsc"},
            ["b", "a"],
        ),
        ("label_values", UP | {"label": "nothing"}, []),
    ],
)
async def test_what_is_found(
    searching: AsyncClient, method: str, kind: str, parameters: dict[str, str], found: list[str]
) -> None:
    where = "params" if method == "GET" else "data"
    response = await searching.request(
        method,
        f"/api/v1/search/{kind}",
        **{where: parameters},  # type: ignore[arg-type]
    )
    key = "value" if kind == "label_values" else "name"
    assert results(response) == [{key: text} for text in found]
    assert lines(response)[-1] == {"status": "success", "has_more": False}


async def test_the_best_come_first_and_are_told_with_their_scores(searching: AsyncClient) -> None:
    response = await search(
        searching, "label_names", match="up", terms="n", sort_by="score", include_score="true"
    )
    by_hand = {"instance": (1 - 1 / 8 - 6 / 16) * 0.999, "__name__": (1 - 2 / 8 - 5 / 16) * 0.999}
    assert [one["name"] for one in results(response)] == list(by_hand)
    for one in results(response):
        assert one["score"] == pytest.approx(by_hand[one["name"]], rel=1e-15)
    whole = await search(searching, "label_names", match="up", include_score="t", limit=1)
    assert b'{"results":[{"name":"__name__","score":1}]}\n' in whole.content


async def test_results_come_in_batches_and_the_trailer_tells_of_more(
    searching: AsyncClient,
) -> None:
    asked = {"match": '{__name__!=""}', "batch_size": 2}
    whole = lines(await search(searching, "metric_names", **asked))
    assert whole == [
        {"results": [{"name": "odd"}, {"name": "requests_total"}]},
        {"results": [{"name": "up"}]},
        {"status": "success", "has_more": False},
    ]
    cut = lines(await search(searching, "metric_names", **asked, limit=2))
    assert cut == [whole[0], {"status": "success", "has_more": True}]
    exact = lines(await search(searching, "metric_names", **asked, limit=3))
    assert exact == whole


async def test_a_search_without_results_has_an_empty_batch(searching: AsyncClient) -> None:
    response = await search(searching, "metric_names", match="nothing")
    assert response.text == '{"results":[]}\n{"status":"success","has_more":false}\n'


async def test_warnings_stand_in_the_first_batch() -> None:
    async with world.api(settings=ON) as made, hintless() as catalogue:
        app = application(replace(made, catalogue=catalogue))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client:
            asked = lines(await search(client, "label_names", batch_size=1))
    assert [line.get("warnings") for line in asked] == [[APPROXIMATE], None, None, None]


@asynccontextmanager
async def hintless() -> AsyncIterator[Catalogue]:
    """What is known of a store that cannot be asked for all its series, after it was read once."""
    store = world.store()
    source = Source("memory", View(store), hint=False)
    catalogue = Catalogue(store, [source], CatalogueSettings(), lambda: NOW)
    matcher = Matcher("__name__", MatchType.EQUAL, "up")
    await catalogue.select(Select((matcher,), START, NOW), ReadOptions())
    await catalogue.settled()
    yield catalogue
    await catalogue.aclose()


async def test_names_are_escaped_as_go_does() -> None:
    async with world.client(world.labelled({"__name__": "m", "a<b": "é\u2028"}), ON) as client:
        names = await search(client, "label_names", match="m", terms="<")
        values = await search(client, "label_values", match="m", label="a<b")
    assert b'{"name":"a\\u003cb"}' in names.content
    assert '{"value":"é\\u2028"}'.encode() in values.content


async def test_metadata_are_told_where_they_are_known(searching: AsyncClient) -> None:
    asked = {"match": '{job="web"}', "include_metadata": "1"}
    response = await search(searching, "metric_names", **asked, include_score="1")
    counter, unknown = results(response)
    assert counter == {"name": "requests_total", "score": 1, "type": "counter"}
    assert list(counter) == ["name", "score", "type"]
    assert unknown == {"name": "up", "score": 1, "type": "unknown"}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("a=%zz&start=x", 'error parsing form values: invalid URL escape "%zz"'),
        (
            "start=x&end=y",
            "invalid time value for 'start': cannot parse \"x\" to a valid timestamp",
        ),
        (
            "end=y&match[]=(",
            "invalid time value for 'end': cannot parse \"y\" to a valid timestamp",
        ),
        ("start=5&end=4&match[]=(", "end timestamp must not be before start timestamp"),
        ("match[]={}&fuzz_alg=x", "match[] must contain at least one non-empty matcher"),
        ("search[]=a&" * 33 + "fuzz_threshold=x", "too many search[] terms: got 33, maximum is 32"),
        ("fuzz_threshold=101&fuzz_alg=x", 'invalid fuzz_threshold "101": must be 0-100'),
        ("fuzz_threshold=-1", 'invalid fuzz_threshold "-1": must be 0-100'),
        (
            "fuzz_alg=x&case_sensitive=x",
            'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]',
        ),
        ("case_sensitive=tRUE&include_score=x", 'invalid case_sensitive "tRUE": must be boolean'),
        ("include_score=x&sort_dir=x", 'invalid include_score "x": must be boolean'),
        ("sort_dir=x&limit=x", "sort_dir is only valid when sort_by is set"),
        ("sort_dir=asc&sort_by=score", "sort_dir is not supported for sort_by=score"),
        ("sort_dir=x&sort_by=y", 'invalid sort_dir "x": must be "asc" or "dsc"'),
        ("sort_by=score&limit=x", "sort_by=score requires search[] to be set"),
        ("limit=0&batch_size=x", 'invalid limit "0": must be a positive integer'),
        (
            "limit=10001&batch_size=x",
            "limit 10001 exceeds the configured maximum (10000, see --web.search.max-limit)",
        ),
        ("batch_size=-1&sort_by=x", 'invalid batch_size "-1": must be a positive integer'),
        ("sort_by=x", 'invalid sort_by "x" for label_values: must be "alpha" or "score"'),
        ("", 'missing required parameter "label"'),
    ],
)
async def test_bad_requests_in_the_order_of_prometheus(
    searching: AsyncClient, query: str, text: str
) -> None:
    response = await searching.get(f"/api/v1/search/label_values?{query}")
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json() == {"status": "error", "errorType": "bad_data", "error": text}


async def test_selectors_are_refused_with_their_place(searching: AsyncClient) -> None:
    response = await searching.get("/api/v1/search/metric_names?match[]=(&include_metadata=x")
    assert response.json()["error"].startswith("1:1: parse error: ")
    response = await searching.get("/api/v1/search/metric_names?include_metadata=x")
    assert response.json()["error"] == 'invalid include_metadata "x": must be boolean'


@pytest.mark.parametrize(("most", "limit", "count"), [(2, None, 2), (2, 2, 2), (0, 20_000, 3)])
async def test_the_operator_decides_how_many_may_be_asked_for(
    most: int, limit: int | None, count: int
) -> None:
    settings = ApiSettings(enable_search=True, search_max_limit=most)
    asked = {"match": '{__name__!=""}'} | ({} if limit is None else {"limit": limit})
    async with world.client(settings=settings) as client:
        assert len(results(await search(client, "metric_names", **asked))) == count


async def test_limits_of_selectors_hold() -> None:
    limits = EngineSettings(limits=Limits(regex_bytes=3))
    async with world.client(settings=ON, limits=limits) as client:
        response = await search(client, "label_names", match='{__name__=~"abcd"}')
    assert response.status_code == 422
    assert "query.max_regex_bytes (3)" in response.json()["error"]


class Recording(MemoryStore):
    """Notes what is read."""

    def __init__(self) -> None:
        super().__init__([(Labels.of({"__name__": "up"}), [NOW], [1.0])])
        self.selects: list[Select] = []

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.selects.append(select)
        return await super().select(select, options)


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ({}, NOW - HOUR, NOW),
        ({"start": NOW / 1000}, NOW, NOW),
        ({"start": 1, "end": 1}, 1000, 1000),
    ],
)
async def test_the_last_hour_is_searched(times: dict[str, float], start: int, end: int) -> None:
    store = Recording()
    async with world.client(store, ON) as client:
        await search(client, "label_names", match="up", **times)
    matcher = Matcher("__name__", MatchType.EQUAL, "up")
    assert store.selects == [Select((matcher,), start, end, Purpose.SERIES)]


class Never(Recording):
    """Does not answer."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_search_has_no_longer_than_a_query() -> None:
    async with world.client(Never(), ON, EngineSettings(timeout=1)) as client:
        for kind in ("metric_names", "label_names", "label_values"):
            response = await search(client, kind, match="up", label="job")
            assert (response.status_code, response.json()["errorType"]) == (503, "timeout")
