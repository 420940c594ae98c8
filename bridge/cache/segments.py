"""Samples of one selector in one piece of time: out of a block, or just read."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.cache.blocks import Block, inside
from bridge.cache.chunks import Chunks
from bridge.cache.decodes import Decodes
from bridge.cache.names import Names, Renamed
from bridge.cache.plain import Plain, as_chunks
from bridge.chunkenc import xor
from bridge.model.histogram import HistogramColumns
from bridge.model.samples import Columns, Part, SeriesBlock
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]


class Segment(Protocol):
    """Rows of samples in one piece of time.

    `names` are the rows' numbers in label order, or -1 for rows to leave out; `counts` says how
    many floats each has, `native_counts` how many native histograms, None if there are none.
    `started`: whether floats have start timestamps.
    """

    @property
    def names(self) -> Int64s: ...

    @property
    def counts(self) -> Int64s: ...

    @property
    def native_counts(self) -> Int64s | None: ...

    @property
    def started(self) -> bool: ...

    @property
    def samples(self) -> int: ...

    @property
    def at_hand(self) -> bool:
        """Whether there are floats alone, without start timestamps, that need no decoding."""

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Writes the floats of rows from `first` on behind those of the rows they belong to."""

    def place_starts(self, first: int, rows: Int64s, ends: Int64s, created: Int64s) -> None:
        """Writes the start timestamps of floats where `place` writes values, or leaves zeros."""

    def histograms(self, first: int, stop: int) -> HistogramColumns:
        """The native histograms of rows `first` to `stop`."""


def recalled(
    block: Block, window: Window, names: Renamed, room: int, decodes: Decodes
) -> "Decoded | Remembered":
    """What a block holds within a window, of rows under these numbers.

    It is decoded at once if it has no more samples than there is `room` for, since to count them
    first takes about as long.
    """
    floats = block.floats
    if isinstance(floats, Plain):
        return Decoded.within(floats.columns, window, names)
    decoded = decodes.find(block, window, len(names.kept))
    if decoded is not None:
        return Decoded.within(decoded, window, names)
    if block.native is None and block.starts is None:
        rows = np.arange(len(block.names)) if names.rows is None else names.rows
        most = floats.most(rows, window)
        if most <= room:
            return Decoded.all(floats.decoded(rows, window, most), names.kept)
    return Remembered.of(block, window, names.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Floats at hand, of row r the counts[r] from lows[r] on; some rows may have none."""

    columns: Columns
    names: Int64s
    lows: Int64s
    highs: Int64s
    counts: Int64s
    samples: int

    @staticmethod
    def all(columns: Columns, names: Int64s) -> "Decoded":
        """All that there are."""
        lows, highs = columns.offsets[:-1], columns.offsets[1:]
        return Decoded(columns, names, lows, highs, highs - lows, len(columns.timestamps))

    @staticmethod
    def within(columns: Columns, window: Window, names: Renamed) -> "Decoded":
        """Those in a window, of some rows."""
        offsets, timestamps = columns.offsets, columns.timestamps
        start, end = window.start, window.end
        lows, highs = np.empty((2, len(names.kept)), np.int64)
        if names.rows is None:
            kernels.spans(offsets, timestamps, start, end, lows, highs)
        else:
            kernels.spans_of(offsets, timestamps, names.rows, start, end, lows, highs)
        counts = highs - lows
        return Decoded(columns, names.kept, lows, highs, counts, int(counts.sum()))

    @property
    def native_counts(self) -> None:
        """There are no histograms."""
        return

    @property
    def started(self) -> bool:
        """Whether floats have start timestamps."""
        return False

    @property
    def at_hand(self) -> bool:
        """They are."""
        return True

    @property
    def whole(self) -> bool:
        """Whether the columns hold nothing else."""
        return len(self.names) == len(self.columns) and self.samples == len(self.columns.timestamps)

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Copies."""
        held, span = self.columns, slice(first, first + len(rows))
        lows, highs, values = self.lows[span], self.highs[span], held.values.view(np.int64)
        kernels.place_spans(held.timestamps, values, lows, highs, rows, ends, timestamps, bits)

    def place_starts(self, first: int, rows: Int64s, ends: Int64s, created: Int64s) -> None:
        """Leaves zeros."""

    def histograms(self, first: int, stop: int) -> HistogramColumns:
        """There are none."""
        raise AssertionError

    def alone(self, names: Names) -> tuple[Int64s, SeriesBlock]:
        """The rows that have samples, and these, if the columns hold nothing else."""
        numbers, columns = self.names, self.columns
        held = self.counts > 0
        if not held.all():
            numbers, offsets = numbers[held], np.append(0, columns.offsets[1:][held])
            columns = Columns.frozen(offsets, columns.timestamps, columns.values)
        return numbers, SeriesBlock.of(names.table(numbers), columns)


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What a block holds within a window, its floats as `chunks`."""

    block: Block
    chunks: Chunks
    window: Window
    names: Int64s
    counts: Int64s
    native_counts: Int64s | None

    @staticmethod
    def of(block: Block, window: Window, names: Int64s) -> "Remembered":
        """The rows of a block under these numbers."""
        native = None if block.native is None else block.native.counted(window)
        chunks = as_chunks(block.floats)
        return Remembered(block, chunks, window, names, chunks.counted(window), native)

    @property
    def started(self) -> bool:
        """Whether floats have start timestamps."""
        return self.block.starts is not None

    @property
    def samples(self) -> int:
        """How many there are."""
        return _sum(self.counts) + _sum(self.native_counts)

    @property
    def at_hand(self) -> bool:
        """They are not."""
        return False

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Decodes."""
        self._place(self.chunks, first, rows, ends, timestamps, bits)

    def place_starts(self, first: int, rows: Int64s, ends: Int64s, created: Int64s) -> None:
        """Decodes."""
        if self.block.starts is not None:
            self._place(self.block.starts, first, rows, ends, np.empty_like(created), created)

    def histograms(self, first: int, stop: int) -> HistogramColumns:
        """Decodes."""
        assert self.block.native is not None
        return self.block.native.columns(first, stop, self.window)

    def _place(
        self,
        chunks: Chunks,
        first: int,
        rows: Int64s,
        ends: Int64s,
        timestamps: Int64s,
        bits: Int64s,
    ) -> None:
        room = np.empty((2, xor.SAMPLES_PER_CHUNK + 1), np.int64)
        kernels.place_chunks(
            chunks.data,
            chunks.chunks,
            chunks.ends,
            chunks.oldest,
            chunks.newest,
            first,
            self.window.start,
            self.window.end,
            rows,
            ends,
            room[0],
            room[1],
            timestamps,
            bits,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What was just read, a part of which row r has the floats lows[r] to highs[r], and `native`.

    A part that is not decoded stays so until its rows are placed.
    """

    part: Part
    names: Int64s
    lows: Int64s
    highs: Int64s
    native: HistogramColumns | None
    started: bool

    @staticmethod
    def of(part: Part, window: Window, names: Int64s) -> "Read":
        """The samples of a window, of rows under these numbers."""
        columns = part.columns()
        lows, highs = np.empty(len(columns), np.int64), np.empty(len(columns), np.int64)
        kernels.spans(columns.offsets, columns.timestamps, window.start, window.end, lows, highs)
        native, started = inside(columns.histograms, window), len(columns.created) > 0
        return Read(part, names, lows, highs, native, started)

    @property
    def counts(self) -> Int64s:
        """How many floats each row has."""
        return self.highs - self.lows

    @property
    def native_counts(self) -> Int64s | None:
        """How many native histograms each row has."""
        return None if self.native is None else np.diff(self.native.offsets)

    @property
    def samples(self) -> int:
        """How many there are."""
        return _sum(self.counts) + _sum(self.native_counts)

    @property
    def at_hand(self) -> bool:
        """Whether there are floats alone, without start timestamps."""
        return self.native is None and not self.started

    def place(
        self, first: int, rows: Int64s, ends: Int64s, timestamps: Int64s, bits: Int64s
    ) -> None:
        """Copies."""
        columns = self.part.columns()
        self._place(columns, columns.values.view(np.int64), first, rows, ends, timestamps, bits)

    def place_starts(self, first: int, rows: Int64s, ends: Int64s, created: Int64s) -> None:
        """Copies."""
        if self.started:
            columns = self.part.columns()
            times = np.empty_like(created)
            self._place(columns, columns.created, first, rows, ends, times, created)

    def histograms(self, first: int, stop: int) -> HistogramColumns:
        """A range of rows."""
        assert self.native is not None
        return self.native.rows(first, stop)

    def _place(
        self,
        columns: Columns,
        column: Int64s,
        first: int,
        rows: Int64s,
        ends: Int64s,
        timestamps: Int64s,
        placed: Int64s,
    ) -> None:
        spans = slice(first, first + len(rows))
        lows, highs = self.lows[spans], self.highs[spans]
        kernels.place_spans(columns.timestamps, column, lows, highs, rows, ends, timestamps, placed)


def _sum(counts: Int64s | None) -> int:
    return 0 if counts is None else int(counts.sum())
