"""Answers that wait for a client count in the memory of all requests, on real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.routes import application
from bridge.api.streamed import Counted, Streamed
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.remote.settings import ResponseType
from bridge.remote.wire import read_request
from bridge.storage.interface import Select
from bridge.storage.memory import MemoryStore
from bridge.storage.pool import Pool, held
from tests.api import world
from tests.servers.serving import listening
from tests.waiting import until

PIECE, PIECES = 1 << 20, 20
# One in the server's buffer, one that waits for it, two written ahead, if memory is short only one.
WAITING = 4 * PIECE
CROWDED = 3 * PIECE

ROWS = (f'label_replace(vector({number}/3), "n", "{number}", "", "")' for number in range(20))
LONG = {"query": " or ".join(ROWS), "start": "0", "end": "10999", "step": "1", "stats": "true"}


class Client:
    """A client that has asked, and reads when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """All of the answer that is left, until the server closes the connection."""
        return await self._reader.read()

    def leave(self) -> None:
        """Goes away without a word."""
        self._writer.transport.abort()


@contextlib.asynccontextmanager
async def asking(url: str, target: str, body: bytes = b"") -> AsyncIterator[Client]:
    """A client with little room of its own."""
    place = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (place.hostname, place.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
    head = f"Host: bridge\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    method = "POST" if body else "GET"
    writer.write(f"{method} {target} HTTP/1.1\r\n{head}".encode() + body)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def pieces(pool: Pool) -> ASGIApp:
    """An application whose answers are of many pieces."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with held(pool):
            texts = (partial(bytes, b"%02d" % number * (PIECE // 2)) for number in range(PIECES))
            await Streamed(texts, {}, gzip=False)(scope, receive, Counted(send))

    return app


@pytest.mark.parametrize(
    ("total", "waiting"),
    [(0, WAITING), (100 * PIECE, WAITING), (PIECE, CROWDED)],
    ids=["unbounded", "room", "crowded"],
)
@pytest.mark.parametrize("leaves", [False, True])
async def test_pieces_that_wait_count_until_they_are_sent(
    total: int, waiting: int, leaves: bool
) -> None:
    pool = Pool(total)
    async with listening(pieces(pool)) as url, asking(url, "/") as client:
        await until(lambda: pool.held == waiting)
        # Another one finds its own memory, and gives it back.
        async with asking(url, "/") as other:
            await until(lambda: pool.held > waiting)
            other.leave()
            await until(lambda: pool.held == waiting)
        if leaves:
            client.leave()
        else:
            answer = await client.read()
            assert answer.count(b"19" * (PIECE // 2)) == 1
        await until(lambda: pool.held == 0)


@pytest.mark.parametrize("leaves", [False, True])
async def test_an_answer_in_one_piece_counts_until_it_is_sent(leaves: bool) -> None:
    target = f"/api/v1/query_range?{urlencode(LONG)}"
    async with world.api() as made, listening(application(made)) as url:
        async with asking(url, target) as first:
            answer = await first.read()
        body = answer.partition(b"\r\n\r\n")[2]
        await until(lambda: made.memory.held == 0)
        async with asking(url, target) as client:
            await until(lambda: abs(made.memory.held - len(body)) < 1000)
            async with asking(url, "/api/v1/query?query=1") as other:
                assert (await other.read()).startswith(b"HTTP/1.1 200")
            assert abs(made.memory.held - len(body)) < 1000
            if leaves:
                client.leave()
            else:
                await client.read()
            await until(lambda: made.memory.held == 0)


@pytest.mark.parametrize("kind", list(ResponseType))
@pytest.mark.parametrize("leaves", [False, True])
async def test_reads_of_others_count_until_they_are_sent(kind: ResponseType, leaves: bool) -> None:
    times = list(range(world.START, world.START + 300_000))
    data = ((Labels.of({"n": f"{n}"}), times, [t * 1.1 + n for t in times]) for n in range(5))
    everything = (Matcher("n", MatchType.NOT_EQUAL, ""),)
    body = read_request(Select(everything, times[0], times[-1]), (kind,))
    async with (
        world.api(MemoryStore(data)) as made,
        listening(application(made)) as url,
        asking(url, "/api/v1/read", body) as client,
    ):
        await until(lambda: made.memory.held > 1 << 18)
        async with asking(url, "/api/v1/query?query=1") as other:
            assert (await other.read()).startswith(b"HTTP/1.1 200")
        assert made.memory.held > 1 << 18
        if leaves:
            client.leave()
        else:
            assert (await client.read()).startswith(b"HTTP/1.1 200")
        await until(lambda: made.memory.held == 0)
