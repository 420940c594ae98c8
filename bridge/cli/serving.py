"""ASGI applications on TCP ports, until a signal ends them."""

import asyncio
import contextlib
import signal
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import uvicorn
import uvloop
from starlette.types import ASGIApp

from bridge.cli.connections import Acceptor, ConnectionLimits
from bridge.cli.outbox import Outbox
from bridge.cli.protocol import Connection
from bridge.cli.slow_readers import SlowReaders
from bridge.model.errors import BridgeError

# How long requests may take to end once the process is told to.
_GRACE_SECONDS: Final = 30
_TICKS_PER_SECOND: Final = 10
_BACKLOG: Final = 2048
_USUAL: Final = ConnectionLimits()


class CannotListen(BridgeError):
    """An address that cannot be listened on; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """An application, the socket it is to be served on, how connections are secured and bounded."""

    app: ASGIApp
    socket: socket.socket
    tls: ssl.SSLContext | None = None
    limits: ConnectionLimits = _USUAL

    @property
    def address(self) -> str:
        """`host:port` with the real port."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen(
    app: ASGIApp,
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
    limits: ConnectionLimits = _USUAL,
) -> Listener:
    """A listener on `host` (empty: every address) and `port` (0: any free one)."""
    try:
        return Listener(app, _bound(host, port), tls, limits)
    except (OSError, UnicodeError) as error:
        # asyncio and socket add what they were about to do, and where, to the system's words.
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (while ")[0]
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from None


def _bound(host: str, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    kind = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = kind[0]
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)


class _Server(uvicorn.Server):
    """A server that leaves signals to `Servers`, bounds connections, drops who does not read."""

    def __init__(
        self,
        config: uvicorn.Config,
        limits: ConnectionLimits,
        dropped: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(config)
        self._limits = limits
        self._dropped = dropped
        self._slow = SlowReaders(clock)
        self._outbox = Outbox()
        self._acceptors: list[Acceptor] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """What uvicorn does, but for who accepts connections."""
        await super().startup(sockets=[])
        for listening in sockets or []:
            acceptor = Acceptor(listening, self.config.ssl, self._limits)
            acceptor.start(self._made)
            self._acceptors.append(acceptor)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What uvicorn does, once nobody is let in any more."""
        for acceptor in self._acceptors:
            await acceptor.close()
        await super().shutdown(sockets)

    def _made(self, ended: Callable[[], None]) -> Connection:
        state, seconds = self.lifespan.state, self._limits.read_seconds
        return Connection(self.config, self.server_state, state, seconds, self._outbox, ended)

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does ten times a second; each second a look at all connections."""
        if counter % _TICKS_PER_SECOND == 0:
            self.drop_slow_readers()
        return await super().on_tick(counter)

    async def _wait_tasks_to_complete(self) -> None:
        """What uvicorn does within the grace; a second signal ends that, not the lifespan."""
        await super()._wait_tasks_to_complete()
        if self.force_exit:
            self.force_exit = False
            raise TimeoutError

    def drop_slow_readers(self) -> None:
        """Ends connections whose clients take nothing."""
        held = (getattr(one, "transport", None) for one in self.server_state.connections)
        for transport in self._slow.stalled(filter(None, held)):
            self._dropped()
            cast("asyncio.WriteTransport", transport).abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True, eq=False)
class Hooks:
    """Who is told: `stopping` when the servers begin to end, `dropped` of each slow reader.

    `reload` is called upon SIGHUP.
    """

    stopping: Callable[[], None] = lambda: None
    dropped: Callable[[], None] = lambda: None
    reload: Callable[[], Awaitable[None]] | None = None


QUIET: Final = Hooks()


class Servers:
    """Serves listeners until SIGINT, SIGTERM or `stop`."""

    def __init__(self, listeners: Sequence[Listener], hooks: Hooks = QUIET) -> None:
        self._listeners = listeners
        self._hooks = hooks
        self._servers: list[_Server] = []
        self._reloads: set[asyncio.Task[None]] = set()

    def run(self, started: Callable[[], None]) -> None:
        """Serves; `started` is called once all accept requests."""
        uvloop.run(self._run(started))

    def stop(self) -> None:
        """The first call lets requests end for a while, the second does not wait.

        In this order: not ready, no new connections, requests end, what is left is cancelled, the
        application's lifespan ends.
        """
        self._hooks.stopping()
        for server in self._servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    async def _run(self, started: Callable[[], None]) -> None:
        dropped = self._hooks.dropped
        self._servers += [_server(listener, dropped) for listener in self._listeners]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        if self._hooks.reload is not None:
            loop.add_signal_handler(signal.SIGHUP, self._reload, self._hooks.reload)
        async with asyncio.TaskGroup() as group:
            for server, listener in zip(self._servers, self._listeners, strict=True):
                group.create_task(server.serve([listener.socket]))
            group.create_task(_announced(self._servers, started))

    def _reload(self, reload: Callable[[], Awaitable[None]]) -> None:
        async def reloaded() -> None:
            # Why it failed stands in the log already.
            with contextlib.suppress(BridgeError):
                await reload()

        task = asyncio.get_running_loop().create_task(reloaded())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)


def _server(listener: Listener, dropped: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        listener.app,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        # Anyone on this machine could name any address as theirs.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    config.ssl = listener.tls
    return _Server(config, listener.limits, dropped)


async def _announced(servers: Sequence[_Server], started: Callable[[], None]) -> None:
    while not all(server.started for server in servers):
        if any(server.should_exit for server in servers):
            return
        await asyncio.sleep(0.01)
    started()
