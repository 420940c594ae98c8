"""What is answered while a store is down."""

import asyncio

import pytest

from bridge.cache.policy import Policy
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.errors import StoreError, StoreFault
from bridge.storage.interface import CacheUse, ReadOptions, Select, Selection
from tests.cache.asking import NAMES, PLAIN, World, X, last, of
from tests.cache.world import (
    HOUR,
    MINUTE,
    START,
    LoggedStore,
    contents,
)


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
    world.store.put(next(iter(world.store.data)), {START - 3 * HOUR + 1: 5.0})
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
