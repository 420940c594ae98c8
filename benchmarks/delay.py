"""A network that is farther away than loopback: a proxy for TCP that lets bytes take their time."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_PIECE: Final = 1 << 16
# As Linux has them: ten segments, doubled with each round trip up to the receive buffer; a
# connection that was idle begins anew.
_FIRST_WINDOW: Final = 10 * 1448
_MOST_WINDOW: Final = 6 << 20
_IDLE: Final = 0.25  # seconds


@contextlib.contextmanager
def distant(url: str, round_trip: float) -> Iterator[str]:
    """The same server by another URL, `round_trip` seconds away."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    loop = asyncio.new_event_loop()
    proxy = _Proxy(parts.hostname, parts.port, round_trip / 2)
    thread = threading.Thread(target=loop.run_forever, name="delay", daemon=True)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(proxy.listen(), loop).result()
        host, port = server.sockets[0].getsockname()[:2]
        yield urlunsplit((parts.scheme, f"{host}:{port}", parts.path, parts.query, ""))
    finally:
        asyncio.run_coroutine_threadsafe(proxy.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(slots=True)
class _Proxy:
    """Connections to one server, `delay` seconds each way."""

    host: str
    port: int
    delay: float
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self) -> asyncio.Server:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self._server

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake of the connection that this one stands for.
        await asyncio.sleep(2 * self.delay)
        theirs, to_them = await asyncio.open_connection(self.host, self.port)
        try:
            ways = _Way(reader, to_them, self.delay), _Way(theirs, writer, self.delay)
            await asyncio.gather(*(way.run() for way in ways))
        finally:
            to_them.close()
            writer.close()


@dataclass(slots=True)
class _Way:
    """One direction of a connection; `_flying` bytes are under way or not yet acknowledged."""

    source: asyncio.StreamReader
    target: asyncio.StreamWriter
    delay: float
    _window: int = _FIRST_WINDOW
    _flying: int = 0
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _due: float = 0.0

    async def run(self) -> None:
        """Hands on until the source ends."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await self.source.read(min(self._window - self._flying, _PIECE)):
                if not self._flying and loop.time() > self._due + _IDLE:
                    self._window = _FIRST_WINDOW
                # Timers of the same time have no order.
                self._due = max(loop.time() + self.delay, self._due + 1e-6)
                self._flying += len(data)
                loop.call_at(self._due, self.target.write, data)
                loop.call_at(self._due + self.delay, self._acknowledged, len(data))
                while self._flying >= self._window:
                    self._room.clear()
                    await self._room.wait()
            await asyncio.sleep(2 * self.delay)
            self.target.write_eof()

    def _acknowledged(self, count: int) -> None:
        self._flying -= count
        self._window = min(self._window + count, _MOST_WINDOW)
        self._room.set()
