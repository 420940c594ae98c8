"""Who may run, who waits, who is sent away."""

import asyncio

import pytest

from bridge.engine.demands import TurnSettings
from bridge.engine.effort import LONG
from bridge.engine.turns import IsSmall, Slots, Turns
from bridge.model.errors import Overloaded


async def large() -> bool:
    return False


async def small() -> bool:
    return True


async def settled() -> None:
    """Lets every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


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


@pytest.mark.parametrize(
    ("ended", "next_ones"),
    [(["turn", "large"], ["large", "small"]), (["lane", "small", "turn"], ["small", "large"])],
)
async def test_a_small_one_takes_whichever_place_comes_free_first(
    ended: list[str], next_ones: list[str]
) -> None:
    turns = Turns(TurnSettings(concurrency=1, lane=1, wait=3000))
    ends = {name: asyncio.Event() for name in ("turn", "lane", "large", "small")}
    order: list[str] = []

    async def run(name: str, is_small: IsSmall) -> None:
        async with turns.taken(is_small):
            order.append(name)
            await ends[name].wait()

    kinds = {"turn": large, "lane": small, "large": large, "small": small}
    tasks = []
    for name, kind in kinds.items():
        tasks.append(asyncio.create_task(run(name, kind)))
        await settled()
    for name in ended:
        ends[name].set()
        await settled()
    assert order == ["turn", "lane", *next_ones]
    for end in ends.values():
        end.set()
    await asyncio.gather(*tasks)
    assert turns.waiting == 0


async def test_a_place_given_to_one_who_leaves_goes_to_the_next() -> None:
    turns = Turns(TurnSettings(concurrency=1, lane=0, wait=3000))
    order: list[int] = []

    async def run(number: int) -> None:
        async with turns.taken(large):
            order.append(number)

    async with turns.taken(large):
        first, second = (asyncio.create_task(run(number)) for number in (1, 2))
        await asyncio.sleep(0)
    # It has the place, but has not gone on yet.
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert (first.cancelled(), order) == (True, [2])
    async with turns.taken(large):
        pass


async def test_so_many_long_evaluations_of_one_size_go_on_at_a_time() -> None:
    slots = Slots(1)
    inside: list[int] = []

    async def run(work: int) -> None:
        async with slots.taken(work):
            inside.append(work)
            await asyncio.sleep(0)

    async with slots.taken(2 * LONG):
        waiting = [asyncio.create_task(run(work)) for work in (2 * LONG + 1, LONG, 900 * LONG)]
        await settled()
        assert inside == [LONG, 900 * LONG]
    await asyncio.gather(*waiting)
    assert inside == [LONG, 900 * LONG, 2 * LONG + 1]


async def test_without_slots_all_evaluate() -> None:
    slots = Slots(0)
    async with slots.taken(2 * LONG), slots.taken(2 * LONG):
        pass
