"""Whose turn it is: how many queries run at a time, how many wait, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from bridge.engine.demands import TurnSettings
from bridge.model.errors import Overloaded
from bridge.telemetry.trace import Stage, stage

IsSmall = Callable[[], Awaitable[bool]]


class Turns:
    """Lets some queries run at a time; the others wait in the order they came.

    Whoever would wait for too long, or behind too many, is sent away: Overloaded.
    """

    def __init__(self, settings: TurnSettings) -> None:
        self.settings = settings
        self.waiting = 0
        self._free = asyncio.Semaphore(settings.concurrency)
        self._lane = asyncio.Semaphore(settings.lane)

    def taken(self, is_small: IsSmall) -> AbstractAsyncContextManager[None]:
        """Waits for a turn, and gives it back; `is_small` is asked where there is none at once."""
        return _Turn(self, is_small)

    async def granted(self, is_small: IsSmall) -> asyncio.Semaphore:
        """Waits for a turn; who has it releases it."""
        with stage(Stage.LIMITS):
            if not self._free.locked():
                await self._free.acquire()
                return self._free
            return await self._waited(is_small)

    async def _waited(self, is_small: IsSmall) -> asyncio.Semaphore:
        settings = self.settings
        if 0 < settings.queued <= self.waiting:
            raise self._busy(f"{self.waiting} more wait, as many as query.max_queued allows")
        self.waiting += 1
        try:
            async with asyncio.timeout(settings.wait / 1000 if settings.wait else None):
                if not self._lane.locked() and await is_small() and not self._lane.locked():
                    await self._lane.acquire()
                    return self._lane
                await self._free.acquire()
                return self._free
        except TimeoutError:
            waited = f"none ended within query.max_queue_wait ({settings.wait / 1000:g}s)"
            raise self._busy(waited) from None
        finally:
            self.waiting -= 1

    def _busy(self, why: str) -> Overloaded:
        running = self.settings.concurrency
        text = f"too many queries: {running} run, as many as --query.max-concurrency allows; {why}"
        return Overloaded(text, max(self.settings.wait // 1000, 1))


class _Turn(AbstractAsyncContextManager[None]):
    """A turn from its beginning to its end; a class, for every query has one."""

    __slots__ = ("_is_small", "_taken", "_turns")

    def __init__(self, turns: Turns, is_small: IsSmall) -> None:
        self._turns = turns
        self._is_small = is_small

    async def __aenter__(self) -> None:
        self._taken = await self._turns.granted(self._is_small)

    async def __aexit__(self, *_: object) -> None:
        self._taken.release()
