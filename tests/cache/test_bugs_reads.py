"""Faults of other caches in what they read and keep; each test is named after what must not happen.

Forty recorded faults of result caches (Cortex, Mimir, Thanos, VictoriaMetrics, Trickster, Grafana),
numbered. Those that cannot happen here, and why:

* 7, thanos#5295, the flag for deduplication lacks in the key: replicas become one above the cache,
  which holds each store by itself.
* 31, trickster#1100, a request without a time: remote read has none.
* 37, cortex#7262, Redis Cluster and MSET: values are set one by one, and no cluster is spoken to.
* 34, of its four only the lost left edge: frames of the browser and `$__range` are Grafana's own.

35's part about caching errors: none is kept. 24, 28, 39 and 40 stand with what they are about: in
test_tiers.py and the purges' tests, test_samples.py, test_blocks.py, test_tiers.py.
"""

import asyncio
import tracemalloc

import numpy as np
import pytest

from bridge.cache.memory import Memory
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.errors import StoreError
from bridge.model.labels import Labels
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select
from tests.cache.asking import NAMES, PLAIN, World, X, last, of
from tests.cache.wired import Damage, Wired
from tests.cache.world import HOUR, MINUTE, SECOND, START, LoggedStore, contents

DAY = 24 * HOUR
OLD = last(HOUR, START - 2 * HOUR)


async def test_a_partial_answer_is_never_kept() -> None:
    """1, 33: cortex#1974, thanos#1651, #5075: half of it came, with status 200."""
    world = World()
    world.store.warning = 1
    await world.cache.select(OLD, PLAIN)
    await world.cache.settled()
    assert await world.right(OLD) == 1


async def test_asking_never_makes_anything_live_longer() -> None:
    """2: VictoriaMetrics#7332."""
    world = World()
    await world.right(OLD)
    world.store.put(next(iter(world.store.data)), {OLD.start + 1: 5.0})
    for _ in range(24):
        before = len(world.store.asked)
        await world.ask(OLD)
        assert len(world.store.asked) == before
        world.clock.advance(HOUR)
    world.clock.advance(1)
    assert await world.right(OLD) == 1


@pytest.mark.parametrize("damage", list(Damage))
async def test_an_answer_that_ends_early_never_leaves_a_part(damage: Damage) -> None:
    """3: mimir#14645; the same for a frame whose checksum does not match."""
    world = World()
    wired = Wired(world.store)
    world.cache = SampleCache(wired, world.memory, "logged")
    wired.wire.damages.append((damage, 0.7))
    with pytest.raises(StoreError):
        await world.ask(OLD)
    assert await world.right(OLD) == 1
    assert await world.right(OLD) == 0
    await wired.aclose()


async def test_a_cancelled_read_never_leaves_a_part() -> None:
    """3: mimir#14650."""
    world = World()
    world.store.gate = asyncio.Event()
    task = asyncio.create_task(world.ask(OLD))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    world.store.gate.set()
    world.store.gate = None
    await world.cache.settled()
    assert await world.right(OLD) == 1


async def test_a_tenant_never_sees_what_another_was_told() -> None:
    """8: cortex#7562."""
    world = World()
    await world.right(OLD)
    empty = LoggedStore(world.clock)
    other = SampleCache(empty, world.memory, "logged", tenant="another")
    assert not contents((await other.select(OLD, PLAIN)).block)


async def test_pieces_of_two_widths_never_collide() -> None:
    """9: thanos#7832: what was cut at 2 h is cut at days once it is old."""
    world = World()
    whole = last(5 * HOUR, START - HOUR)
    await world.right(last(3 * HOUR, START - 2 * HOUR))
    world.clock.advance(23 * HOUR)
    await world.right(whole)
    world.clock.advance(2 * DAY)
    for select in (last(HOUR, START - 3 * HOUR), whole, last(30 * MINUTE, START - 2 * HOUR)):
        await world.right(select)
        await world.right(select)


async def test_many_small_reads_never_pile_up() -> None:
    """11: cortex#3920: an entry grew with every tiny query, samples came twice."""
    world = World()
    await world.right(last(2 * HOUR, START - 2 * HOUR))
    size = world.memory.nbytes
    for at in range(300):
        await world.right(last(15 * SECOND, START - 2 * HOUR - at * 20 * SECOND))
    assert world.memory.nbytes == size


async def test_small_pieces_never_become_many_small_reads() -> None:
    """12: cortex#3648."""
    world = World()
    for at in range(20):
        await world.right(last(MINUTE, START - 2 * HOUR - at * 10 * MINUTE))
    assert await world.right(last(4 * HOUR, START - 90 * MINUTE)) <= 4


async def test_late_samples_never_stay_hidden_for_long() -> None:
    """14: mimir#2275: out of order samples show after ten minutes, not after a day."""
    world = World()
    young = last(HOUR, START - 15 * MINUTE)
    await world.right(young)
    world.store.put(next(iter(world.store.data)), {START - 50 * MINUTE + 1: 5.0})
    world.clock.advance(10 * MINUTE + 1)
    assert await world.right(young) == 1


async def test_forgetting_a_selector_never_forgets_all() -> None:
    """23: VictoriaMetrics#4070."""
    world = World()
    selects = [last(HOUR, START - 2 * HOUR, of(name)) for name in NAMES]
    for select in selects:
        await world.right(select)
    await world.cache.purge(of(NAMES[3]), Window(OLD.start, OLD.end))
    assert [await world.right(select) for select in selects] == [0] * 3 + [1] + [0] * 5


async def test_an_empty_or_unfinished_end_is_never_kept() -> None:
    """25: trickster#121, #466."""
    world = World()
    now = last(5 * MINUTE, START + 10 * MINUTE)
    new = Labels.of({"__name__": NAMES[0], "pod": "3"})
    await world.right(now)
    for _ in range(30):
        world.store.put(new, {world.clock.wall: 1.0})
        world.clock.advance(SECOND + 1)
        await world.right(now)


async def test_nothing_there_is_never_kept_for_a_day() -> None:
    """25, 33: thanos#8641: emptiness is believed for ten minutes."""
    world = World()
    nobody = last(HOUR, START - 3 * HOUR, of("nobody"))
    assert [await world.right(nobody), await world.right(nobody)] == [1, 0]
    world.store.put(Labels.of({"__name__": "nobody"}), {nobody.start: 1.0})
    world.clock.advance(10 * MINUTE + 1)
    assert await world.right(nobody) == 1


async def test_old_windows_are_never_hit_in_part_for_ever() -> None:
    """26: trickster#461: the horizon counts from now, not from a window's end."""
    world = World()
    assert [await world.right(OLD) for _ in range(4)] == [1, 0, 0, 0]


async def test_another_range_is_never_answered() -> None:
    """27: trickster#96: each answer lies in the window asked."""
    world = World()
    await world.right(last(4 * HOUR, START - HOUR))
    for start, end in ((1, 2), (0, 0), (7_000, 8 * MINUTE + 3), (-HOUR, HOUR)):
        base = START - 3 * HOUR
        await world.right(Select(X, base + start, base + end))


async def test_a_refresh_never_answers_only_what_is_new() -> None:
    """28: trickster#116."""
    world = World()
    for _ in range(5):
        assert len(await world.ask(last(HOUR, world.clock.wall))) > 2 * 200
        world.advance(30)


async def test_far_windows_never_make_one_long_read() -> None:
    """29: trickster#131: month-long holes were read."""
    world = World()
    await world.right(OLD)
    await world.right(last(HOUR, START - 30 * DAY))
    lengths = [asked.end - asked.start for asked in world.store.asked]
    assert max(lengths) <= HOUR
    await world.right(OLD)
    assert len(world.store.asked) == 2


async def test_memory_is_never_held_twice_or_uncounted() -> None:
    """32: trickster#56, #85, #91: what is owned is what is counted."""
    world = World()
    random = np.random.default_rng(1)
    for pod in range(200):
        labels = Labels.of({"__name__": "many", "pod": f"pod-{pod}"})
        values = random.normal(size=960).tolist()
        times = range(START - 6 * HOUR, START - 2 * HOUR, 15 * SECOND)
        world.store.put(labels, dict(zip(times, values, strict=True)))
    many = last(4 * HOUR, START - 2 * HOUR, of("many"))
    # Kernels are loaded and label sets interned by now.
    await world.right(OLD)
    world.store.readings.clear()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        held = world.memory.nbytes
        await world.cache.select(many, PLAIN)
        await world.cache.settled()
        world.store.readings.clear()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert world.memory.nbytes - held >= 0.8 * grown


async def test_an_error_is_never_kept() -> None:
    """35: mimir#2676, #9028."""
    world = World()
    for _ in range(3):
        world.store.failing = 1
        with pytest.raises(StoreError):
            await world.ask(OLD)
    assert await world.right(OLD) == 1


async def test_what_is_too_large_is_never_kept_nor_wrong() -> None:
    """36: mimir#2235, thanos#3895: large values were lost in silence."""
    world = World(max_bytes=20_000)
    for _ in range(3):
        assert await world.right(last(5 * HOUR, START - HOUR)) == 1
    assert world.noted.refused == 3
    assert world.memory.nbytes <= 20_000


async def test_a_clock_that_is_ahead_at_the_start_never_settles_what_still_arrives() -> None:
    """25: trickster#121, #135: an hour ahead of the store, its newest minutes seem long past."""
    world = World()
    world.store.behind = HOUR
    newest = START - HOUR
    world.store.delete((), Window(newest, START))
    await world.right(last(3 * HOUR))
    world.store.put(next(iter(world.store.data)), {newest - 9 * MINUTE: 5.0, newest: 6.0})
    world.clock.advance(2 * SECOND)
    assert await world.right(last(3 * HOUR)) == 1
    assert world.store.asked[-1].start == newest - 10 * MINUTE + 1


async def test_a_clock_that_is_ahead_never_closes_what_may_come_late() -> None:
    """14: mimir#2275, cortex#5039: out-of-order samples stayed hidden."""
    world = World()
    world.store.behind = HOUR
    old = last(HOUR, START - 90 * MINUTE)
    await world.right(old)
    world.store.put(next(iter(world.store.data)), {old.end - 1: 5.0})
    world.clock.advance(11 * MINUTE)
    assert await world.right(old) == 1


async def test_a_clock_that_was_ahead_and_is_set_right_never_hides_what_came_since() -> None:
    """25, 14: of a store without a clock, what seemed long past had only just begun to arrive."""
    world = World()
    newest = START - HOUR
    world.store.delete((), Window(newest, START))
    await world.right(last(3 * HOUR))
    world.store.put(next(iter(world.store.data)), {newest - 59 * MINUTE: 5.0, newest: 6.0})
    world.clock.wall -= HOUR
    world.clock.advance(HOUR + 11 * MINUTE)
    assert await world.right(last(3 * HOUR)) == 1
    assert world.store.asked[-1].start == newest - HOUR


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -DAY, 10 * DAY])
async def test_a_clock_that_jumps_never_prolongs_a_life(jump: int) -> None:
    """21: VictoriaMetrics#149, #834; what was read before a step back is not trusted."""
    world = World()
    await world.right(OLD)
    world.store.put(next(iter(world.store.data)), {OLD.start + 1: 5.0})
    world.clock.wall += jump
    if jump < 0 or jump > DAY:
        assert await world.right(OLD) == 1
    world.clock.steady += DAY + 1
    assert await world.right(OLD) <= 1
    assert await world.ask(OLD) == world.store.truth(OLD)


async def test_limits_of_settings_hold_for_what_is_held_already() -> None:
    """15: mimir#4439: a shorter life counts for values from before."""
    world = World()
    await world.right(OLD)
    short = CacheSettings(sealed_ttl=HOUR, young_ttl=MINUTE)
    (held,) = world.memory.selectors()
    later = Memory(short, world.clock)
    world.clock.advance(2 * HOUR)
    policy = type(held.policy)(short)
    assert all(policy.servable(one, later.clock(), fresh=False) is None for one in held.blocks)


async def test_a_read_past_the_cache_never_gives_to_it() -> None:
    world = World()
    await world.right(OLD, ReadOptions(nocache=True))
    assert not list(world.memory.selectors())
