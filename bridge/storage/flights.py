"""Identical reads that are in flight at the same time are one read."""

import asyncio
from dataclasses import dataclass, replace

from bridge.storage import payer, waiting
from bridge.storage.interface import (
    Estimate,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.watch import Watches

_Key = tuple[Select, ReadOptions]


@dataclass(slots=True, eq=False)
class _Flight:
    """A read on its way, and how many wait for it."""

    task: asyncio.Task[Selection]
    watches: Watches
    waiters: int = 0


class SharedReads:
    """A Querier around a Querier: who asks for what is being read already waits for that read.

    A waiter that is cancelled does not disturb the others; with the last one the read is cancelled.
    """

    def __init__(self, querier: Querier) -> None:
        self._querier = querier
        self._flights: dict[_Key, _Flight] = {}

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """What the inner Querier answers; its errors reach everyone who waits.

        Raises BudgetUsedUp if the read would be one more.
        """
        key = (select, options)
        flight = self._flights.get(key)
        if flight is None:
            payer.ask()
            flight = self._begun(key)
        if options.watch is not None:
            flight.watches.add(options.watch)
        flight.waiters += 1
        waiting.waits()
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._ended(key, flight.task)
                flight.task.cancel()

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What the inner Querier says."""
        return await estimated(self._querier, select, options)

    def _begun(self, key: _Key) -> _Flight:
        watches = Watches()
        task = asyncio.create_task(self._read(key, watches))
        task.add_done_callback(lambda done: self._ended(key, done))
        flight = self._flights[key] = _Flight(task, watches)
        return flight

    async def _read(self, key: _Key, watches: Watches) -> Selection:
        payer.granted()
        select, options = key
        return await self._querier.select(select, replace(options, watch=watches))

    def _ended(self, key: _Key, task: asyncio.Task[Selection]) -> None:
        """Forgets a read, so that the next one asks anew."""
        held = self._flights.get(key)
        if held is not None and held.task is task:
            del self._flights[key]
        if task.done() and not task.cancelled():
            # An error that nobody waits for any more is no one's.
            task.exception()
