"""The logged store behind the real client, over a wire that can break."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from bridge.remote.breaker import Breaker
from bridge.remote.client import RemoteStore
from bridge.remote.server import read_app
from bridge.remote.settings import StoreSettings
from bridge.remote.wire import STREAMED_MEDIA
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.cache.world import LoggedStore, Reading, block

_DAY = 86_400_000  # ms


class Damage(StrEnum):
    """What happens to an answer on its way; only a stream can show a flipped bit."""

    CUT = "cut"
    BIT = "bit"
    GARBAGE = "garbage"


@dataclass
class _Once:
    """The store for one request, and what it saw of it."""

    store: LoggedStore
    reading: Reading | None = None

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        selection = await self.store.select(select, options)
        self.reading = self.store.readings[-1]
        return selection


@dataclass
class _Cut(httpx.AsyncByteStream):
    body: bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Remote read from a store; the next answers are damaged at a place, as a share of them."""

    store: LoggedStore
    damages: list[tuple[Damage, float]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        once = _Once(self.store)
        answer = await httpx.ASGITransport(read_app(once)).handle_async_request(request)
        body = await answer.aread()
        if not self.damages or once.reading is None:
            return _response(answer, httpx.ByteStream(body))
        self.store.readings.remove(once.reading)
        damage, share = self.damages.pop()
        streamed = answer.headers["Content-Type"].startswith(STREAMED_MEDIA)
        seen = damage if streamed and body else Damage.CUT
        return _response(answer, _damaged(body, seen, share))


def _damaged(body: bytes, damage: Damage, share: float) -> httpx.AsyncByteStream:
    at = int(share * len(body))
    match damage:
        case Damage.CUT:
            return _Cut(body[:at])
        case Damage.BIT:
            return httpx.ByteStream(body[:at] + bytes([body[at] ^ 1 << at % 8]) + body[at + 1 :])
        case Damage.GARBAGE:
            return httpx.ByteStream(body + b"\x05garbage")


def _response(answer: httpx.Response, stream: httpx.AsyncByteStream) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)


class Wired:
    """A Querier: the client before the wire; `halves` answers to come lack half, and say so."""

    def __init__(self, store: LoggedStore) -> None:
        self.store = store
        self.wire = Wire(store)
        self.halves = 0
        settings = StoreSettings("logged", "http://logged/api/v1/read", _DAY, retries=0)
        # Neither a time-out nor a pause of the breaker: nothing may depend on real time.
        self.remote = RemoteStore(settings, self.wire, breaker=Breaker(0.0))

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        if not self.halves:
            return await self.remote.select(select, options)
        self.halves -= 1
        samples = self.store.truth(select)
        half = dict(list(samples.items())[::2])
        return Selection(block(half), ("half of it is missing",), 10, ("logged",))

    async def aclose(self) -> None:
        await self.remote.aclose()
