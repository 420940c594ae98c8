"""SampleCache: a Querier around a Querier that remembers raw samples by selector and time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from bridge.cache import intervals
from bridge.cache.behind import all_gone
from bridge.cache.beyond import Beyond
from bridge.cache.blocks import Block, encoded
from bridge.cache.costs import density, held_samples
from bridge.cache.flights import Flight, Flights, wider_than
from bridge.cache.keys import Key
from bridge.cache.memory import Held, Memory
from bridge.cache.merging import mergeable, merged
from bridge.cache.pieces import Piece, left, lies_in, put_together, work_of
from bridge.cache.policy import Moment, Policy, is_down
from bridge.cache.purges import Purge, Purges
from bridge.cache.standing import Standing
from bridge.model.errors import LimitExceeded, StoreError, StoreTimeout, TooManySamples
from bridge.model.labels import Matcher
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window, format_duration
from bridge.storage import payer, waiting
from bridge.storage.allowance import allow
from bridge.storage.interface import (
    Estimate,
    Provenance,
    Purpose,
    Querier,
    ReadOptions,
    Select,
    Selection,
)
from bridge.storage.warranty import Warranties
from bridge.telemetry.trace import Stage, stage

# Samples that are put together at once, in half a millisecond; more in a thread, which takes some
# hundred microseconds to begin.
_AT_ONCE: Final = 100_000
# Samples that are encoded or copied at once: a third of a millisecond at most.
_FEW: Final = 20_000

_Made = TypeVar("_Made")


class SampleCache:
    """Reads of a store only what is not remembered of it, and remembers what it reads.

    An answer is what the store would have said now, except for changes since a read that
    `bridge.cache.policy` lets count. `store` and `tenant` tell caches that share a memory apart;
    `policy`, by default that of the memory's settings, is the store's own; `beyond` are the
    places where sealed samples outlive this process, the nearest first; `purges` is what must not
    be served any more.
    """

    def __init__(
        self,
        querier: Querier,
        memory: Memory,
        store: str,
        policy: Policy | None = None,
        beyond: Sequence[Beyond] = (),
        tenant: str = "",
        purges: Purges | None = None,
    ) -> None:
        self._querier = querier
        self._memory = memory
        self._store = store
        self._policy = policy or Policy(memory.settings)
        self._beyond = beyond
        self._tenant = tenant
        self._purges = purges or Purges((), memory.clock)
        self._purges.follow(self._forget)
        self._flights = Flights(querier, memory, self._landed)
        self._keeping: set[asyncio.Task[None]] = set()
        self._received_bytes = 0
        self._received_samples = 0

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The inner Querier's answer, as far as possible from memory; raises what that raises."""
        window = Window(select.start, select.end)
        from_memory = select.purpose is Purpose.SAMPLES and not options.nocache
        key = self._key(select.matchers)
        passed = not self._policy.storable(window)
        if not from_memory or window.end < window.start or passed:
            return self._noted(await self._querier.select(select, options))
        await self._purges.current()
        held = self._memory.begin(key, self._policy)
        try:
            return self._noted(await self._answer(held, window, select, options))
        finally:
            self._memory.end(held)

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What memory and tiers hold of a read, and about how much the store would send."""
        window, key = Window(select.start, select.end), self._key(select.matchers)
        remembers = not options.nocache and self._policy.storable(window)
        if remembers:
            await self._purges.current()
        held, now = self._memory.begin(key, self._policy), self._memory.clock()
        try:
            found = await self._recalled(held, window, now, options) if remembers else []
            missing = self._missing(window, found)
            pieces = [piece for piece in found if not lies_in(piece.window, missing)]
            wide = options.fresh or not remembers
            gaps = missing if wide else [self._widened(held, gap, window, now) for gap in missing]
            return (self._estimated(held, pieces, missing, gaps),)
        finally:
            self._memory.end(held)

    def _estimated(
        self,
        held: Held,
        pieces: Sequence[Piece],
        missing: Sequence[Window],
        gaps: Sequence[Window],
    ) -> Estimate:
        known = density(held, self._memory.wider(held.key))
        flown = [piece.window for piece in pieces if isinstance(piece.source, Flight)]
        blocks = (
            (piece.held, piece.source, piece.window)
            for piece in pieces
            if isinstance(piece.source, Block)
        )
        in_memory = held_samples(held, blocks)
        samples = read = size = None
        if known is not None or not (missing or flown):
            rest = known.over([*missing, *flown]) if known is not None else 0
            samples = in_memory + rest
        if known is not None or not gaps:
            read = known.over(gaps) if known is not None else 0
        if read is not None and (not read or self._received_samples):
            size = round(read * self._received_bytes / max(self._received_samples, 1))
        windows = sorted((piece.window for piece in pieces), key=lambda one: one.start)
        series = None if known is None else known.series
        together = tuple(intervals.touching(windows))
        return Estimate(self._store, together, tuple(gaps), series, samples, read, size, in_memory)

    async def settled(self) -> None:
        """Waits until all that was read is remembered."""
        await all_gone(self._keeping)

    async def aclose(self) -> None:
        """Ends what goes on behind the answers."""
        self._purges.unfollow(self._forget)
        for task in self._keeping:
            task.cancel()
        await self.settled()

    async def purge(self, matchers: Sequence[Matcher], window: Window) -> None:
        """Purges a window of every selector, of all stores, that may select what matches."""
        await self._purges.purge(matchers, window)

    def _forget(self, purge: Purge) -> None:
        for held in self._memory.selectors():
            if held.key.store == self._store and held.key.may_match(purge.matchers):
                self._flights.forget_all(held, purge.window)
                self._memory.purge(held, purge.window)
                for tier in self._beyond:
                    if forsaken := tier.forsaken(held, purge.window):
                        self._behind(tier.drop(forsaken))

    def _behind(self, work: Coroutine[None, None, None]) -> None:
        """Does something behind the answers."""
        task = asyncio.create_task(work)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def _noted(self, selection: Selection) -> Selection:
        if use := selection.provenance.use:
            self._memory.observer.cache_used(self._store, use)
        return selection

    def _key(self, matchers: Sequence[Matcher]) -> Key:
        return Key(self._store, self._tenant, tuple(sorted(set(matchers))))

    async def _answer(
        self, held: Held, window: Window, select: Select, options: ReadOptions
    ) -> Selection:
        now = self._memory.clock()
        with stage(Stage.RECALL, store=self._store):
            found = await self._recalled(held, window, now, options)
        pieces, led = self._planned(held, window, found, now, options)
        if all(isinstance(piece.source, Block) for piece in pieces):
            block = await self._put_together(held, pieces, {}, options)
            blocks = len({piece.source for piece in pieces})
            provenance = Provenance(blocks, warranties=self._warranties(pieces))
            return Selection(block, (), 0, (self._store,), provenance)
        sources = dict.fromkeys(piece.source for piece in pieces)
        flights = [source for source in sources if isinstance(source, Flight)]
        gaps = [flight for flight in flights if not flight.task.done()]
        for _ in set(gaps) - led:
            self._memory.observer.read_joined(self._store)
        own = [flight for flight in flights if flight.held is held]
        if options.watch is not None:
            for flight in own:
                flight.watches.add(options.watch)
        waiting.waits()
        try:
            answers = await self._flights.answers(flights)
        except (LimitExceeded, TooManySamples):
            if own != flights or any(wider_than(flight, window) for flight in flights):
                # What was asked for may well be within the limit.
                return await self._querier.select(select, options)
            raise
        except (StoreError, StoreTimeout) as error:
            pieces = [] if options.fresh or not is_down(error) else self._stale(held, window, now)
            if not pieces:
                raise
            return await self._from_memory(held, pieces, options, error)
        brought = dict(zip(flights, answers, strict=True))
        for flight in led:
            length, answer = flight.window.end - flight.window.start + 1, brought[flight]
            self._memory.observer.gap_read(self._store, length, answer.received_bytes)
            self._received_bytes += answer.received_bytes
            self._received_samples += answer.block.samples
        block = await self._put_together(held, pieces, brought, options)
        return Selection(
            block,
            tuple(warning for answer in answers for warning in answer.warnings),
            sum(brought[flight].received_bytes for flight in led),
            (self._store,),
            Provenance(len(sources) - len(gaps), len(gaps), warranties=self._warranties(pieces)),
        )

    def _warranties(self, pieces: Sequence[Piece]) -> Warranties:
        return (Standing.of(pieces, self._memory, self._purges),)

    async def _put_together(
        self,
        held: Held,
        pieces: Sequence[Piece],
        brought: Mapping[Flight, Selection],
        options: ReadOptions,
    ) -> SeriesBlock:
        """The block that these pieces make, if it may be held."""
        decodes = self._memory.decodes
        with stage(Stage.JOIN, store=self._store):
            if work_of(held, pieces, brought) <= _AT_ONCE:
                block = put_together(held, pieces, brought, decodes)
            else:
                block = await asyncio.to_thread(put_together, held, pieces, brought, decodes)
        allow(block.samples, options)
        return block

    async def _recalled(
        self, held: Held, window: Window, now: Moment, options: ReadOptions
    ) -> list[Piece]:
        """What is found of a window once the tiers were asked for what lacks."""
        for tier in self._beyond:
            missing = left(window, self._found(held, window, now, options))
            await tier.recall(held, missing, now)
        return self._found(held, window, now, options)

    def _missing(self, window: Window, found: Sequence[Piece]) -> list[Window]:
        """What must be read of a window of which this was found."""
        settings, taken = self._policy.settings, [piece.window for piece in found]
        return intervals.gaps(window, taken, settings.coalesce, settings.max_gaps)

    def _stale(self, held: Held, window: Window, now: Moment) -> list[Piece]:
        """All of a window as it was settled once, however old; nothing if something lacks."""
        pieces: list[Piece] = []
        missing = [window]
        for other in self._alike(held):
            for gap in missing:
                for block in other.overlapping(gap):
                    settled = self._policy.stale(block, now)
                    if settled and (inside := intervals.common(settled, gap)):
                        pieces.append(Piece(other, inside, block))
            missing = left(window, pieces)
        return [] if missing else sorted(pieces, key=lambda piece: piece.window.start)

    async def _from_memory(
        self,
        held: Held,
        pieces: Sequence[Piece],
        options: ReadOptions,
        error: StoreError | StoreTimeout,
    ) -> Selection:
        """What these pieces hold, with a warning that says how old it is, and why."""
        now = self._memory.clock()
        reads = [piece.source.read for piece in pieces if isinstance(piece.source, Block)]
        age = max(read.age(now) or 0 for read in reads) // 1000 * 1000
        block = await self._put_together(held, pieces, {}, options)
        self._memory.observer.stale_served(self._store)
        shown = format_duration(age)
        warning = f"{error}; answered from the cache, with samples read up to {shown} ago"
        return Selection(block, (warning,), 0, (self._store,), Provenance(blocks=len(pieces)))

    def _planned(
        self,
        held: Held,
        window: Window,
        found: Sequence[Piece],
        now: Moment,
        options: ReadOptions,
    ) -> tuple[list[Piece], set[Flight]]:
        """Where each part of a window comes from, in order; and the reads that begin for it."""
        missing = self._missing(window, found)
        led: set[Flight] = set()
        if not missing:
            return sorted(found, key=lambda piece: piece.window.start), led
        pieces = [piece for piece in found if not lies_in(piece.window, missing)]
        payer.ask()
        for gap in missing:
            wide = gap if options.fresh else self._widened(held, gap, window, now)
            flight = self._flights.take_off(held, wide, options)
            led.update([] if flight.waiters else [flight])
            pieces.append(Piece(held, gap, flight))
        return sorted(pieces, key=lambda piece: piece.window.start), led

    def _widened(self, held: Held, gap: Window, window: Window, now: Moment) -> Window:
        return self._policy.widened(gap, window, now, held.share)

    def _found(self, held: Held, window: Window, now: Moment, options: ReadOptions) -> list[Piece]:
        """What is held or being read of a window, of the selector itself and of wider ones."""
        pieces: list[Piece] = []
        missing = [window]
        for other in self._alike(held):
            for gap in missing:
                for block, inside in self._memory.served(other, gap, now, options.fresh):
                    pieces.append(Piece(other, inside, block))
            missing = left(window, pieces)
            if not missing:
                break
            for gap in missing:
                for flight, inside in self._flights.serving(other, gap, now, options):
                    rest = intervals.without(inside, [piece.window for piece in pieces])
                    pieces += [Piece(other, left, flight) for left in rest]
            missing = left(window, pieces)
        return pieces

    def _alike(self, held: Held) -> Iterator[Held]:
        """The selector itself, and those that it narrows."""
        yield held
        yield from self._memory.wider(held.key)

    def _landed(self, flight: Flight) -> None:
        # A read of the far future was stretched back to what is fresh, over more than can be kept.
        if not self._policy.storable(flight.window):
            self._flights.forget(flight)
            return
        held = self._memory.begin(flight.held.key, self._policy)
        self._behind(self._remember(flight, held))

    async def _remember(self, flight: Flight, held: Held) -> None:
        try:
            kept = await self._kept(flight, held)
            # What it brought, decoded, must not stay for all that follows.
            del flight
            if kept:
                await self._merge(held)
                for tier in self._beyond:
                    await tier.leave(held)
        finally:
            self._memory.end(held)

    async def _kept(self, flight: Flight, held: Held) -> bool:
        """Whether what a flight brought is remembered now."""
        try:
            again = self._memory.missed(held.key)
            block = flight.task.result().block
            blocks = await _done(block.samples, partial(self._encoded, flight, block))
            return self._flights.counts(flight) and self._memory.keep(held, blocks, again)
        finally:
            self._flights.forget(flight)

    def _encoded(self, flight: Flight, block: SeriesBlock) -> list[Block]:
        """What a flight brought, in blocks."""
        read, judged, names, policy = flight.begun, flight.judged, flight.held.names, self._policy
        assert read is not None
        assert judged is not None
        windows = intervals.cut(flight.window, policy.edges(flight.window, judged))
        parts = ((names.add(labels), part.columns()) for labels, part in block.row_ranges())
        horizon, closed = policy.horizon(judged), policy.closed(judged)
        young = min(horizon, flight.window.end)
        made = zip(windows, encoded(parts, windows, young), strict=True)
        return [Block(window, read, horizon, closed, *rows) for window, rows in made]

    async def _merge(self, held: Held) -> None:
        """Makes one of small blocks that follow each other."""
        while blocks := mergeable(held.blocks, self._policy, self._memory.clock()):
            samples = sum(block.samples for block in blocks)
            whole = await _done(samples, partial(merged, blocks, held.names))
            self._memory.replace(held, blocks, whole)


async def _done(samples: int, work: Callable[[], _Made]) -> _Made:
    """Work on so many samples that are remembered: at once if it is little, else in a thread."""
    return work() if samples <= _FEW else await asyncio.to_thread(work)
