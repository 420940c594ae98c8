"""What vouches for an answer from memory holds as long as that would be answered from it."""

import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bridge.cache.memory import Memory
from bridge.cache.policy import Policy
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.cache.standing import Standing
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.warranty import NOTHING_STANDS, WHOLE, Warranties, joined, lasting
from tests.cache.world import HOUR, MINUTE, SECOND, Clock, LoggedStore

NAME = (Matcher("__name__", MatchType.EQUAL, "x"),)
X = Labels.of({"__name__": "x"})
OPTIONS = ReadOptions()


class World:
    """A cache of one series that reaches back six hours."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = LoggedStore(self.clock)
        now = self.clock.wall
        self.store.put(X, dict.fromkeys(range(now - 6 * HOUR, now, MINUTE), 1.0))
        self.memory = Memory(CacheSettings(), self.clock)
        self.cache = SampleCache(self.store, self.memory, "s")

    def select(self, since: int = 2 * HOUR) -> Select:
        end = self.clock.wall - since
        return Select(NAME, end - HOUR, end)

    async def warranties(self, select: Select) -> Warranties | None:
        selection = await self.cache.select(select, OPTIONS)
        await self.cache.settled()
        return selection.provenance.warranties

    async def vouched(self, select: Select) -> Warranties:
        """What vouches for an answer once it comes from memory."""
        await self.warranties(select)
        found = await self.warranties(select)
        assert found is not None
        return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.cache.aclose()


async def reached(found: Warranties, since: int = NOTHING_STANDS) -> int:
    (one,) = found
    return await one.reach(since)


async def test_what_was_read_just_now_is_vouched_for_by_nobody(world: World) -> None:
    select = world.select()
    found = await world.warranties(select)
    assert found is not None
    assert not await lasting(found)
    assert await reached(found) < select.start


async def test_what_was_remembered_is_vouched_for_up_to_what_was_read(world: World) -> None:
    select = world.select()
    await world.warranties(select)
    found = await world.warranties(replace(select, end=select.end + 5 * MINUTE))
    assert found is not None
    assert not await lasting(found)
    assert await reached(found) == select.end


async def test_what_was_merged_stands_where_it_is_now(world: World) -> None:
    select = world.select()
    found, more = await world.vouched(select), select
    for _ in range(5):
        more = replace(more, end=more.end + MINUTE)
        await world.warranties(more)
    (held,) = world.memory.selectors()
    assert len(held.blocks) < 5
    assert await lasting(found)
    while world.memory.evict():
        pass
    assert await reached(found) < select.start


async def test_a_purge_ends_what_is_behind_it(world: World) -> None:
    select = world.select()
    found = await world.vouched(replace(select, start=select.start - 4 * HOUR))
    await world.cache.purge(NAME, Window(select.start + MINUTE, select.start + MINUTE))
    assert select.start - 4 * HOUR < await reached(found) < select.start
    assert await reached(found, select.end + 2 * HOUR) == WHOLE


async def test_one_answer_behind_another_is_vouched_for_together(world: World) -> None:
    first, step = world.select(4 * HOUR), 3 * MINUTE
    found = await world.vouched(first)
    for number in range(1, 6):
        later = Select(NAME, first.end - 5 * MINUTE, first.end + number * step)
        both = joined(found, await world.vouched(later), first.start, later.end - step)
        assert both is not None
        found = both
    assert await lasting(found)
    (standing,) = found
    (held,) = world.memory.selectors()
    assert isinstance(standing, Standing)
    assert len(standing.parts) <= len(held.blocks)
    await world.cache.purge(NAME, Window(first.end + 2 * step, first.end + 2 * step))
    assert not await lasting(found)


async def test_what_came_from_memory_holds_while_its_blocks_are_remembered(world: World) -> None:
    found = await world.vouched(world.select())
    world.clock.advance(HOUR)
    assert await lasting(found)


async def test_new_samples_of_the_same_selector_change_nothing_for_old_ones(world: World) -> None:
    found = await world.vouched(world.select(4 * HOUR))
    await world.warranties(world.select(MINUTE))
    assert await lasting(found)


def evicted(world: World) -> None:
    while world.memory.evict():
        pass


def expired(world: World) -> None:
    world.clock.advance(25 * HOUR)


def set_back(world: World) -> None:
    world.clock.wall -= HOUR


def judged_anew(world: World) -> None:
    other = Policy(CacheSettings(out_of_order_window=5 * HOUR))
    for held in world.memory.selectors():
        world.memory.end(world.memory.begin(held.key, other))


@pytest.mark.parametrize("end", [evicted, expired, set_back, judged_anew])
async def test_it_ends_with_the_blocks(world: World, end: Callable[[World], None]) -> None:
    found = await world.vouched(world.select())
    end(world)
    assert not await lasting(found)


async def test_it_ends_with_a_purge(world: World) -> None:
    select = world.select()
    found = await world.vouched(select)
    await world.cache.purge(NAME, Window(select.start + MINUTE, select.start + MINUTE))
    assert not await lasting(found)


async def test_the_newest_samples_hold_for_a_burst(world: World) -> None:
    select = world.select(0)
    found = await world.vouched(select)
    assert await lasting(found)
    world.clock.advance(SECOND + 1)
    assert not await lasting(found)


async def test_it_keeps_no_block_in_memory(world: World) -> None:
    found = await world.vouched(world.select())
    (standing,) = found
    evicted(world)
    gc.collect()
    assert isinstance(standing, Standing)
    assert {part.trace.block for part in standing.parts} == {None}
