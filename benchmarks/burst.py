"""A browser's side of a dashboard: many requests at once over connections that are kept.

It parses answers as they come and costs the processor little, so that servers are measured.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered request: seconds until its end, and its body."""

    seconds: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Burst:
    """All answers of one refresh, and the seconds until the last."""

    seconds: float
    replies: Sequence[Reply]


def post(url: str, path: str, form: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST request of a form."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(form)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + form


class Browser:
    """Connections to one server, one for each request of the largest burst so far."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), address.port or 80
        self._connections: list[_Connection] = []

    async def ask(self, requests: Sequence[bytes], within: float) -> Burst:
        """Sends all at once; raises TimeoutError after `within` seconds, and ConnectionError."""
        loop = asyncio.get_running_loop()
        kept = [one for one in self._connections if one.is_open]
        for _ in range(len(requests) - len(kept)):
            _, made = await loop.create_connection(_Connection, self._host, self._port)
            kept.append(made)
        self._connections = kept
        async with asyncio.timeout(within):
            began = time.perf_counter()
            asked = [one.ask(request) for one, request in zip(kept, requests, strict=False)]
            replies = await asyncio.gather(*asked)
        return Burst(time.perf_counter() - began, replies)

    def close(self) -> None:
        """Ends the connections."""
        for one in self._connections:
            one.close()


class _Connection(asyncio.Protocol):
    """A kept connection, of one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._began = 0.0
        self._answer: asyncio.Future[Reply] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        assert self._transport is not None
        self._body, self._answer = [], asyncio.get_running_loop().create_future()
        self._began = time.perf_counter()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server ended the connection"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # What the parser tells.

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        seconds = time.perf_counter() - self._began
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Reply(seconds, b"".join(self._body)))
        # A parser that has seen an answer that ends a connection takes no other.
        self._parser = httptools.HttpResponseParser(self)
