"""Blocks that became one: as old as the older read, as settled as the younger one said."""

import tracemalloc

import numpy as np
import pytest

from bridge.cache.blocks import Block, encoded
from bridge.cache.merging import merged
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select
from tests.cache.asking import PLAIN, World, last
from tests.cache.conftest import Make
from tests.cache.replicas import Replica
from tests.cache.world import HOUR, MINUTE, START, contents

FRESH = ReadOptions(fresh=True)


@pytest.mark.parametrize("options", [PLAIN, FRESH])
async def test_when_the_clock_is_set_back_the_younger_read_does_not_count(
    options: ReadOptions,
) -> None:
    world = World()
    await world.right(last(HOUR // 2, START - 90 * MINUTE))
    world.clock.advance(2 * HOUR)
    slot = last(2 * HOUR - 1, START - 1)
    await world.right(slot)
    (held,) = world.memory.selectors()
    assert len(held.overlapping(Window(slot.start, slot.end))) == 1
    world.clock.wall -= 100 * MINUTE
    world.store.put(next(iter(world.store.data)), {START - 5 * MINUTE + 1: 1.0})
    assert await world.right(last(10 * MINUTE, START - MINUTE), options) == 1


async def test_reads_before_and_after_the_clock_was_set_back_do_not_become_one() -> None:
    world = World()
    world.clock.wall += 2 * HOUR
    await world.right(last(75 * MINUTE, START - 45 * MINUTE))
    world.store.put(next(iter(world.store.data)), {START - 55 * MINUTE + 1: 1.0})
    world.clock.wall -= 2 * HOUR
    world.clock.advance(3 * HOUR)
    await world.right(last(45 * MINUTE - 2, START - 1))
    assert await world.right(last(2 * HOUR - 1, START - 1)) == 1


async def test_what_became_one_is_found_in_the_tier_as_far_as_it_was_sealed(make: Make) -> None:
    world = World()
    first = Replica(world, make())
    for _ in range(36):
        dashboard = last(3 * HOUR, world.clock.wall)
        selection = await first.cache.select(dashboard, PLAIN)
        assert contents(selection.block) == world.store.truth(dashboard)
        await first.cache.settled()
        world.advance(300)
    await first.aclose()
    second = Replica(world, make())
    assert await second.right(last(3 * HOUR, world.clock.wall - 2 * HOUR)) == 0
    await second.aclose()


async def test_what_other_settings_took_for_closed_is_forgotten() -> None:
    world = World()
    old = last(HOUR, world.clock.wall - 2 * HOUR)
    await world.right(old)
    policy = Policy(CacheSettings(out_of_order_window=4 * HOUR))
    world.cache = SampleCache(world.store, world.memory, "logged", policy)
    assert await world.right(old) == 1
    assert await world.right(old) == 0


async def held_after(world: World, *reads: Select) -> list[Block]:
    """The blocks that these reads leave."""
    for read in reads:
        await world.right(read)
        await world.cache.settled()
    (held,) = world.memory.selectors()
    return list(held.blocks)


async def test_what_refreshes_bring_is_gathered_plain_and_encoded_once_it_fills_chunks() -> None:
    # Slots of 2 h begin at even hours.
    world, end = World(), START - 3 * HOUR - 1
    (hour,) = await held_after(world, last(HOUR - 1, end))
    assert hour.plain is None
    length = 0
    for minutes in range(1, 60):
        world.clock.advance(MINUTE)
        blocks = await held_after(world, last(HOUR - 1, end + minutes * MINUTE))
        young = [block for block in blocks if block.plain is not None]
        assert all(block.samples <= 119 * len(block.names) for block in young)
        assert young == blocks[-1:]
        length = max(length, young[0].samples)
        assert len(blocks) <= 4
    assert length > 60 * len(hour.names)
    assert await world.right(last(118 * MINUTE, end + 59 * MINUTE)) == 0


async def test_what_stands_before_another_slot_grows_no_more_and_is_encoded() -> None:
    world, slot = World(), START - 4 * HOUR
    (young,) = await held_after(world, last(10 * MINUTE, slot - 1))
    assert young.plain is not None
    before, after = await held_after(world, last(20 * MINUTE, slot + 10 * MINUTE))
    assert before.plain is None
    assert after.plain is not None
    assert before.trace.end is young.trace.end
    assert before.samples == young.samples


async def test_what_is_not_settled_stays_plain_and_goes_with_the_next_read() -> None:
    world = World()
    world.advance(1800)
    settled, unsettled = await held_after(world, last(11 * MINUTE, world.clock.wall))
    assert settled.plain is not None
    assert unsettled.plain is not None
    world.advance(30)
    assert unsettled not in await held_after(world, last(11 * MINUTE, world.clock.wall))


def test_what_becomes_one_is_never_decoded_as_a_whole() -> None:
    names, series, samples = Names(), 2000, 500
    numbers = names.add(Labels.of({"pod": f"{pod:04}"}) for pod in range(series))
    offsets = np.arange(series + 1) * (samples // 2)
    times = np.tile(np.arange(samples // 2) * 15_000, series)
    window = Window(0, samples // 2 * 15_000 - 1)
    blocks = []
    for back in (0, window.end + 1):
        columns = Columns.frozen(offsets.copy(), times + back, np.full(len(times), 1.0))
        own = Window(back, back + window.end)
        (rows,) = encoded([(numbers, columns)], [own])
        blocks.append(Block(own, Moment(0, 0), own.end, own.end, *rows))
    del columns, times
    merged((blocks[0], blocks[1]), names)
    tracemalloc.start()
    try:
        whole = merged((blocks[0], blocks[1]), names)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert whole.samples == series * samples
    assert peak < series * samples * 16 / 2
