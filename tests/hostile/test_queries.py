"""Queries made to hurt are answered or refused in Prometheus' form, within time and memory."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest
from httpx import AsyncClient
from starlette.types import Message

from bridge.config.flags import Flags
from tests.hostile.test_stores import QUERY, REQUESTS, SPAN
from tests.hostile.world import QUIET, bridge, served
from tests.remote.stores import store, streamed_reply
from tests.remote.test_faults import STREAM
from tests.servers.bridge import prombridge, reading

_PATIENCE = 60  # seconds; most take milliseconds
_NAMES = "|".join(f"name_{number}" for number in range(10_000))
_DEEP = "expression is nested deeper than"
_MEMORY = 1 << 30  # bytes that no refused query may need

# Expression, status, part of the answer.
HOSTILE = {
    "300 parentheses": ("(" * 300 + "up" + ")" * 300, 200, '"job":"b"'),
    "300 functions": ("abs(" * 300 + "up" + ")" * 300, 200, '"job":"b"'),
    "400 sums": ("+".join(["up"] * 401), 200, '"job":"b"'),
    "400 numbers added": ("up" + "+1" * 400, 200, '"job":"b"'),
    "600 parentheses": ("(" * 600 + "up" + ")" * 600, 400, _DEEP),
    "600 functions": ("abs(" * 600 + "up" + ")" * 600, 400, _DEEP),
    "600 signs": ("-" * 600 + "up", 400, _DEEP),
    "600 aggregations": ("sum(" * 600 + "up" + ")" * 600, 400, _DEEP),
    "600 open parentheses": ("(" * 600, 400, _DEEP),
    "5,000 sums": ("+".join(["up"] * 5_001), 400, _DEEP),
    "20,000 powers": ("^".join(["1"] * 20_001), 400, _DEEP),
    "a string of 1 MB": ('"' + "x" * 1_000_000 + '"', 200, '"string"'),
    "a number of 100,000 digits": ("1" * 100_000, 400, "error parsing number"),
    "10,000 alternatives": (f"{{__name__=~'{_NAMES}'}}", 200, '"result":[]'),
    "a regex that repeats too much": (
        "up{job=~'(a{1,1000}){1,1000}'}",
        400,
        "invalid repeat count",
    ),
    "a regex that backtracks": ("up{job=~'((a*)*)*b'}", 200, '"job":"b"'),
    "a broken regex": (
        "label_replace(up, 'a', '$1', 'job', '(')",
        422,
        "invalid regular expression",
    ),
    "too many wanted": ("topk(1e300, up)", 422, "overflows int64"),
    "not a number wanted": ("topk(NaN, up)", 422, "Parameter value is NaN"),
    "no quantile": ("quantile(NaN, up)", 200, "quantile value should be between 0 and 1, got NaN"),
    "ten years by second": ("max_over_time(up[10y:1s])", 422, "query.max_bytes"),
    "ten years by millisecond": ("sum_over_time(vector(1)[10y:1ms])", 422, "query.max_bytes"),
    "raw years by second": ("up[10y:1s]", 422, "query.max_bytes"),
    "a huge offset": ("up offset 290000000y", 400, "duration out of range"),
    "a huge time": ("up @ 9e15", 200, '"result":[]'),
    "a time beyond 64 bits": ("up @ 9e18", 200, '"result":[]'),
    "a time before 64 bits": ("up @ -9e18 offset 292y", 200, '"result":[]'),
    "a range beyond 64 bits": ("rate(up[292y] @ 9e18 offset -292y)", 200, '"result":[]'),
    "steps beyond 64 bits": ("max_over_time(up[292y:280y] @ -9e18)", 200, '"result":[]'),
    "an endless time": ("up @ Inf", 400, "timestamp out of bounds"),
    "many values": ("count_values('v', up[1h:1s] > 0)", 400, "parse error"),
    "bytes that are no text": ("up{a='\udcff'}", 400, "parse error"),
}


@pytest.mark.parametrize(("query", "status", "text"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_an_instant_query(tmp_path: Path, query: str, status: int, text: str) -> None:
    form = {"query": query.encode("utf-8", "surrogateescape"), "time": QUERY["time"]}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with (
        asyncio.timeout(_PATIENCE),
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}) as client,
    ):
        response = await client.post("/api/v1/query", content=urlencode(form), headers=headers)
    assert (response.status_code, text in response.text) == (status, True), response.text[:500]
    assert response.json()["status"] == ("success" if status == 200 else "error")


def _copied(template: str, times: int) -> str:
    """A label's value put into a template, and what becomes of it into the same again."""
    query = "up"
    for _ in range(times):
        query = f"label_replace({query}, 'job', '{template}', 'job', '(.*)')"
    return query


LONG = (
    _copied("$1$1", 50),
    _copied("$1" * 2_000, 3),
    f"label_join(up, 'a', '{'x' * 100_000}'" + ", 'job'" * 10_000 + ")",
)


@pytest.mark.parametrize("query", LONG, ids=["doubled", "copied", "joined"])
async def test_values_of_labels_count_as_what_a_query_holds(tmp_path: Path, query: str) -> None:
    own = {**QUIET, "query": {"max_bytes": "10MB"}}
    async with (
        asyncio.timeout(_PATIENCE),
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, own=own) as client,
    ):
        form = {"query": query, "time": QUERY["time"]}
        response = await client.post("/api/v1/query", data=form)
        again = await client.post("/api/v1/query", data={**form, "query": _copied("$1$1", 10)})
    assert response.status_code == 422
    assert "the values of labels that the query makes need" in response.text
    assert "query.max_bytes" in response.text
    assert "b" * 1024 in again.text


async def test_too_many_samples_are_named_as_prometheus_does(tmp_path: Path) -> None:
    flags = Flags(query_max_samples=1)
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, flags) as client,
    ):
        response = await client.get("/api/v1/query", params=QUERY)
    text = "query processing would load too many samples into memory in query execution"
    body = {"status": "error", "errorType": "execution", "error": text}
    assert (response.status_code, response.json()) == (422, body)


@pytest.mark.parametrize("path", ["query", "query_range"])
async def test_a_query_that_takes_too_long_is_a_timeout(tmp_path: Path, path: str) -> None:
    parameters = {"query": "up", **SPAN, "step": "15", "timeout": "200ms"}

    async def stall(writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    async with store(stall) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get(f"/api/v1/{path}", params=parameters)
    body = {
        "status": "error",
        "errorType": "timeout",
        "error": "query timed out in query execution",
    }
    assert (response.status_code, response.json()) == (503, body)


async def test_sixty_queries_at_once_are_all_answered(tmp_path: Path) -> None:
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}) as client,
    ):
        asked = (
            client.get("/api/v1/query", params={**QUERY, "query": f"up * {number}"})
            for number in range(60)
        )
        answers = await asyncio.gather(*asked)
    values = [[one["value"][1] for one in answer.json()["data"]["result"]] for answer in answers]
    assert values == [[str(3 * number), str(5 * number)] for number in range(60)]


@pytest.mark.parametrize("path", [one[0] for one in REQUESTS])
async def test_a_client_that_leaves_ends_its_work(tmp_path: Path, path: str) -> None:
    parameters = next(one[1] for one in REQUESTS if one[0] == path)
    asked, sent = asyncio.Event(), []

    async def stall(writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        asked.set()

    messages = iter(({"type": "http.request", "body": b""},))

    async def receive() -> Message:
        for message in messages:
            return message
        await asked.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    query = "&".join(f"{name}={text}" for name, text in parameters.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/api/v1/{path}",
        "query_string": query.encode(),
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("bridge", 80),
    }
    async with store(stall) as made, served(tmp_path, {"url": made.url}) as app:
        before = asyncio.all_tasks()
        async with asyncio.timeout(_PATIENCE):
            await app(scope, receive, send)
            await made.dropped.wait()
        left = asyncio.all_tasks() - before - made.serving
    assert sent[0]["status"] == 499
    assert not left


async def test_a_refused_query_needs_no_memory_and_holds_nobody_up(tmp_path: Path) -> None:
    async with store(streamed_reply(STREAM)) as made:
        with prombridge(tmp_path, reading(made.url)) as server:
            async with AsyncClient(base_url=server.url, timeout=_PATIENCE) as client:
                queries = ("up[10y:1s]", "max_over_time(up[10y:1s])", "rate(up[1y:1ms])")
                for query in queries:
                    parameters = {**QUERY, "query": query}
                    slow = asyncio.create_task(client.get("/api/v1/query", params=parameters))
                    quick = await client.get("/-/healthy", timeout=5)
                    assert (await slow).status_code == 422
                    assert quick.status_code == 200
            assert server.peak_memory() < _MEMORY
