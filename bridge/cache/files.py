"""Files of a folder that are whole, count up to a moment, and together stay within their bytes."""

import hashlib
import heapq
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

Seconds = Callable[[], float]

# A folder is listed anew once this share of its bytes was written: others may write there too.
_LISTED: Final = 8


class Files:
    """Values as files: written beside, then renamed, so that each is whole.

    A file's modification time says until when it counts. Those that are over go, and when all take
    more than `max_bytes`, those that end first. `failed` is called for each fault of the disk.
    Only one thread at a time may write and remove blocks; all else may go on beside.
    """

    def __init__(
        self, folder: Path, max_bytes: int, clock: Seconds, failed: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        self._failed = failed
        self._sizes = _Sizes()
        self._unlisted = max_bytes

    def read(self, place: str) -> bytes | None:
        """The value of a place; None if there is none that counts."""
        path = self._path(place)
        try:
            if path.stat().st_mtime < self._clock():
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            self._failed()
            return None

    def write(self, place: str, value: bytes, until: float) -> None:
        """Keeps a value, and takes away what there is no room for any more."""
        path = self._path(place)
        if not self._replace(path, value, until):
            return
        self._unlisted += len(value)
        if self._unlisted * _LISTED > self._max_bytes:
            self._sizes, self._unlisted = _Sizes(self._listed()), 0
        else:
            self._sizes.add(path, until, len(value))
        for gone in self._sizes.over(self._max_bytes, self._clock()):
            self._unlink(gone)

    def remove(self, place: str) -> None:
        """Forgets the value of a place."""
        path = self._path(place)
        self._sizes.forget(path)
        self._unlink(path)

    def purges(self) -> list[bytes] | None:
        """All purges; None if they cannot be read."""
        try:
            return [path.read_bytes() for path in self._folder.glob("purges/*.purge")]
        except OSError:
            self._failed()
            return None

    def add_purge(self, value: bytes, until: float) -> bool:
        """Keeps a purge; whether that worked."""
        return self._replace(self._purge(value), value, until)

    def remove_purge(self, value: bytes) -> None:
        """Forgets a purge."""
        self._unlink(self._purge(value))

    def _path(self, place: str) -> Path:
        name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name}.block"

    def _purge(self, value: bytes) -> Path:
        return self._folder / "purges" / f"{hashlib.sha256(value).hexdigest()}.purge"

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
            self._failed()
            return False
        return True

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            self._failed()

    def _listed(self) -> Iterator[tuple[Path, float, int]]:
        """Every file with its end and its size."""
        for path in self._folder.glob("*/*.block"):
            # Another process may take it away meanwhile.
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            except OSError:
                self._failed()
                continue
            yield path, stat.st_mtime, stat.st_size


class _Sizes:
    """What files take, and which of them ends first."""

    def __init__(self, files: Iterable[tuple[Path, float, int]] = ()) -> None:
        self._held: dict[Path, tuple[float, int]] = {}
        self._ends: list[tuple[float, Path]] = []
        self._total = 0
        for path, until, size in files:
            self.add(path, until, size)

    def add(self, path: Path, until: float, size: int) -> None:
        """Notes a file, in place of what was known of it."""
        self.forget(path)
        self._held[path] = until, size
        self._total += size
        heapq.heappush(self._ends, (until, path))

    def forget(self, path: Path) -> None:
        """The file is not there any more."""
        self._total -= self._held.pop(path, (0.0, 0))[1]

    def over(self, max_bytes: int, now: float) -> Iterator[Path]:
        """The files that have to go, which are forgotten."""
        while self._ends and (self._total > max_bytes or self._ends[0][0] < now):
            until, path = heapq.heappop(self._ends)
            # A file that was written anew has a later end, or is there twice.
            if path in self._held and self._held[path][0] == until:
                self.forget(path)
                yield path
