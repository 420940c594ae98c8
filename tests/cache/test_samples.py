"""What a SampleCache asks of its store, and what it answers."""

import asyncio
from collections.abc import Callable

import pytest

from bridge.cache.policy import Policy
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import CacheUse, Purpose, ReadOptions, Select
from tests.cache.asking import NAMES, PLAIN, World, X, last, of
from tests.cache.world import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    LoggedStore,
)


async def test_what_was_read_is_not_read_again() -> None:
    world = World()
    old = last(2 * HOUR, START - 2 * HOUR)
    assert await world.right(old) == 1
    world.clock.advance(MINUTE)
    assert await world.right(old) == 0
    assert await world.right(last(HOUR, START - 150 * MINUTE)) == 0
    assert await world.right(last(0, START - 150 * MINUTE)) == 0


async def test_a_refresh_reads_only_what_was_not_settled() -> None:
    world = World()
    await world.right(last(6 * HOUR))
    settled = START - 10 * MINUTE
    world.advance(30)
    assert await world.right(last(6 * HOUR, world.clock.wall)) == 1
    assert world.store.asked[-1] == Select(X, settled + 1, START + MINUTE - 1)
    assert world.noted.uses == {CacheUse.MISS: 1, CacheUse.PARTIAL: 1}
    assert world.noted.gaps[-1][0] == 11 * MINUTE - 1


async def test_a_settled_window_that_moves_is_read_once_in_some_minutes() -> None:
    world = World()
    back, reads = 2 * HOUR, []
    for _ in range(64):
        reads.append(await world.right(last(HOUR, world.clock.wall - back)))
        world.advance(15)
    first, second, third = world.store.asked[:3]
    assert (first.end, second.start, second.end + 1) == (START - back, first.end + 1, third.start)
    ahead = second.end - (START - back + 15 * SECOND)
    assert 7.5 * MINUTE <= ahead <= 15 * MINUTE
    asked = [at for at, count in enumerate(reads) if count]
    assert asked[:3] == [0, 1, 2 + ahead // (15 * SECOND)]


async def test_reading_ahead_never_reaches_beyond_the_horizon() -> None:
    world = World()
    for _ in range(60):
        asked = len(world.store.asked)
        await world.right(last(HOUR, world.clock.wall - 11 * MINUTE))
        ends = [select.end for select in world.store.asked[asked:]]
        assert max(ends, default=0) <= world.clock.wall - 10 * MINUTE
        world.advance(15)
    assert world.store.asked[1].end == START + 15 * SECOND - 10 * MINUTE


async def test_many_refreshes_leave_few_blocks() -> None:
    world = World()
    for _ in range(200):
        world.advance(15)
        await world.right(last(HOUR, world.clock.wall))
    (held,) = world.memory.selectors()
    assert len(held.blocks) < 20


async def test_sixty_panels_over_nine_selectors_are_nine_reads() -> None:
    world = World()
    ranges = (MINUTE, 5 * MINUTE, HOUR)
    steps = (15, 20, 30, 60, 120)

    async def refresh() -> int:
        before, now = len(world.store.asked), world.clock.wall
        panels = [
            last(3 * HOUR + ranges[at % 3], now // step * step, of(NAMES[at % 9]))
            for at in range(60)
            for step in [steps[at % 5] * SECOND]
        ]
        answers = await asyncio.gather(
            *(world.ask(one, settle=at % 2 == 0) for at, one in enumerate(panels))
        )
        assert answers == [world.store.truth(one) for one in panels]
        await world.cache.settled()
        return len(world.store.asked) - before

    assert await refresh() == 9
    for _ in range(3):
        world.advance(30)
        assert await refresh() == 9


async def test_panels_one_after_the_other_within_a_second_share_the_newest_minutes() -> None:
    world = World()
    await world.right(last(3 * HOUR))
    world.advance(30)
    now = world.clock.wall
    reads = 0
    for length in (5 * MINUTE, HOUR, MINUTE, 0, 2 * HOUR):
        reads += await world.right(last(length, now))
        world.clock.advance(200)
    assert reads == 1
    world.clock.advance(SECOND)
    assert await world.right(last(5 * MINUTE, now)) == 1


async def test_fresh_answers_never_rest_on_the_burst() -> None:
    world = World()
    fresh = ReadOptions(fresh=True)
    await world.right(last(5 * MINUTE))
    labels = next(iter(world.store.data))
    world.store.put(labels, {START: 77.0})
    assert await world.right(last(5 * MINUTE), fresh) == 1
    assert world.store.asked[-1] == last(5 * MINUTE)


async def test_fresh_answers_rest_on_what_is_closed() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    await world.right(old)
    assert await world.right(old, ReadOptions(fresh=True)) == 0


async def test_nocache_neither_takes_nor_gives() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    nocache = ReadOptions(nocache=True)
    assert await world.right(old, nocache) == 1
    assert await world.right(old) == 1
    assert await world.right(old, nocache) == 1
    assert world.store.asked[0] == old


async def test_a_read_for_series_only_is_passed_on() -> None:
    world = World()
    select = Select(X, START - HOUR, START, Purpose.SERIES)
    await world.cache.select(select, PLAIN)
    assert world.store.asked == [select]
    assert not list(world.memory.selectors())


async def test_a_window_too_long_to_keep_is_passed_on() -> None:
    world = World()
    select = Select(X, -(1 << 50), 1 << 50)
    assert await world.right(select) == 1
    assert world.store.asked == [select]


async def test_an_empty_window_asks_what_the_store_says() -> None:
    world = World()
    assert await world.right(Select(X, START, START - 1)) == 1


async def test_nothing_is_served_from_a_selector_that_asks_for_no_value() -> None:
    world = World()
    anything = Matcher("pod", MatchType.NOT_EQUAL, "9")
    named = Matcher("__name__", MatchType.EQUAL, NAMES[0])
    end = START - HOUR
    await world.ask(Select((anything,), end - HOUR, end))
    assert await world.right(Select((named, anything), end - HOUR, end)) == 1


async def test_a_narrower_selector_is_served_from_a_wider_one() -> None:
    world = World()
    wide = (Matcher("__name__", MatchType.REGEXP, "metric_[0-3]"),)
    old = last(HOUR, START - 2 * HOUR, wide)
    await world.right(old)
    for more in (
        Matcher("pod", MatchType.EQUAL, "1"),
        Matcher("pod", MatchType.NOT_REGEXP, "1|3"),
        Matcher("__name__", MatchType.NOT_EQUAL, NAMES[0]),
        Matcher("absent", MatchType.EQUAL, ""),
        Matcher("pod", MatchType.EQUAL, "none"),
    ):
        narrow = Select(tuple(sorted((*wide, more))), old.start, old.end)
        assert await world.right(narrow) == 0
    # A wider one cannot be served from a narrower.
    assert await world.right(Select((), old.start, old.end)) == 1


async def test_the_order_of_matchers_and_their_repetition_do_not_matter() -> None:
    world = World()
    one, other = of(NAMES[0], pod="1")
    old = last(HOUR, START - 2 * HOUR, (one, other))
    await world.right(old)
    assert await world.right(Select((other, one, other), old.start, old.end)) == 0


@pytest.mark.parametrize(("store", "tenant"), [("logged", "b"), ("other", "a")])
async def test_stores_and_tenants_never_share(store: str, tenant: str) -> None:
    world = World()
    first = SampleCache(world.store, world.memory, "logged", tenant="a")
    second = SampleCache(LoggedStore(world.clock), world.memory, store, tenant=tenant)
    old = last(HOUR, START - 2 * HOUR)
    await first.select(old, PLAIN)
    await first.settled()
    assert len((await second.select(old, PLAIN)).block) == 0


async def test_purged_samples_are_read_again_and_a_read_on_its_way_is_not_remembered() -> None:
    world = World()
    old = last(2 * HOUR, START - 2 * HOUR)
    middle = Window(START - 3 * HOUR, START - 3 * HOUR + MINUTE)
    await world.right(old)
    await world.cache.purge(of(NAMES[1]), middle)
    assert await world.right(old) == 0
    await world.cache.purge(of(NAMES[0], pod="1"), middle)
    assert await world.right(old) == 1
    assert world.store.asked[-1] == Select(X, middle.start, middle.end)
    world.store.gate = asyncio.Event()
    other = last(HOUR, START - 4 * HOUR)
    task = asyncio.create_task(world.ask(other))
    await asyncio.sleep(0.01)
    await world.cache.purge(X, Window(0, START))
    world.store.gate.set()
    await task
    assert await world.right(other) == 1


def _late(world: World) -> None:
    labels = next(iter(world.store.data))
    world.store.put(labels, {START - 30 * MINUTE + 1: 5.0})


def _old(world: World) -> None:
    labels = next(iter(world.store.data))
    world.store.put(labels, {START - 3 * HOUR + 1: 5.0})


@pytest.mark.parametrize(("change", "seconds"), [(_late, 10 * 60), (_old, 24 * 3600)])
async def test_late_samples_show_once_the_time_to_live_is_over(
    change: Callable[[World], None], seconds: int
) -> None:
    world = World()
    select = last(4 * HOUR)
    before = await world.ask(select)
    change(world)
    world.clock.advance(seconds * SECOND - SECOND)
    # Asking in between makes nothing live longer.
    settled = last(4 * HOUR, START - 10 * MINUTE)
    assert await world.ask(Select(X, select.start, settled.end)) == {
        point: value for point, value in before.items() if point[1] <= settled.end
    }
    world.clock.advance(SECOND + 1)
    assert await world.right(Select(X, select.start, settled.end)) == 1


async def test_one_off_scans_do_not_push_out_what_is_asked_again_and_again() -> None:
    world = World(max_bytes=45_000)
    dashboard = [last(HOUR, START - 2 * HOUR, of(name)) for name in NAMES[:3]]
    for select in [*dashboard, *dashboard]:
        await world.right(select)
    kept = world.memory.nbytes
    for name in NAMES[3:]:
        await world.right(last(4 * HOUR, START - HOUR, of(name)))
    assert [await world.right(select) for select in dashboard] == [0, 0, 0]
    assert kept <= world.memory.nbytes <= 45_000
    assert world.noted.refused


async def test_the_same_rows_have_the_same_table() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    await world.right(old)
    first = await world.cache.select(old, PLAIN)
    second = await world.cache.select(last(HOUR, START - 2 * HOUR - MINUTE), PLAIN)
    assert first.block.labels is second.block.labels


async def test_a_long_answer_comes_in_parts_that_threads_can_share() -> None:
    world = World()
    for pod in range(300):
        labels = Labels.of({"__name__": "many", "pod": str(pod)})
        world.store.put(labels, {START - 3 * HOUR + at * SECOND: 1.0 for at in range(1000)})
    old = last(2 * HOUR, START - 2 * HOUR, of("many"))
    await world.right(old)
    selection = await world.cache.select(old, PLAIN)
    sizes = [part.samples for part in selection.block.parts]
    assert len(sizes) == 3
    assert max(sizes) <= (1 << 17) + 1000


async def test_closing_ends_what_goes_on_behind_the_answers() -> None:
    world = World()
    await world.cache.select(last(HOUR), PLAIN)
    await world.cache.aclose()
    assert await world.right(last(HOUR)) <= 1


async def test_the_settings_of_today_count_for_what_was_read_before() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    await world.right(old)
    world.clock.advance(2 * HOUR)
    policy = Policy(CacheSettings(sealed_ttl=HOUR))
    world.cache = SampleCache(world.store, world.memory, "logged", policy)
    assert await world.right(old) == 1
