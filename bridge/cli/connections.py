"""How many connections there are at once, and how long each may take to send a request."""

import asyncio
import logging
import socket
import ssl
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

_LOG: Final = logging.getLogger(__name__)
# uvicorn knows no connections that are kept forever.
_FOREVER_SECONDS: Final = 10 * 365 * 86_400
_HANDSHAKE_SECONDS: Final = 60.0
# Until file descriptors or memory may be there again.
_PAUSE_SECONDS: Final = 1.0
# As Go probes: a client that vanished without a word is found out after ten times as long.
_PROBED_SECONDS: Final = 15
_PROBES: Final = 9


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`most` connections at once; `read_seconds` to send a request, and to be idle (0: forever)."""

    most: int = 512
    read_seconds: float = 300.0


class Connection(HttpToolsProtocol):
    """uvicorn's side of a connection, which ends if a request does not arrive whole in time.

    As with Go's `ReadTimeout`, time runs from the connection's start or, in a kept one, from the
    request's first byte. `ended` is called once the connection is gone.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        seconds: float,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, app_state)
        # uvicorn only hands it to call_later.
        self.timeout_keep_alive = seconds or _FOREVER_SECONDS  # type: ignore[assignment]
        self._seconds = seconds
        self._ended = ended
        self._late: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)
        self._ended()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._late is None:
            self._expect()

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()

    def _expect(self) -> None:
        if self._seconds:
            self._late = self.loop.call_later(self._seconds, self._end)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self) -> None:
        if self.pipeline:
            # It is not read on because an earlier answer is not complete yet.
            self._expect()
        else:
            self.transport.close()


def probe(client: socket.socket) -> None:
    """Lets a connection find out by itself that nobody is on the other side any more."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system can be told how often.
    for name, value in (
        ("TCP_KEEPIDLE", _PROBED_SECONDS),
        ("TCP_KEEPINTVL", _PROBED_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        if option := getattr(socket, name, None):
            client.setsockopt(socket.IPPROTO_TCP, option, value)


Made = Callable[[Callable[[], None]], Connection]
"""Gives a new connection, with what it has to call once it is gone."""


class Acceptor:
    """Lets connections in, at most so many at once; more wait in the socket's backlog."""

    def __init__(
        self, listening: socket.socket, tls: ssl.SSLContext | None, limits: ConnectionLimits
    ) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._tls = tls
        self._handshake = min(limits.read_seconds or _HANDSHAKE_SECONDS, _HANDSHAKE_SECONDS)
        self._free = asyncio.Semaphore(limits.most)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, made: Made) -> None:
        """Begins to let connections in, each of which `made` gives."""
        self._run(self._accept(made))

    async def close(self) -> None:
        """Lets nobody in any more; those who are in stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, made: Made) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._free.acquire()
            try:
                client, _ = await loop.sock_accept(self._socket)
            except OSError as error:
                self._free.release()
                _LOG.error("cannot accept a connection", extra={"err": str(error)})
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                probe(client)
                self._run(self._let_in(client, made))

    async def _let_in(self, client: socket.socket, made: Made) -> None:
        handshake = self._handshake if self._tls else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: made(self._free.release),
                client,
                ssl=self._tls,
                ssl_handshake_timeout=handshake,
            )
        except OSError:
            # No handshake of TLS: the connection never began.
            self._free.release()
