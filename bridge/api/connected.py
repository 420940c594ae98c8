"""Work for a client that may go away."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from starlette.requests import Request

from bridge.model.errors import QueryCanceled

T = TypeVar("T")


async def while_connected(request: Request, answer: Awaitable[T]) -> T:
    """The answer, unless the client goes away first: then its work is cancelled."""
    work = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise QueryCanceled("query execution")
    finally:
        await _cancel(work)
        await _cancel(gone)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _cancel(task: "asyncio.Future[Any]") -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
