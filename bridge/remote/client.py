"""A remote-read store as a Querier: which reads one read becomes, and how they become one block."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from bridge.model.errors import StoreLimit
from bridge.model.labels import Labels, Matcher
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.remote.answer import Budget, Keep, NotSampleable, NotStreamable
from bridge.remote.breaker import Breaker
from bridge.remote.connection import Connection
from bridge.remote.exchange import Exchange
from bridge.remote.faults import Read, TheirLimit
from bridge.remote.forms import Forms, Sent
from bridge.remote.health import Health
from bridge.remote.profiles import Profile, profile_of
from bridge.remote.pushing import NameRequired, pushed
from bridge.remote.recorded import Connect, Link
from bridge.remote.requests import ReadObserver, Requests, Unobserved
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.remote.wire import read_request
from bridge.storage import payer
from bridge.storage.interface import Estimate, Purpose, ReadOptions, Select, Selection
from bridge.storage.merge import Rows, merge

_SAMPLES_FIRST: Final = (ResponseType.SAMPLES, ResponseType.STREAMED)


@dataclass(slots=True)
class RemoteStore:
    """One store, made of its settings; `transport` stands in for the network.

    `connect` makes another way to the store than a connection. `turns` are shared by all who ask
    the same store, if there are several.

    `select` raises StoreError, StoreTimeout, StoreLimit, TooManySamples and LimitExceeded, each one
    sentence that names the store, what it answered and the time range asked; and BudgetUsedUp.
    """

    settings: StoreSettings
    transport: httpx.AsyncBaseTransport | None = None
    observer: ReadObserver = field(default_factory=Unobserved)
    breaker: Breaker = field(default_factory=Breaker)
    connect: Connect | None = None
    turns: asyncio.Semaphore | None = None
    profile: Profile = field(init=False)
    _connection: Link = field(init=False)
    _requests: Requests = field(init=False)
    _forms: Forms = field(default_factory=Forms)
    _sampled_only: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.profile = profile_of(self.settings)
        made = self.connect(self.settings) if self.connect else None
        self._connection = made or Connection(self.settings, self.transport)
        self._requests = Requests(
            self.profile.concurrency, self.observer, self.breaker, turns=self.turns
        )

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The whole answer; matchers are applied here too, whatever the store made of them."""
        payer.ask()
        reading = _Reading(self, select, options)
        for matchers in self._pushed(select):
            await reading.read(matchers)
        block = _one(reading.blocks, select.purpose)
        name, received = self.settings.name, reading.received_bytes
        return Selection(block, (), received, (name,), clock=min(reading.clocks, default=None))

    @property
    def in_flight(self) -> int:
        """How many requests to it are under way."""
        return self._requests.in_flight

    @property
    def health(self) -> Health:
        """What became of its reads so far."""
        return self._requests.health

    async def estimate(self, select: Select, _options: ReadOptions) -> tuple[Estimate, ...]:
        """All of it would be read; how much that is the store does not tell beforehand."""
        return (Estimate(self.settings.name, gaps=(Window(select.start, select.end),)),)

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._connection.aclose()

    def _pushed(self, select: Select) -> tuple[tuple[Matcher, ...], ...]:
        try:
            return pushed(select.matchers, self.profile)
        except NameRequired:
            what = (
                f"it takes only reads of one metric name, and {_selector(select)} does not say"
                " which: name the metric, or several as name1|name2"
            )
            raise self.read(select).limited(what) from None

    def read(self, select: Select) -> Read:
        """What errors of this read name and hide."""
        return Read(self.settings.name, select.start, select.end, self._connection.secrets)

    async def piece(self, keep: Keep, matchers: tuple[Matcher, ...]) -> tuple[SeriesBlock, int]:
        """One read that the store takes whole: what `keep` keeps of it, and its size in bytes."""
        held, accepted = keep.held, self._accepted(keep.select)
        try:
            block, received = await self._asked(keep, matchers, accepted)
        except NotStreamable:
            # Remembered for as long as this process lives: chunks once written stay as they are.
            self._sampled_only, keep.held = True, held
            return await self._asked(keep, matchers, (ResponseType.SAMPLES,))
        except NotSampleable as lack:
            self._forms.stream_only(keep.select.matchers)
            keep.held, keep.sent = held, Sent()
            return await self._streamed(keep, matchers, lack)
        select, sent = keep.select, keep.sent
        if select.purpose is Purpose.SERIES:
            return block, received
        self._forms.saw(select.matchers, sent, received, select.end - select.start)
        if sent.doubtful and accepted == _SAMPLES_FIRST != self.profile.response_types:
            self._forms.stream_only(select.matchers)
            keep.held, keep.sent = held, Sent()
            block, again = await self.piece(keep, matchers)
            received += again
        return block, received

    async def _streamed(
        self, keep: Keep, matchers: tuple[Matcher, ...], lack: NotSampleable
    ) -> tuple[SeriesBlock, int]:
        """The same read of a store whose sampled answer lacks something."""
        streamed = ResponseType.STREAMED
        if streamed in self.profile.response_types:
            with suppress(NotSampleable):
                return await self._asked(keep, matchers, (streamed,))
            what = f"{lack} in its sampled answer, and it does not stream"
        else:
            what = (
                f"{lack} in its sampled answer; let it stream: response_types: [streamed, samples]"
            )
        raise self.read(keep.select).failed(what)

    def _accepted(self, select: Select) -> tuple[ResponseType, ...]:
        """The kinds of answer to offer; only the sampled one honours the series hint."""
        types = self.profile.response_types
        for_series = select.purpose is Purpose.SERIES
        if self._sampled_only or (for_series and ResponseType.SAMPLES in types):
            return (ResponseType.SAMPLES,)
        if for_series:
            return types
        return self._forms.order(select.matchers, select.end - select.start, types)

    async def _asked(
        self, keep: Keep, matchers: tuple[Matcher, ...], accepted: Sequence[ResponseType]
    ) -> tuple[SeriesBlock, int]:
        end = keep.select.end + int(self.profile.end_exclusive)
        body = read_request(replace(keep.select, matchers=matchers, end=end), accepted)
        read = self.read(keep.select)
        exchange = Exchange(self.settings, self.profile, self._connection, read)
        return await self._requests.answer(exchange, keep, body)


@dataclass(slots=True)
class _Reading:
    """One read of a store on its way: in pieces, which shrink where they exceed its limits."""

    store: RemoteStore
    select: Select
    options: ReadOptions
    blocks: list[SeriesBlock] = field(default_factory=list)
    received_bytes: int = 0
    clocks: list[int] = field(default_factory=list)
    _held: int = 0
    _rows: set[Labels] = field(default_factory=set)

    async def read(self, matchers: tuple[Matcher, ...]) -> None:
        """Reads the series of the select that these matchers, sent to the store, let pass."""
        start = self.select.start
        width = self.store.profile.piece or max(self.select.end - start + 1, 1)
        while start <= self.select.end:
            end = min(start + width - 1, self.select.end)
            try:
                await self._piece(replace(self.select, start=start, end=end), matchers)
            except TheirLimit as limit:
                width = self._shorter(end - start + 1, limit)
            else:
                start = end + 1

    async def _piece(self, window: Select, matchers: tuple[Matcher, ...]) -> None:
        settings = self.store.settings
        budget = Budget(settings.max_samples, settings.max_series)
        keep = Keep(
            window, self.options, self._held, budget, self._rows, received=self.received_bytes
        )
        block, received = await self.store.piece(keep, matchers)
        self.blocks.append(block)
        self.received_bytes += received
        self._held = keep.held
        if keep.clock is not None:
            self.clocks.append(keep.clock)

    def _shorter(self, length: int, limit: TheirLimit) -> int:
        """Half of a length that was too much, not below the floor; raises StoreLimit at it."""
        floor = max(self.store.settings.min_query_range_ms, 1)
        if length > floor:
            return max((length + 1) // 2, floor)
        if length == self.select.end - self.select.start + 1:
            raise limit
        selector = _selector(self.select)
        fault: StoreLimit = self.store.read(self.select).over_any_piece(limit, length, selector)
        raise fault from None


def _selector(select: Select) -> str:
    """The matchers as PromQL writes them."""
    return "{" + ", ".join(map(str, select.matchers)) + "}"


def _one(blocks: Sequence[SeriesBlock], purpose: Purpose) -> SeriesBlock:
    if len(blocks) == 1:
        return blocks[0]
    rows = [piece for block in blocks for piece in Rows.of(block)]
    return merge(rows, first_wins=False, keep_empty=purpose is Purpose.SERIES)
