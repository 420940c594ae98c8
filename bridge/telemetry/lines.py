"""A file that grows by lines: the logs of queries."""

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

_LOG: Final = logging.getLogger(__name__)
# Lines that may wait for the disk.
_WAITING: Final = 10_000


class LineFile:
    """Adds lines to a file from a thread of its own, so that no request waits for a disk.

    Lines that find no room among those that wait are dropped; `dropped` is told of each. Raises
    OSError if the file cannot be opened.
    """

    def __init__(self, path: Path, dropped: Callable[[], None]) -> None:
        self._dropped = dropped
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(
            target=self._write, args=(path.open("ab", buffering=0),), name="lines", daemon=True
        )
        self._thread.start()

    def add(self, line: bytes) -> None:
        """Adds a line, given without its end."""
        try:
            self._waiting.put_nowait(line + b"\n")
        except queue.Full:
            self._dropped()

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self, file: BinaryIO) -> None:
        with file:
            while (line := self._waiting.get()) is not None:
                try:
                    file.write(line)
                except OSError as error:
                    self._dropped()
                    _LOG.debug("cannot write a line", extra={"error": str(error)})
