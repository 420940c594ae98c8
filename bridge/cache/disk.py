"""Sealed blocks in a folder; a slow disk is one that has nothing."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from bridge.cache.behind import all_gone
from bridge.cache.files import Files, Seconds
from bridge.cache.observed import CacheObserver, Unobserved
from bridge.cache.tiers import TIMEOUT, WAITING_BYTES

T = TypeVar("T")

_THREADS: Final = 4
# Seconds that what waits may take to be written when all ends.
_LAST: Final = 5.0


class DiskTier:
    """Values as files in a folder, which together stay within `max_bytes`.

    What takes longer than `timeout` seconds is as if it failed; as long as the disk has not come
    back from it, nothing else is asked. `clock`: now, in seconds.
    """

    name = "disk"
    shared = False

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        clock: Seconds = time.time,
        observer: CacheObserver | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._observer: CacheObserver = observer or Unobserved()
        self._clock = clock
        self._timeout = timeout
        self._files = Files(folder, max_bytes, clock, self._failed)
        self._askers = ThreadPoolExecutor(_THREADS, "disk")
        # One thread: files are written and removed in the order of the calls.
        self._writer = ThreadPoolExecutor(1, "disk-writer")
        self._late: set[Future[Any]] = set()
        self._waiting = 0
        self._writing: set[asyncio.Future[None]] = set()

    def left_alone(self) -> bool:
        """Whether the disk has not come back yet from something that took too long."""
        return bool(self._late)

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """The value of each place; nothing if the disk does not answer in time."""
        found = await self._asked(lambda: list(map(self._files.read, places)))
        return [None] * len(places) if found is None else found

    def put(self, place: str, value: bytes, lifetime: int) -> None:
        """Writes a file, behind the caller's back."""
        if self._waiting + len(value) > WAITING_BYTES:
            self._observer.tier_write_dropped(self.name)
            return
        self._waiting += len(value)
        until = self._clock() + lifetime / 1000
        task = self._written(self._files.write, place, value, until)
        task.add_done_callback(lambda _: self._done(len(value)))

    async def drop(self, places: Sequence[str]) -> None:
        """Removes files; behind the caller's back if that takes long."""
        tasks = [self._written(self._files.remove, place) for place in places]
        if tasks:
            await asyncio.wait(tasks, timeout=self._timeout)

    async def purges(self) -> list[bytes] | None:
        """The contents of the files of purges; None if the disk does not answer in time."""
        return await self._asked(self._files.purges)

    async def add_purge(self, value: bytes, until: int) -> bool:
        """Writes a file; what it holds says until when it counts."""
        return bool(await self._asked(lambda: self._files.add_purge(value, until / 1000)))

    async def drop_purges(self, values: Sequence[bytes]) -> None:
        """Removes files."""
        await self._asked(lambda: list(map(self._files.remove_purge, values)))

    async def settled(self) -> None:
        """Waits for all files to be written."""
        await all_gone(self._writing)

    async def aclose(self) -> None:
        """Waits for all files to be written, but not for ever; what still waits is lost."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=_LAST)
        for pool in (self._askers, self._writer):
            pool.shutdown(wait=False, cancel_futures=True)

    def _written(self, work: Callable[..., None], *of: object) -> asyncio.Future[None]:
        """What the writing thread will have done."""
        task = asyncio.get_running_loop().run_in_executor(self._writer, work, *of)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    def _done(self, size: int) -> None:
        self._waiting -= size

    async def _asked(self, work: Callable[[], T]) -> T | None:
        """What the disk answers; None if it does not in time."""
        if self.left_alone():
            return None
        asked = self._askers.submit(work)
        done, _ = await asyncio.wait([asyncio.wrap_future(asked)], timeout=self._timeout)
        if done:
            return asked.result()
        self._failed()
        if not asked.cancel():
            self._late.add(asked)
            asked.add_done_callback(self._late.discard)
        return None

    def _failed(self) -> None:
        self._observer.tier_failed(self.name)
