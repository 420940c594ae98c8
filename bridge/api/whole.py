"""Answers that are sent at once: their body is there."""

from functools import lru_cache
from typing import Final

from starlette.types import Receive, Scope, Send

from bridge.api.headers import RawHeaders, raw_headers

Headers = tuple[tuple[str, str], ...]

JSON: Final = {"Content-Type": "application/json"}
# Headers that are known as they go over the wire.
_KNOWN: Final = 256


class Whole:
    """The response of a body, which is JSON unless `headers` say otherwise."""

    status_code = 200

    def __init__(self, body: bytes, headers: Headers, *, gzip: bool = False) -> None:
        coding = ((b"content-encoding", b"gzip"),) if gzip else ()
        length = (b"content-length", b"%d" % len(body))
        self.body = body
        self.raw_headers: RawHeaders = (*_raw(headers), *coding, length)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Sends the response."""
        status, headers = self.status_code, self.raw_headers
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


@lru_cache(_KNOWN)
def _raw(headers: Headers) -> RawHeaders:
    return raw_headers({**JSON, **dict(headers)}.items())
