"""An application on a real socket, and bare connections to it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from bridge.cli.connections import ConnectionLimits
from bridge.cli.serving import Listener, _Server, _server, listen

PATIENCE = 60
SOON = ConnectionLimits(read_seconds=0.2)
ASKED = b"GET /at-once HTTP/1.1\r\nHost: b\r\n\r\n"
WAITING = b"GET /waits HTTP/1.1\r\nHost: b\r\n\r\n"


@dataclass(slots=True)
class World:
    """An application that answers at once, when it `may`, or once it has read a body."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def app(self) -> Starlette:
        async def at_once(_request: Request) -> Response:
            return Response("good")

        async def waits(_request: Request) -> Response:
            self.came.set()
            await self.may.wait()
            return Response("late")

        async def reads(request: Request) -> Response:
            try:
                return Response(await request.body())
            except ClientDisconnect:
                self.left.set()
                raise

        routes = [
            Route("/at-once", at_once),
            Route("/waits", waits),
            Route("/reads", reads, methods=["POST"]),
        ]
        return Starlette(routes=routes)


@contextlib.asynccontextmanager
async def served(listener: Listener) -> AsyncIterator[int]:
    """The port, once it is served in this loop."""
    async with running(listener) as (_, port):
        yield port


@contextlib.asynccontextmanager
async def running(listener: Listener) -> AsyncIterator[tuple[_Server, int]]:
    """A server and its port, once it is served in this loop."""
    server = _server(listener, lambda: None)
    port = int(listener.address.rpartition(":")[2])
    task = asyncio.create_task(server.serve([listener.socket]))
    try:
        async with asyncio.timeout(PATIENCE):
            yield server, port
    finally:
        server.should_exit = True
        await task


def bounded(world: World, limits: ConnectionLimits) -> Listener:
    return listen(world.app, "127.0.0.1", 0, limits=limits)


def only(app: ASGIApp) -> Listener:
    """A listener whose every path is this application's."""
    return listen(Starlette(routes=[Mount("", app)]), "127.0.0.1", 0)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self, request: bytes = b"") -> bytes:
        """The body of the next answer, which has four bytes."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        return await self.reader.readexactly(4)

    async def ended(self) -> bool:
        """Whether the other side ends the connection without a word; waits for that."""
        return await self.reader.read() == b""


@contextlib.asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
