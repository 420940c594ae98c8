"""What a SampleCache asks of its store, and what it answers."""

import asyncio
from collections.abc import Callable
from itertools import product

import pytest

from bridge.cache.memory import Memory
from bridge.cache.policy import Policy
from bridge.cache.purges import Purges
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.errors import LimitExceeded, StoreError, StoreFault
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import CacheUse, Purpose, ReadOptions, Select, Selection
from tests.cache.world import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    Clock,
    LoggedStore,
    Noted,
    Samples,
    contents,
)

NAMES = tuple(f"metric_{number}" for number in range(9))
PLAIN = ReadOptions()


class World:
    """A clock, a store with six hours of nine metrics, and a cache before it."""

    def __init__(self, max_bytes: int = 512 << 20) -> None:
        self.clock = Clock()
        self.store = LoggedStore(self.clock)
        for name, pod in product(NAMES, ("1", "2")):
            labels = Labels.of({"__name__": name, "pod": pod})
            times = range(START - 6 * HOUR, START + 1, 15 * SECOND)
            self.store.put(labels, {time: float(time % 1009) for time in times})
        self.noted = Noted()
        self.memory = Memory(CacheSettings(max_bytes=max_bytes), self.clock, self.noted)
        self.purges = Purges((), self.clock)
        self.cache = SampleCache(self.store, self.memory, "logged", purges=self.purges)

    async def ask(
        self, select: Select, options: ReadOptions = PLAIN, settle: bool = True
    ) -> Samples:
        selection = await self.cache.select(select, options)
        if settle:
            await self.cache.settled()
        return contents(selection.block)

    async def right(self, select: Select, options: ReadOptions = PLAIN) -> int:
        """Asks, compares with the truth, and says how many reads it took."""
        before = len(self.store.asked)
        assert await self.ask(select, options) == self.store.truth(select)
        return len(self.store.asked) - before

    def advance(self, seconds: int) -> None:
        """Time goes on, and so do all series."""
        for _ in range(seconds // 15):
            self.clock.advance(15 * SECOND)
            for labels in self.store.data:
                self.store.put(labels, {self.clock.wall: 1.0})


def of(name: str, **more: str) -> tuple[Matcher, ...]:
    pairs = {"__name__": name, **more}
    return tuple(sorted(Matcher(key, MatchType.EQUAL, value) for key, value in pairs.items()))


X = of(NAMES[0])


def last(length: int, end: int = START, matchers: tuple[Matcher, ...] = X) -> Select:
    return Select(matchers, end - length, end)


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


async def test_a_settled_window_that_moves_is_read_once_in_three_minutes() -> None:
    world = World()
    back, reads = 2 * HOUR, []
    for _ in range(27):
        reads.append(await world.right(last(HOUR, world.clock.wall - back)))
        world.advance(15)
    assert [at for at, count in enumerate(reads) if count] == [0, 1, 14]
    first, second, third = world.store.asked
    assert (first.end, second.start, second.end + 1) == (START - back, first.end + 1, third.start)
    assert second.end - second.start == 15 * SECOND + 3 * MINUTE - 1


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


class Down:
    """A store that may be down; `status` is what it then answers, None for nothing at all."""

    def __init__(self, store: LoggedStore) -> None:
        self.store = store
        self.down = False
        self.status: int | None = None

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        if self.down:
            fault = StoreFault("logged", select.start, select.end, self.status)
            raise StoreError('store "logged": connection refused', fault)
        return await self.store.select(select, options)


class Stale(World):
    """A cache that is told to stand in for its store."""

    def __init__(self, stale_if_error: bool = True) -> None:
        super().__init__()
        self.down = Down(self.store)
        policy = Policy(CacheSettings(stale_if_error=stale_if_error))
        self.cache = SampleCache(self.down, self.memory, "logged", policy)

    async def filled(self, select: Select) -> None:
        """Reads, and then the store goes down."""
        await self.right(select)
        self.down.down = True


async def test_while_the_store_is_down_what_was_settled_is_served_with_a_warning() -> None:
    world = Stale()
    old = last(2 * HOUR, START - 10 * MINUTE)
    before = world.store.truth(old)
    await world.filled(old)
    world.clock.advance(26 * HOUR + 3 * MINUTE)
    selection = await world.cache.select(old, PLAIN)
    assert contents(selection.block) == before
    (warning,) = selection.warnings
    assert warning == (
        'store "logged": connection refused;'
        " answered from the cache, with samples read up to 1d2h3m ago"
    )
    assert selection.provenance.use is CacheUse.HIT
    narrower = Select(tuple(sorted((*X, *of(NAMES[0], pod="1")))), old.start, old.end)
    assert (await world.cache.select(narrower, PLAIN)).warnings


@pytest.mark.parametrize(
    ("select", "options"),
    [
        (last(2 * HOUR, START - 10 * MINUTE + 1), PLAIN),
        (last(2 * HOUR + 1, START - 10 * MINUTE), PLAIN),
        (last(HOUR, START - 20 * MINUTE, of(NAMES[1])), PLAIN),
        (last(HOUR, START - 20 * MINUTE), ReadOptions(fresh=True)),
        (last(HOUR, START - 20 * MINUTE), ReadOptions(nocache=True)),
    ],
    ids=["newer", "older", "another selector", "for an alert", "without the cache"],
)
async def test_what_is_not_held_whole_or_must_be_fresh_fails_as_ever(
    select: Select, options: ReadOptions
) -> None:
    world = Stale()
    await world.filled(last(2 * HOUR, START - 10 * MINUTE))
    world.clock.advance(26 * HOUR)
    with pytest.raises(StoreError):
        await world.ask(select, options)


async def test_nothing_stale_is_served_unless_it_is_asked_for() -> None:
    world = Stale(stale_if_error=False)
    old = last(HOUR, START - 2 * HOUR)
    await world.filled(old)
    world.clock.advance(26 * HOUR)
    with pytest.raises(StoreError):
        await world.ask(old)


@pytest.mark.parametrize(
    ("status", "stale"), [(None, True), (502, True), (200, True), (429, True), (401, False)]
)
async def test_a_store_that_refuses_is_not_down(status: int | None, stale: bool) -> None:
    world = Stale()
    old = last(HOUR, START - 2 * HOUR)
    await world.filled(old)
    world.down.status = status
    world.clock.advance(26 * HOUR)
    answers = await asyncio.gather(world.cache.select(old, PLAIN), return_exceptions=True)
    assert isinstance(answers[0], Selection) is stale


async def test_when_the_store_is_back_what_is_old_is_read_anew() -> None:
    world = Stale()
    old = last(HOUR, START - 2 * HOUR)
    await world.filled(old)
    _old(world)
    world.clock.advance(26 * HOUR)
    await world.cache.select(old, PLAIN)
    world.down.down = False
    assert await world.right(old) == 1
    assert await world.right(old) == 0


async def test_what_is_too_old_does_not_age_its_neighbours() -> None:
    world = Stale()
    await world.right(last(30 * MINUTE, START - 150 * MINUTE))
    world.clock.advance(26 * HOUR)
    fresh = last(29 * MINUTE, START - 120 * MINUTE - 1)
    await world.right(Select(X, START - 150 * MINUTE + 1, fresh.end))
    assert await world.right(Select(X, START - 150 * MINUTE + 1, fresh.end)) == 0


async def test_the_settings_of_today_count_for_what_was_read_before() -> None:
    world = World()
    old = last(HOUR, START - 2 * HOUR)
    await world.right(old)
    world.clock.advance(2 * HOUR)
    policy = Policy(CacheSettings(sealed_ttl=HOUR))
    world.cache = SampleCache(world.store, world.memory, "logged", policy)
    assert await world.right(old) == 1
