"""Whose turn it is: how many queries run at a time, how many wait, and for how long."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from bridge.engine.demands import TurnSettings
from bridge.engine.effort import LONG
from bridge.model.errors import Overloaded
from bridge.telemetry.trace import Stage, stage

IsSmall = Callable[[], Awaitable[bool]]


# Of one size is what differs by less than this power of two.
_SIZE_BITS: Final = 4


class Slots:
    """So many long evaluations of about one size at a time; 0: any number.

    More would only share the same processors, and hold up what is short. What is much larger has
    slots of its own, for nobody should wait behind that.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._of_size: dict[int, asyncio.Semaphore] = {}

    def taken(self, work: int) -> AbstractAsyncContextManager[None]:
        """A slot for an evaluation of so many samples and points; one that is short needs none."""
        if not self._each or work <= LONG:
            return nullcontext()
        size = work.bit_length() // _SIZE_BITS
        return self._of_size.setdefault(size, asyncio.Semaphore(self._each))


class _Places:
    """So many may be in at a time; a place that comes free is the first one's who waits for it."""

    def __init__(self, free: int) -> None:
        self.free = free
        self._waiting: deque[asyncio.Future[_Places]] = deque()

    def queue(self, one: "asyncio.Future[_Places]") -> None:
        """Lets one wait, who may wait for other places too: it becomes what it gets."""
        self._waiting.append(one)

    def leave(self, one: "asyncio.Future[_Places]") -> None:
        """It waits no more."""
        if one in self._waiting:
            self._waiting.remove(one)

    def release(self) -> None:
        """Gives a place back."""
        while self._waiting:
            one = self._waiting.popleft()
            if not one.done():
                one.set_result(self)
                return
        self.free += 1


class Turns:
    """Lets some queries run at a time; the others wait in the order they came.

    While none comes free, small ones may run in a lane of their own. Whoever would wait for too
    long, or behind too many, is sent away: Overloaded.
    """

    def __init__(self, settings: TurnSettings) -> None:
        self.settings = settings
        self.waiting = 0
        self._turns = _Places(settings.concurrency)
        self._lane = _Places(settings.lane)

    def taken(self, is_small: IsSmall) -> AbstractAsyncContextManager[None]:
        """Waits for a turn, and gives it back; `is_small` is asked where there is none at once."""
        return _Turn(self, is_small)

    async def granted(self, is_small: IsSmall) -> _Places:
        """Waits for a turn; who has it releases it."""
        with stage(Stage.LIMITS):
            if self._turns.free:
                self._turns.free -= 1
                return self._turns
            return await self._waited(is_small)

    async def _waited(self, is_small: IsSmall) -> _Places:
        settings = self.settings
        if 0 < settings.queued <= self.waiting:
            raise self._busy(f"{self.waiting} more wait, as many as query.max_queued allows")
        self.waiting += 1
        one: asyncio.Future[_Places] = asyncio.get_running_loop().create_future()
        self._turns.queue(one)
        try:
            async with asyncio.timeout(settings.wait / 1000 if settings.wait else None):
                return await self._place(one, is_small)
        except TimeoutError:
            waited = f"none ended within query.max_queue_wait ({settings.wait / 1000:g}s)"
            raise self._busy(waited) from None
        finally:
            self.waiting -= 1

    async def _place(self, one: asyncio.Future[_Places], is_small: IsSmall) -> _Places:
        """A turn, or for a small one a place in the lane, whichever comes first."""
        try:
            if self.settings.lane and await is_small() and not one.done():
                if self._lane.free:
                    self._lane.free -= 1
                    return self._lane
                self._lane.queue(one)
            return await one
        except BaseException:
            # It may have been given a place in the moment in which it left.
            if one.done() and not one.cancelled():
                one.result().release()
            raise
        finally:
            for places in (self._turns, self._lane):
                places.leave(one)

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
