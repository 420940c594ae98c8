"""A remote-read store as a Querier: asked in which pieces, how often, within what time."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import httpx

from bridge.model.samples import SeriesBlock
from bridge.remote.answer import Keep, NotStreamable
from bridge.remote.connection import Connection
from bridge.remote.exchange import Again, Exchange, Tally
from bridge.remote.faults import Read
from bridge.remote.profiles import Profile, profile_of
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from bridge.storage.merge import Rows, merge

_BACKOFF_SECONDS: Final = (0.05, 0.4)
# A store that wants a longer pause than this is told of rather than waited for.
_LONGEST_PAUSE: Final = 10.0


class ReadObserver(Protocol):
    """Who is told of each request to a store."""

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """A request is over.

        `code` is the HTTP status; `error`, `timeout` or `canceled` where there was none, or no use
        in the answer. `samples` counts those kept.
        """


class Unobserved:
    """Nobody is told."""

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """Nothing happens."""


@dataclass(slots=True)
class RemoteStore:
    """One store, made of its settings; `transport` stands in for the network.

    `select` raises StoreError, StoreTimeout, StoreLimit, TooManySamples and LimitExceeded, each one
    sentence that names the store, what it answered and the time range asked.
    """

    settings: StoreSettings
    transport: httpx.AsyncBaseTransport | None = None
    observer: ReadObserver = field(default_factory=Unobserved)
    _profile: Profile = field(init=False)
    _connection: Connection = field(init=False)
    _sampled_only: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._profile = profile_of(self.settings)
        self._connection = Connection(self.settings, self.transport)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The whole answer; matchers are applied here too, whatever the store made of them."""
        blocks: list[SeriesBlock] = []
        size, held = 0, 0
        for window in self._windows(select):
            keep = Keep(window, options, held)
            block, received = await self._window(keep)
            blocks.append(block)
            size, held = size + received, keep.held
        return Selection(_one(blocks, select.purpose), (), size, (self.settings.name,))

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._connection.aclose()

    def _windows(self, select: Select) -> Iterator[Select]:
        """The read, in pieces as long as the store allows; none if it ends before it starts."""
        width = self.settings.max_query_range_ms or max(select.end - select.start + 1, 1)
        for start in range(select.start, select.end + 1, width):
            yield replace(select, start=start, end=min(start + width - 1, select.end))

    async def _window(self, keep: Keep) -> tuple[SeriesBlock, int]:
        held = keep.held
        try:
            return await self._in_time(keep, self._accepted(keep.select.purpose))
        except NotStreamable:
            # Remembered for as long as this process lives: chunks once written stay as they are.
            self._sampled_only, keep.held = True, held
            return await self._in_time(keep, (ResponseType.SAMPLES,))

    def _accepted(self, purpose: Purpose) -> tuple[ResponseType, ...]:
        """The kinds of answer to offer; only the sampled one honours the series hint."""
        types = self._profile.response_types
        if self._sampled_only or (purpose is Purpose.SERIES and ResponseType.SAMPLES in types):
            return (ResponseType.SAMPLES,)
        return types

    async def _in_time(
        self, keep: Keep, accepted: Sequence[ResponseType]
    ) -> tuple[SeriesBlock, int]:
        timeout = self.settings.remote_timeout_ms
        secrets = self._connection.secrets()
        read = Read(self.settings.name, keep.select.start, keep.select.end, secrets)
        try:
            async with asyncio.timeout(timeout / 1000) as scope:
                return await self._tried(keep, accepted, read, scope)
        except TimeoutError:
            raise read.timed_out(timeout) from None

    async def _tried(
        self, keep: Keep, accepted: Sequence[ResponseType], read: Read, scope: asyncio.Timeout
    ) -> tuple[SeriesBlock, int]:
        left = self.settings.retries
        while True:
            try:
                return await self._once(keep, accepted, read, scope)
            except Again as again:
                jitter = random.uniform(*_BACKOFF_SECONDS)  # noqa: S311
                pause = jitter if again.after is None else again.after
                if not left or pause > _LONGEST_PAUSE:
                    raise again.error from None
            left -= 1
            await asyncio.sleep(pause)

    async def _once(
        self, keep: Keep, accepted: Sequence[ResponseType], read: Read, scope: asyncio.Timeout
    ) -> tuple[SeriesBlock, int]:
        end = keep.select.end + int(self._profile.end_exclusive)
        exchange, tally = Exchange(self.settings, self._connection, read), Tally()
        begun = time.perf_counter()
        try:
            block = await exchange.block(keep, accepted, end, tally)
        except asyncio.CancelledError:
            tally.code = "timeout" if scope.expired() else "canceled"
            raise
        finally:
            name, seconds = self.settings.name, time.perf_counter() - begun
            self.observer.request_ended(
                name, tally.code, seconds, tally.received_bytes, tally.samples
            )
        return block, tally.received_bytes


def _one(blocks: Sequence[SeriesBlock], purpose: Purpose) -> SeriesBlock:
    if len(blocks) == 1:
        return blocks[0]
    rows = [piece for block in blocks for piece in Rows.of(block)]
    return merge(rows, first_wins=False, keep_empty=purpose is Purpose.SERIES)
