"""A window that moved on: what is known of its steps is given, as evaluation would give it."""

import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.engine.stretch import Stretches, StretchShelf
from bridge.model.errors import BridgeError
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.storage.interface import Provenance, Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from bridge.storage.warranty import WHOLE, Warranty
from tests.engine.world import MINUTE, SECOND, SETTINGS, Shown, shown
from tests.oracle.fuzz_data import GROUNDS
from tests.oracle.fuzz_expressions import Expressions
from tests.oracle.fuzz_words import words
from tests.oracle.series import Dataset

# `make laws` asks more.
COUNT = int(os.environ.get("CONTINUED_COUNT", "150"))
SEED = int(os.environ.get("CONTINUED_SEED", "907"))
OPTIONS = QueryOptions()
HOUR = 60 * MINUTE


@dataclass
class Vouching:
    """A store for whose answers is vouched up to a time, ms."""

    store: Querier
    until: int = WHOLE
    selects: int = 0
    samples: int = 0

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        found = await self.store.select(select, options)
        self.selects += 1
        self.samples += found.block.samples
        provenance = Provenance(blocks=1, warranties=(Up(self),))
        return replace(found, provenance=provenance)


@dataclass(frozen=True)
class Up:
    """Vouches for what the store does."""

    store: Vouching

    @property
    def complete(self) -> bool:
        return True

    async def reach(self, _since: int) -> int:
        return self.store.until

    def joined(self, later: Warranty, _since: int, _until: int) -> Warranty | None:
        return later


@dataclass
class World:
    """Two engines over one store, of which one keeps what it knows of steps."""

    store: Vouching
    whole: Engine
    continuing: Engine

    async def both(self, text: str, steps: Steps, options: QueryOptions = OPTIONS) -> int:
        """Asks both, which must answer the same; how many steps were known."""
        expected = await _answer(self.whole, text, steps, options)
        found = await _answer(self.continuing, text, steps, options)
        assert _seen(found) == _seen(expected), (text, steps)
        return found.stats.known_steps if isinstance(found, Result) else 0

    async def kept(self, text: str, steps: Steps) -> None:
        """Asks twice, for values are kept from the second time on."""
        for _ in range(2):
            assert not await self.both(text, steps)


async def _answer(engine: Engine, text: str, steps: Steps, options: QueryOptions) -> Result | str:
    try:
        return await engine.query(text, steps, options)
    except BridgeError as error:
        return str(error)


def _seen(answer: Result | str) -> object:
    if isinstance(answer, str):
        return answer
    rows: Shown = shown(answer)
    return rows, list(rows), answer.type, answer.steps, answer.warnings, answer.infos


@asynccontextmanager
async def world(
    store: Querier, settings: EngineSettings = SETTINGS, size: int = 32 << 20
) -> AsyncIterator[World]:
    vouching = Vouching(store)
    with ThreadPoolExecutor(2) as workers:
        whole = Engine(vouching, settings, workers)
        continuing = Engine(vouching, settings, workers, stretches=Stretches(StretchShelf(size)))
        yield World(vouching, whole, continuing)
        whole.close()
        continuing.close()


def stored(data: Dataset) -> MemoryStore:
    """The floats of a dataset."""
    store = MemoryStore()
    for one in data.series:
        store.append(Labels.of(one.labels), one.timestamps, one.values)
    return store


@pytest.mark.parametrize("name", ["nasty", "everyday"])
async def test_what_is_continued_is_what_evaluation_gives(name: str) -> None:
    ground, known = GROUNDS[name], 0
    data = ground.make()
    phrases = words(data, ground.start, ground.end)
    async with world(stored(data)) as both:
        for number in range(COUNT):
            chance = Random(f"{SEED}:{number}")
            text = Expressions(chance, phrases).ranged()
            step = chance.choice((1, 10, 15, 60, 61)) * SECOND
            start = chance.randrange(ground.start, ground.end)
            steps = Steps(start, start + step * chance.randrange(2, 80), step)
            for _ in range(4):
                known += await both.both(text, steps)
                on, longer = chance.choice((0, 1, 1, 2, 5)) * step, chance.choice((0, 0, 1)) * step
                steps = Steps(steps.start + on, steps.end + on + longer, step)
    print(name, COUNT, known)
    assert known


RISING = Labels.of({"__name__": "rising_total", "job": "a"})
TIMES = range(0, 4 * HOUR, 15 * SECOND)
HOUR_OF_IT = Steps(HOUR, 2 * HOUR, MINUTE)
RATE = "rate(rising_total[5m])"


def rising(*more: Labels) -> MemoryStore:
    """A counter over four hours, and others like it."""
    return MemoryStore((one, TIMES, [float(time) for time in TIMES]) for one in (RISING, *more))


def on(steps: Steps, by: int) -> Steps:
    """The same window so many steps later."""
    return Steps(steps.start + by * steps.interval, steps.end + by * steps.interval, steps.interval)


async def test_only_the_steps_that_are_new_are_read() -> None:
    async with world(rising()) as both:
        await both.kept(RATE, HOUR_OF_IT)
        both.store.samples = 0
        assert await both.both(RATE, on(HOUR_OF_IT, 2)) == 59
        whole = both.store.samples
        await both.whole.query(RATE, on(HOUR_OF_IT, 2), OPTIONS)
        assert whole - (both.store.samples - whole) <= 8 * 4


async def test_what_is_known_altogether_is_read_no_more_and_copied_for_nobody() -> None:
    async with world(rising()) as both:
        await both.kept("rising_total", HOUR_OF_IT)
        assert await both.both("rising_total", HOUR_OF_IT) == 61
        selects = both.store.selects
        shorter = Steps(HOUR + MINUTE, 2 * HOUR - MINUTE, MINUTE)
        one, other = [
            (await both.continuing.query("rising_total", steps, OPTIONS)).value
            for steps in (HOUR_OF_IT, shorter)
        ]
        assert both.store.selects == selects
        assert isinstance(one, Matrix)
        assert isinstance(other, Matrix)
        assert np.shares_memory(one.values, other.values)


async def test_the_last_step_is_evaluated_to_see_whether_it_is_remarked_on() -> None:
    async with world(rising(Labels.of({"__name__": "gauge"}))) as both:
        await both.kept("rate(gauge[5m])", HOUR_OF_IT)
        assert await both.both("rate(gauge[5m])", HOUR_OF_IT) == 60


async def test_steps_are_evaluated_again_from_where_nobody_vouches_for_them() -> None:
    async with world(rising()) as both:
        await both.kept(RATE, HOUR_OF_IT)
        both.store.until = 2 * HOUR - 10 * MINUTE + 1
        assert await both.both(RATE, on(HOUR_OF_IT, 1)) == 50
        both.store.until = HOUR
        assert await both.both(RATE, on(HOUR_OF_IT, 2)) == 0


async def test_what_is_vouched_for_is_what_the_selector_sees() -> None:
    async with world(rising()) as both:
        text = "rising_total offset 30m"
        await both.kept(text, HOUR_OF_IT)
        both.store.until = 2 * HOUR - 30 * MINUTE
        assert await both.both(text, HOUR_OF_IT) == 61
        both.store.until -= 1
        assert await both.both(text, on(HOUR_OF_IT, 1)) == 59


@pytest.mark.parametrize(
    "steps",
    [
        Steps(HOUR + 1, 2 * HOUR + 1, MINUTE),
        Steps(HOUR, 2 * HOUR, 2 * MINUTE),
        Steps(HOUR - MINUTE, 2 * HOUR - MINUTE, MINUTE),
        Steps(HOUR + 40 * MINUTE, 3 * HOUR, MINUTE),
    ],
    ids=["between the steps", "other distance", "earlier", "mostly new"],
)
async def test_other_windows_are_evaluated_whole(steps: Steps) -> None:
    async with world(rising()) as both:
        await both.kept(RATE, HOUR_OF_IT)
        assert await both.both(RATE, steps) == 0


@pytest.mark.parametrize(
    "options",
    [
        QueryOptions(lookback=MINUTE),
        QueryOptions(limit=1),
        QueryOptions(nocache=True),
        QueryOptions(fresh=True),
        QueryOptions(every_step=True),
    ],
    ids=lambda one: str(one).partition("(")[2],
)
async def test_what_is_asked_for_in_another_way_is_evaluated_whole(options: QueryOptions) -> None:
    async with world(rising()) as both:
        await both.kept(RATE, HOUR_OF_IT)
        for steps in (HOUR_OF_IT, on(HOUR_OF_IT, 1)):
            assert await both.both(RATE, steps, options) == 0


async def test_a_series_that_begins_with_the_new_steps_is_a_row_of_its_own() -> None:
    born, gone = (Labels.of({"__name__": "rising_total", "job": job}) for job in "b0")
    store = rising()
    store.append(gone, TIMES[:242], [1.0] * 242)
    store.append(born, TIMES[480:], [1.0] * (len(TIMES) - 480))
    async with world(store) as both:
        await both.kept(RATE, HOUR_OF_IT)
        assert await both.both(RATE, on(HOUR_OF_IT, 3)) == 58


async def test_the_same_remark_on_both_parts_is_one_on_the_whole() -> None:
    gauge = Labels.of({"__name__": "gauge"})
    async with world(rising(gauge)) as both:
        await both.kept("rate(gauge[5m])", HOUR_OF_IT)
        assert await both.both("rate(gauge[5m])", on(HOUR_OF_IT, 1)) == 60


async def test_a_remark_on_one_part_only_has_all_steps_evaluated() -> None:
    store, name = MemoryStore(), Labels.of({"__name__": "requests"})
    store.append(name, TIMES[: 4 * 90], [1.0] * (4 * 90))
    async with world(store) as both:
        text = "rate(requests[5m])"
        await both.kept(text, HOUR_OF_IT)
        known = [await both.both(text, on(HOUR_OF_IT, by)) for by in (5, 30, 34)]
        assert known == [0, 0, 0]


async def test_an_error_at_a_new_step_is_that_of_the_whole_query() -> None:
    other = Labels.of({"__name__": "rising_total", "job": "b"})
    store = rising()
    store.append(other, TIMES[490:], [1.0] * (len(TIMES) - 490))
    async with world(store) as both:
        text = 'rising_total * on () rising_total{job!="none"}'
        await both.kept(text, HOUR_OF_IT)
        assert await both.both(text, on(HOUR_OF_IT, 4)) == 0


async def test_known_values_count_among_the_samples_of_a_query() -> None:
    settings = replace(SETTINGS, max_samples=70)
    async with world(rising(), settings) as both:
        await both.kept("rising_total", HOUR_OF_IT)
        longer = Steps(HOUR, 2 * HOUR + 20 * MINUTE, MINUTE)
        answer = await _answer(both.continuing, "rising_total", longer, OPTIONS)
        assert answer == await _answer(both.whole, "rising_total", longer, OPTIONS)
        assert "too many samples" in str(answer)


async def test_series_that_bear_their_type_are_evaluated_whole() -> None:
    typed = Labels.of({"__name__": "rising_total", "__type__": "counter", "job": "b"})
    async with world(rising(typed)) as both:
        await both.kept(RATE, HOUR_OF_IT)
        assert await both.both(RATE, on(HOUR_OF_IT, 1)) == 0


NESTED = "sum(sum by (job) (rate(rising_total[5m])))"


async def test_groups_are_added_up_again_where_their_rows_are_the_same() -> None:
    async with world(rising(Labels.of({"__name__": "rising_total", "job": "b"}))) as both:
        await both.kept(NESTED, HOUR_OF_IT)
        assert await both.both(NESTED, on(HOUR_OF_IT, 2)) == 59
        assert await both.both(NESTED, on(HOUR_OF_IT, 2)) == 60


async def test_groups_are_evaluated_whole_when_a_row_came_or_went() -> None:
    born = Labels.of({"__name__": "rising_total", "job": "b"})
    store = rising()
    store.append(born, TIMES[490:], [1.0] * (len(TIMES) - 490))
    async with world(store) as both:
        await both.kept(NESTED, HOUR_OF_IT)
        known = [await both.both(NESTED, on(HOUR_OF_IT, by)) for by in (1, 3, 4, 5, 6)]
        assert known == [60, 0, 60, 60, 60]


async def test_a_row_that_left_the_window_tells_no_more_which_group_comes_first() -> None:
    # In label order group g is first, h once the first row has gone, g again without the second.
    spans = (("g", 0, 250), ("h", 0, 480), ("g", 0, 960), ("h", 0, 960))
    store = MemoryStore()
    for at, (group, first, stop) in enumerate(spans):
        times = TIMES[first:stop]
        labels = Labels.of({"__name__": "m", "at": str(at), "group": group})
        store.append(labels, times, [1.0] * len(times))
    async with world(store) as both:
        for text in ("topk(1, max by (group) (m))", "topk(1, max by (group) (m * 2 > 0))"):
            await both.kept(text, HOUR_OF_IT)
            known = [await both.both(text, on(HOUR_OF_IT, by)) for by in (1, 2, 10, 66, 67, 68)]
            assert max(known) == 60
            assert min(known) == 0


async def test_another_querier_is_not_answered_from_what_the_first_one_gave() -> None:
    async with world(rising()) as both:
        await both.kept(RATE, HOUR_OF_IT)
        other = both.continuing.over(Vouching(MemoryStore()))
        result = await other.query(RATE, on(HOUR_OF_IT, 1), OPTIONS)
        assert (len(result.value.labels), result.stats.known_steps) == (0, 0)  # type: ignore[union-attr]


async def test_what_is_asked_once_is_not_kept() -> None:
    async with world(rising()) as both:
        for number in range(20):
            await both.both(f"{RATE} + {number}", HOUR_OF_IT)
        assert len(both.continuing.stretches.shelf) == 0


async def test_what_is_kept_stays_within_its_bytes() -> None:
    async with world(rising(), size=200_000) as both:
        for number in range(100):
            await both.kept(f"{RATE} + {number}", HOUR_OF_IT)
        kept = both.continuing.stretches.shelf
        assert 10 < len(kept) < 100
        assert kept.nbytes <= 200_000
