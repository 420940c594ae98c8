"""Faults of other caches that showed in answers; each test is named after what must not happen.

Numbers are those of the list that tests/cache/test_bugs_reads.py explains.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from bridge.api.encode import encode_data
from bridge.cache.plain import as_chunks
from bridge.cache.samples import SampleCache
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.model.time import Steps
from bridge.storage.interface import ReadOptions
from tests.cache.asking import NAMES, World, last, of
from tests.cache.world import HOUR, MINUTE, SECOND, START
from tests.promqltest.runner import add_series
from tests.promqltest.script import Load, parse_script
from tests.promqltest.store import ScriptStore

X = NAMES[0]
NATIVE = """load 15s
  h {{schema:0 sum:1 count:2 buckets:[1 1]}}+{{schema:0 sum:2 count:3 buckets:[1 2]}}x30
"""
PLAIN = QueryOptions()
NOCACHE = QueryOptions(nocache=True)


@dataclass
class Asking(World):
    """An engine before the world's cache."""

    engine: Engine

    def __init__(self, engine_of: "type[Engine]", workers: ThreadPoolExecutor) -> None:
        super().__init__()
        self.engine = engine_of(self.cache, EngineSettings(), workers)

    async def result(self, text: str, steps: Steps, options: QueryOptions = PLAIN) -> Result:
        found = await self.engine.query(text, steps, options)
        await self.cache.settled()
        return found

    async def alike(self, text: str, steps: Steps, **options: int) -> bytes:
        """The answer, which is that past the cache."""
        cached = await self.result(text, steps, QueryOptions(**options))  # type: ignore[arg-type]
        plain = await self.result(text, steps, replace(NOCACHE, **options))  # type: ignore[arg-type]
        assert encode_data(cached) == encode_data(plain)
        assert cached.stats.queryable_samples == plain.stats.queryable_samples
        return encode_data(cached)


@pytest.fixture
async def world() -> AsyncIterator[Asking]:
    with ThreadPoolExecutor(2) as workers:
        made = Asking(Engine, workers)
        yield made
        made.engine.close()


def over(length: int, step: int, end: int = START) -> Steps:
    return Steps(end - length, end, step)


async def test_negative_offsets_never_pin_the_fresh_zone(world: Asking) -> None:
    """4: cortex#5678, thanos#6928, mimir#2429."""
    steps = over(HOUR, MINUTE, START - 30 * MINUTE)
    before = await world.alike(f"{X} offset -30m", steps)
    world.advance(120)
    for labels in world.store.data:
        world.store.put(labels, {START - 5 * MINUTE: 7.0})
    assert await world.alike(f"{X} offset -30m", steps) != before


@pytest.mark.parametrize("text", [f"{X} @ {(START + 10 * MINUTE) / 1000}", f"{X} @ end()"])
async def test_modifiers_beyond_now_are_never_remembered_as_empty(world: Asking, text: str) -> None:
    """5: Mimir, areEvaluationTimeModifiersCachable."""
    steps = Steps(START, START + 10 * MINUTE, MINUTE)
    before = await world.alike(text, steps)
    world.advance(600)
    assert await world.alike(text, steps) != before


async def test_one_lookback_never_answers_for_another(world: Asking) -> None:
    """6: thanos#5847."""
    old = START - 3 * HOUR
    for labels, held in world.store.data.items():
        world.store.data[labels] = {time: one for time, one in held.items() if time < old}
    steps = over(30 * MINUTE, MINUTE, old + 20 * MINUTE)
    answers = [await world.alike(X, steps, lookback=minutes * MINUTE) for minutes in (5, 1, 15, 2)]
    assert len(set(answers)) == 4


async def test_finer_steps_never_shape_coarser_ones(world: Asking) -> None:
    """10: thanos#8994."""
    for step in (15, 30, 75, 60, 7):
        steps = over(HOUR, step * SECOND, START - 2 * HOUR)
        await world.alike(f"sum(rate({X}[5m]))", steps)
        await world.alike(X, replace(steps, end=steps.end + 3 * step * SECOND))


async def test_native_histograms_are_never_dropped() -> None:
    """13: cortex#7167."""
    store = ScriptStore()
    (command,) = parse_script(NATIVE)
    assert isinstance(command, Load)
    add_series(command, store)
    world = World()
    world.clock.wall = 24 * HOUR
    cache = SampleCache(store, world.memory, "scripted")
    with ThreadPoolExecutor(2) as workers:
        engine = Engine(cache, EngineSettings(), workers)
        for _ in range(2):
            for text in ("h", "last_over_time(h[2m])"):
                answers = [
                    encode_data(await engine.query(text, Steps(0, 6 * MINUTE, MINUTE), options))
                    for options in (PLAIN, NOCACHE)
                ]
                assert answers[0] == answers[1]
                assert len(answers[0]) > 100
            await cache.settled()
        engine.close()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(X, id="16: VictoriaMetrics#10425, a flat ghost at 5 m steps"),
        pytest.param(f"rate({X}[5m])", id="17: VictoriaMetrics#10098, rate as increase / d"),
        pytest.param(f"increase({X}[5m])", id="17: VictoriaMetrics#10553"),
        pytest.param(f"rate({X}[5m] offset 7m)", id="18: VictoriaMetrics#9762, offset twice"),
        pytest.param(f"max_over_time({X}[1h] offset -9m)", id="18: with a negative offset"),
    ],
)
async def test_the_cached_answer_never_differs_from_the_uncached(world: Asking, text: str) -> None:
    for _ in range(3):
        for step in (5 * MINUTE, 15 * SECOND):
            await world.alike(text, over(2 * HOUR, step, world.clock.wall))
        await world.alike(text, Steps.at(world.clock.wall - MINUTE))
        world.advance(330)


async def test_an_instant_query_never_answers_with_an_older_time(world: Asking) -> None:
    """19: VictoriaMetrics#5730."""
    for age in (0, 1, 15_000, 12 * MINUTE, 3 * HOUR):
        for _ in range(2):
            time = START - age
            answer = await world.alike(f"avg_over_time({X}[3h])", Steps.at(time))
            assert f'"value":[{time / 1000:g}'.encode()[:18] in answer or b"value" in answer
            assert answer.count(f"{time // 1000}".encode()) == 2


async def test_the_grid_of_a_query_is_never_moved(world: Asking) -> None:
    """20, 30: VictoriaMetrics#7331, #976, trickster#98."""
    for start in (START - HOUR - 1, START - HOUR + 7_777, START - 2 * HOUR + 13):
        steps = Steps(start, start + 30 * MINUTE + 5_001, 61_003)
        result = await world.result(X, steps)
        assert result.steps == steps
        await world.alike(X, steps)


async def test_the_left_edge_of_what_is_held_never_hides_older_samples(world: Asking) -> None:
    """34: grafana#83331; an instant right behind the edge looks back over it."""
    edge = START - 2 * HOUR
    await world.right(last(HOUR, edge + HOUR, of(X)))
    for lookback in (1, 15 * SECOND, 5 * MINUTE, HOUR):
        for at in (edge, edge + 1, edge + 14_999):
            await world.alike(X, Steps.at(at), lookback=lookback)


async def test_a_hit_never_counts_other_samples_than_a_miss(world: Asking) -> None:
    """38: cortex#6591, thanos#8046."""
    steps = over(HOUR, MINUTE, START - 2 * HOUR)
    for text in (X, f"rate({X}[10m])", f"{X} + {NAMES[1]}"):
        cold = await world.result(text, steps)
        warm = await world.result(text, steps)
        for figure in ("queryable_samples", "peak_samples", "samples_read"):
            assert getattr(cold.stats, figure) == getattr(warm.stats, figure)


async def test_evaluating_never_changes_what_is_held(world: Asking) -> None:
    steps = over(2 * HOUR, 15 * SECOND, START - 2 * HOUR)
    await world.result(X, steps)
    held = [block for one in world.memory.selectors() for block in one.blocks]
    before = [as_chunks(block.floats).data.tobytes() for block in held]
    texts = (f"rate({X}[5m])", f"sort({X})", f"-{X}", f"quantile_over_time(0.5, {X}[1h])")
    await asyncio.gather(*(world.result(text, steps) for text in texts))
    assert [as_chunks(block.floats).data.tobytes() for block in held] == before


async def test_fresh_answers_are_what_the_store_says_now(world: Asking) -> None:
    await world.result(X, over(HOUR, MINUTE))
    for labels in world.store.data:
        world.store.put(labels, {START - 20 * MINUTE + 1: 3.0})
    fresh = await world.cache.select(last(HOUR), ReadOptions(fresh=True))
    assert fresh.block.samples == len(world.store.truth(last(HOUR)))
