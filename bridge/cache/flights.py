"""Reads on their way: who needs what is being read already waits for that read."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bridge.cache.intervals import common, covers
from bridge.cache.memory import Held, Memory
from bridge.cache.policy import Moment
from bridge.model.time import Window
from bridge.storage import payer
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from bridge.storage.watch import Watches


@dataclass(slots=True, eq=False)
class Flight:
    """A read of a window of one selector; until it has `begun` its window may grow.

    `waiters`: how many need it; `watches`: those of them who look at what arrives.
    """

    held: Held
    window: Window
    options: ReadOptions
    task: asyncio.Task[Selection]
    begun: Moment | None = None
    waiters: int = 0
    watches: Watches = field(default_factory=Watches)

    @property
    def failed(self) -> bool:
        """Whether the read is over without an answer."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    @property
    def judged(self) -> Moment | None:
        """The moment by which what it brings counts as settled; None until it has begun."""
        if self.begun is None or self.failed or not self.task.done():
            return self.begun
        return self.held.policy.judged(self.begun, self.task.result().clock)


@dataclass(frozen=True, slots=True)
class _Landing:
    """What the policy is asked about a flight."""

    window: Window
    read: Moment
    settled: int
    sealed: int
    empty: bool = False


class Flights:
    """Every read on its way, or landed and not yet remembered.

    `landed` is called with each read that ended well; a flight counts until `forget`.
    """

    def __init__(self, querier: Querier, memory: Memory, landed: Callable[[Flight], None]) -> None:
        self._querier = querier
        self._memory = memory
        self._landed = landed
        self._flights: list[Flight] = []

    def serving(
        self, held: Held, window: Window, now: Moment, options: ReadOptions
    ) -> Iterator[tuple[Flight, Window]]:
        """The reads that will answer a part of a window, and which."""
        for flight in self._flights:
            if flight.held is not held or flight.failed or not _same_limits(flight, options):
                continue
            usable = self._usable(flight, now, options.fresh)
            inside = usable and common(usable, window)
            if inside:
                yield flight, inside

    def take_off(self, held: Held, window: Window, options: ReadOptions) -> Flight:
        """A read of at least this window; one that has not begun yet grows to hold it."""
        for flight in self._flights:
            waiting = flight.held is held and flight.begun is None and not flight.failed
            if waiting and _same_limits(flight, options) and flight.window.overlaps(window):
                flight.window = flight.window.union(window)
                return flight
        return self._new(held, window, options)

    def forget(self, flight: Flight) -> None:
        """The flight serves nobody any more."""
        if flight in self._flights:
            self._flights.remove(flight)

    def forget_all(self, held: Held, window: Window) -> None:
        """The flights that share time with a window serve nobody any more."""
        for flight in tuple(self._flights):
            if flight.held is held and common(flight.window, window):
                self.forget(flight)

    def counts(self, flight: Flight) -> bool:
        """Whether a flight was not forgotten."""
        return flight in self._flights

    async def answers(self, flights: Sequence[Flight]) -> list[Selection]:
        """What the flights bring; a flight that nobody waits for any more is cancelled."""
        for flight in flights:
            flight.waiters += 1
        try:
            return [await asyncio.shield(flight.task) for flight in flights]
        finally:
            self._leave(flights)

    def _usable(self, flight: Flight, now: Moment, fresh: bool) -> Window | None:
        """What may be answered of a flight's window; all of it if it begins only now."""
        policy, begun, judged = flight.held.policy, flight.begun, flight.judged
        if begun is None or judged is None:
            return flight.window
        landing = _Landing(flight.window, begun, policy.horizon(judged), policy.closed(judged))
        return policy.servable(landing, now, fresh)

    def _leave(self, flights: Iterable[Flight]) -> None:
        for flight in flights:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self.forget(flight)
                flight.task.cancel()

    def _new(self, held: Held, window: Window, options: ReadOptions) -> Flight:
        made: list[Flight] = []
        task = asyncio.create_task(self._fly(made))
        kept = self._memory.begin(held.key, held.policy)
        flight = Flight(kept, window, replace(options, nocache=False, watch=None), task)
        made.append(flight)
        self._flights.append(flight)
        task.add_done_callback(lambda _: self._over(flight))
        return flight

    async def _fly(self, made: list[Flight]) -> Selection:
        payer.granted()
        # Reads that begin at the same moment, as those of one query or of one refresh, are one.
        await asyncio.sleep(0)
        (flight,) = made
        flight.begun = self._memory.clock()
        window = flight.window
        select = Select(flight.held.key.matchers, window.start, window.end)
        options = replace(flight.options, watch=flight.watches)
        return await self._querier.select(select, options)

    def _over(self, flight: Flight) -> None:
        if flight.failed or flight.task.result().warnings:
            self.forget(flight)
        elif self.counts(flight):
            self._landed(flight)
        self._memory.end(flight.held)


def _same_limits(flight: Flight, options: ReadOptions) -> bool:
    return flight.options == options or _limits(flight.options) == _limits(options)


def _limits(options: ReadOptions) -> ReadOptions:
    return replace(options, nocache=False, fresh=False)


def wider_than(flight: Flight, window: Window) -> bool:
    """Whether a flight reads more than this window."""
    return not covers(window, flight.window)
