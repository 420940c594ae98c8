"""Stores with the same data answer as one: the first that can, or each for what another lacks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.errors import StoreError, StoreFault, StoreTimeout
from bridge.model.time import Bound
from bridge.storage.interface import Provenance, Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from bridge.storage.replicas import Replica, ReplicaMode, Replicas, ReplicaSettings
from bridge.storage.view import View
from bridge.storage.warranty import NOTHING_STANDS, WHOLE, Warranty, joined, lasting, reach
from bridge.storage.watch import Watches
from tests.storage.blocks import Points, labels, literal, plain

OPTIONS = ReadOptions()
EVERYTHING = Select((), 0, 1000)
A, B = labels(__name__="m", job="a"), labels(__name__="m", job="b")
FAULT = StoreFault("x", 0, 1)


class Failing:
    """A store that is out of reach."""

    def __init__(self, text: str) -> None:
        self.asked = 0
        self._text = text

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked += 1
        raise StoreError(self._text, FAULT)


class Endless:
    """A store that never answers, and knows when it is given up."""

    cancelled = False

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError


def held(points: Points, more: Points = ()) -> MemoryStore:
    """A store with one series, or two."""
    return MemoryStore(literal({A: points, B: more} if more else {A: points}))


def replicas(
    *stores: Querier, mode: ReplicaMode = ReplicaMode.FIRST, gap: int = 0, hedge: int = 0
) -> Replicas:
    """A group of these stores."""
    settings = ReplicaSettings("g", (), mode, gap, hedge)
    return Replicas(tuple(Replica(one, View(one)) for one in stores), settings)


async def test_the_first_that_answers_is_the_answer() -> None:
    spare = Failing("spare")
    found = await replicas(held([(1, 1.0)]), spare).select(EVERYTHING, OPTIONS)
    assert (plain(found.block), found.warnings, spare.asked) == ({A: [(1, 1.0)]}, (), 0)


class Unwatched:
    """A store that lets nobody watch."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        assert options.watch is None
        return await held([(1, 1.0)]).select(select, options)


@pytest.mark.parametrize("mode", ReplicaMode)
async def test_nobody_watches_reads_that_may_not_be_in_the_answer(mode: ReplicaMode) -> None:
    group = replicas(Unwatched(), Unwatched(), mode=mode)
    found = await group.select(EVERYTHING, ReadOptions(watch=Watches()))
    assert plain(found.block) == {A: [(1, 1.0)]}


async def test_the_next_answers_for_one_that_fails() -> None:
    found = await replicas(Failing("one"), held([(1, 1.0)])).select(EVERYTHING, OPTIONS)
    assert (plain(found.block), found.warnings) == ({A: [(1, 1.0)]}, ())


class Doubtful:
    """A store whose answer is not the whole truth."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        return replace(await held([(1, 9.0)]).select(select, options), warnings=("old",))


async def test_an_answer_without_warnings_goes_before_one_with_some() -> None:
    found = await replicas(Doubtful(), held([(1, 1.0)])).select(EVERYTHING, OPTIONS)
    assert (plain(found.block), found.warnings) == ({A: [(1, 1.0)]}, ())
    found = await replicas(Doubtful(), Failing("two")).select(EVERYTHING, OPTIONS)
    assert (plain(found.block), found.warnings) == ({A: [(1, 9.0)]}, ("old",))


async def test_the_next_is_asked_too_if_one_takes_long() -> None:
    slow = Endless()
    found = await replicas(slow, held([(1, 1.0)]), hedge=1).select(EVERYTHING, OPTIONS)
    assert plain(found.block) == {A: [(1, 1.0)]}
    assert slow.cancelled


@pytest.mark.parametrize("mode", list(ReplicaMode))
async def test_if_none_answers_the_first_ones_error_counts(mode: ReplicaMode) -> None:
    with pytest.raises(StoreError, match="one"):
        await replicas(Failing("one"), Failing("two"), mode=mode).select(EVERYTHING, OPTIONS)


@pytest.mark.parametrize("mode", list(ReplicaMode))
async def test_who_goes_away_ends_all_reads(mode: ReplicaMode) -> None:
    slow = Endless(), Endless()
    task = asyncio.create_task(replicas(*slow, mode=mode, hedge=1).select(EVERYTHING, OPTIONS))
    done, _ = await asyncio.wait([task], timeout=0.1)
    assert not done
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert all(one.cancelled for one in slow)


async def test_a_replica_without_the_whole_time_does_not_answer_alone() -> None:
    short, whole = held([(500, 5.0)]), held([(1, 1.0), (500, 5.0)])
    settings = ReplicaSettings("g", ())
    newer = Replica(short, View(short, oldest=Bound(400)))
    group = Replicas((newer, Replica(whole, View(whole))), settings)
    found = await group.select(EVERYTHING, OPTIONS)
    assert plain(found.block) == {A: [(1, 1.0), (500, 5.0)]}
    assert plain((await group.select(Select((), 400, 600), OPTIONS)).block) == {A: [(500, 5.0)]}


async def test_gaps_are_filled_from_the_others() -> None:
    one = held([(1, 1.0), (5, 5.0)])
    two = held([(1, 9.0), (3, 3.0)], [(2, 2.0)])
    found = await replicas(one, two, mode=ReplicaMode.FILL).select(EVERYTHING, OPTIONS)
    assert plain(found.block) == {A: [(1, 1.0), (3, 3.0), (5, 5.0)], B: [(2, 2.0)]}


async def test_a_failure_while_filling_is_a_warning() -> None:
    found = await replicas(Failing("one"), held([(1, 1.0)]), mode=ReplicaMode.FILL).select(
        EVERYTHING, OPTIONS
    )
    assert plain(found.block) == {A: [(1, 1.0)]}
    assert found.warnings == ("one; gaps of its replicas may remain",)


async def test_other_scrapes_of_the_same_targets_count_in_gaps_only() -> None:
    one = held([(0, 1.0), (15, 1.0), (90, 1.0), (105, 1.0)])
    two = held([(at, 2.0) for at in range(7, 120, 15)])
    group = replicas(one, two, mode=ReplicaMode.FILL, gap=15)
    found = plain((await group.select(EVERYTHING, OPTIONS)).block)[A]
    assert found == [(0, 1.0), (15, 1.0), (37, 2.0), (52, 2.0), (67, 2.0), (90, 1.0), (105, 1.0)]


times = st.lists(st.integers(0, 60), unique=True).map(sorted)


def filled(first: Sequence[int], second: Sequence[int], gap: int) -> list[int]:
    """The times that count, the slow way."""
    return sorted({*first, *(t for t in second if all(abs(t - one) > gap for one in first))})


@given(times, times, times, times, st.integers(1, 20))
async def test_filling_is_the_same_for_each_series(
    a1: list[int], b1: list[int], a2: list[int], b2: list[int], gap: int
) -> None:
    stores = [
        MemoryStore(literal({A: [(t, v) for t in a], B: [(t, v) for t in b]}))
        for v, a, b in ((1.0, a1, b1), (2.0, a2, b2))
    ]
    group = replicas(*stores, mode=ReplicaMode.FILL, gap=gap)
    found = plain((await group.select(EVERYTHING, OPTIONS)).block)
    wanted = {A: filled(a1, a2, gap), B: filled(b1, b2, gap)}
    assert {one: [t for t, _ in points] for one, points in found.items()} == {
        one: held for one, held in wanted.items() if held
    }


async def test_a_late_replica_is_a_failure_as_any_other() -> None:
    class Late:
        async def select(self, select: Select, options: ReadOptions) -> Selection:
            raise StoreTimeout("late", FAULT)

    found = await replicas(Late(), held([(1, 1.0)])).select(EVERYTHING, OPTIONS)
    assert plain(found.block) == {A: [(1, 1.0)]}


class Vouching:
    """A store whose answers stay the same."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        found = await held([(1, 1.0)]).select(select, options)
        return replace(found, provenance=Provenance(blocks=1, warranties=()))


@pytest.mark.parametrize(
    ("stores", "lasts"),
    [((Vouching(), Failing("spare")), True), ((Failing("one"), Vouching()), False)],
)
async def test_an_answer_lasts_only_if_it_is_of_the_replica_that_would_be_asked_again(
    stores: tuple[Querier, ...], lasts: bool
) -> None:
    found = await replicas(*stores).select(EVERYTHING, OPTIONS)
    assert (found.provenance.warranties is not None) is lasts


@dataclass(frozen=True)
class Everlasting:
    """Vouches for whatever was read."""

    complete: bool = True

    async def reach(self, _since: int) -> int:
        return WHOLE

    def joined(self, later: Warranty, _since: int, _until: int) -> Warranty:
        return later


async def test_where_replicas_fill_gaps_a_part_of_an_answer_is_vouched_for_by_nobody() -> None:
    class Kept:
        async def select(self, select: Select, options: ReadOptions) -> Selection:
            found = await held([(1, 1.0)]).select(select, options)
            return replace(found, provenance=Provenance(blocks=1, warranties=(Everlasting(),)))

    for gap, reached in ((0, WHOLE), (10, NOTHING_STANDS)):
        found = await replicas(Kept(), Kept(), mode=ReplicaMode.FILL, gap=gap).select(
            EVERYTHING, OPTIONS
        )
        warranties = found.provenance.warranties
        assert warranties is not None
        assert await lasting(warranties)
        assert await reach(warranties, 0) == reached
        if gap:
            assert joined(warranties, warranties, 0, 1) is None
