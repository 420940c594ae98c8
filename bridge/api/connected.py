"""Work for a client that may go away."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request

from bridge.model.errors import QueryCanceled

T = TypeVar("T")


async def while_connected(request: Request, answer: Awaitable[T]) -> T:
    """The answer, unless the client goes away first: then its work is cancelled.

    The work goes on in the task that asks; what watches the connection cancels that, as
    `asyncio.timeout` does. Work that never waits is over before there is anything to watch.
    """
    work = asyncio.current_task()
    assert work is not None
    gone = False
    watching: list[asyncio.Task[None]] = []

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        work.cancel()

    begin = asyncio.get_running_loop().call_soon(
        lambda: watching.append(asyncio.create_task(watch()))
    )
    try:
        return await answer
    except asyncio.CancelledError:
        if gone and not work.uncancel():
            raise QueryCanceled("query execution") from None
        raise
    finally:
        begin.cancel()
        for task in watching:
            task.cancel()
