"""What counts as small, as short and as long."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bridge.engine.demands import TurnSettings
from bridge.engine.effort import LONG, remembered_work, work_of
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.labels import Labels
from bridge.model.time import Steps, Window
from bridge.storage.interface import Estimate, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore

STEPS = Steps(0, 990, 10)
X = Labels.of({"__name__": "x"})
SMALL = TurnSettings(concurrency=1, lane=1, small_samples=1_000_000)


@pytest.mark.parametrize(
    ("samples", "series", "work"),
    [(5000, 10, 15_000), (5000, None, 5_005_000), (10, 500, 10_010), (0, None, 0)],
)
def test_each_point_of_a_series_counts_as_ten_samples(
    samples: int, series: int | None, work: int
) -> None:
    estimate = Estimate("a", samples=samples, series=series)
    assert remembered_work(estimate, STEPS) == work


async def test_an_evaluation_is_as_long_as_its_samples_and_points_are_many() -> None:
    many = ((Labels.of({"__name__": "x", "n": str(n)}), [0, 10], [1.0, 2.0]) for n in range(1000))
    block = (await MemoryStore(many).select(Select((), 0, 10), ReadOptions())).block
    assert work_of(STEPS, [block]) == 1000 * (2 + 100) <= LONG < work_of(STEPS, [block, block])


class Gated:
    """A store that says what it remembers, and answers when told to."""

    def __init__(self, estimate: Estimate) -> None:
        self.gate = asyncio.Event()
        self.asked = 0
        self._estimate = estimate

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked += 1
        await self.gate.wait()
        return await MemoryStore([(X, [0], [1.0])]).select(select, options)

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        return (self._estimate,)


@asynccontextmanager
async def engine_over(store: Gated) -> AsyncIterator[Engine]:
    with ThreadPoolExecutor(1) as workers:
        engine = Engine(store, EngineSettings(turns=SMALL), workers)
        try:
            yield engine
        finally:
            engine.close()


REMEMBERED = Estimate("a", samples=100_000, series=900)


@pytest.mark.parametrize(
    ("estimate", "goes_on"),
    [
        (REMEMBERED, True),
        (replace(REMEMBERED, series=901), False),
        (replace(REMEMBERED, samples=None), False),
        (replace(REMEMBERED, gaps=(Window(0, 1),)), False),
    ],
)
async def test_a_query_of_which_much_is_remembered_or_read_has_no_place_in_the_lane(
    estimate: Estimate, goes_on: bool
) -> None:
    store = Gated(estimate)
    async with engine_over(store) as engine:
        asked = [asyncio.create_task(engine.query("x", STEPS, QueryOptions())) for _ in range(2)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert (store.asked, engine.turns.waiting) == ((2, 0) if goes_on else (1, 1))
        store.gate.set()
        assert [one.points for one in await asyncio.gather(*asked)] == [len(STEPS)] * 2
