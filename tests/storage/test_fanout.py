"""Several stores answer as one, or not at all."""

import asyncio

import pytest

from bridge.model.errors import StoreError, StoreFault, TooManySamples
from bridge.model.labels import Matcher, MatchType
from bridge.storage.fanout import Fanout, Member
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.storage.blocks import labels, literal, plain

OPTIONS = ReadOptions()
EVERYTHING = Select((), 0, 100)
A, B, C = (labels(__name__="m", job=job) for job in "abc")
FIRST = MemoryStore(literal({A: [(1, 1.0), (2, 2.0)], C: [(1, 3.0)]}), "first")
SECOND = MemoryStore(literal({A: [(2, 9.0), (3, 4.0)], B: [(1, 5.0)]}), "second")


class Failing:
    """A store that is out of reach."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        raise StoreError("gone", StoreFault("failing", select.start, select.end))


class Endless:
    """A store that never answers, and knows when it is given up."""

    def __init__(self) -> None:
        self.cancelled = False

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError


def fanout(*queriers: Querier) -> Fanout:
    """These stores without conditions."""
    return Fanout(tuple(Member(querier) for querier in queriers))


async def test_series_of_all_stores_are_merged_and_the_first_store_wins() -> None:
    selection = await fanout(FIRST, SECOND).select(EVERYTHING, OPTIONS)
    assert plain(selection.block) == {
        A: [(1, 1.0), (2, 2.0), (3, 4.0)],
        B: [(1, 5.0)],
        C: [(1, 3.0)],
    }
    assert list(selection.block.labels) == [A, B, C]
    assert selection.stores == ("first", "second")


async def test_no_store_gives_an_empty_answer() -> None:
    assert plain((await fanout().select(EVERYTHING, OPTIONS)).block) == {}


async def test_a_failing_store_fails_the_read_and_ends_the_others() -> None:
    endless = Endless()
    with pytest.raises(StoreError, match="gone"):
        await fanout(FIRST, endless, Failing()).select(EVERYTHING, OPTIONS)
    assert endless.cancelled


async def test_limits_count_all_stores_together() -> None:
    with pytest.raises(TooManySamples):
        await fanout(FIRST, SECOND).select(EVERYTHING, ReadOptions(max_samples=5))


@pytest.mark.parametrize(
    ("matcher", "stores"),
    [
        (Matcher("job", MatchType.EQUAL, "a"), ("first", "second")),
        (Matcher("job", MatchType.EQUAL, "b"), ("second",)),
        (Matcher("job", MatchType.REGEXP, "a"), ("second",)),
    ],
)
async def test_required_matchers_decide_who_is_asked(
    matcher: Matcher, stores: tuple[str, ...]
) -> None:
    several = Fanout((Member(FIRST, required_matchers=(("job", "a"),)), Member(SECOND)))
    selection = await several.select(Select((matcher,), 0, 100), OPTIONS)
    assert selection.stores == stores


async def test_external_labels_are_asked_for_and_taken_off() -> None:
    mine, other = labels(__name__="m", dc="x", job="a"), labels(__name__="m", dc="y", job="a")
    store = MemoryStore(literal({mine: [(1, 1.0)], other: [(1, 2.0)]}))
    one = Fanout((Member(store, external_labels=(("dc", "x"),)),))
    selection = await one.select(EVERYTHING, OPTIONS)
    assert plain(selection.block) == {A: [(1, 1.0)]}


async def test_external_labels_with_a_matcher_of_the_user_are_left_alone() -> None:
    mine, other = labels(__name__="m", dc="x", job="a"), labels(__name__="m", dc="y", job="a")
    store = MemoryStore(literal({mine: [(1, 1.0)], other: [(1, 2.0)]}))
    one = Fanout((Member(store, external_labels=(("dc", "x"),)),))
    select = Select((Matcher("dc", MatchType.NOT_EQUAL, ""),), 0, 100)
    assert list((await one.select(select, OPTIONS)).block.labels) == [mine, other]


async def test_series_purpose_keeps_series_without_samples() -> None:
    select = Select((), 0, 100, Purpose.SERIES)
    assert plain((await fanout(FIRST, SECOND).select(select, OPTIONS)).block) == {
        A: [],
        B: [],
        C: [],
    }
