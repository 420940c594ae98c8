"""A store's own Prometheus API, as it may answer: each fault is one sentence without secrets."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

import pytest

from bridge.model.errors import BridgeError, ExecutionError, StoreError, StoreLimit, StoreTimeout
from bridge.model.labels import Labels
from bridge.model.secret import Secret
from bridge.model.time import Steps, Window
from bridge.promql.selectors import parse_selector
from bridge.remote.query_api import QueryApi, _joined
from bridge.remote.settings import Authorization, HttpSettings, StoreSettings
from tests.remote.stores import Reply, reply, store

JSON = "application/json"
SPAN = Window(1_000, 2_500)


def said(data: object, **more: object) -> Reply:
    return reply(json.dumps({"status": "success", "data": data, **more}).encode(), JSON)


def api(url: str, path: str = "", **settings: object) -> QueryApi:
    token = Authorization(credentials=Secret("hunter2"))
    http = HttpSettings(authorization=token)
    made = StoreSettings("far", "http://elsewhere/read", http=http, **settings)  # type: ignore[arg-type]
    return QueryApi(made, url.replace("/api/v1/read", path))


async def asked(answer: Reply, path: str = "", **settings: object) -> tuple[object, list[bytes]]:
    """What the series of a selector are, and what the API was sent."""
    async with store(answer) as made:
        client = api(made.url, path, **settings)
        try:
            found = await client.series([parse_selector('up{a=~"b|c"}')], SPAN)
        finally:
            await client.aclose()
    assert made.asked[0].headers["authorization"] == "Bearer hunter2"
    return found, [one.body for one in made.asked]


async def test_series_are_asked_for_with_matchers_and_times() -> None:
    found, bodies = await asked(said([{"__name__": "up", "a": "b"}]))
    assert found == [Labels.of({"__name__": "up", "a": "b"})]
    assert parse_qsl(bodies[0].decode()) == [
        ("start", "1.0"),
        ("end", "2.5"),
        ("match[]", '{a=~"b|c",__name__="up"}'),
    ]


FAULTS: Mapping[str, tuple[Reply, type[BridgeError], str]] = {
    "no JSON": (
        reply(b"<html>hunter2", "text/html"),
        StoreError,
        "not a Prometheus API: HTTP 200: <html><secret> ",
    ),
    "nothing": (reply(b"", JSON), StoreError, "not a Prometheus API: HTTP 200: empty body"),
    "no object": (reply(b"[]", JSON), StoreError, "not a Prometheus API"),
    "no list": (said({"a": 1}), StoreError, "its /series is no list"),
    "an error": (
        reply(
            b'{"status":"error","errorType":"bad_data","error":"no hunter2"}',
            JSON,
            "400 Bad Request",
        ),
        StoreError,
        "its query API says bad_data: no <secret> ",
    ),
    "execution": (
        reply(b'{"status":"error","errorType":"execution","error":"too big"}', JSON, "422 x"),
        ExecutionError,
        'store "far": too big',
    ),
    "refused": (reply(b"who?", "text/plain", "401 Unauthorized"), StoreError, "HTTP 401: who?"),
    "too long": (said(["x" * 3000]), StoreLimit, r"exceeds max_response_bytes \(2000\)"),
    "cut off": (reply(b"{", JSON)[:-1], StoreError, "no answer from its query API: "),
    "elsewhere": (
        reply(b"", JSON, "307 Moved", "Location: http://example.invalid/\r\n"),
        StoreError,
        r"redirects to another origin \(example.invalid\)",
    ),
}


@pytest.mark.parametrize(("answer", "kind", "text"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_is_one_sentence(answer: Reply, kind: type[BridgeError], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        await asked(answer, max_response_bytes=2000)
    assert "hunter2" not in str(caught.value)


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    async def silence(_writer: object) -> None:
        """Says nothing."""

    with pytest.raises(StoreTimeout, match="no complete answer within remote_timeout"):
        await asked(silence, remote_timeout_ms=100)


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        ("http://h", "http://h/api/v1/labels?a=b"),
        ("http://h/", "http://h/api/v1/labels?a=b"),
        ("http://h/prometheus/api/v1/", "http://h/prometheus/api/v1/labels?a=b"),
        ("http://h/x?db=y", "http://h/x/api/v1/labels?db=y&a=b"),
    ],
)
def test_calls_stand_below_the_url(url: str, joined: str) -> None:
    assert _joined(url, "labels", "a=b") == joined


@pytest.mark.parametrize(
    ("steps", "path", "times"),
    [
        (Steps.at(1_500), "query", {"time": "1.5"}),
        (Steps(0, 10_000, 5_000), "query_range", {"start": "0.0", "end": "10.0", "step": "5.0"}),
    ],
)
async def test_a_query_is_passed_on_with_all_that_decides_it(
    steps: Steps, path: str, times: dict[str, str]
) -> None:
    data = {"resultType": "vector", "result": [], "stats": {}}
    async with store(said(data, warnings=["w"], infos=["i"])) as made:
        client = api(made.url)
        found = await client.evaluate("up", steps, 60_000, 5, 2_000)
        await client.aclose()
    assert json.loads(found.data) == {"resultType": "vector", "result": []}
    assert (found.store, found.warnings, found.infos) == ("far", ("w",), ("i",))
    form = dict(parse_qsl(made.asked[0].body.decode()))
    usual = {"query": "up", "lookback_delta": "60.0", "limit": "5", "timeout": "2.0"}
    assert form == usual | times


async def test_an_answer_without_a_result_is_an_error() -> None:
    async with store(said([])) as made:
        client = api(made.url)
        with pytest.raises(StoreError, match="its answer has no result"):
            await client.evaluate("up", Steps.at(0), 1, 0, 0)
        await client.aclose()


async def test_an_api_is_tested_once_and_again_some_time_after_it_failed() -> None:
    wrong, right = said(["__name__"]), said([])
    async with store(wrong, right, right, said(["up"])) as made:
        client = api(made.url)
        minute = 60_000
        assert not await client.verified(0)
        assert not await client.verified(9 * minute)
        assert len(made.asked) == 1
        assert await client.verified(11 * minute)
        assert await client.verified(12 * minute)
        assert len(made.asked) == 4
        await client.aclose()
