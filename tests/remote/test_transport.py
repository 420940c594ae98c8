"""Connections to a store: how long they wait for the next request, and that they are probed."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from bridge.remote.transport import DirectTransport, probing

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    """Answers every request on a connection with the same; remembers who connected."""

    port: int = 0
    peers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    transport = DirectTransport(ssl.create_default_context())
    async with listening, httpx.AsyncClient(transport=transport) as client:
        yield made, client


async def ask(made: Server, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"http://127.0.0.1:{made.port}/")).text == "ok"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By how many seconds the clock of connections is ahead."""
    ahead = [0.0]
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: time.monotonic() + ahead[0])
    return ahead


async def test_a_connection_waits_for_the_refresh_of_a_dashboard(later: list[float]) -> None:
    async with server() as (made, client):
        for seconds in (0.0, 60.0, 180.0, 400.0):
            later[0] = seconds
            await ask(made, client)
        assert len(made.peers) == 1


async def test_a_connection_that_was_not_used_for_long_is_not_trusted(later: list[float]) -> None:
    async with server() as (made, client):
        await ask(made, client)
        later[0] = 290.0
        await ask(made, client)
        assert len(made.peers) == 2


PIECE = bytes(1000)


@asynccontextmanager
async def dribbling(count: int, declared: int) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """A server that sends so many pieces, each when it gets round to it, and then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (declared * len(PIECE)))
        for _ in range(count):
            writer.write(PIECE)
            await asyncio.sleep(0)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    transport = DirectTransport(ssl.create_default_context())
    async with listening, httpx.AsyncClient(transport=transport) as client:
        yield f"http://127.0.0.1:{port}/", client


async def received(count: int, declared: int) -> list[bytes]:
    async with (
        dribbling(count, declared) as (url, client),
        client.stream("GET", url) as response,
    ):
        return [piece async for piece in response.aiter_raw()]


async def test_a_long_answer_in_small_pieces_is_taken_in_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.remote.transport._MOMENT", 0.05)
    pieces = await received(600, 600)
    assert sum(map(len, pieces)) == 600 * len(PIECE)
    assert len(pieces) < 300


async def test_a_short_answer_is_taken_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.remote.transport._MOMENT", 3600.0)
    assert b"".join(await received(60, 60)) == PIECE * 60


async def test_an_answer_that_ends_early_is_noticed_between_pieces_too() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await received(200, 201)


def test_idle_connections_are_probed() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))
    with probing(address) as one:
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
