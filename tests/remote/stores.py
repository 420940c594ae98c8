"""A store of the tests: a bare HTTP server on loopback that says exactly what it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bridge.model.labels import Labels, Matcher, MatchType
from bridge.remote.client import RemoteStore
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.remote.wire import SAMPLED_MEDIA, STREAMED_MEDIA_FULL
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection

START, END = 1_700_000_000_000, 1_700_000_600_000
RANGE_TEXT = "(reading 2023-11-14T22:13:20Z to 2023-11-14T22:23:20Z)"

# A first read may have to wait until kernels are compiled, ms.
COMPILING = 600_000

STREAMED = (ResponseType.STREAMED,)
SAMPLED = (ResponseType.SAMPLES,)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes


Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Store:
    """Replies in turn, the last one for ever; remembers what it was asked."""

    replies: Sequence[Reply]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/read"

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append(Asked(headers, body))
            reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(writer)
                await reader.read()
                self.dropped.set()
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def store(*replies: Reply) -> AsyncIterator[Store]:
    """A store that gives these replies, each on a connection of its own."""
    made = Store(replies)
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield made
        finally:
            await asyncio.gather(*made.serving)


def reply(
    body: bytes, media: str = SAMPLED_MEDIA, status: str = "200 OK", headers: str = ""
) -> bytes:
    """A whole HTTP response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n"
    return (head + headers + "Connection: close\r\n\r\n").encode() + body


def chunked_reply(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A streamed answer in HTTP chunks; without `end` it is cut off."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAMED_MEDIA_FULL}\r\n"
    head += "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + end


def streamed_reply(body: bytes) -> bytes:
    """A streamed answer with a length."""
    return reply(body, STREAMED_MEDIA_FULL)


def equals(name: str, value: str) -> Matcher:
    """An equality matcher."""
    return Matcher(name, MatchType.EQUAL, value)


UP = Select((equals("__name__", "up"),), START, END)
UP_SERIES = Select((equals("__name__", "up"),), START, END, Purpose.SERIES)
OPTIONS = ReadOptions()


def remote(url: str, **settings: object) -> RemoteStore:
    """A store's client under the name `a`."""
    return RemoteStore(StoreSettings("a", url, **settings))  # type: ignore[arg-type]


Found = dict[Labels, list[tuple[int, float]]]


def found(selection: Selection) -> Found:
    """A selection as plain data, in the block's order."""
    columns = selection.block.columns()
    offsets = columns.offsets.tolist()
    points = list(zip(columns.timestamps.tolist(), columns.values.tolist(), strict=True))
    return {
        labels: points[offsets[row] : offsets[row + 1]]
        for row, labels in enumerate(selection.block.labels)
    }


async def read(reply_: Reply, select: Select = UP, options: ReadOptions = OPTIONS) -> Selection:
    """What a client makes of one reply; no request is repeated."""
    async with store(reply_) as made:
        client = remote(made.url, retries=0, remote_timeout_ms=COMPILING)
        try:
            return await client.select(select, options)
        finally:
            await client.aclose()
