"""Work that may be over before it waits."""

import asyncio

import pytest

from bridge.engine.begun import Begun, within

NO_TIME = 0.0


class Failed(Exception):
    """What the work raises."""


async def ready() -> str:
    """Work that never waits."""
    return "made"


async def test_work_that_never_waits_is_over_at_once_and_needs_no_time() -> None:
    begun = Begun(ready())
    assert begun.over
    assert begun.result == "made"
    assert await within(NO_TIME, ready()) == "made"


async def test_work_that_waits_goes_on_where_it_is_awaited() -> None:
    gates = [asyncio.get_running_loop().create_future() for _ in range(3)]

    async def work() -> list[int]:
        return [await gate for gate in gates]

    begun = Begun(work())
    assert not begun.over
    for number, gate in enumerate(gates):
        gate.set_result(number)
    assert await begun == [0, 1, 2]


async def test_what_waits_for_too_long_is_cancelled() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await within(NO_TIME, work())
    assert ended.is_set()


async def test_an_error_in_the_first_step_and_in_a_later_one_is_raised() -> None:
    async def at_once() -> None:
        raise Failed

    async def later() -> None:
        await asyncio.sleep(0)
        raise Failed

    for work in (at_once, later):
        with pytest.raises(Failed):
            await within(60, work())


async def test_whoever_is_cancelled_cancels_the_work_it_waits_for() -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            left.set()

    task = asyncio.create_task(within(60, work()))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left.is_set()


async def test_work_may_catch_what_it_waits_for() -> None:
    gate = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await gate
        except Failed:
            return "caught"
        return "nothing to catch"

    begun = Begun(work())
    gate.set_exception(Failed())
    assert await begun == "caught"
