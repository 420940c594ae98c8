"""Reads that several wait for."""

import asyncio
from typing import NoReturn

import pytest

from bridge.cache.samples import SampleCache
from bridge.model.errors import LimitExceeded, StoreError
from bridge.model.labels import Labels
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select, Selection
from bridge.storage.watch import Watch
from tests.cache.asking import PLAIN, World, last, of
from tests.cache.world import (
    HOUR,
    MINUTE,
    START,
    LoggedStore,
    contents,
)


async def test_identical_reads_in_flight_are_one() -> None:
    world = World()
    world.store.gate = asyncio.Event()
    tasks = [asyncio.create_task(world.ask(last(HOUR))) for _ in range(8)]
    await asyncio.sleep(0.01)
    world.store.gate.set()
    answers = await asyncio.gather(*tasks)
    assert len(world.store.asked) == 1
    assert (world.noted.joined, len(world.noted.gaps)) == (7, 1)
    assert all(answer == world.store.truth(last(HOUR)) for answer in answers)


async def test_who_gives_up_does_not_disturb_the_others() -> None:
    world = World()
    world.store.gate = asyncio.Event()
    tasks = [asyncio.create_task(world.ask(last(HOUR))) for _ in range(8)]
    await asyncio.sleep(0.01)
    for task in tasks[:7]:
        task.cancel()
    await asyncio.sleep(0)
    world.store.gate.set()
    assert await tasks[7] == world.store.truth(last(HOUR))
    assert len(world.store.asked) == 1


async def test_a_read_that_nobody_waits_for_any_more_is_cancelled() -> None:
    world = World()
    world.store.gate = asyncio.Event()
    task = asyncio.create_task(world.ask(last(HOUR)))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert not world.store.readings
    assert not list(world.memory.selectors())
    world.store.gate = None
    assert await world.right(last(HOUR)) == 1


async def test_an_error_reaches_all_who_wait_and_is_not_remembered() -> None:
    world = World()
    world.store.failing = 1
    answers = await asyncio.gather(
        *(world.ask(last(HOUR)) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreError] * 3
    assert await world.right(last(HOUR)) == 1


async def test_a_partial_answer_is_passed_on_with_its_warning_and_not_remembered() -> None:
    world = World()
    world.store.warning = 1
    selection = await world.cache.select(last(HOUR), PLAIN)
    assert selection.warnings == ("half of it is missing",)
    await world.cache.settled()
    assert await world.right(last(HOUR)) == 1


class Limited:
    """A store that lets a read hold so many samples."""

    def __init__(self, store: LoggedStore, most: int) -> None:
        self.store = store
        self.most = most

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        found = await self.store.select(select, options)
        if found.block.samples > self.most:
            raise LimitExceeded("too many")
        return found


async def test_a_read_wider_than_asked_never_trips_a_limit() -> None:
    world = World()
    world.cache = SampleCache(Limited(world.store, 10), world.memory, "logged")
    assert await world.ask(last(MINUTE)) == world.store.truth(last(MINUTE))
    with pytest.raises(LimitExceeded):
        await world.ask(last(HOUR))


async def test_a_wider_selector_never_trips_a_limit() -> None:
    world = World()
    world.cache = SampleCache(Limited(world.store, 300), world.memory, "logged")
    narrow = last(HOUR, matchers=of("metric_0", pod="1"))
    wide = asyncio.create_task(world.ask(last(HOUR)))
    await asyncio.sleep(0)
    assert await world.ask(narrow) == world.store.truth(narrow)
    with pytest.raises(LimitExceeded):
        await wide


class Telling:
    """A store whose reads show what they bring, and wait before they are over."""

    def __init__(self, store: LoggedStore, gate: asyncio.Event) -> None:
        self.store = store
        self.gate = gate
        self.cancelled = 0

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        found = await self.store.select(select, options)
        columns = found.block.columns()
        if options.watch is not None:
            options.watch.saw(found.block.labels.rows, columns.offsets, columns.timestamps)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return found


class TooMany(Exception):
    """More series than whoever watches can use."""


async def watching(cache: SampleCache, select: Select, most: int) -> Selection:
    """A read that ends with TooMany once it brings more series."""

    def refuse(series: int) -> NoReturn:
        raise TooMany(series)

    with Watch(Window(select.start, select.end), most, refuse) as watch:
        return await cache.select(select, ReadOptions(watch=watch))


@pytest.mark.parametrize("end", [START, START - 3 * HOUR])
async def test_a_read_of_too_many_series_ends_for_those_who_watch_it_alone(end: int) -> None:
    world = World()
    gate = asyncio.Event()
    store = Telling(world.store, gate)
    world.cache = SampleCache(store, world.memory, "logged")
    select = last(HOUR, end)
    patient = asyncio.create_task(world.ask(select))
    with pytest.raises(TooMany, match="2"):
        await watching(world.cache, select, most=1)
    assert store.cancelled == 0
    gate.set()
    assert await patient == world.store.truth(select)
    assert len(world.store.asked) == 1


async def test_a_read_that_ended_for_all_is_not_remembered() -> None:
    world = World()
    gate = asyncio.Event()
    store = Telling(world.store, gate)
    world.cache = SampleCache(store, world.memory, "logged")
    asked = (watching(world.cache, last(HOUR), most=1) for _ in range(3))
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [TooMany] * 3
    await asyncio.sleep(0)
    assert (store.cancelled, list(world.memory.selectors())) == (1, [])
    gate.set()
    assert await world.right(last(HOUR)) == 1


async def test_series_outside_of_what_was_asked_end_no_read() -> None:
    world = World()
    gate = asyncio.Event()
    gate.set()
    world.cache = SampleCache(Telling(world.store, gate), world.memory, "logged")
    # A read of the newest minutes begins at the horizon, before what is asked.
    later = Labels.of({"__name__": "metric_0", "pod": "3"})
    world.store.put(later, {START - 8 * MINUTE: 1.0})
    found = await watching(world.cache, last(MINUTE), most=2)
    assert contents(found.block) == world.store.truth(last(MINUTE))
    assert world.store.asked[0].start <= START - 8 * MINUTE


async def test_the_limit_of_bytes_holds_for_what_is_remembered() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    await world.right(old)
    with pytest.raises(LimitExceeded):
        await world.ask(old, ReadOptions(max_bytes=1000))


async def test_bytes_received_count_for_who_began_the_read() -> None:
    world = World()
    answers = await asyncio.gather(*(world.cache.select(last(HOUR), PLAIN) for _ in range(3)))
    assert sorted(answer.received_bytes > 0 for answer in answers) == [False, False, True]
