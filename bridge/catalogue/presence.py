"""When each series was there, by the hour, and when a read last brought it."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.catalogue.column import Ids, Mask
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]

HOUR: Final = 3_600_000
_WORDS: Final = 12
# The newest hours, of which it is known for each whether a series was there: 32 days.
RING: Final = _WORDS * 64
_FIRST_ROOM: Final = 1024
_NEVER: Final = np.iinfo(np.int32)


class Presence:
    """For each row the hours of its data; `seen` is the moment in ms when a read last brought it.

    `first` and `last` are hours since 1970, int32 [S]. Of the newest hours a ring of bits says in
    which of them there were data; before them a series counts as there from `first` to `last`.
    """

    def __init__(self) -> None:
        self.count = 0
        self.newest = 0
        self._first = np.empty(0, np.int32)
        self._last = np.empty(0, np.int32)
        self._seen: Int64s = np.empty(0, np.int64)
        self._hours: Uint64s = np.empty((0, _WORDS), np.uint64)

    @property
    def first(self) -> Ids:
        """The first hour of data."""
        return self._first[: self.count]

    @property
    def last(self) -> Ids:
        """The last hour of data."""
        return self._last[: self.count]

    @property
    def seen(self) -> Int64s:
        """When a read last brought the series, ms."""
        return self._seen[: self.count]

    @property
    def hours(self) -> Uint64s:
        """The ring of hours, uint64 [S, 12]; an hour's bit is its number modulo RING."""
        return self._hours[: self.count]

    def grow(self, count: int) -> None:
        """Makes room for so many rows; the new ones were never there."""
        if count > len(self._first):
            more = max(2 * len(self._first), count, _FIRST_ROOM) - len(self._first)
            self._first = np.append(self._first, np.full(more, _NEVER.max, np.int32))
            self._last = np.append(self._last, np.full(more, _NEVER.min, np.int32))
            self._seen = np.append(self._seen, np.zeros(more, np.int64))
            self._hours = np.append(self._hours, np.zeros((more, _WORDS), np.uint64), axis=0)
        self.count = max(self.count, count)

    def advance(self, hour: int) -> None:
        """Lets the ring end at this hour, if that is later than before."""
        if hour > self.newest:
            self._hours[:] &= ~_bits(max(self.newest + 1, hour - RING + 1), hour)
            self.newest = hour

    def mark(self, rows: Ids, start: Int64s, end: Int64s, now: int) -> Ids:
        """Notes data of distinct rows from `start` to `end`, ms; gives those of which that is news.

        Times after the next hour count as that hour.
        """
        self.advance(now // HOUR + 1)
        low = np.minimum(start // HOUR, self.newest).astype(np.int32)
        high = np.minimum(end // HOUR, self.newest).astype(np.int32)
        self._seen[rows] = now
        wanted = self._rings(low, high)
        held = self._hours[rows]
        first, last = self._first[rows], self._last[rows]
        new_hours: Mask = np.asarray(((held | wanted) != held).any(axis=1))
        news = (low < first) | (high > last) | new_hours
        if news.any():
            changed = rows[news]
            self._first[changed] = np.minimum(first, low)[news]
            self._last[changed] = np.maximum(last, high)[news]
            self._hours[changed] = (held | wanted)[news]
        return rows[news]

    def within(self, window: Window) -> Mask:
        """Which rows may have data in a window; those that have are always among them."""
        low = max(window.start // HOUR, _NEVER.min)
        high = min(window.end // HOUR, _NEVER.max)
        oldest = self.newest - RING + 1
        bits = _bits(max(low, oldest), min(high, self.newest))
        found: Mask = np.asarray((self.hours & bits).any(axis=1))
        if low < oldest:
            found |= (self.first < oldest) & (self.first <= high) & (self.last >= low)
        return found

    def restore(self, row: int, first: int, last: int, seen: int, hours: bytes) -> None:
        """Adds to one row what a ring said that ended at or after hour `last`."""
        self._first[row] = min(int(self._first[row]), first)
        self._last[row] = max(int(self._last[row]), last)
        self._seen[row] = max(int(self._seen[row]), seen)
        valid = _bits(max(first, self.newest - RING + 1), last)
        self._hours[row] |= np.frombuffer(hours, np.uint64) & valid

    def compact(self, keep: Mask) -> None:
        """Forgets all rows but those in `keep`."""
        self._first, self._last = self.first[keep], self.last[keep]
        self._seen, self._hours = self.seen[keep], self.hours[keep]
        self.count = len(self._first)

    def _rings(self, low: Ids, high: Ids) -> Uint64s:
        """The bits of the hours from `low` to `high` that the ring holds: [R or 1, 12]."""
        if not len(low):
            return np.zeros((1, _WORDS), np.uint64)
        oldest = self.newest - RING + 1
        if low.min() == low.max() and high.min() == high.max():
            return _bits(max(int(low[0]), oldest), int(high[0]))[np.newaxis]
        spans = low.astype(np.int64) << 32 | high.astype(np.int64) & 0xFFFFFFFF
        distinct, place = np.unique(spans, return_inverse=True)
        pairs = ((span >> 32, span & 0xFFFFFFFF) for span in distinct.tolist())
        return np.array([_bits(max(first, oldest), last) for first, last in pairs])[place]


@lru_cache(maxsize=4096)
def _bits(low: int, high: int) -> Uint64s:
    """The ring's bits of the hours from `low` to `high`; none if it ends before it starts."""
    ring = np.zeros(RING, np.bool_)
    ring[np.arange(low, min(high, low + RING - 1) + 1) % RING] = True
    bits = np.packbits(ring, bitorder="little").view(np.uint64)
    bits.flags.writeable = False
    return bits
