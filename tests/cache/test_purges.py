"""Which purges count, whoever made them, in whatever order one hears of them."""

from itertools import permutations

import pytest

from bridge.cache.keys import Key
from bridge.cache.purges import Purge, Purges
from bridge.model.labels import Matcher
from bridge.model.time import Window
from tests.cache.asking import NAMES, of
from tests.cache.world import HOUR, SECOND, START, Clock

ALL = Window(0, START)
NAME = of(NAMES[0])
POD = of(NAMES[0], pod="1")


def key(matchers: tuple[Matcher, ...]) -> Key:
    return Key("store", "", matchers)


async def purged(purges: Purges, matchers: tuple[Matcher, ...], window: Window = ALL) -> Purge:
    """A purge that is made here."""
    told: list[Purge] = []
    purges.follow(told.append)
    await purges.purge(matchers, window)
    purges.unfollow(told.append)
    (made,) = told
    return made


async def test_a_purge_stands_for_those_that_it_includes() -> None:
    purges = Purges((), Clock())
    before = await purged(purges, POD, Window(5, 10))
    assert purges.concerning(key(NAME), Window(0, 100)) == (before.id,)
    assert purges.concerning(key(of(NAMES[0], pod="2")), Window(0, 100)) == ()
    assert purges.concerning(key(NAME), Window(11, 100)) == ()
    after = await purged(purges, NAME, Window(0, 20))
    assert purges.concerning(key(NAME), Window(0, 100)) == (after.id,)


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_who_hears_of_purges_in_any_order_knows_the_same(order: tuple[int, ...]) -> None:
    clock = Clock()
    purges, other = (Purges((), clock) for _ in range(2))
    made = [await purged(purges, matchers) for matchers in (POD, NAME, NAME)]
    for number in order:
        other.hear(made[number])
    assert other.known() == purges.known() == {made[-1].id: made[-1]}


async def test_who_missed_a_purge_knows_what_the_next_one_stands_for() -> None:
    clock = Clock()
    purges, other = (Purges((), clock) for _ in range(2))
    first, _, last_ = [await purged(purges, matchers) for matchers in (POD, NAME, NAME)]
    other.hear(first)
    other.hear(last_)
    assert list(other.known()) == [last_.id]


@pytest.mark.parametrize("hours", [-1, 0, 1])
async def test_a_purge_counts_after_a_wider_one_whatever_the_clock_says(hours: int) -> None:
    clock = Clock()
    purges = Purges((), clock)
    wider = await purged(purges, NAME)
    clock.wall += hours * HOUR
    narrower = await purged(purges, POD)
    assert set(purges.concerning(key(NAME), ALL)) == {wider.id, narrower.id}


async def test_of_purges_of_which_none_was_known_to_the_other_both_count() -> None:
    clocks = Clock(), Clock(START - 5 * SECOND)
    first, second = (Purges((), clock) for clock in clocks)
    wider, narrower = await purged(first, NAME), await purged(second, POD)
    first.hear(narrower)
    second.hear(wider)
    assert first.known() == second.known()
    assert set(first.known()) == {wider.id, narrower.id}


async def test_a_purge_counts_as_long_as_those_that_it_stands_for() -> None:
    clock = Clock()
    purges = Purges((), clock)
    before = await purged(purges, NAME)
    clock.wall -= HOUR
    after = await purged(purges, NAME)
    assert list(purges.known()) == [after.id]
    assert after.until == before.until


async def test_purges_end_when_nothing_read_before_can_be_left() -> None:
    clock = Clock()
    purges = Purges((), clock, lifetime=24 * HOUR)
    await purges.purge(NAME, ALL)
    clock.advance(24 * HOUR)
    assert purges.concerning(key(NAME), ALL)
    clock.advance(24 * HOUR)
    assert not purges.concerning(key(NAME), ALL)


async def test_more_purges_than_can_be_kept_become_one_of_everything() -> None:
    clock = Clock()
    purges = Purges((), clock)
    told: list[Purge] = []
    purges.follow(told.append)
    for number in range(300):
        clock.advance(1)
        await purges.purge(of(f"m{number}"), ALL)
    assert [one.matchers for one in told].count(()) == 1
    assert len(purges.concerning(key(of("other")), ALL)) == 1
    assert len(purges.concerning(key(of("m299")), ALL)) == 2


def test_what_is_written_is_read_again() -> None:
    odd = Matcher("ünï", of("a")[0].type, "\udcff\n")
    one = Purge("id", (*NAME, odd), Window(-5, 1 << 60), 7, ("before", "long before"))
    assert Purge.read(one.value) == one
