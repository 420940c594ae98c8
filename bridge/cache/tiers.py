"""Where sealed blocks outlive this process: a folder, or a Valkey that replicas share."""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

from bridge.cache.observed import CacheObserver, Unobserved

Seconds = Callable[[], float]


class Tier(Protocol):
    """Values by place; losing one is never wrong, and no method ever raises or waits for long."""

    @property
    def name(self) -> str:
        """What it is called in metrics."""

    @property
    def shared(self) -> bool:
        """Whether other processes put values there too."""

    def left_alone(self) -> bool:
        """Whether it failed so often that it is not asked for a while."""

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """The value of each place, as far as it can be had now."""

    def put(self, place: str, value: bytes, lifetime: int) -> None:
        """Keeps a value for so many ms, at some time after this call; or not at all."""

    async def drop(self, places: Sequence[str]) -> None:
        """Forgets what is kept at these places."""

    async def purges(self) -> list[bytes] | None:
        """What was purged, as it was told; None if that cannot be had now."""

    async def add_purge(self, value: bytes, until: int) -> bool:
        """Keeps a purge up to a moment, ms, or longer; whether that worked."""

    async def drop_purges(self, values: Sequence[bytes]) -> None:
        """Forgets purges."""

    async def settled(self) -> None:
        """Waits until all values put are kept or lost."""

    async def aclose(self) -> None:
        """Lets go of files and connections."""


# So much may wait to be written; more is lost.
_WAITING_BYTES: Final = 64 << 20


class DiskTier:
    """Values as files in a folder: written beside, then renamed, so that each is whole.

    A file's modification time says until when it counts. When the files take more than `max_bytes`,
    those that are over go, then those that end first.
    """

    name = "disk"
    shared = False

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        clock: Seconds = time.time,
        observer: CacheObserver | None = None,
    ) -> None:
        self._observer: CacheObserver = observer or Unobserved()
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        # One thread: files are written in the order of the calls.
        self._thread = ThreadPoolExecutor(1, "disk")
        self._waiting = 0
        self._writing: set[asyncio.Future[None]] = set()

    def left_alone(self) -> bool:
        """Never: a folder answers at once, well or badly."""
        return False

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """The value of each place."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: list(map(self._read, places)))

    def put(self, place: str, value: bytes, lifetime: int) -> None:
        """Writes a file, behind the caller's back."""
        if self._waiting + len(value) > _WAITING_BYTES:
            self._observer.tier_write_dropped(self.name)
            return
        self._waiting += len(value)
        until = self._clock() + lifetime / 1000
        loop = asyncio.get_running_loop()
        task = loop.run_in_executor(self._thread, self._write, place, value, until)
        self._writing.add(task)
        task.add_done_callback(lambda done: self._written(done, len(value)))

    async def drop(self, places: Sequence[str]) -> None:
        """Removes files."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, lambda: list(map(self._remove, places)))

    async def purges(self) -> list[bytes] | None:
        """The contents of the files of purges."""
        return await asyncio.to_thread(self._read_purges)

    async def add_purge(self, value: bytes, until: int) -> bool:
        """Writes a file; what it holds says until when it counts."""
        path = self._purge(value)
        return await asyncio.to_thread(self._replace, path, value, until / 1000)

    async def drop_purges(self, values: Sequence[bytes]) -> None:
        """Removes files."""
        await asyncio.to_thread(lambda: list(map(self._unlink, map(self._purge, values))))

    async def settled(self) -> None:
        """Waits for all files to be written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def aclose(self) -> None:
        """Waits for all files to be written."""
        await self.settled()
        self._thread.shutdown()

    def _written(self, task: asyncio.Future[None], size: int) -> None:
        self._waiting -= size
        self._writing.discard(task)

    def _path(self, place: str) -> Path:
        name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name}.block"

    def _purge(self, value: bytes) -> Path:
        return self._folder / "purges" / f"{hashlib.sha256(value).hexdigest()}.purge"

    def _read(self, place: str) -> bytes | None:
        path = self._path(place)
        try:
            if path.stat().st_mtime < self._clock():
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            self._observer.tier_failed(self.name)
            return None

    def _read_purges(self) -> list[bytes] | None:
        try:
            return [path.read_bytes() for path in self._folder.glob("purges/*.purge")]
        except OSError:
            self._observer.tier_failed(self.name)
            return None

    def _write(self, place: str, value: bytes, until: float) -> None:
        if self._replace(self._path(place), value, until):
            self._shrink()

    def _replace(self, path: Path, value: bytes, until: float) -> bool:
        """Writes a file beside, then renames it; whether that worked."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(value)
            os.utime(beside, (until, until))
            Path(beside).replace(path)
        except OSError:
            self._observer.tier_failed(self.name)
            return False
        return True

    def _remove(self, place: str) -> None:
        self._unlink(self._path(place))

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            self._observer.tier_failed(self.name)

    def _shrink(self) -> None:
        held = [(one.stat(), one) for one in self._folder.glob("*/*.block")]
        total, now = sum(stat.st_size for stat, _ in held), self._clock()
        for stat, path in sorted(held, key=lambda pair: pair[0].st_mtime):
            if total <= self._max_bytes and stat.st_mtime >= now:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size
