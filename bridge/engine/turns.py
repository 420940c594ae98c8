"""Whose turn it is: how many queries run at a time, and how many wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.telemetry.trace import Stage, stage


class Turns:
    """Lets `most` queries run at a time; the others wait in the order they came."""

    def __init__(self, most: int) -> None:
        self.waiting = 0
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Waits for a turn, and gives it back."""
        self.waiting += 1
        try:
            with stage(Stage.LIMITS):
                await self._free.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._free.release()
