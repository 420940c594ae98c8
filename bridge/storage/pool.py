"""The memory that all requests may hold together, counted in bytes before it is allocated."""

import asyncio
import threading
from collections import deque
from contextlib import AbstractContextManager
from contextvars import ContextVar
from enum import StrEnum
from typing import Final

from bridge.model.errors import LimitExceeded, Overloaded

# When to ask again if there is no memory left, seconds.
_AGAIN: Final = 10


class Part(StrEnum):
    """What a request holds memory for: samples, the values made of them, its answer."""

    SAMPLES = "samples"
    VALUES = "values"
    ANSWER = "answer"


class Pool:
    """So many bytes for all requests; 0 for any number.

    Who begins may wait for others to end; who has begun never waits, for those it would wait for
    may wait for it: it fails with Overloaded if there is too little left. Counts may come from
    any thread that has the `lock`, waiting is the event loop's.
    """

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self.held = 0
        self.lock = threading.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for memory."""
        return len(self._waiting)

    @property
    def crowded(self) -> bool:
        """Whether more than half is held, so that whoever begins should wait."""
        return 0 < self.total < 2 * self.held

    def share(self) -> "Share":
        """What one request holds of it; close it when the request is over."""
        return Share(self)

    def check_alone(self, size: int) -> None:
        """Whether one request may ever hold so many bytes; raises LimitExceeded."""
        if 0 < self.total < size:
            raise LimitExceeded(
                f"the query needs {size} bytes, more than all queries together may hold by"
                f" query.max_total_bytes ({self.total})"
            )

    async def room(self, size: int) -> None:
        """Waits until so much more can be held, or nothing is held; raises LimitExceeded."""
        self.check_alone(size)
        while self.total and self.held and (self.crowded or self.held + size > self.total):
            one = asyncio.get_running_loop().create_future()
            self._waiting.append(one)
            try:
                await one
            finally:
                if one in self._waiting:
                    self._waiting.remove(one)

    def change(self, size: int) -> None:
        """So many bytes more, or less if below 0, for who has the lock; raises Overloaded."""
        if size > 0 and 0 < self.total < self.held + size:
            raise Overloaded(
                f"too little memory: all requests hold {self.held} bytes, {size} more are"
                f" needed, and query.max_total_bytes ({self.total}) allows no more",
                _AGAIN,
            )
        self.held += size

    def note(self, size: int) -> None:
        """The same, whatever is allowed: they are there already."""
        self.held += size

    def wake(self) -> None:
        """Lets those who wait look again."""
        while self._waiting:
            one = self._waiting.popleft()
            if not one.done():
                one.set_result(None)


class Share:
    """The bytes that one request holds, each part by itself."""

    __slots__ = ("_closed", "_parts", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parts: dict[Part, int] = {}
        self._closed = False

    def set(self, part: Part, size: int) -> None:
        """A part takes so many bytes; raises Overloaded, or LimitExceeded if it can never be."""
        if size == self._parts.get(part, 0):
            return
        with self._pool.lock:
            if self._closed:
                return
            more = size - self._parts.get(part, 0)
            self._pool.check_alone(sum(self._parts.values()) + more)
            self._pool.change(more)
            self._parts[part] = size

    def add(self, part: Part, size: int) -> None:
        """A part takes so many bytes more; raises Overloaded."""
        self.set(part, self._parts.get(part, 0) + size)

    def reach(self, part: Part, size: int) -> None:
        """A part takes so many bytes at least; raises Overloaded."""
        if size > self._parts.get(part, 0):
            self.set(part, size)

    def only(self, part: Part, size: int) -> None:
        """A part takes so many bytes, and nothing else any; raises as `set` does."""
        with self._pool.lock:
            if self._closed:
                return
            self._pool.check_alone(size)
            self._pool.change(size - sum(self._parts.values()))
            self._parts = {part: size}

    def made(self, size: int) -> None:
        """So many bytes of the answer wait to be sent: they count, but do not end what is begun."""
        self._noted(size)

    def sent(self, size: int) -> None:
        """So many of these bytes wait no more; called on the event loop."""
        self._noted(-size)
        self._pool.wake()

    def _noted(self, size: int) -> None:
        with self._pool.lock:
            if self._closed:
                return
            self._pool.note(size)
            self._parts[Part.ANSWER] = self._parts.get(Part.ANSWER, 0) + size

    async def admitted(self, known: int, expected: int) -> None:
        """Waits until there is room for as many bytes as are expected, and holds them.

        If that is more than there are, for all of them. Raises LimitExceeded if there are fewer
        than are `known` to be needed.
        """
        self._pool.check_alone(known)
        size = min(expected, self._pool.total or expected)
        await self._pool.room(size)
        self.set(Part.SAMPLES, size)

    @property
    def crowded(self) -> bool:
        """Whether the pool is."""
        return self._pool.crowded

    def close(self) -> None:
        """Gives all back."""
        with self._pool.lock:
            self._closed = True
            self._pool.change(-sum(self._parts.values()))
            self._parts.clear()
        self._pool.wake()


# What the request holds that goes on here; work outside of requests is not counted.
CURRENT: Final[ContextVar[Share | None]] = ContextVar("share", default=None)


def held(pool: Pool) -> AbstractContextManager[None]:
    """What a request within takes of the pool is given back behind it."""
    return _Held(pool.share())


class _Held(AbstractContextManager[None]):
    """A share that is the current one."""

    __slots__ = ("_share", "_token")

    def __init__(self, share: Share) -> None:
        self._share = share

    def __enter__(self) -> None:
        self._token = CURRENT.set(self._share)

    def __exit__(self, *_error: object) -> None:
        CURRENT.reset(self._token)
        self._share.close()


def answered(size: int) -> None:
    """The request's answer takes so many bytes, and what it was made of nothing; or Overloaded."""
    if share := CURRENT.get():
        share.only(Part.ANSWER, size)
