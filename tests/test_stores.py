"""Several stores behind one bridge: together, each alone, and with one of them dead."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app import application
from bridge.config.load import load
from tests.remote.stores import START, Reply, reply, store
from tests.remote.wires import Wire, sampled_body

NOW = START // 1000 + 60
UP = {"query": "up", "time": f"{NOW}"}
SPAN = {"start": f"{NOW - 60}", "end": f"{NOW}"}
DEAD = reply(b"gone\n", "text/plain", "503 Service Unavailable")
QUIET = {"retries": 0, "profile": "prometheus"}


def holding(**labels: str) -> Reply:
    """A store with one series, up."""
    pairs = tuple(sorted({"__name__": "up", **labels}.items()))
    return reply(sampled_body([Wire(pairs, ((START, 1.0), (START + 60_000, 2.0)))]))


@asynccontextmanager
async def bridge(
    folder: Path, replies: Mapping[str, Reply], own: Mapping[str, Any]
) -> AsyncIterator[AsyncClient]:
    """A bridge in front of stores that reply so, under these names."""
    async with _stores(replies) as urls, over(folder, urls, own) as client:
        yield client


@asynccontextmanager
async def over(
    folder: Path, urls: Mapping[str, str], own: Mapping[str, Any]
) -> AsyncIterator[AsyncClient]:
    """A bridge in front of the stores at these URLs."""
    config, mine = folder / "prometheus.yml", folder / "prombridge.yml"
    reads = [{"name": name, "url": url} for name, url in urls.items()]
    config.write_text(yaml.safe_dump({"remote_read": reads}))
    stores = {name: QUIET | own.get("stores", {}).get(name, {}) for name in urls}
    catalogue = {"bootstrap": False}
    mine.write_text(yaml.safe_dump({**own, "stores": stores, "catalogue": catalogue}))
    app = application(load(config, mine).settings, warming=False)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client,
    ):
        yield client


@asynccontextmanager
async def _stores(replies: Mapping[str, Reply]) -> AsyncIterator[dict[str, str]]:
    """The URLs of stores that reply so."""
    if not replies:
        yield {}
        return
    (name, first), *rest = replies.items()
    async with store(first) as made, _stores(dict(rest)) as others:
        yield {name: made.url, **others}


def metrics(body: Any) -> list[dict[str, str]]:
    return [row["metric"] for row in body["data"]["result"]]


TWO = {"east": holding(job="a"), "west": holding(job="b")}
LABELLED = {"stores": {name: {"labels": {"region": name}} for name in TWO}}


async def test_stores_answer_together_and_alone(tmp_path: Path) -> None:
    async with bridge(tmp_path, TWO, LABELLED) as client:
        together = (await client.get("/api/v1/query", params=UP)).json()
        assert [one["region"] for one in metrics(together)] == ["east", "west"]
        for name in TWO:
            alone = (await client.get(f"/stores/{name}/api/v1/query", params=UP)).json()
            assert [one["region"] for one in metrics(alone)] == [name]
        only = {**UP, "query": 'up{region="west"}'}
        assert len(metrics((await client.get("/api/v1/query", params=only)).json())) == 1


async def test_names_are_those_of_all_stores_or_of_one(tmp_path: Path) -> None:
    async with bridge(tmp_path, TWO, LABELLED) as client:
        asked = {"match[]": "up", **SPAN}
        found = (await client.get("/api/v1/label/region/values", params=asked)).json()
        assert found["data"] == ["east", "west"]
        alone = await client.get("/stores/west/api/v1/label/region/values", params=asked)
        assert alone.json()["data"] == ["west"]
        series = (await client.get("/stores/east/api/v1/series", params=asked)).json()
        assert series["data"] == [{"__name__": "up", "job": "a", "region": "east"}]
        counts = (await client.get("/api/v1/status/tsdb")).json()["data"]
        assert counts["headStats"]["numSeries"] == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/stores/north/api/v1/query", "north"),
        ("/stores/http://north/api/v1/read/api/v1/query", "http://north/api/v1/read"),
        ("/stores/north", "north"),
        ("/stores/", ""),
    ],
)
async def test_an_unknown_store_is_told_with_those_known(
    tmp_path: Path, path: str, name: str
) -> None:
    async with bridge(tmp_path, TWO, {}) as client:
        response = await client.get(path, params=UP)
        assert (response.status_code, response.json()["errorType"]) == (404, "not_found")
        said = f'no such store: "{name}"; known are "east", "west"'
        assert response.json()["error"] == said


@pytest.mark.parametrize("path", ["/stores/west/api/v1/nothing", "/stores/west"])
async def test_a_path_that_a_store_does_not_have_is_not_found(tmp_path: Path, path: str) -> None:
    async with bridge(tmp_path, TWO, {}) as client:
        response = await client.get(path)
        assert (response.status_code, response.json()["errorType"]) == (404, "not_found")
        assert response.json()["error"].startswith("no such path: ")


async def test_a_dead_store_fails_the_query(tmp_path: Path) -> None:
    async with bridge(tmp_path, {**TWO, "west": DEAD}, {}) as client:
        response = await client.get("/api/v1/query", params=UP)
        assert (response.status_code, response.json()["errorType"]) == (503, "unavailable")
        assert 'store "west"' in response.json()["error"]
        assert (await client.get("/stores/east/api/v1/query", params=UP)).status_code == 200


WARN = {"stores": {"west": {"partial_response": "warn"}}}


async def test_a_dead_store_that_may_fail_is_a_warning_each_time(tmp_path: Path) -> None:
    async with bridge(tmp_path, {**TWO, "west": DEAD}, WARN) as client:
        for _ in range(2):
            body = (await client.get("/api/v1/query", params=UP)).json()
            assert [one["job"] for one in metrics(body)] == ["a"]
            (warning,) = body["warnings"]
            assert warning.startswith('store "west": HTTP 503 Service Unavailable: gone')
            assert warning.endswith("; the answer lacks its data")


async def test_an_answer_without_a_store_is_not_remembered(tmp_path: Path) -> None:
    async with (
        store(DEAD, holding(job="b")) as west,
        store(holding(job="a")) as east,
        over(tmp_path, {"east": east.url, "west": west.url}, WARN) as client,
    ):
        first = (await client.get("/api/v1/query", params=UP)).json()
        second = (await client.get("/api/v1/query", params=UP)).json()
        assert ([one["job"] for one in metrics(first)], len(first["warnings"])) == (["a"], 1)
        assert [one["job"] for one in metrics(second)] == ["a", "b"]
        assert "warnings" not in second


async def test_names_come_without_a_dead_store_and_say_so(tmp_path: Path) -> None:
    asked = {"match[]": "up", **SPAN}
    async with bridge(tmp_path, {**TWO, "west": DEAD}, {}) as client:
        response = await client.get("/api/v1/label/job/values", params=asked)
        assert response.json()["data"] == ["a"]
        assert any('store "west"' in text for text in response.json()["warnings"])
        assert response.headers["X-Prombridge-Source"] == "catalogue; complete=false"


async def test_a_replica_answers_for_a_dead_one(tmp_path: Path) -> None:
    own = {"replicas": {"pair": {"stores": ["dead", "live"]}}}
    async with bridge(tmp_path, {"dead": DEAD, "live": holding(job="a")}, own) as client:
        body = (await client.get("/api/v1/query", params=UP)).json()
        assert [one["job"] for one in metrics(body)] == ["a"]
        assert "warnings" not in body
