"""Reads that several wait for."""

import asyncio

import pytest

from bridge.cache.samples import SampleCache
from bridge.model.errors import LimitExceeded, StoreError
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.cache.asking import PLAIN, World, last
from tests.cache.world import (
    HOUR,
    MINUTE,
    START,
    LoggedStore,
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
