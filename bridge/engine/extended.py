"""Range selectors that look beyond their range, anchored and smoothed, and what lies at its ends.

Source: smoothSeries, extendFloats in promql/engine.go, extendedRate and pickFirstSampleIndices in
promql/functions.go.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import boolean, float64

from bridge.engine.windows import Bounds, edges, without_stale
from bridge.kernel import b1_out2, f8_in, f8_out2, i8_in, i8_in2, inlined, kernel
from bridge.model.errors import ExecutionError
from bridge.model.histogram import HistogramCells, HistogramColumns, Histograms
from bridge.model.histogram_extended import interpolated as interpolated_histograms
from bridge.model.labels import LabelTable
from bridge.model.samples import Columns, Float64s, Int64s
from bridge.model.vectors import Bools, HistogramWindows, Matrix, Reach, Windows


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """An instant vector of interpolated values, and what to say of it.

    `mixed` bool [S, T]: where floats lie beside histograms, so that there is nothing; `notes` int64
    [S, T]: what interpolating histograms has to report, as rates do.
    """

    matrix: Matrix
    mixed: Bools
    notes: Int64s


def extended_ranges(
    labels: LabelTable, columns: Columns, seen: Bounds, length: int, reach: Reach
) -> Windows:
    """A range vector with all samples within the lookback of its range too."""
    live = without_stale(columns)
    starts, ends = seen.starts - seen.before, seen.ends + seen.after
    lo, hi = edges(live, starts), edges(live, ends)
    native = None
    if live.histograms is not None:
        held = live.histograms
        native = HistogramWindows(held, edges(held, starts), edges(held, ends))
    bounds = (seen.starts, seen.ends, seen.times)
    return Windows(labels, live, lo, hi, *bounds, length, reach, histograms=native)


def narrowed(windows: Windows) -> Windows:
    """Of the floats those from the last one at or before the windows' starts on.

    If smoothed they end with the first one at or after the ends. A window is empty if nothing lies
    after its start.
    """
    lo, hi = _narrowed(windows, windows.columns, windows.lo, windows.hi)
    return replace(windows, lo=lo, hi=hi)


def narrowed_histograms(windows: Windows, native: HistogramWindows) -> HistogramWindows:
    """The same of the histograms."""
    lo, hi = _narrowed(windows, native.columns, native.lo, native.hi)
    return replace(native, lo=lo, hi=hi)


def _narrowed(
    windows: Windows, columns: Columns | HistogramColumns, lo: Int64s, hi: Int64s
) -> tuple[Int64s, Int64s]:
    inside = edges(columns, windows.starts)
    lo = np.where(inside < hi, np.maximum(lo, inside - 1), hi)
    if windows.reach is Reach.SMOOTHED:
        hi = np.maximum(lo, np.minimum(hi, edges(columns, windows.ends - 1) + 1))
    return lo, hi


def interpolated(labels: LabelTable, columns: Columns, seen: Bounds) -> Smoothed:
    """An instant vector of what lies between the samples before and after each step.

    Without a sample after the step it is the one before; without one before there is none. Where
    floats and histograms lie within the lookback there is none either.
    """
    live = without_stale(columns)
    lo, at = edges(live, seen.starts), edges(live, seen.ends)
    hi = edges(live, seen.ends + seen.after)
    values, present = np.empty(at.shape), np.empty(at.shape, np.bool_)
    _interpolated(live.timestamps, live.values, lo, at, hi, seen.ends, values, present)
    notes = np.zeros(at.shape, np.int64)
    native = live.histograms
    if native is None:
        return Smoothed(Matrix(labels, values, present), np.zeros_like(present), notes)
    begins, ends = edges(native, seen.starts), edges(native, seen.ends + seen.after)
    mixed = (hi > lo) & (ends > begins)
    begins = np.where(mixed, ends, begins)
    index = np.empty(at.size, np.int64)
    made = interpolated_histograms(
        native.table.arrays,
        native.timestamps,
        begins,
        edges(native, seen.ends),
        ends,
        seen.ends,
        index,
        notes.reshape(-1),
    )
    cells = HistogramCells(index.reshape(at.shape), Histograms.frozen(made))
    return Smoothed(Matrix(labels, values, present & ~mixed, None, cells), mixed, notes)


def extended_rates(windows: Windows, seconds: float, *, counter: bool) -> Matrix:
    """How much floats rose from end to end of the windows, divided by `seconds`."""
    columns = windows.columns
    values, present = np.empty(windows.lo.shape), np.empty(windows.lo.shape, np.bool_)
    _rises(
        columns.timestamps,
        columns.values,
        windows.lo,
        windows.hi,
        windows.starts,
        windows.ends,
        windows.reach is Reach.SMOOTHED,
        counter,
        seconds,
        values,
        present,
    )
    return Matrix(windows.labels, values, present)


def cut_at_ends(windows: Windows) -> Windows:
    """Of one step: the samples inside the range, and a point at either end of it.

    Raises ExecutionError if there are histograms.
    """
    native = windows.histograms
    if native is not None and (native.hi > native.lo).any():
        raise ExecutionError(f"{windows.reach} modifier is not supported with histograms")
    windows = narrowed(windows)
    held, smoothed = windows.columns, windows.reach is Reach.SMOOTHED
    bounds = (windows.starts, windows.ends)
    ends = np.empty((len(windows), 2))
    _ends_of_rows(held.timestamps, held.values, windows.lo, windows.hi, *bounds, smoothed, ends)
    rows = zip(windows.lo[:, 0].tolist(), windows.hi[:, 0].tolist(), ends, strict=True)
    pieces = [_cut(windows, *row) for row in rows] or [(held.timestamps[:0], held.values[:0])]
    times, values = zip(*pieces, strict=True)
    offsets = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in times], out=offsets[1:])
    return replace(
        windows,
        columns=Columns.frozen(offsets, np.concatenate(times), np.concatenate(values)),
        lo=offsets[:-1, None],
        hi=offsets[1:, None],
        reach=None,
        histograms=None,
    )


def _cut(windows: Windows, first: int, stop: int, ends: Float64s) -> tuple[Int64s, Float64s]:
    """The points of one row; `ends` float64 [2] are the values at the ends of the range."""
    ts, vs = windows.columns.timestamps, windows.columns.values
    if first == stop:
        return ts[:0], vs[:0]
    start, end = int(windows.starts[0]), int(windows.ends[0])
    inner = slice(first + (ts[first] <= start), stop - (ts[stop - 1] >= end))
    times = np.concatenate(([start], ts[inner], [end]))
    return times, np.concatenate((ends[:1], vs[inner], ends[1:]))


@inlined
def _between(t, ts, vs, before, counter):  # type: ignore[no-untyped-def]
    """The value at time `t` on the line from one sample to the next; a counter restarts at 0."""
    one, other = vs[before], vs[before + 1]
    if counter and other < one:
        one = 0.0
    return one + (other - one) * float(t - ts[before]) / float(ts[before + 1] - ts[before])


@inlined
def _ends(ts, vs, first, last, start, end, smoothed, counter):  # type: ignore[no-untyped-def]
    """The values at the start and at the end of a range."""
    left, right = vs[first], vs[last]
    if smoothed and ts[first] < start:
        left = _between(start, ts, vs, first, counter)
    if smoothed and last > first and ts[last] > end:
        right = _between(end, ts, vs, last - 1, counter)
    return left, right


@kernel(i8_in, f8_in, i8_in2, i8_in2, i8_in, i8_in, boolean, f8_out2)
def _ends_of_rows(ts, vs, lo, hi, starts, ends, smoothed, out):  # type: ignore[no-untyped-def]
    """Of one step the values at the start and at the end of each row's range; no counters."""
    for row in range(lo.shape[0]):
        first, last = lo[row, 0], hi[row, 0] - 1
        if last >= first:
            out[row, 0], out[row, 1] = _ends(
                ts, vs, first, last, starts[0], ends[0], smoothed, False
            )


@kernel(i8_in, f8_in, i8_in2, i8_in2, i8_in, i8_in, boolean, boolean, float64, f8_out2, b1_out2)
def _rises(ts, vs, lo, hi, starts, ends, smoothed, counter, seconds, out, present):  # type: ignore[no-untyped-def]
    for row in range(lo.shape[0]):
        for step in range(lo.shape[1]):
            first, last = lo[row, step], hi[row, step] - 1
            start, end = starts[step], ends[step]
            shown = last >= first and not (smoothed and ts[first] > end)
            present[row, step] = shown
            if not shown:
                continue
            left, right = _ends(ts, vs, first, last, start, end, smoothed, counter)
            rise = right - left
            if counter:
                lost, before = 0.0, left
                inner = first + 1 if ts[first] <= start else first
                stop = last if ts[last] >= end else last + 1
                for i in range(inner, stop):
                    if vs[i] < before:
                        lost += before
                    before = vs[i]
                if right < before:
                    lost += before
                rise += lost
            out[row, step] = rise / seconds


@kernel(i8_in, f8_in, i8_in2, i8_in2, i8_in2, i8_in, f8_out2, b1_out2)
def _interpolated(ts, vs, lo, at, hi, times, out, present):  # type: ignore[no-untyped-def]
    """`at` is the index after the last sample at or before each time."""
    for row in range(at.shape[0]):
        for step in range(at.shape[1]):
            before = at[row, step] - 1
            present[row, step] = before >= lo[row, step]
            if before < lo[row, step]:
                continue
            if ts[before] < times[step] and before + 1 < hi[row, step]:
                out[row, step] = _between(times[step], ts, vs, before, False)
            else:
                out[row, step] = vs[before]
