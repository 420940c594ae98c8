"""What a query is expected to read may let it wait; only what is known to be there refuses it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from bridge.cache.memory import Memory
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.engine.admission import admitted
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import LimitExceeded
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.storage.interface import Estimate, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from bridge.storage.pool import Pool, held
from tests.cache.world import HOUR, MINUTE, Clock, LoggedStore

LONG_READ = (Select((), 0, 12 * HOUR),)
SETTINGS = EngineSettings(max_bytes=16_000)


class Guessing:
    """A store of which something is expected."""

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        return await MemoryStore([]).select(select, options)

    async def estimate(self, _select: Select, _options: ReadOptions) -> tuple[Estimate, ...]:
        return (self._estimate,)


async def test_what_is_in_memory_is_refused_if_it_is_too_much() -> None:
    store = Guessing(Estimate("a", samples=1001, held_samples=1001))
    with pytest.raises(LimitExceeded, match=r"16016 bytes, more than query\.max_bytes"):
        await admitted(Pool().share(), store, LONG_READ, QueryOptions(), SETTINGS)
    with pytest.raises(LimitExceeded, match=r"needs 16016 bytes, .* query.max_total_bytes \(100\)"):
        await admitted(Pool(100).share(), store, LONG_READ, QueryOptions(), EngineSettings())


@pytest.mark.parametrize("total", [1 << 20, 100])
async def test_what_is_guessed_takes_no_more_room_than_a_query_may(total: int) -> None:
    store = Guessing(Estimate("a", samples=10**9, held_samples=1))
    pool = Pool(total)
    share = pool.share()
    await admitted(share, store, LONG_READ, QueryOptions(), SETTINGS)
    assert pool.held == min(total, SETTINGS.max_bytes)
    share.close()


@asynccontextmanager
async def six_hours() -> AsyncIterator[tuple[SampleCache, int]]:
    """A cache over a store that has six hours of one series, and when these end."""
    store = LoggedStore(Clock())
    end = store.clock.wall
    store.put(Labels.of({"__name__": "x"}), dict.fromkeys(range(end - 6 * HOUR, end, MINUTE), 1.0))
    cache = SampleCache(store, Memory(CacheSettings(), store.clock), "s")
    yield cache, end
    await cache.aclose()


async def test_a_range_longer_than_the_store_remembers_is_no_reason_to_refuse() -> None:
    counts = []
    async with six_hours() as (cache, end):
        with ThreadPoolExecutor(1) as workers:
            engine = Engine(cache, EngineSettings(max_bytes=16 * 400), workers)
            for length in ("1h", "290y"):
                text, at = f"count_over_time(x[{length}])", Steps.at(end)
                with held(Pool(1 << 20)):
                    result = await engine.query(text, at, QueryOptions())
                assert isinstance(result.value, Matrix)
                counts.append(result.value.values.tolist())
                await cache.settled()
            engine.close()
    assert counts == [[[59.0]], [[360.0]]]
