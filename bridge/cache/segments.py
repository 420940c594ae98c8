"""Pieces of time of one selector, encoded or just read, as one SeriesBlock."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.cache.blocks import Block
from bridge.cache.names import Names
from bridge.chunkenc import xor
from bridge.model.samples import EMPTY_BLOCK, Columns, SeriesBlock
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# Large enough that what a part costs vanishes, small enough that threads share a block evenly.
_PART_SAMPLES: Final = 1 << 17


class Segment(Protocol):
    """Rows of samples in one piece of time.

    `names` are the rows' numbers in label order, or -1 for rows to leave out; `counts` says how
    many samples each has.
    """

    @property
    def names(self) -> Int64s: ...

    @property
    def counts(self) -> Int64s: ...

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Writes the samples of rows from `first` on behind those of the rows they belong to."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What a block holds within a window."""

    block: Block
    window: Window
    names: Int64s
    counts: Int64s

    @staticmethod
    def of(block: Block, window: Window, names: Int64s) -> "Remembered":
        """The rows of a block under these numbers."""
        return Remembered(block, window, names, block.chunks.counted(window))

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Decodes."""
        chunks, window = self.block.chunks, self.window
        room = np.empty((2, xor.SAMPLES_PER_CHUNK + 1), np.int64)
        kernels.place_chunks(
            chunks.data,
            chunks.chunks,
            chunks.ends,
            chunks.oldest,
            chunks.newest,
            first,
            window.start,
            window.end,
            rows,
            ends,
            room[0],
            room[1],
            timestamps,
            bits,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What was just read, of which row r has the samples lows[r] to highs[r]."""

    columns: Columns
    names: Int64s
    lows: Int64s
    highs: Int64s

    @staticmethod
    def of(columns: Columns, window: Window, names: Int64s) -> "Read":
        """The samples of a window, of rows under these numbers."""
        lows, highs = np.empty(len(columns), np.int64), np.empty(len(columns), np.int64)
        kernels.spans(columns.offsets, columns.timestamps, window.start, window.end, lows, highs)
        return Read(columns, names, lows, highs)

    @property
    def counts(self) -> Int64s:
        """How many samples each row has."""
        return self.highs - self.lows

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Copies."""
        spans = slice(first, first + len(rows))
        held = self.columns.values.view(np.int64)
        lows, highs = self.lows[spans], self.highs[spans]
        kernels.place_spans(
            self.columns.timestamps, held, lows, highs, rows, ends, timestamps, bits
        )


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

    def place(self, low: int, high: int, ends: Int64s, timestamps: Int64s, bits: Int64s) -> None:
        """Writes the samples that belong to rows `low` to `high` of the whole."""
        first, stop = np.searchsorted(self.rising, (low, high)).tolist()
        if first == stop:
            return
        rows = self.rows[first:stop]
        self.segment.place(first, np.where(rows < 0, -1, rows - low), ends, timestamps, bits)


@dataclass(frozen=True, slots=True, eq=False)
class JoinedPart:
    """Rows from `low` on of segments that follow each other in time, joined when asked for."""

    placed: tuple[_Placed, ...]
    low: int
    offsets: Int64s

    @property
    def series(self) -> int:
        """How many rows."""
        return len(self.offsets) - 1

    @property
    def samples(self) -> int:
        """How many samples."""
        return int(self.offsets[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of what is not the cache's."""
        return self.offsets.nbytes

    def columns(self) -> Columns:
        """The samples; decoding costs about what a copy would."""
        timestamps, bits = np.empty(self.samples, np.int64), np.empty(self.samples, np.int64)
        ends = self.offsets[:-1].copy()
        for one in self.placed:
            one.place(self.low, self.low + self.series, ends, timestamps, bits)
        assert np.array_equal(ends, self.offsets[1:])
        return Columns.frozen(self.offsets, timestamps, bits.view(np.float64))


def joined(segments: Sequence[Segment], names: Names) -> tuple[Int64s, SeriesBlock]:
    """One block of segments that follow each other in time, and its rows' numbers.

    Rows without samples go.
    """
    order = names.order()
    counts = np.zeros(len(order) + 1, np.int64)
    for segment in segments:
        counts[segment.names] += segment.counts
    counts[-1] = 0
    rows = order[counts[order] > 0]
    if not len(rows):
        return rows, EMPTY_BLOCK
    places = np.full(len(counts), -1, np.int64)
    places[rows] = np.arange(len(rows))
    placed = tuple(_Placed.of(segment, places) for segment in segments)
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts[rows], out=offsets[1:])
    return rows, SeriesBlock(names.table(rows), tuple(_parts(placed, offsets)))


def _parts(placed: tuple[_Placed, ...], offsets: Int64s) -> list[JoinedPart]:
    cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], _PART_SAMPLES))
    parts = []
    for low, high in pairwise(sorted({*cuts.tolist(), len(offsets) - 1})):
        part = offsets[low : high + 1] - offsets[low]
        part.flags.writeable = False
        parts.append(JoinedPart(placed, low, part))
    return parts
