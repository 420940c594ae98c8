"""Several stores answer as one, or not at all."""

import asyncio

import pytest

from bridge.model.errors import (
    BridgeError,
    StoreError,
    StoreFault,
    StoreLimit,
    StoreTimeout,
    TooManySamples,
)
from bridge.storage.fanout import Fanout, Member, PartialResponse
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.storage.blocks import labels, literal, plain

OPTIONS = ReadOptions()
FAULT = StoreFault("failing", 0, 100)
EVERYTHING = Select((), 0, 100)
A, B, C = (labels(__name__="m", job=job) for job in "abc")
FIRST = MemoryStore(literal({A: [(1, 1.0), (2, 2.0)], C: [(1, 3.0)]}), "first")
SECOND = MemoryStore(literal({A: [(2, 9.0), (3, 4.0)], B: [(1, 5.0)]}), "second")


class Failing:
    """A store that is out of reach."""

    def __init__(self, error: BridgeError | None = None) -> None:
        self._error = error or StoreError("gone", FAULT)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        raise self._error


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
    "error",
    [
        StoreError("gone", FAULT),
        StoreTimeout("late", FAULT),
        StoreLimit("too much", FAULT),
    ],
)
async def test_a_store_that_may_fail_leaves_a_warning_in_place_of_its_data(
    error: BridgeError,
) -> None:
    several = Fanout((Member(FIRST), Member(Failing(error), PartialResponse.WARN)))
    selection = await several.select(EVERYTHING, OPTIONS)
    assert plain(selection.block) == {A: [(1, 1.0), (2, 2.0)], C: [(1, 3.0)]}
    assert selection.warnings == (f"{error}; the answer lacks its data",)


async def test_a_single_store_that_may_fail_leaves_only_the_warning() -> None:
    one = Fanout((Member(Failing(), PartialResponse.WARN),))
    selection = await one.select(EVERYTHING, OPTIONS)
    assert (plain(selection.block), len(selection.warnings)) == ({}, 1)


async def test_what_a_query_asks_too_much_fails_whatever_is_allowed() -> None:
    several = Fanout((Member(FIRST), Member(SECOND, PartialResponse.WARN)))
    with pytest.raises(TooManySamples):
        await several.select(EVERYTHING, ReadOptions(max_samples=2))


async def test_series_purpose_keeps_series_without_samples() -> None:
    select = Select((), 0, 100, Purpose.SERIES)
    assert plain((await fanout(FIRST, SECOND).select(select, OPTIONS)).block) == {
        A: [],
        B: [],
        C: [],
    }
