"""Pieces of time of one selector, encoded or just read, as one SeriesBlock."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.cache.names import Names
from bridge.cache.segments import Decoded, Segment
from bridge.model.histogram import LEAST_SIZE, HistogramColumns, concatenate
from bridge.model.samples import EMPTY_BLOCK, Columns, SeriesBlock
from bridge.model.starts import NO_STARTS, stacked_starts, starts_of

Int64s = npt.NDArray[np.int64]

# Large enough that what a part costs vanishes, small enough that threads share a block evenly.
_PART_SAMPLES: Final = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A segment and where its rows belong in the whole: `rows` or -1, rising."""

    segment: Segment
    rows: Int64s
    rising: Int64s

    @staticmethod
    def of(segment: Segment, places: Int64s) -> "_Placed":
        # One place more than there are numbers: -1 finds it, and in it -1.
        rows = places[segment.names]
        return _Placed(segment, rows, np.maximum.accumulate(rows) if len(rows) else rows)

    def span(self, low: int, high: int) -> tuple[int, Int64s]:
        """The segment's rows that may belong to `low` to `high` of the whole.

        The first of them, and for each its place counted from `low`, or -1.
        """
        if not low and (not len(self.rising) or self.rising[-1] < high):
            return 0, self.rows
        first, stop = np.searchsorted(self.rising, (low, high)).tolist()
        rows = self.rows[first:stop]
        return first, np.where(rows < 0, -1, rows - low)


@dataclass(frozen=True, slots=True, eq=False)
class JoinedPart:
    """Rows from `low` on of segments that follow each other in time, joined when asked for.

    `offsets` are those of floats, `native` those of histograms, None if there are none.
    """

    placed: tuple[_Placed, ...]
    low: int
    offsets: Int64s
    native: Int64s | None

    @property
    def series(self) -> int:
        """How many rows."""
        return len(self.offsets) - 1

    @property
    def samples(self) -> int:
        """How many samples."""
        return int(self.offsets[-1]) + (0 if self.native is None else int(self.native[-1]))

    @property
    def nbytes(self) -> int:
        """Bytes of what is not the cache's."""
        return self.offsets.nbytes + (0 if self.native is None else self.native.nbytes)

    @property
    def has_histograms(self) -> bool:
        """Whether there are native histograms."""
        return self.native is not None

    def columns(self) -> Columns:
        """The samples; decoding costs about what a copy would."""
        count = int(self.offsets[-1])
        timestamps, bits = np.empty(count, np.int64), np.empty(count, np.int64)
        started = any(one.segment.started for one in self.placed)
        created = np.zeros(count, np.int64) if started else NO_STARTS
        ends = self.offsets[:-1].copy()
        for one in self.placed:
            first, rows = one.span(self.low, self.low + self.series)
            if len(rows):
                if started:
                    one.segment.place_starts(first, rows, ends.copy(), created)
                one.segment.place(first, rows, ends, timestamps, bits)
        assert np.array_equal(ends, self.offsets[1:])
        values = bits.view(np.float64)
        return Columns.frozen(self.offsets, timestamps, values, self._histograms(), created)

    def _histograms(self) -> HistogramColumns | None:
        """The histograms of all segments, sorted by row: within a row segments are in order."""
        if self.native is None or not self.native[-1]:
            return None
        pieces, owners = [], []
        for one in self.placed:
            first, rows = one.span(self.low, self.low + self.series)
            if len(rows) and one.segment.native_counts is not None:
                piece = one.segment.histograms(first, first + len(rows))
                pieces.append(piece)
                owners.append(np.repeat(rows, np.diff(piece.offsets)))
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")[np.count_nonzero(owner < 0) :]
        table = concatenate([piece.table for piece in pieces])
        created = stacked_starts((piece.created, piece.timestamps) for piece in pieces)
        times = np.concatenate([piece.timestamps for piece in pieces])
        assert len(order) == self.native[-1]
        return HistogramColumns(
            self.native, times[order], starts_of(created, order), table.take(order)
        )


def joined(segments: Sequence[Segment], names: Names) -> tuple[Int64s, SeriesBlock]:
    """One block of segments that follow each other in time, and its rows' numbers.

    Rows without samples go.
    """
    alone = segments[0] if len(segments) == 1 else None
    if isinstance(alone, Decoded) and alone.whole:
        return alone.alone(names)
    at_hand = all(segment.at_hand for segment in segments)
    found = _of_same_rows(segments) if at_hand else None
    if found is not None:
        return found[0], SeriesBlock.of(names.table(found[0]), found[1])
    order = names.order()
    floats, native = np.zeros((2, len(order)), np.int64)
    for segment in segments:
        kernels.add_counts(segment.names, segment.counts, floats)
        if segment.native_counts is not None:
            kernels.add_counts(segment.names, segment.native_counts, native)
    rows, places, offsets, of_histograms = np.empty((4, len(order) + 1), np.int64)
    count = kernels.arrange(order, floats, native, rows, places, offsets, of_histograms)
    # A copy, for rows that are kept must not keep the room around them.
    rows, offsets = _frozen(rows[:count].copy()), offsets[: count + 1]
    of_histograms = of_histograms[: count + 1]
    if not count:
        return rows, EMPTY_BLOCK
    if at_hand and offsets[-1] <= _PART_SAMPLES:
        belonging = [places[segment.names] for segment in segments]
        columns = _copied(segments, belonging, offsets.copy())
        return rows, SeriesBlock.of(names.table(rows), columns)
    placed = tuple(_Placed.of(segment, places) for segment in segments)
    parts = _parts(placed, offsets, of_histograms if of_histograms[-1] else None)
    return rows, SeriesBlock(names.table(rows), tuple(parts))


def _of_same_rows(segments: Sequence[Segment]) -> tuple[Int64s, Columns] | None:
    """The rows and floats at hand of segments that have the same rows; None if they have not.

    Those of a refresh have: their rows' numbers are one array then.
    """
    numbers = segments[0].names if segments else None
    if numbers is None or any(segment.names is not numbers for segment in segments):
        return None
    counts = segments[0].counts
    for segment in segments[1:]:
        counts = counts + segment.counts
    offsets = np.empty(len(numbers) + 1, np.int64)
    if not kernels.filled(numbers, counts, offsets) or offsets[-1] > _PART_SAMPLES:
        return None
    rows = np.arange(len(numbers))
    return numbers, _copied(segments, [rows] * len(segments), offsets)


def _copied(segments: Sequence[Segment], rows: Sequence[Int64s], offsets: Int64s) -> Columns:
    """Floats at hand, one segment's behind another's in each row they belong to."""
    timestamps, bits = np.empty((2, int(offsets[-1])), np.int64)
    ends = offsets[:-1].copy()
    for segment, places in zip(segments, rows, strict=True):
        segment.place(0, places, ends, timestamps, bits)
    return Columns.frozen(offsets, timestamps, bits.view(np.float64))


def _parts(placed: tuple[_Placed, ...], offsets: Int64s, native: Int64s | None) -> list[JoinedPart]:
    sizes = offsets if native is None else offsets + native * LEAST_SIZE
    if sizes[-1] <= _PART_SAMPLES:
        of_native = None if native is None else _frozen(native)
        return [JoinedPart(placed, 0, _frozen(offsets), of_native)]
    cuts = np.searchsorted(sizes, np.arange(0, sizes[-1], _PART_SAMPLES))
    return [
        JoinedPart(
            placed,
            low,
            _rebased(offsets, low, high),
            None if native is None else _rebased(native, low, high),
        )
        for low, high in pairwise(sorted({*cuts.tolist(), len(offsets) - 1}))
    ]


def _rebased(offsets: Int64s, low: int, high: int) -> Int64s:
    return _frozen(offsets[low : high + 1] - offsets[low])


def _frozen(offsets: Int64s) -> Int64s:
    offsets.flags.writeable = False
    return offsets
