"""ASGI applications on TCP ports, until a signal ends them."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import uvicorn
import uvloop
from starlette.types import ASGIApp

from bridge.model.errors import BridgeError

# Grafana keeps its idle connections for 90 s; whoever closes first must not be the server.
_KEEP_ALIVE_SECONDS: Final = 120
_GRACE_SECONDS: Final = 10


class CannotListen(BridgeError):
    """An address that cannot be listened on; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """An application and the socket it is to be served on."""

    app: ASGIApp
    socket: socket.socket

    @property
    def address(self) -> str:
        """`host:port` with the real port."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen(app: ASGIApp, host: str, port: int) -> Listener:
    """A listener on `host` (empty: every address) and `port` (0: any free one)."""
    try:
        return Listener(app, _bound(host, port))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from None


def _bound(host: str, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    kind = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = kind[0]
    return socket.create_server(address[:2], family=family, backlog=2048)


class _Server(uvicorn.Server):
    """A server that leaves signals to `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(listeners: Sequence[Listener], started: Callable[[], None]) -> None:
    """Serves all until SIGINT or SIGTERM; `started` is called once all accept requests."""
    uvloop.run(_serve(listeners, started))


async def _serve(listeners: Sequence[Listener], started: Callable[[], None]) -> None:
    servers = [_server(listener.app) for listener in listeners]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, servers)
    async with asyncio.TaskGroup() as group:
        for server, listener in zip(servers, listeners, strict=True):
            group.create_task(server.serve([listener.socket]))
        group.create_task(_announced(servers, started))


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )


def _stop(servers: Sequence[_Server]) -> None:
    """The first signal lets requests end, the second does not wait."""
    for server in servers:
        server.force_exit = server.should_exit
        server.should_exit = True


async def _announced(servers: Sequence[_Server], started: Callable[[], None]) -> None:
    while not all(server.started for server in servers):
        if any(server.should_exit for server in servers):
            return
        await asyncio.sleep(0.01)
    started()
