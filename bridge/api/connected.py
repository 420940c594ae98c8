"""Work for a client that may go away."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from bridge.engine.begun import Begun
from bridge.model.errors import QueryCanceled

T = TypeVar("T")


async def while_connected(receive: Receive, answer: Awaitable[T]) -> T:
    """The answer, unless the client goes away first: then its work is cancelled.

    Work that never waits is over before there is anything to watch.
    """
    begun = Begun(answer)
    return begun.result if begun.over else await _watched(receive, begun)


async def _watched(receive: Receive, answer: Awaitable[T]) -> T:
    """The same of work that waits.

    It goes on in the task that asks; what watches the connection cancels that, as
    `asyncio.timeout` does.
    """
    work = asyncio.current_task()
    assert work is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
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
