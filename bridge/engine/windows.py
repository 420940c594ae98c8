"""Which samples each step sees: lookback, ranges, staleness."""

from dataclasses import dataclass, replace

import numpy as np
from numba import int64

from bridge.kernel import (
    b1_in2,
    b1_out2,
    f8_in,
    f8_in2,
    f8_out,
    f8_out2,
    i8_in,
    i8_out,
    i8_out2,
    kernel,
)
from bridge.model.histogram import Hint, HistogramCells, HistogramColumns
from bridge.model.labels import LabelTable
from bridge.model.samples import STALE_NAN_BITS, Columns, Int64s
from bridge.model.starts import NO_STARTS, starts_of
from bridge.model.time import Steps, Window, in_64_bits
from bridge.model.vectors import Bools, HistogramWindows, Matrix, Windows
from bridge.promql.ast import MatrixSelector, VectorSelector

_STALE = np.array([STALE_NAN_BITS], dtype=np.int64).view(np.float64)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What each step sees: samples after `starts` up to and including `ends`; int64 ms [T] each.

    Windows are `length` ms long, moved back by `offset` ms, fixed to the time `at` if given.
    `before` and `after` are how far (ms) a selector looks beyond its bounds. The arrays are made
    only when asked for: a subquery may have more steps than there is memory.
    """

    steps: Steps
    length: int
    offset: int
    at: int | None
    before: int = 0
    after: int = 0

    @property
    def times(self) -> Int64s:
        """The evaluation times, which offset and `@` do not move."""
        return self.steps.times()

    @property
    def ends(self) -> Int64s:
        """Where each step's window ends."""
        if self.at is None:
            return self.steps.times() - self.offset if self.offset else self.steps.times()
        return np.full(len(self.steps), in_64_bits(self.at - self.offset))

    @property
    def starts(self) -> Int64s:
        """Where each step's window starts; what is there is not in it."""
        return self.ends - self.length

    @property
    def window(self) -> Window:
        """All samples that any step sees."""
        first, last = (self.steps.start, self.steps.last) if self.at is None else (self.at, self.at)
        start = first - self.offset - self.length - self.before + 1
        return Window(in_64_bits(start), in_64_bits(last - self.offset + self.after))


def seen_by(selector: VectorSelector | MatrixSelector, steps: Steps, lookback: int) -> Bounds:
    """What a selector sees at these steps."""
    if isinstance(selector, VectorSelector):
        after = lookback if selector.smoothed else 0
        return Bounds(steps, lookback, selector.offset, selector.timestamp, after=after)
    times = selector.selector
    before = lookback if times.anchored or times.smoothed else 0
    after = lookback if times.smoothed else 0
    return Bounds(steps, selector.range, times.offset, times.timestamp, before, after)


def ranges(labels: LabelTable, columns: Columns, seen: Bounds, length: int) -> Windows:
    """A range vector: every sample within the bounds but staleness markers."""
    live = without_stale(columns)
    starts, ends = seen.starts, seen.ends
    windows = Windows(labels, live, *spans(live, starts, ends), starts, ends, seen.times, length)
    native = live.histograms
    if native is None:
        return windows
    return replace(windows, histograms=HistogramWindows(native, *spans(native, starts, ends)))


def latest(labels: LabelTable, columns: Columns, seen: Bounds) -> Matrix:
    """An instant vector: the newest sample within the bounds, unless it is a stale marker."""
    ends = seen.ends
    shape = (len(columns), len(ends))
    values, present = np.empty(shape), np.empty(shape, np.bool_)
    _latest(
        columns.offsets,
        columns.timestamps,
        columns.values,
        seen.starts,
        ends,
        _STALE,
        values,
        present,
    )
    if columns.histograms is None:
        return Matrix(labels, values, present)
    newest, shown, index = _latest_histograms(columns, columns.histograms, seen)
    cells = HistogramCells(np.where(shown, index, -1), columns.histograms.table)
    return Matrix(labels, values, present & ~newest, None, cells)


def _latest_histograms(
    columns: Columns, native: HistogramColumns, seen: Bounds
) -> tuple[Bools, Bools, Int64s]:
    """Where the newest sample is a histogram, where it counts, and which one it is; [S, T] each."""
    index = edges(native, seen.ends) - 1
    times = _times_at(native, index)
    newest = times > _times_at(columns, edges(columns, seen.ends) - 1)
    stale = np.append(native.table.stale, False)[index]
    return newest, newest & (times > seen.starts) & ~stale, index


def _times_at(columns: Columns | HistogramColumns, index: Int64s) -> Int64s:
    """The samples' times, ms; of what lies before a row's first sample the least number."""
    times: Int64s = np.append(columns.timestamps, 0)[index]
    return np.where(index >= columns.offsets[:-1, None], times, np.iinfo(np.int64).min)


def latest_windows(labels: LabelTable, columns: Columns, seen: Bounds, length: int) -> Windows:
    """The same as windows of the one sample that each step sees, or of none."""
    matrix = latest(labels, columns, seen)
    hi = edges(columns, seen.ends)
    lo = hi - matrix.present
    windows = Windows(labels, columns, lo, hi, seen.starts, seen.ends, seen.times, length)
    if columns.histograms is None or matrix.histograms is None:
        return windows
    ends = edges(columns.histograms, seen.ends)
    begins = ends - matrix.histograms.present
    return replace(windows, histograms=HistogramWindows(columns.histograms, begins, ends))


def as_samples(matrix: Matrix, times: Int64s) -> Columns:
    """A matrix' points as samples, as a subquery hands them on; `times` int64 ms [T].

    What is known about resets between histograms is forgotten: neighbours are others now.
    """
    offsets = np.zeros(len(matrix) + 1, dtype=np.int64)
    np.cumsum(matrix.present.sum(axis=1), out=offsets[1:])
    timestamps, values = np.empty(offsets[-1], np.int64), np.empty(offsets[-1])
    _compact(matrix.values, matrix.present, times, timestamps, values)
    cells = matrix.histograms
    native = None if cells is None else _histogram_samples(cells, times)
    return Columns.frozen(offsets, timestamps, values, native)


def _histogram_samples(cells: HistogramCells, times: Int64s) -> HistogramColumns:
    offsets = np.zeros(len(cells.index) + 1, np.int64)
    np.cumsum(cells.present.sum(axis=1), out=offsets[1:])
    table = cells.table.take(cells.rows())
    known = (table.hint == Hint.RESET) | (table.hint == Hint.NOT_RESET)
    table = table.with_hints(np.where(known, int(Hint.UNKNOWN), table.hint))
    timestamps = np.broadcast_to(times, cells.index.shape)[cells.present]
    return HistogramColumns(offsets, timestamps, NO_STARTS, table)


def without_stale(columns: Columns) -> Columns:
    """The columns without staleness markers; the same object if there are none."""
    bits = columns.values.view(np.int64)
    native = None if columns.histograms is None else columns.histograms.without_stale()
    stale = _count(bits, STALE_NAN_BITS)
    if not stale:
        same = native is columns.histograms
        return columns if same else replace(columns, histograms=native)
    offsets, live = np.empty(len(columns) + 1, np.int64), len(bits) - stale
    timestamps, values = np.empty(live, np.int64), np.empty(live, np.int64)
    _without(columns.offsets, columns.timestamps, bits, STALE_NAN_BITS, offsets, timestamps, values)
    created = columns.created
    if len(created):
        created = starts_of(created, bits != STALE_NAN_BITS)
    return Columns.frozen(offsets, timestamps, values.view(np.float64), native, created)


def spans(
    columns: Columns | HistogramColumns, starts: Int64s, ends: Int64s
) -> tuple[Int64s, Int64s]:
    """Of each row the first sample after each start and the first after each end; int64 [S, T].

    Neither starts nor ends, int64 ms [T], may fall, and no end is before its start.
    """
    lo, hi = np.empty((2, len(columns), len(ends)), np.int64)
    _spans(columns.offsets, columns.timestamps, starts, ends, lo, hi)
    return lo, hi


def edges(columns: Columns | HistogramColumns, times: Int64s) -> Int64s:
    """Of each row the index after its last sample at or before each time; int64 [S, T].

    `times` int64 ms [T] must not fall.
    """
    found = np.empty((len(columns), len(times)), np.int64)
    _edges(columns.offsets, columns.timestamps, times, found)
    return found


@kernel(i8_in, i8_in, i8_in, i8_out2)
def _edges(offsets, timestamps, edges, out):  # type: ignore[no-untyped-def]
    """Of each row, the index after its last sample at or before each edge; edges ascend."""
    for row in range(len(offsets) - 1):
        at, stop = offsets[row], offsets[row + 1]
        for step in range(len(edges)):
            edge = edges[step]
            while at < stop and timestamps[at] <= edge:
                at += 1
            out[row, step] = at


@kernel(i8_in, int64)
def _count(bits, wanted):  # type: ignore[no-untyped-def]
    count = 0
    for one in bits:
        count += int(one == wanted)
    return count


@kernel(i8_in, i8_in, i8_in, int64, i8_out, i8_out, i8_out)
def _without(offsets, timestamps, bits, unwanted, out_offsets, out_times, out_bits):  # type: ignore[no-untyped-def]
    """The samples whose bits are not the unwanted ones, row by row."""
    at = 0
    for row in range(len(offsets) - 1):
        out_offsets[row] = at
        for sample in range(offsets[row], offsets[row + 1]):
            if bits[sample] != unwanted:
                out_times[at], out_bits[at] = timestamps[sample], bits[sample]
                at += 1
    out_offsets[len(offsets) - 1] = at


@kernel(i8_in, i8_in, i8_in, i8_in, i8_out2, i8_out2)
def _spans(offsets, timestamps, starts, ends, lo, hi):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        low = high = offsets[row]
        stop = offsets[row + 1]
        for step in range(len(ends)):
            start, end = starts[step], ends[step]
            while high < stop and timestamps[high] <= end:
                high += 1
            while low < high and timestamps[low] <= start:
                low += 1
            lo[row, step], hi[row, step] = low, high


@kernel(i8_in, i8_in, f8_in, i8_in, i8_in, f8_in, f8_out2, b1_out2)
def _latest(offsets, timestamps, values, starts, ends, stale, out, present):  # type: ignore[no-untyped-def]
    bits, stale_bits = values.view(np.int64), stale.view(np.int64)[0]
    for row in range(len(offsets) - 1):
        first, stop = offsets[row], offsets[row + 1]
        at = first
        for step in range(len(ends)):
            end = ends[step]
            while at < stop and timestamps[at] <= end:
                at += 1
            seen = at > first and timestamps[at - 1] > starts[step]
            if seen and bits[at - 1] != stale_bits:
                out[row, step] = values[at - 1]
                present[row, step] = True
            else:
                out[row, step] = np.nan
                present[row, step] = False


@kernel(f8_in2, b1_in2, i8_in, i8_out, f8_out)
def _compact(values, present, times, out_timestamps, out_values):  # type: ignore[no-untyped-def]
    at = 0
    for row in range(values.shape[0]):
        for step in range(values.shape[1]):
            if present[row, step]:
                out_timestamps[at] = times[step]
                out_values[at] = values[row, step]
                at += 1
