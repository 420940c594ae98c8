"""What evaluation passes on: range vectors, matrices, scalars, strings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bridge.model.histogram import HistogramCells, HistogramColumns, concatenate
from bridge.model.labels import EMPTY_LABELS, LabelTable
from bridge.model.samples import Columns, Float64s, Int64s

Bools = npt.NDArray[np.bool_]


class Reach(StrEnum):
    """How windows reach beyond their range: to the sample before it, or on both sides."""

    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """A range vector: which samples of each series every step sees.

    `columns` holds the samples of the S rows of `labels`, without staleness markers. Step t of row
    s sees the samples with indices `lo[s, t]` to `hi[s, t]` (exclusive) into the columns' arrays;
    both int64 [S, T]. `starts` and `ends`, int64 ms [T], are each step's bounds: a sample at time x
    is seen if `starts[t] < x <= ends[t]`; `range` is their distance in ms. `times` int64 ms [T] are
    the evaluation times, which offset and `@` leave alone. With a `reach` samples lie before the
    start too, and after the end, as far as the lookback reaches. `drop_name`: see Matrix.
    `histograms` are the windows of native histogram samples, None if no row has any.
    """

    labels: LabelTable
    columns: Columns
    lo: Int64s
    hi: Int64s
    starts: Int64s
    ends: Int64s
    times: Int64s
    range: int
    reach: Reach | None = None
    drop_name: Bools | None = None
    histograms: "HistogramWindows | None" = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class HistogramWindows:
    """Which native histograms each step sees: `lo`, `hi` int64 [S, T] into the columns' samples.

    `columns` has no staleness markers.
    """

    columns: HistogramColumns
    lo: Int64s
    hi: Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """An instant vector at every step, dense: `values` float64 [S, T] where `present` bool [S, T].

    NaN is a value; absence is the mask. What stands in `values` where `present` is false is
    undefined. `drop_name` bool [S] tells the rows whose metric name is to go when evaluation ends;
    None if there are none, as ever unless name removal is delayed. `histograms` tells the cells
    that hold a native histogram instead of a float; None if none does. `present` is about floats.
    """

    labels: LabelTable
    values: Float64s
    present: Bools
    drop_name: Bools | None = None
    histograms: HistogramCells | None = None

    @staticmethod
    def empty(steps: int) -> "Matrix":
        """No series at any of so many steps."""
        return Matrix(LabelTable(()), np.empty((0, steps)), np.empty((0, steps), np.bool_))

    @staticmethod
    def single(values: Float64s) -> "Matrix":
        """One series without labels, present at every step; `values` float64 [T]."""
        return Matrix(LabelTable((EMPTY_LABELS,)), values[None, :], np.ones((1, len(values)), bool))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def steps(self) -> int:
        """T, how many steps."""
        return int(self.present.shape[1])

    @property
    def occupied(self) -> Bools:
        """Where there is a float or a histogram; bool [S, T]."""
        return self.present if self.histograms is None else self.present | self.histograms.present

    def take(self, rows: Int64s) -> "Matrix":
        """These rows, in this order."""
        drop_name = None if self.drop_name is None else self.drop_name[rows]
        cells = None if self.histograms is None else self.histograms.take(rows)
        labels = self.labels.take(rows)
        return Matrix(labels, self.values[rows], self.present[rows], drop_name, cells)

    def without_empty_rows(self) -> "Matrix":
        """The rows that hold a float or a histogram at one step at least."""
        occupied = self.occupied
        if occupied.size and occupied.all():
            return self
        kept = occupied.any(axis=1)
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def relabelled(self, labels: LabelTable) -> "Matrix":
        """The same values under other labels, row by row."""
        return Matrix(labels, self.values, self.present, self.drop_name, self.histograms)

    def masked(self, kept: Bools) -> "Matrix":
        """Of what there is only the cells where `kept` bool [S, T]."""
        cells = None if self.histograms is None else self.histograms.where(kept)
        return replace(self, present=self.present & kept, histograms=cells)

    def without_histograms(self) -> "Matrix":
        """The floats only."""
        return self if self.histograms is None else replace(self, histograms=None)


def stacked(parts: Sequence[Matrix]) -> Matrix:
    """The rows of all parts, one after the other; there is one part at least."""
    labels = parts[0].labels.whole
    if len(labels) != sum(map(len, parts)) or any(p.labels.whole is not labels for p in parts):
        labels = LabelTable(row for part in parts for row in part.labels)
    values = np.concatenate([part.values for part in parts])
    present = np.concatenate([part.present for part in parts])
    return Matrix(labels, values, present, dropped_names(parts), stacked_cells(parts))


def stacked_cells(parts: Sequence[Matrix]) -> HistogramCells | None:
    """The histograms of all parts, one part after the other; None if none has any."""
    tables = [part.histograms.table for part in parts if part.histograms is not None]
    if not tables:
        return None
    index, before = [], 0
    for part in parts:
        if part.histograms is None:
            index.append(np.full(part.present.shape, -1, np.int64))
        else:
            own = part.histograms.index
            index.append(np.where(own >= 0, own + before, -1))
            before += len(part.histograms.table)
    return HistogramCells(np.concatenate(index), concatenate(tables))


def dropped_names(parts: Sequence[Matrix]) -> Bools | None:
    """The rows of all parts whose metric name is to go, one part after the other."""
    if all(part.drop_name is None for part in parts):
        return None
    flags = (np.zeros(len(p), np.bool_) if p.drop_name is None else p.drop_name for p in parts)
    return np.concatenate(list(flags))


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One number at every step: `values` float64 [T]."""

    values: Float64s


@dataclass(frozen=True, slots=True)
class String:
    """A string literal's value."""

    value: str


Value = Matrix | Scalar | String | Windows
