"""Who watches a read hears of its series, each once, and stops waiting when they are too many."""

import asyncio
from typing import NoReturn

import numpy as np
import pytest

from bridge.model.labels import Labels
from bridge.model.time import Window
from bridge.storage.watch import Watch, Watches
from tests.storage.blocks import labels

INSIDE = Window(100, 200)


class TooMany(Exception):
    """What these watches refuse with."""


def refuse(series: int) -> NoReturn:
    raise TooMany(series)


def named(*numbers: int) -> list[Labels]:
    return [labels(__name__="x", n=str(number)) for number in numbers]


def show(watch: Watch | Watches, numbers: list[int], *times: list[int]) -> None:
    """Shows series with these times each."""
    offsets = np.cumsum([0, *map(len, times)])
    watch.saw(named(*numbers), offsets, np.array([one for row in times for one in row], np.int64))


async def test_a_wait_ends_once_there_are_too_many_series() -> None:
    async def waits() -> None:
        with Watch(INSIDE, 2, refuse) as watch:
            await asyncio.to_thread(show, watch, [1, 2, 3], [100], [150], [200])
            await asyncio.Event().wait()

    with pytest.raises(TooMany, match="3"):
        await waits()


async def test_a_series_counts_once_and_only_with_a_sample_that_was_asked_for() -> None:
    reached = []

    async def waits() -> None:
        with Watch(INSIDE, 2, refuse) as watch:
            show(watch, [1, 2], [90, 110], [190, 210])
            show(watch, [1, 2], [120], [130])
            show(watch, [3, 4, 5], [99], [], [201])
            await asyncio.sleep(0.01)
            reached.append("two fit")
            show(watch, [3], [150])
            await asyncio.Event().wait()

    with pytest.raises(TooMany, match="3"):
        await waits()
    assert reached == ["two fit"]


async def test_all_who_watch_a_read_hear_of_it() -> None:
    watches = Watches()

    async def waits(most: int) -> str:
        with Watch(INSIDE, most, refuse) as watch:
            watches.add(watch)
            await asyncio.sleep(0.01)
        return "patient"

    waiting = [asyncio.create_task(waits(most)) for most in (1, 2)]
    await asyncio.sleep(0)
    show(watches, [1, 2], [100], [100])
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(end) for end in ends] == ["2", "patient"]


async def test_a_read_that_ended_in_time_is_not_refused_any_more() -> None:
    with Watch(INSIDE, 0, refuse) as watch:
        show(watch, [1], [100])
    show(watch, [2], [100])
    await asyncio.sleep(0)


async def test_who_is_cancelled_by_others_stays_cancelled() -> None:
    watches = Watches()

    async def waits() -> None:
        with Watch(INSIDE, 0, refuse) as watch:
            watches.add(watch)
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    show(watches, [1], [100])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
