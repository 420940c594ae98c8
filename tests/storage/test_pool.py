"""The memory of all requests together: counted, waited for, given back."""

import asyncio

import pytest

from bridge.model.errors import LimitExceeded, Overloaded
from bridge.storage.pool import CURRENT, Part, Pool, answered, held


def test_more_than_there_is_is_refused_and_counts_for_nothing() -> None:
    pool = Pool(100)
    first, second = pool.share(), pool.share()
    first.add(Part.SAMPLES, 60)
    with pytest.raises(Overloaded) as caught:
        second.add(Part.VALUES, 41)
    assert str(caught.value) == (
        "too little memory: all requests hold 60 bytes, 41 more are needed,"
        " and query.max_total_bytes (100) allows no more"
    )
    assert caught.value.retry_after == 10
    second.add(Part.VALUES, 40)
    assert pool.held == 100
    first.close()
    second.close()
    assert pool.held == 0


def test_what_is_measured_takes_the_place_of_what_was_expected() -> None:
    pool = Pool(100)
    with held(pool):
        share = CURRENT.get()
        assert share is not None
        share.set(Part.SAMPLES, 80)
        share.set(Part.SAMPLES, 30)
        share.reach(Part.VALUES, 20)
        share.reach(Part.VALUES, 10)
        assert pool.held == 50
        answered(70)
        assert pool.held == 70
    assert pool.held == 0
    # What goes on behind the answer is counted for nobody.
    share.add(Part.SAMPLES, 1000)
    assert pool.held == 0


async def test_who_begins_waits_for_room() -> None:
    pool = Pool(100)
    first, second = pool.share(), pool.share()
    first.set(Part.SAMPLES, 60)
    waiting = asyncio.create_task(second.admitted(0, 30))
    await asyncio.sleep(0)
    assert (pool.waiting, waiting.done()) == (1, False)
    first.close()
    await waiting
    assert (pool.held, pool.waiting) == (30, 0)
    second.close()


async def test_who_gives_up_waits_no_more() -> None:
    pool = Pool(100)
    first, second = pool.share(), pool.share()
    first.set(Part.SAMPLES, 60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await second.admitted(0, 30)
    assert pool.waiting == 0
    second.close()
    first.close()


async def test_what_can_never_be_held_is_no_matter_of_time() -> None:
    pool = Pool(100)
    share = pool.share()
    share.set(Part.SAMPLES, 60)
    with pytest.raises(LimitExceeded) as caught:
        share.set(Part.VALUES, 50)
    assert str(caught.value) == (
        "the query needs 110 bytes, more than all queries together may hold by"
        " query.max_total_bytes (100)"
    )
    with pytest.raises(LimitExceeded):
        await pool.share().admitted(101, 101)


async def test_who_is_expected_to_need_more_than_there_is_waits_to_be_alone() -> None:
    pool = Pool(100)
    first, second = pool.share(), pool.share()
    first.set(Part.SAMPLES, 1)
    waiting = asyncio.create_task(second.admitted(60, 1000))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.close()
    await waiting
    assert pool.held == 100
    second.set(Part.SAMPLES, 60)
    assert pool.held == 60
    second.close()
