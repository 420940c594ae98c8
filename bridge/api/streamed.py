"""Long answers, sent while they are written, so that none is ever held whole."""

import asyncio
import os
import struct
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from contextvars import copy_context
from itertools import islice
from typing import Final, TypeVar

from isal import isal_zlib
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bridge.api.connected import while_connected
from bridge.api.pieces import Piece
from bridge.kernel.threads import behind
from bridge.model.errors import QueryCanceled
from bridge.storage.pool import CURRENT
from bridge.telemetry.trace import Stage, current

_Made = TypeVar("_Made")

# What is written in pieces has threads of its own: thousands of them may be due at once, and short
# work must not wait behind them all.
_WRITERS: Final = behind(os.cpu_count() or 1, "encode")
# How many pieces may be written ahead of the one that is being sent; while the client has taken no
# more than what the system's own buffers may hold; and if memory is short.
_AHEAD: Final = 4
_AHEAD_AT_FIRST: Final = 2
_AHEAD_CROWDED: Final = 1
_PROVEN: Final = 8
# More than servers let wait for a client before they let the application wait.
_LONG: Final = 1 << 16
# RFC 1952: deflate, no name, no time, fastest, of any system; and a last block that is empty.
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK: Final = b"\x03\x00"


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the client takes answers compressed by gzip."""
    for choice in headers.get("accept-encoding", "").split(","):
        name, _, quality = choice.partition(";")
        if name.strip().lower() == "gzip":
            return quality.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def takes_pieces(scope: Scope) -> bool:
    """Whether the client takes answers whose length is not told beforehand."""
    return scope.get("http_version") != "1.0" and scope["method"] != "HEAD"


class Counted:
    """Sends, and counts the bytes of bodies; ends once hardly any of them waits for the client."""

    def __init__(self, send: Send) -> None:
        self.bytes = 0
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        """Sends a message."""
        size = len(message.get("body", b""))
        self.bytes += size
        long_end = size >= _LONG and not message.get("more_body", False)
        return self._in_two(message) if long_end else self._send(message)

    async def _in_two(self, message: Message) -> None:
        """Sends a long last message, which is followed by an empty one that waits for its turn.

        A server takes the last one whole, however slowly the client reads.
        """
        await self._send({**message, "more_body": True})
        await self._send({"type": message["type"], "body": b"", "more_body": False})


class Streamed(Response):
    """The response of these pieces, which several threads write while earlier ones are sent.

    A piece that fails cuts the answer off, so that the client sees that it is not whole.
    """

    def __init__(self, pieces: Iterable[Piece], headers: Mapping[str, str], *, gzip: bool) -> None:
        coding = {"Content-Encoding": "gzip"} if gzip else {}
        super().__init__(headers={**headers, **coding})
        del self.headers["content-length"]
        self._pieces = pieces
        self._gzip = gzip

    def bodies(self) -> AsyncGenerator[bytes, None]:
        """What is sent, piece by piece."""
        # They are held on to: whoever asks the same meanwhile is sent these.
        pieces = iter(self._pieces)
        return _gzipped(pieces) if self._gzip else _in_threads(_written, len, pieces)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response; ends early if the client goes away."""
        with suppress(QueryCanceled):
            await while_connected(receive, self._sent(send))

    async def _sent(self, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async with aclosing(self.bodies()) as bodies:
            async for body in bodies:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _written(piece: Piece) -> bytes:
    return piece()


def _compressed(piece: Piece) -> tuple[bytes, bytes]:
    """A piece, and the same as blocks of deflate that refer to nothing before them."""
    text = piece()
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    return text, packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)


def _both(made: tuple[bytes, bytes]) -> int:
    return sum(map(len, made))


async def _gzipped(pieces: Iterator[Piece]) -> AsyncGenerator[bytes, None]:
    """The pieces as one member of gzip, each compressed by itself and so at the same time."""
    yield _GZIP_HEAD
    check = size = 0
    async with aclosing(_in_threads(_compressed, _both, pieces)) as packed:
        async for text, body in packed:
            check, size = await asyncio.to_thread(isal_zlib.crc32, text, check), size + len(text)
            yield body
    yield _LAST_BLOCK + struct.pack("<II", check, size & 0xFFFFFFFF)


async def _in_threads(
    make: Callable[[Piece], _Made], size: Callable[[_Made], int], pieces: Iterator[Piece]
) -> AsyncGenerator[_Made, None]:
    """What `make` gives for each piece, in order, a few of them at a time; one stage of the query.

    The stage lasts as long as threads worked, whatever the client took. What is made counts as held
    by the request until the piece behind it is taken: only then has it left the server's buffer.
    Of a client that takes nothing hardly more is written than what waits for it.
    """
    spent, taken, share = 0.0, 0, CURRENT.get()
    loop, context = asyncio.get_running_loop(), copy_context()

    def timed(piece: Piece) -> tuple[_Made, float]:
        begun = time.perf_counter()
        made = make(piece)
        if share is not None:
            share.made(size(made))
        return made, time.perf_counter() - begun

    def begin() -> list[asyncio.Future[tuple[_Made, float]]]:
        most = _AHEAD if taken >= _PROVEN else _AHEAD_AT_FIRST
        if share is not None and share.crowded:
            most = _AHEAD_CROWDED
        more = islice(pieces, max(0, most - len(under_way)))
        return [loop.run_in_executor(_WRITERS, context.copy().run, timed, piece) for piece in more]

    under_way: deque[asyncio.Future[tuple[_Made, float]]] = deque()
    under_way.extend(begin())
    before = 0
    try:
        while under_way:
            made, seconds = await under_way.popleft()
            under_way.extend(begin())
            spent += seconds
            yield made
            taken += 1
            if share is not None:
                share.sent(before)
            before = size(made)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if (trace := current()) is not None:
            trace.ended.append((Stage.ENCODE, spent))
