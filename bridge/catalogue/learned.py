"""What reads have brought: series, when they were there; within bounds."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.catalogue.column import Ids, Mask
from bridge.catalogue.index import Index
from bridge.catalogue.presence import HOUR, Presence
from bridge.catalogue.settings import CatalogueSettings
from bridge.model.labels import Labels
from bridge.model.samples import DecodedPart, SeriesBlock
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# Label sets that are taken up in one go; a few milliseconds.
_SLICE: Final = 500
# Tables of label sets whose rows are remembered: reads from memory bring the same ones again.
_TABLES: Final = 16
# Reads of which it is remembered that they were learned from, and for how long (ms).
_READS: Final = 64
_MOMENT: Final = 10_000
_ROOM_AFTER_EVICTION: Final = 0.9


# The first and the last hour of a read, and the hour when it was.
_Hours = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Noted:
    """Label sets, and when they were last noted in a read of some hours."""

    rows: Sequence[Labels]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Distinct label sets that came together, and the times in ms [R] of which they had data."""

    labels: Sequence[Labels]
    start: Int64s
    end: Int64s

    def slices(self) -> "Iterator[Batch]":
        """The batch in pieces that are taken up in a few milliseconds each."""
        for at in range(0, len(self.labels), _SLICE):
            to = at + _SLICE
            yield Batch(self.labels[at:to], self.start[at:to], self.end[at:to])


class Learned:
    """Series in rows; a row's number stays until `generation` changes."""

    def __init__(self, settings: CatalogueSettings) -> None:
        self.index = Index()
        self.presence = Presence()
        self.generation = 0
        self.changed: set[Labels] = set()
        self.forgotten: set[Labels] = set()
        self._settings = settings
        self._tables: OrderedDict[int, tuple[Sequence[Labels], Ids]] = OrderedDict()
        self._noted: OrderedDict[tuple[int, _Hours], _Noted] = OrderedDict()
        self._swept = 0

    def noted(
        self, block: SeriesBlock, window: Window, now: int, *, remembered: bool = False
    ) -> bool:
        """Whether a read of a moment ago said all that this one says.

        That cannot be if a block that was not `remembered` has exact times, which are news. If not,
        it is taken that the block is learned from now.
        """
        rows = block.labels.rows
        if not remembered and any(isinstance(part, DecodedPart) for part in block.parts):
            return False
        # Panels with ranges of their own read the same series, in turn.
        place = id(rows), (window.start // HOUR, window.end // HOUR, now // HOUR)
        held = self._noted.get(place)
        if held is not None and held.rows is rows and 0 <= now - held.at < _MOMENT:
            return True
        self._noted[place] = _Noted(rows, now)
        self._noted.move_to_end(place)
        if len(self._noted) > _READS:
            self._noted.popitem(last=False)
        return False

    def fresh(self, batch: Batch, now: int) -> Batch:
        """Notes the series of a batch that are known; gives those that are not."""
        self._sweep(now)
        rows = self._places(batch.labels)
        known = rows >= 0
        self._mark(rows[known], batch.start[known], batch.end[known], now)
        new = np.flatnonzero(~known)
        labels = [batch.labels[place] for place in new.tolist()]
        return Batch(labels, batch.start[new], batch.end[new])

    def add(self, batch: Batch, now: int) -> None:
        """Takes up the series of a slice."""
        self._make_room(len(batch.labels))
        labels = batch.labels[: self._settings.max_series]
        rows = np.array([self.index.add(one) for one in labels], np.int32)
        self.presence.grow(len(self.index))
        self._mark(rows, batch.start[: len(rows)], batch.end[: len(rows)], now)

    def restore(self, labels: Labels, first: int, last: int, seen: int, hours: bytes) -> None:
        """Adds what was known of a series before a restart."""
        if len(self.index) < self._settings.max_series:
            row = self.index.add(labels)
            self.presence.grow(len(self.index))
            self.presence.restore(row, first, last, seen, hours)

    def within(self, window: Window) -> Mask:
        """Which series [S] may have data in a window."""
        return self.presence.within(window)

    def _places(self, labels: Sequence[Labels]) -> Ids:
        held = self._tables.get(id(labels))
        if held is not None and held[0] is labels:
            self._tables.move_to_end(id(labels))
            return held[1]
        rows = self.index.places(labels)
        if (rows >= 0).all():
            self._tables[id(labels)] = (labels, rows)
            if len(self._tables) > _TABLES:
                self._tables.popitem(last=False)
        return rows

    def _mark(self, rows: Ids, start: Int64s, end: Int64s, now: int) -> None:
        news = self.presence.mark(rows, start, end, now)
        if self._settings.path:
            self.changed.update(self.index.rows[row] for row in news.tolist())

    def _sweep(self, now: int) -> None:
        """Forgets once in a while what was not seen for long."""
        if now - self._swept < min(self._settings.ttl // 30, 3_600_000) or not len(self.index):
            return
        self._swept = now
        keep: Mask = self.presence.seen >= now - self._settings.ttl
        if not keep.all():
            self._forget(keep)

    def _make_room(self, more: int) -> None:
        """Forgets what was not seen for longest, if so many more would be too many."""
        count, limits = len(self.index), self._settings
        size = self.index.nbytes
        if not count or (count + more <= limits.max_series and size <= limits.max_bytes):
            return
        allowed = min(limits.max_series, count * limits.max_bytes // size)
        kept = min(max(int(allowed * _ROOM_AFTER_EVICTION) - more, 0), count)
        keep = np.zeros(count, np.bool_)
        keep[np.argsort(self.presence.seen, kind="stable")[count - kept :]] = True
        self._forget(keep)

    def _forget(self, keep: Mask) -> None:
        if self._settings.path:
            gone = {self.index.rows[row] for row in np.flatnonzero(~keep).tolist()}
            self.changed -= gone
            self.forgotten |= gone
        self.index.compact(keep)
        self.presence.compact(keep)
        self._tables.clear()
        self._noted.clear()
        self.generation += 1


def batches(block: SeriesBlock, window: Window) -> Iterator[Batch]:
    """The series of a block with the times of their data, as exactly as is free to know."""
    for labels, part in block.row_ranges():
        count = len(labels)
        start, end = np.full(count, window.start), np.full(count, window.end)
        if isinstance(part, DecodedPart) and part.samples:
            offsets, times = part.held.offsets, part.held.timestamps
            some = offsets[1:] > offsets[:-1]
            start[some], end[some] = times[offsets[:-1][some]], times[offsets[1:][some] - 1]
        yield Batch(labels.rows, start, end)
