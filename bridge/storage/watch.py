"""A look at a read while it arrives, for whom so many series are of no use: for them it ends."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn, Self

import numpy as np

from bridge.model.arrays import Int64s
from bridge.model.labels import Labels
from bridge.model.time import Window
from bridge.model.vectors import Bools
from bridge.storage.interface import Watcher


class Watch:
    """Cancels what its task does within `with` once a read has brought more than `most` series.

    Series count once each, and only if their first or last sample of a batch lies in `window`:
    they are certain to be in the answer. `refuse` is told how many there were and raises the error
    that comes out of the block.
    """

    def __init__(self, window: Window, most: int, refuse: Callable[[int], NoReturn]) -> None:
        self._window = window
        self._most = most
        self._refuse = refuse
        self._series: set[Labels] = set()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._ended = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        if not self._ended or task is None:
            return
        # Who was cancelled by somebody else besides stays so.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            self._refuse(len(self._series))

    def saw(self, labels: Sequence[Labels], offsets: Int64s, timestamps: Int64s) -> None:
        """Counts those in the window; past the limit, the block ends soon."""
        if self._task is None or len(self._series) > self._most:
            return
        held = np.flatnonzero(np.diff(offsets))
        first, last = timestamps[offsets[held]], timestamps[offsets[held + 1] - 1]
        rows = held[self._inside(first) | self._inside(last)]
        self._series.update(labels[row] for row in rows.tolist())
        if len(self._series) > self._most:
            self._loop.call_soon_threadsafe(self._end)

    def _inside(self, times: Int64s) -> Bools:
        return (self._window.start <= times) & (times <= self._window.end)

    def _end(self) -> None:
        if self._task is not None and not self._ended:
            self._ended = True
            self._task.cancel()


class Watches:
    """All who watch one read that several wait for; each hears what comes from then on."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = list(watchers)

    def add(self, watcher: Watcher) -> None:
        """One more."""
        self._watchers.append(watcher)

    def saw(self, labels: Sequence[Labels], offsets: Int64s, timestamps: Int64s) -> None:
        """Passes it on."""
        for watcher in tuple(self._watchers):
            watcher.saw(labels, offsets, timestamps)
