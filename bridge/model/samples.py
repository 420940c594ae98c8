"""Raw samples of many series, columnar and ragged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from bridge.model import arrays
from bridge.model.histogram import HistogramColumns, stacked_rows
from bridge.model.labels import LabelTable
from bridge.model.starts import NO_STARTS, stacked_starts, starts_of

Int64s = arrays.Int64s
Float64s = arrays.Float64s
STALE_NAN_BITS: Final = arrays.STALE_NAN_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The decoded samples of a range of rows.

    `offsets` int64 [R+1]: row r owns samples offsets[r] to offsets[r+1]; `timestamps` int64 [N] ms,
    strictly increasing within a row; `values` float64 [N]. Staleness markers stay in. Arrays are
    read-only and C-contiguous. `histograms` are the rows' native histograms, None if there are
    none; no row has a float and a histogram of the same time. `created` int64: the floats' start
    timestamps, ms, 0 if unknown; empty if none has one.
    """

    offsets: Int64s
    timestamps: Int64s
    values: Float64s
    histograms: HistogramColumns | None = None
    created: Int64s = field(default_factory=lambda: NO_STARTS)

    @staticmethod
    def frozen(
        offsets: Int64s,
        timestamps: Int64s,
        values: Float64s,
        histograms: HistogramColumns | None = None,
        created: Int64s = NO_STARTS,
    ) -> "Columns":
        """Columns over these arrays, which become read-only."""
        for array in (offsets, timestamps, values, created):
            array.flags.writeable = False
        return Columns(offsets, timestamps, values, histograms, created)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self, start: int, stop: int) -> "Columns":
        """A range of rows; samples are views."""
        if start == 0 and stop == len(self):
            return self
        lo, hi = int(self.offsets[start]), int(self.offsets[stop])
        return Columns.frozen(
            self.offsets[start : stop + 1] - lo,
            self.timestamps[lo:hi],
            self.values[lo:hi],
            None if self.histograms is None else self.histograms.rows(start, stop),
            starts_of(self.created, slice(lo, hi)),
        )


class Part(Protocol):
    """Consecutive rows of a block, decoded now or only when asked."""

    @property
    def series(self) -> int:
        """How many rows."""

    @property
    def samples(self) -> int:
        """How many samples, known without decoding."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory that this part owns."""

    @property
    def has_histograms(self) -> bool:
        """Whether there are native histograms among them, known without decoding."""

    def columns(self) -> Columns:
        """The samples, decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPart:
    """Rows whose samples are at hand already."""

    held: Columns

    @property
    def series(self) -> int:
        """How many rows."""
        return len(self.held)

    @property
    def samples(self) -> int:
        """How many samples, of floats and histograms."""
        native = self.held.histograms
        return len(self.held.timestamps) + (0 if native is None else len(native.timestamps))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, and of the histograms."""
        held = self.held
        native = 0 if held.histograms is None else held.histograms.nbytes
        of_floats = (held.offsets, held.timestamps, held.values, held.created)
        return sum(array.nbytes for array in of_floats) + native

    @property
    def has_histograms(self) -> bool:
        """Whether there are native histograms."""
        return self.held.histograms is not None

    @property
    def ends(self) -> tuple[int, int] | None:
        """The times of the first row's first and the last row's last float, ms, if there are."""
        times = self.held.timestamps
        return (int(times[0]), int(times[-1])) if len(times) else None

    def columns(self) -> Columns:
        """The samples."""
        return self.held

    def between(self, start: int, stop: int) -> "DecodedPart":
        """A range of rows; samples are views."""
        return DecodedPart(self.held.rows(start, stop))


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBlock:
    """Raw samples of many series: `labels` [S], sorted and distinct, and samples in row ranges.

    The rows of `parts`, one after the other, are the rows of `labels`. Evaluation takes one part at
    a time, so a block may hold its samples encoded and never be decoded as a whole.
    """

    labels: LabelTable
    parts: tuple[Part, ...]

    @staticmethod
    def of(labels: LabelTable, columns: Columns) -> "SeriesBlock":
        """A block of one decoded part."""
        return SeriesBlock(labels, (DecodedPart(columns),) if len(labels) else ())

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def samples(self) -> int:
        """How many samples the block holds."""
        return sum(part.samples for part in self.parts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the samples own."""
        return sum(part.nbytes for part in self.parts)

    @property
    def has_histograms(self) -> bool:
        """Whether there are native histograms in it."""
        return any(part.has_histograms for part in self.parts)

    def row_ranges(self) -> Iterator[tuple[LabelTable, Part]]:
        """Each part with the labels of its rows."""
        start = 0
        for part in self.parts:
            yield self.labels[start : start + part.series], part
            start += part.series

    def columns(self) -> Columns:
        """All samples as one; a copy if there are several parts."""
        return concatenate([part.columns() for part in self.parts])


def concatenate(pieces: Sequence[Columns]) -> Columns:
    """The rows of all pieces, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    lengths = [np.diff(piece.offsets) for piece in pieces]
    offsets = np.zeros(1 + sum(map(len, lengths)), dtype=np.int64)
    if pieces:
        np.cumsum(np.concatenate(lengths), out=offsets[1:])
    timestamps = [piece.timestamps for piece in pieces] or [np.empty(0, np.int64)]
    values = [piece.values for piece in pieces] or [np.empty(0, np.float64)]
    sizes = [len(piece) for piece in pieces]
    histograms = stacked_rows([piece.histograms for piece in pieces], sizes)
    created = stacked_starts((piece.created, piece.timestamps) for piece in pieces)
    return Columns.frozen(
        offsets, np.concatenate(timestamps), np.concatenate(values), histograms, created
    )


EMPTY_BLOCK: Final = SeriesBlock(LabelTable(()), ())
