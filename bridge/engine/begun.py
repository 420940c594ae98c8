"""Work that may be over before it waits for anything: nothing need be set up for its waiting."""

import asyncio
from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Awaitable[T], Generic[T]):
    """Work that went its first step, in the task that asks for it.

    If it is `over`, there is its `result`; else it goes on where it is awaited, which must be what
    the task does next. What the work raises in its first step is raised when this is made.
    """

    __slots__ = ("_steps", "_waits_for", "over", "result")

    result: T

    def __init__(self, work: Awaitable[T]) -> None:
        self._steps: Generator[Any, Any, T] = work.__await__()
        self.over = False
        try:
            self._waits_for = next(self._steps)
        except StopIteration as over:
            self.over, self.result = True, over.value

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for = self._waits_for
        while True:
            try:
                go_on = partial(self._steps.send, (yield waits_for))
            except BaseException as error:  # noqa: BLE001 - it is told to the work
                go_on = partial(self._steps.throw, error)
            try:
                waits_for = go_on()
            except StopIteration as over:
                made: T = over.value
                return made


async def within(seconds: float, work: Awaitable[T]) -> T:
    """What the work gives; raises TimeoutError if it waits for longer."""
    begun = Begun(work)
    if begun.over:
        return begun.result
    async with asyncio.timeout(seconds):
        return await begun
