"""A request to a store and its response, whoever sends the one and receives the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Protocol

import httpx

RawHeaders = Sequence[tuple[bytes, bytes]]

AGENT: Final = ("User-Agent", f"prombridge/{version('prombridge')}")
# What `Response.decoding` understands.
COMPRESSED: Final = ("Accept-Encoding", "gzip, deflate")

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; `server_name` is whom a certificate has to name, if not the URL's host."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    server_name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A response whose `body` comes in pieces as they arrive, and raises httpx' errors.

    Who has it closes it.
    """

    status: int
    reason: str
    headers: RawHeaders
    body: httpx.AsyncByteStream
    version: str = "HTTP/1.1"

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None if it is none."""
        return self.header("Location") if self.status in _REDIRECTS else None

    def header(self, name: str) -> str | None:
        """A header's value; None without it. One that stands several times is one list."""
        wanted = name.lower().encode("latin-1", "replace")
        found = [value for key, value in self.headers if key.lower() == wanted]
        return _text(b", ".join(found)) if found else None

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All headers in their order, their names in lower case."""
        return ((_text(name).lower(), _text(value)) for name, value in self.headers)

    def decoding(self) -> httpx.Response:
        """The same as httpx has it, which can take the compression off."""
        extensions = {"reason_phrase": self.reason.encode("latin-1", "replace")}
        return httpx.Response(
            self.status, headers=list(self.headers), stream=self.body, extensions=extensions
        )

    async def aclose(self) -> None:
        """Ends it, whether or not its body was read to its end."""
        await self.body.aclose()


class Sender(Protocol):
    """Who sends requests over connections that are kept alive, and follows no redirect."""

    async def send(self, request: Request) -> Response:
        """The response, its body not read yet; raises httpx' errors."""

    async def aclose(self) -> None:
        """Closes all connections."""


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
