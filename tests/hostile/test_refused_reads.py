"""A read whose answer can never be is given up while it arrives, down to the store's socket."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from bridge.remote.wire import STREAMED_MEDIA_FULL
from tests.hostile.world import NAME, UNNAMED, bridge
from tests.remote.stores import START, chunked_reply, store
from tests.remote.wires import Wire, streamed_body, wire

# Room for 1,000 series of 400 points.
ROOM = 1_000 * 400 * 25
SPAN = {"start": START / 1000, "end": START / 1000 + 399, "step": 1}
NEEDS = "a value of at least"


def settings(store_settings: Mapping[str, Any], cache: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a bridge with room for few series."""
    own = {"retries": 0, "profile": "prometheus"} | dict(store_settings)
    return {**UNNAMED, "stores": {NAME: own}, "query": {"max_bytes": ROOM}, "cache": dict(cache)}


def series() -> Iterator[Wire]:
    """Series without an end, in order, each with one sample."""
    return (wire({"__name__": "up", "n": f"{number:09}"}, (START, 1.0)) for number in count())


@pytest.mark.parametrize("cache", [{}, {"enabled": False}])
async def test_a_read_ends_once_its_series_are_too_many_for_the_steps(
    tmp_path: Path, cache: dict[str, object]
) -> None:
    rest, given_up = series(), asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAMED_MEDIA_FULL}\r\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with suppress(ConnectionError):
            while True:
                piece = streamed_body(islice(rest, 1_000))
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
        given_up.set()

    few = chunked_reply(streamed_body(islice(series(), 5)))
    own = settings({}, cache)
    async with (
        asyncio.timeout(60),
        store(endless, few) as made,
        bridge(tmp_path, {"url": made.url}, own=own) as client,
    ):
        refused = await client.get("/api/v1/query_range", params={"query": "up * 2", **SPAN})
        assert refused.status_code == 422, refused.text
        assert refused.json()["error"].startswith(NEEDS)
        assert f"more than the {ROOM} that query.max_bytes allows" in refused.json()["error"]
        await given_up.wait()
        again = await client.get("/api/v1/query_range", params={"query": "up * 2", **SPAN})
        assert len(again.json()["data"]["result"]) == 5
    assert len(made.asked) == 2


@pytest.mark.parametrize(
    ("query", "own", "shown"),
    [
        ("sum(up)", {}, 1),
        ("up", {"drop_labels": ["n"]}, 1),
        ("count_over_time(up[5m]) > 2", {}, 0),
    ],
)
async def test_what_fits_is_answered_however_many_series_it_takes(
    tmp_path: Path, query: str, own: dict[str, Any], shown: int
) -> None:
    whole = chunked_reply(streamed_body(islice(series(), 1_500 if own else 1_000)))
    async with (
        store(whole) as made,
        bridge(tmp_path, {"url": made.url}, own=settings(own, {})) as client,
    ):
        answer = await client.get("/api/v1/query_range", params={"query": query, **SPAN})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]["result"]) == shown
