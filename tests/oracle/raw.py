"""HTTP as it stands in a table: any bytes, sent as they are, to whichever server."""

import gzip
import http.client
import json
import socket
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT = 60  # seconds one answer may take

Json = Any  # what json.loads makes, but Number for numbers


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request: nothing of it is checked, completed or escaped but a body's length."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return self.name
        headers = "".join(f" {name}:{value}" for name, value in self.headers)
        body = f" [{self.body.decode('latin-1')}]" if self.body else ""
        return f"{self.method} {self.target}{headers}{body}"

    def bytes(self) -> bytes:
        """The request's bytes."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method in {"POST", "PUT"}:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `body` is decompressed."""

    status: int
    headers: Mapping[str, str] = field(hash=False)
    body: bytes

    @property
    def json(self) -> Json:
        """The body, with the texts of numbers kept; None if it is none."""
        try:
            return json.loads(self.body, parse_int=Number, parse_float=Number)
        except ValueError:
            return None


def send(url: str, call: Call) -> Reply:
    """The answer of the server at `url`."""
    place = urlsplit(url)
    address = (place.hostname or "", place.port or 80)
    with socket.create_connection(address, timeout=_TIMEOUT) as connection:
        connection.sendall(call.bytes())
        answer = http.client.HTTPResponse(connection, method=call.method)
        answer.begin()
        headers = {name.lower(): value for name, value in _joined(answer.getheaders())}
        raw = answer.read()
        return Reply(answer.status, headers, _plain(raw, headers.get("content-encoding", "")))


def _joined(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined.items()


def _plain(raw: bytes, encoding: str) -> bytes:
    match encoding:
        case "gzip" if raw:
            return gzip.decompress(raw)
        case "deflate" if raw:
            return zlib.decompress(raw)
        case _:
            return raw
