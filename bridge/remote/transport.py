"""How bytes come from a store without a proxy: over aiohttp, whose parser is written in C.

A streamed answer comes in some thousand pieces, one for each frame; httpx' own parser spends more
on them than all decoding, and its client more on a request than all that a small read needs.
"""

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from bridge.remote.responses import Request, Response

_CONNECTIONS: Final = 64
# Seconds for which a connection waits for the next refresh: less than the five minutes after which
# Prometheus closes it. A network on the way that forgets connections is reminded of them, or found
# out, by probes so many seconds apart.
_IDLE: Final = 240.0
_PROBES: Final = 15
# Bytes that may wait for who reads them before the store is slowed down.
_READ_AHEAD: Final = 1 << 20
# Bytes that are worth being woken for, once an answer turns out to be longer; and the seconds in
# which more of them gather.
_WORTHWHILE: Final = 1 << 16
_MOMENT: Final = 0.001
# URLs that are parsed once.
_TARGETS: Final = 256
# The longest line of an answer's head.
_LONGEST_LINE: Final = 1 << 16

# In order: the first that an error is an instance of tells what httpx calls it.
_ERRORS: Final[Mapping[type[Exception], type[httpx.TransportError]]] = {
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.InvalidURL: httpx.UnsupportedProtocol,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientPayloadError: httpx.RemoteProtocolError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.ClientError: httpx.ReadError,
    OSError: httpx.ReadError,
}


@dataclass(slots=True)
class Direct:
    """A Sender without a proxy and without cookies."""

    context: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(init=False, default=None)

    async def send(self, request: Request) -> Response:
        """The response; raises httpx' errors."""
        target = _target(request.url)
        with _mapped():
            response = await self._open().request(
                request.method,
                target.url,
                data=request.body,
                headers=target.headers(request.headers),
                allow_redirects=False,
                server_hostname=request.server_name,
            )
        reason = (response.reason or "").encode("ascii", "ignore").decode()
        return Response(response.status, reason, response.raw_headers, _Body(response))

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, which can be made only while an event loop runs."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(
                    limit=_CONNECTIONS,
                    keepalive_timeout=_IDLE,
                    socket_factory=probing,
                    ssl=self.context,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(),
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                read_bufsize=_READ_AHEAD,
                max_line_size=_LONGEST_LINE,
                max_field_size=_LONGEST_LINE,
            )
        return self._session


class _Protocol(ResponseHandler):
    """aiohttp's, which parses nothing anew for each chunk that is taken from what has come."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Goes on if it was paused."""
        if self._reading_paused:
            super().resume_reading(resume_parser)


class _Connector(aiohttp.TCPConnector):
    """Connections of our protocol."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        kind: type[ResponseHandler] = _Protocol
        self._factory = partial(kind, loop=self._loop)


@dataclass(frozen=True, slots=True)
class _Body(httpx.AsyncByteStream):
    """What comes behind an answer's head, in pieces as they arrive."""

    response: aiohttp.ClientResponse

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        with _mapped():
            async for piece in self.response.content.iter_any():
                yield piece
                received += len(piece)
                if len(piece) < _WORTHWHILE < received:
                    await self._gather()

    async def _gather(self) -> None:
        """Leaves what comes next with the system for a moment, to take it as one piece."""
        connection = self.response.connection
        transport = None if connection is None else connection.transport
        # There is none once the answer has come to its end.
        if transport is None:
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(_MOMENT)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    async def aclose(self) -> None:
        # A connection whose answer was not read to its end is closed, the others are kept.
        self.response.release()


def probing(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that finds out by itself when nobody is on the other side any more."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system can be told how often.
    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if option := getattr(socket, name, None):
            made.setsockopt(socket.IPPROTO_TCP, option, _PROBES)
    return made


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request goes: a URL without its user, who is in `authorization` if there is one."""

    url: URL
    host: str
    authorization: str

    def headers(self, given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """The headers given, and those that follow from the URL."""
        names = {name.lower() for name, _ in given}
        made = [] if "host" in names else [("Host", self.host)]
        if not self.authorization:
            return [*made, *given]
        others = (pair for pair in given if pair[0].lower() != "authorization")
        return [*made, *others, ("Authorization", self.authorization)]


@lru_cache(maxsize=_TARGETS)
def _target(url: str) -> _Target:
    """Where a URL leads; the same few are asked for again and again. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    pair = base64.b64encode(f"{parsed.username}:{parsed.password}".encode()).decode()
    return _Target(
        URL(str(parsed.copy_with(userinfo=b"")), encoded=True),
        parsed.netloc.decode("ascii"),
        f"Basic {pair}" if parsed.username or parsed.password else "",
    )


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except tuple(_ERRORS) as error:
        kind = next(ours for theirs, ours in _ERRORS.items() if isinstance(error, theirs))
        raise kind(_said(error)) from error


def _unreached(error: OSError) -> str:
    """Why there is no connection: asyncio gives all reasons one text, their number tells."""
    if error.errno and "Connect call failed" in str(error):
        return os.strerror(error.errno)
    return error.strerror if error.strerror and not isinstance(error, ssl.SSLError) else str(error)


def _said(error: Exception) -> str:
    """What an error says, on one line."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            said = str(error.certificate_error)
        case aiohttp.ClientConnectorError():
            said = _unreached(error.os_error)
        case aiohttp.ClientResponseError():
            said = error.message
        case _:
            said = str(error)
    return " ".join(said.split()) or type(error).__name__
