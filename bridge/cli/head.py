"""The head of an answer as it goes over the wire. Pure.

Source: RFC 9112, sections 4 to 6; RFC 9110, section 5.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final

RawHeaders = tuple[tuple[bytes, bytes], ...]

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
# Heads that are known; of answers that are given again and again they are the same.
_KNOWN: Final = 1024


class BrokenHeadError(ValueError):
    """A header that HTTP does not allow."""


@dataclass(frozen=True, slots=True)
class Head:
    """Lines, each with its end, and what they say: the body's `length`, if it is known.

    `chunked`: the application says itself that it sends the body in chunks; `closes`: the
    connection ends behind the answer.
    """

    lines: bytes
    length: int | None = None
    chunked: bool = False
    closes: bool = False


@lru_cache(_KNOWN)
def head_of(status: int, headers: RawHeaders) -> Head:
    """The status line and these headers; raises BrokenHeadError."""
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, _phrase(status)), lines_of(headers)]
    told = {name.lower(): value.lower() for name, value in headers}
    length = told.get(b"content-length")
    return Head(
        b"".join(lines),
        None if length is None else int(length),
        told.get(b"transfer-encoding") == b"chunked",
        b"close" in map(bytes.strip, told.get(b"connection", b"").split(b",")),
    )


@lru_cache(_KNOWN)
def lines_of(headers: RawHeaders) -> bytes:
    """Headers as lines; raises BrokenHeadError."""
    return b"".join(_line(name, value) for name, value in headers)


def _line(name: bytes, value: bytes) -> bytes:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise BrokenHeadError(f"the header {name!r} is not one of HTTP, or its value is not")
    return b"%s: %s\r\n" % (name.lower(), value)


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
