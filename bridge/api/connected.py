"""Work for a client that may go away."""

import asyncio
from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request

from bridge.model.errors import QueryCanceled

T = TypeVar("T")


async def while_connected(request: Request, answer: Awaitable[T]) -> T:
    """The answer, unless the client goes away first: then its work is cancelled.

    Work that never waits is over before there is anything to watch.
    """
    steps = answer.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as over:
        made: T = over.value
        return made
    return await _watched(request, _Begun(steps, waits_for))


async def _watched(request: Request, answer: Awaitable[T]) -> T:
    """The same of work that waits.

    It goes on in the task that asks; what watches the connection cancels that, as
    `asyncio.timeout` does.
    """
    work = asyncio.current_task()
    assert work is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        work.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await answer
    except asyncio.CancelledError:
        if gone and not work.uncancel():
            raise QueryCanceled("query execution") from None
        raise
    finally:
        watching.cancel()


class _Begun(Awaitable[T]):
    """Work that went its first step, and goes on once there is what it `waits_for`."""

    def __init__(self, steps: Generator[Any, Any, T], waits_for: object) -> None:
        self._steps = steps
        self._waits_for = waits_for

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
