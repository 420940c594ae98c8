"""What goes on behind the answers, until it has ended."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any


async def all_gone(work: AbstractSet[asyncio.Future[Any]]) -> None:
    """Waits until nothing is left of a set that each leaves by a callback when it ends."""
    while work:
        # Where all have ended `gather` does not wait from Python 3.12 on: all would stay.
        await asyncio.wait(work)
