"""Who may run, who waits, who is sent away."""

import asyncio

import pytest

from bridge.engine.demands import TurnSettings
from bridge.engine.turns import Turns
from bridge.model.errors import Overloaded


async def large() -> bool:
    return False


async def small() -> bool:
    return True


async def test_those_who_wait_too_long_are_sent_away() -> None:
    turns = Turns(TurnSettings(concurrency=1, wait=20))
    async with turns.taken(large):
        with pytest.raises(Overloaded, match=r"none ended within query.max_queue_wait \(0.02s\)"):
            async with turns.taken(large):
                pass
    assert turns.waiting == 0
    async with turns.taken(large):
        pass


async def test_no_more_wait_than_may() -> None:
    turns = Turns(TurnSettings(concurrency=1, queued=2, wait=3000))
    order: list[int] = []

    async def run(number: int) -> None:
        async with turns.taken(large):
            order.append(number)

    async with turns.taken(large):
        waiting = [asyncio.create_task(run(number)) for number in range(2)]
        await asyncio.sleep(0)
        assert turns.waiting == 2
        with pytest.raises(Overloaded) as caught:
            await run(3)
        assert caught.value.retry_after == 3
        assert str(caught.value) == (
            "too many queries: 1 run, as many as --query.max-concurrency allows;"
            " 2 more wait, as many as query.max_queued allows"
        )
    await asyncio.gather(*waiting)
    assert order == [0, 1]


async def test_small_ones_have_a_lane_of_their_own() -> None:
    turns = Turns(TurnSettings(concurrency=1, lane=1, wait=20))
    async with turns.taken(large), turns.taken(small):
        with pytest.raises(Overloaded):
            async with turns.taken(small):
                pass
    async with turns.taken(large), turns.taken(small):
        pass
