"""Connections to a store: how long they wait for the next request, and that they are probed."""

import asyncio
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from bridge.remote.responses import Request
from bridge.remote.transport import Direct, probing
from tests.remote.stores import chunked_reply, reply, store

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
async def direct() -> AsyncIterator[Direct]:
    sender = Direct(ssl.create_default_context())
    try:
        yield sender
    finally:
        await sender.aclose()


async def pieces(sender: Direct, url: str) -> list[bytes]:
    """The body of what is found there, as it arrives."""
    response = await sender.send(Request("GET", url, (), b""))
    try:
        return [piece async for piece in response.body]
    finally:
        await response.aclose()


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Server, Direct]]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening, direct() as sender:
        yield made, sender


async def ask(made: Server, sender: Direct) -> None:
    assert b"".join(await pieces(sender, f"http://127.0.0.1:{made.port}/")) == b"ok"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By how many seconds the clock of connections is ahead."""
    ahead = [0.0]
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: time.monotonic() + ahead[0])
    return ahead


async def test_a_connection_waits_for_the_refresh_of_a_dashboard(later: list[float]) -> None:
    async with server() as (made, sender):
        for seconds in (0.0, 60.0, 180.0, 400.0):
            later[0] = seconds
            await ask(made, sender)
        assert len(made.peers) == 1


async def test_a_connection_that_was_not_used_for_long_is_not_trusted(later: list[float]) -> None:
    async with server() as (made, sender):
        await ask(made, sender)
        later[0] = 290.0
        await ask(made, sender)
        assert len(made.peers) == 2


PIECE = bytes(1000)


@asynccontextmanager
async def dribbling(count: int, declared: int) -> AsyncIterator[tuple[str, Direct]]:
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
    async with listening, direct() as sender:
        yield f"http://127.0.0.1:{port}/", sender


async def received(count: int, declared: int) -> list[bytes]:
    async with dribbling(count, declared) as (url, sender):
        return await pieces(sender, url)


async def test_a_long_answer_in_small_pieces_is_taken_in_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.remote.transport._MOMENT", 0.05)
    taken = await received(600, 600)
    assert sum(map(len, taken)) == 600 * len(PIECE)
    assert len(taken) < 300


async def test_a_short_answer_is_taken_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.remote.transport._MOMENT", 3600.0)
    assert b"".join(await received(60, 60)) == PIECE * 60


async def test_an_answer_that_ends_early_is_noticed_between_pieces_too() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await received(200, 201)


async def test_who_reads_slowly_receives_all() -> None:
    """More than is read ahead of him, in chunks of HTTP and without."""
    body = bytes(range(256)) * (1 << 15)
    chunks = [body[at : at + 300] for at in range(0, len(body), 300)]
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for answer in (chunked_reply(*chunks), plain):
        async with asyncio.timeout(60), store(answer) as made, direct() as sender:
            response = await sender.send(Request("POST", made.url, (), b""))
            taken = b""
            async for piece in response.body:
                taken += piece
                await asyncio.sleep(0.02)
            await response.aclose()
        assert taken == body


async def test_a_user_in_the_url_is_who_we_are_and_stays_out_of_the_request() -> None:
    async with store(reply(b"ok")) as made, direct() as sender:
        url = made.url.replace("://", "://m%C3%A9:hunter2@")
        given = (("authorization", "Bearer x"),)
        await (await sender.send(Request("POST", url, given, b""))).aclose()
    (asked,) = made.asked
    assert asked.headers["authorization"] == "Basic " + b64encode("mé:hunter2".encode()).decode()
    assert asked.headers["host"] == f"127.0.0.1:{made.port}"


async def test_what_is_sent_is_what_was_given_and_what_http_needs() -> None:
    async with store(reply(b"ok")) as made, direct() as sender:
        given = (("X-A", "1"), ("Host", "elsewhere"))
        await (await sender.send(Request("POST", made.url, given, b"body"))).aclose()
    (asked,) = made.asked
    assert asked.headers == {"x-a": "1", "host": "elsewhere", "content-length": "4"}


async def test_a_store_has_no_cookies_here() -> None:
    async with store(reply(b"ok", headers="Set-Cookie: a=b\r\n")) as made, direct() as sender:
        for _ in range(2):
            await (await sender.send(Request("POST", made.url, (), b""))).aclose()
    assert "cookie" not in made.asked[1].headers


def test_idle_connections_are_probed() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))
    with probing(address) as one:
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
