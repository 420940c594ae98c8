"""How many connections there are at once, and how they are let in."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from bridge.cli.protocol import Connection

_LOG: Final = logging.getLogger(__name__)
_HANDSHAKE_SECONDS: Final = 60.0
# Until file descriptors or memory may be there again.
_PAUSE_SECONDS: Final = 1.0
# As Go probes: a client that vanished without a word is found out after ten times as long.
_PROBED_SECONDS: Final = 15
_PROBES: Final = 9
# What the system takes of an answer beyond what is on its way: as much as keeps the way busy.
# Without a bound that is megabytes for each client that does not read, and the work to copy them.
_UNSENT_BYTES: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`most` connections at once; `read_seconds` to send a request, and to be idle (0: forever)."""

    most: int = 512
    read_seconds: float = 300.0


def settle(client: socket.socket) -> None:
    """Lets a connection find out by itself that nobody is there any more, and take little ahead."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system can be told all of it.
    for name, value in (
        ("TCP_KEEPIDLE", _PROBED_SECONDS),
        ("TCP_KEEPINTVL", _PROBED_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_NOTSENT_LOWAT", _UNSENT_BYTES),
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
                settle(client)
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
