"""Identical reads in flight are one read, and each waiter is its own master."""

import asyncio

import pytest

from bridge.model.errors import BudgetUsedUp, StoreError, StoreFault
from bridge.model.samples import EMPTY_BLOCK
from bridge.storage.budgets import Budgets, BudgetSettings
from bridge.storage.flights import SharedReads
from bridge.storage.interface import ReadOptions, Select, Selection
from bridge.storage.payer import Budget, paid_by

OPTIONS = ReadOptions()
ONE, OTHER = Select((), 0, 1), Select((), 0, 2)


class Gate:
    """A store that answers when told to."""

    def __init__(self) -> None:
        self.begun: list[Select] = []
        self.cancelled = 0
        self.opened = asyncio.Event()
        self.error: Exception | None = None

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.begun.append(select)
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return Selection(EMPTY_BLOCK)


async def settled() -> None:
    """Lets every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def asked(shared: SharedReads, *selects: Select) -> list[asyncio.Task[Selection]]:
    """A task for each select."""
    return [asyncio.create_task(shared.select(select, OPTIONS)) for select in selects]


async def test_identical_reads_are_one_and_others_are_not() -> None:
    gate = Gate()
    tasks = asked(SharedReads(gate), ONE, ONE, OTHER)
    await settled()
    assert gate.begun == [ONE, OTHER]
    gate.opened.set()
    first, second, third = await asyncio.gather(*tasks)
    assert first is second
    assert third is not first


async def test_options_tell_reads_apart() -> None:
    gate = Gate()
    shared = SharedReads(gate)
    gate.opened.set()
    await asyncio.gather(shared.select(ONE, OPTIONS), shared.select(ONE, ReadOptions(nocache=True)))
    assert gate.begun == [ONE, ONE]


async def test_a_read_that_is_over_is_not_shared() -> None:
    gate = Gate()
    shared = SharedReads(gate)
    gate.opened.set()
    await shared.select(ONE, OPTIONS)
    await shared.select(ONE, OPTIONS)
    assert gate.begun == [ONE, ONE]


async def test_a_cancelled_leader_does_not_fail_its_followers() -> None:
    gate = Gate()
    leader, follower = asked(SharedReads(gate), ONE, ONE)
    await settled()
    leader.cancel()
    await settled()
    gate.opened.set()
    assert (await follower).block is EMPTY_BLOCK
    assert leader.cancelled()
    assert gate.cancelled == 0


async def test_the_last_waiter_takes_the_read_along() -> None:
    gate = Gate()
    shared = SharedReads(gate)
    tasks = asked(shared, ONE, ONE)
    await settled()
    for task in tasks:
        task.cancel()
    await settled()
    assert gate.cancelled == 1
    gate.opened.set()
    await shared.select(ONE, OPTIONS)
    assert gate.begun == [ONE, ONE]


async def test_an_error_reaches_everyone() -> None:
    gate = Gate()
    gate.error = StoreError("gone", StoreFault("a", 0, 1))
    tasks = asked(SharedReads(gate), ONE, ONE)
    await settled()
    gate.opened.set()
    for task in tasks:
        with pytest.raises(StoreError, match="gone"):
            await task


async def test_a_used_up_budget_begins_no_read_but_may_wait_for_that_of_others() -> None:
    gate, budgets = Gate(), Budgets()
    shared = SharedReads(gate)
    budgets.apply({"": BudgetSettings(user=Budget(bytes_per_hour=1))}, lambda *_: None)
    poor = budgets.payer("", "poor", "")
    assert poor is not None
    poor.charge(0, 1)
    with paid_by(poor):
        with pytest.raises(BudgetUsedUp):
            await shared.select(ONE, OPTIONS)
        with paid_by(None):
            (first,) = asked(shared, ONE)
            await settled()
        (second,) = asked(shared, ONE)
        await settled()
    assert gate.begun == [ONE]
    gate.opened.set()
    assert await first is await second
