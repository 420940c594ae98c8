"""Long answers, sent while they are written."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from httpx import AsyncClient
from starlette.types import Message, Receive, Scope, Send

from bridge.api.routes import application
from bridge.api.streamed import Streamed
from bridge.engine.demands import Limits
from bridge.engine.query import EngineSettings
from tests.api import world
from tests.waiting import until

# Six series of 11,000 points.
ROWS = (f'label_replace(vector({number}/3), "n", "{number}", "", "")' for number in range(6))
LONG = {"query": " or ".join(ROWS), "start": "0", "end": "10999", "step": "1"}
HEADERS = {"Content-Type": "application/json"}


def pieces(count: int) -> list[Callable[[], bytes]]:
    """So many pieces of 10 kB; every third is empty."""
    texts = [b"" if n % 3 == 1 else (b"%d," % n) * 3000 for n in range(count)]
    return [partial(bytes, text) for text in texts]


async def get(response: Streamed, encoding: str = "identity") -> httpx.Response:
    async with AsyncClient(transport=httpx.ASGITransport(response)) as client:
        return await client.get("http://x/", headers={"Accept-Encoding": encoding})


@pytest.mark.parametrize("count", [0, 1, 2, 4, 40])
async def test_pieces_arrive_in_order_compressed_or_not(count: int) -> None:
    whole = b"".join(piece() for piece in pieces(count))
    plain = await get(Streamed(iter(pieces(count)), HEADERS, gzip=False))
    packed = await get(Streamed(iter(pieces(count)), HEADERS, gzip=True))
    assert plain.content == packed.content == whole
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["content-type"] == packed.headers["content-type"] == "application/json"


async def test_what_is_compressed_is_one_member_with_its_sum_and_size() -> None:
    sent = b""
    async for body in Streamed(iter(pieces(20)), HEADERS, gzip=True).bodies():
        sent += body
    reader = zlib.decompressobj(wbits=31)
    whole = reader.decompress(sent)
    assert (reader.eof, reader.unused_data) == (True, b"")
    assert whole == gzip.decompress(sent) == b"".join(piece() for piece in pieces(20))


@pytest.mark.parametrize("packed", [False, True])
async def test_a_piece_that_fails_cuts_the_answer_off(packed: bool) -> None:
    def broken() -> bytes:
        raise RuntimeError("no room")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("the client stays")

    scope = {"type": "http", "http_version": "1.1", "headers": []}
    response = Streamed(iter([*pieces(3), broken, *pieces(30)]), HEADERS, gzip=packed)
    with pytest.raises(RuntimeError, match="no room"):
        await response(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    assert all(message["more_body"] for message in sent[1:])


async def test_nothing_more_is_written_for_a_client_that_is_gone() -> None:
    written: list[int] = []
    sent: list[Message] = []

    def piece(number: int) -> bytes:
        written.append(number)
        return b"x"

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "http_version": "1.1", "headers": []}
    endless = (partial(piece, number) for number in range(10_000))
    await Streamed(endless, HEADERS, gzip=False)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(written) < 20


def _reached(written: list[int], count: int) -> bool:
    return len(written) >= count


@pytest.mark.parametrize("packed", [False, True])
async def test_more_is_written_ahead_once_the_client_is_known_to_take_it(packed: bool) -> None:
    written: list[int] = []

    def piece(number: int) -> bytes:
        written.append(number)
        return b"x"

    bodies = Streamed(iter([partial(piece, n) for n in range(20)]), HEADERS, gzip=packed).bodies()
    if packed:
        await anext(bodies)
    for expected in (*range(3, 11), 13, 14, 15):
        await anext(bodies)
        await until(partial(_reached, written, expected))
        assert len(written) == expected
    await bodies.aclose()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_long_answer_is_the_same_in_pieces_and_whole(
    client: AsyncClient, encoding: str
) -> None:
    headers = {"Accept-Encoding": encoding}
    streamed = await client.get("/api/v1/query_range", params=LONG, headers=headers)
    # With statistics it is written as a whole, for they tell how long that took.
    whole = await client.get("/api/v1/query_range", params=LONG | {"stats": "true"})
    assert "content-length" not in streamed.headers
    assert "content-length" in whole.headers
    assert streamed.json()["data"]["result"] == whole.json()["data"]["result"]
    assert len(streamed.json()["data"]["result"]) == 6


async def test_clients_that_know_no_chunks_get_it_whole(client: AsyncClient) -> None:
    async with world.api() as made:
        app = application(made)

        async def older(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "http_version": "1.0"}, receive, send)

        async with AsyncClient(transport=httpx.ASGITransport(older), base_url="http://x") as old:
            answer = await old.get("/api/v1/query_range", params=LONG)
    assert int(answer.headers["content-length"]) == answer.num_bytes_downloaded
    assert answer.content == (await client.get("/api/v1/query_range", params=LONG)).content


async def test_an_answer_that_may_be_too_large_is_measured_before_it_is_sent() -> None:
    allowed = EngineSettings(limits=Limits(response_bytes=1 << 20))
    async with world.client(limits=allowed) as client:
        answer = await client.get("/api/v1/query_range", params=LONG)
    assert answer.status_code == 422
    assert "max_response_bytes" in answer.json()["error"]
