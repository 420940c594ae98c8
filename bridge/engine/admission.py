"""Whether there is memory for what a query is about to read."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import Overloaded
from bridge.storage.allowance import BYTES_PER_SAMPLE, allow
from bridge.storage.interface import Estimate, Querier, ReadOptions, Select, estimated
from bridge.storage.pool import Share

# From this length of time on it is worth to ask beforehand what a read would bring, ms.
_LONG_READ: Final = 6 * 3_600_000


async def admitted(
    share: Share,
    querier: Querier,
    selects: Sequence[Select],
    options: QueryOptions,
    settings: EngineSettings,
) -> None:
    """Waits until there is memory for what a query is expected to read; raises LimitExceeded.

    Only what is in memory already refuses a query: of a store that keeps less than a query looks
    back far more is expected than it has, and a read that brings too much ends by itself.
    To know that takes time, so what is short is let in without a look while memory is free.
    """
    longest = max((one.end - one.start for one in selects), default=0)
    if longest < _LONG_READ and not share.crowded:
        return
    found = await estimates(querier, selects, options)
    held = sum(one.held_samples for one in found)
    allow(held, settings.reading())
    expected = sum(one.samples or 0 for one in found) * BYTES_PER_SAMPLE
    most = settings.max_bytes or expected
    wait = settings.turns.wait
    try:
        async with asyncio.timeout(wait / 1000 if wait else None):
            await share.admitted(held * BYTES_PER_SAMPLE, min(expected, most))
    except TimeoutError:
        text = f"too little memory: none came free within query.max_queue_wait ({wait / 1000:g}s)"
        raise Overloaded(text, max(wait // 1000, 1)) from None


async def estimates(
    querier: Querier, selects: Sequence[Select], options: QueryOptions
) -> list[Estimate]:
    """What is known of these reads, store by store."""
    reading = ReadOptions(options.nocache, options.fresh)
    asked = (estimated(querier, select, reading) for select in selects)
    return [one for found in await asyncio.gather(*asked) for one in found]
