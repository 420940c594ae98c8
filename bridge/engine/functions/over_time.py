"""What is in a range: how many samples, the first and the last, their sum, mean and variance.

Source: the *OverTime functions, funcResets and funcChanges in promql/functions.go.
"""

import math
from dataclasses import replace
from typing import cast

import numpy as np

from bridge.engine.extended import narrowed
from bridge.engine.function import MATRIX, CallSite, function, over_window, run_over_windows
from bridge.engine.mixed import (
    is_histogram_at,
    numbers,
    one_line,
    with_cells,
)
from bridge.engine.starts import began_anew
from bridge.kernel import inlined, window_kernel
from bridge.model import kahan
from bridge.model.histogram import HistogramCells, HistogramColumns
from bridge.model.histogram_neighbours import compare
from bridge.model.samples import Columns, Float64s, Int64s
from bridge.model.starts import NO_STARTS
from bridge.model.vectors import Bools, Matrix, Reach, Value, Windows


@function("count_over_time", (MATRIX,), row_wise=True, skims=True)
def count_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    counts = numbers(windows)
    return Matrix(windows.labels, counts.astype(np.float64), counts > 0)


@function("present_over_time", (MATRIX,), row_wise=True, skims=True)
def present_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    return Matrix(windows.labels, np.ones(windows.lo.shape), numbers(windows) > 0)


@function("first_over_time", (MATRIX,), keeps_name=True, row_wise=True, skims=True)
def first_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    first = run_over_windows(_first, windows, [])
    return first if windows.histograms is None else _either(windows, first, last=False)


@function("last_over_time", (MATRIX,), keeps_name=True, row_wise=True, skims=True)
def last_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    last = run_over_windows(_last, windows, [])
    return last if windows.histograms is None else _either(windows, last, last=True)


def _either(windows: Windows, floats: Matrix, *, last: bool) -> Matrix:
    """Each window's last, or first, sample; `floats` are those of the floats alone."""
    native = windows.histograms
    assert native is not None
    there = is_histogram_at(windows, last=last)
    index = np.where(there, native.hi - 1 if last else native.lo, -1)
    return with_cells(floats.masked(~there), HistogramCells(index, native.columns.table))


@window_kernel()
def _first(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[lo]


@window_kernel()
def _last(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[hi - 1]


@function("ts_of_first_over_time", (MATRIX,), row_wise=True, experimental=True)
def ts_of_first_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    return run_over_windows(_first_time, _of_any_kind(cast("Windows", values[0])), [])


@function("ts_of_last_over_time", (MATRIX,), row_wise=True, experimental=True)
def ts_of_last_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    return run_over_windows(_last_time, _of_any_kind(cast("Windows", values[0])), [])


def _of_any_kind(windows: Windows) -> Windows:
    return windows if windows.histograms is None else one_line(windows)[0]


@window_kernel()
def _first_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = ts[lo] / 1000.0


@window_kernel()
def _last_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = ts[hi - 1] / 1000.0


@over_window("stdvar_over_time")
@window_kernel()
def stdvar_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = _variance(vs, lo, hi)


@over_window("stddev_over_time")
@window_kernel()
def stddev_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = math.sqrt(_variance(vs, lo, hi))


@inlined
def _variance(vs, lo, hi):  # type: ignore[no-untyped-def]
    """The population variance of a window: Welford's recurrence, both sums compensated."""
    mean, mean_lost, squares, squares_lost = 0.0, 0.0, 0.0, 0.0
    for i in range(lo, hi):
        delta = vs[i] - (mean + mean_lost)
        mean, mean_lost = kahan.add(delta / (i - lo + 1), mean, mean_lost)
        square = delta * (vs[i] - (mean + mean_lost))
        squares, squares_lost = kahan.add(square, squares, squares_lost)
    return (squares + squares_lost) / (hi - lo)


@function("changes", (MATRIX,), row_wise=True, reaches=(Reach.ANCHORED,))
def changes(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    vs = windows.columns.values
    both_nan = np.isnan(vs[1:]) & np.isnan(vs[:-1])
    pairs = (vs[1:] != vs[:-1]) & ~both_nan
    if windows.histograms is None:
        return _count_pairs(windows, pairs)
    _, changed = _compared(windows.histograms.columns, NO_STARTS)
    return _count_pairs(*_pairs_of_any_kind(windows, pairs, changed))


@function("resets", (MATRIX,), row_wise=True, reaches=(Reach.ANCHORED,))
def resets(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    vs = windows.columns.values
    pairs, starts = vs[1:] < vs[:-1], site.starts(windows)
    if len(starts.floats):
        pairs = pairs | began_anew(windows.columns, starts.floats)[1:]
    if windows.histograms is None:
        return _count_pairs(windows, pairs)
    reset, _ = _compared(windows.histograms.columns, starts.histograms)
    return _count_pairs(*_pairs_of_any_kind(windows, pairs, reset))


def _compared(native: HistogramColumns, created: Int64s) -> tuple[Bools, Bools]:
    """Whether each histogram is a reset, and a change, since the one before; bool [N] each."""
    found = np.empty((2, len(native.timestamps)), np.bool_)
    compare(native.table.arrays, native.offsets, native.timestamps, created, found[0], found[1])
    return found[0], found[1]


def _pairs_of_any_kind(windows: Windows, floats: Bools, histograms: Bools) -> tuple[Windows, Bools]:
    """All samples in one line, and which neighbours are marked: another kind always is.

    `floats` marks pairs of floats, `histograms` each histogram that is marked with the one before.
    """
    line, sources = one_line(windows)
    split = len(windows.columns.values)
    native = sources >= split
    marked = np.concatenate(([False], floats, histograms) if split else (histograms,))[sources]
    pairs: Bools = marked[1:] | (native[1:] != native[:-1])
    return line, pairs


def _count_pairs(windows: Windows, pairs: Bools) -> Matrix:
    """How many of the neighbours inside each window are marked; `pairs` bool [N-1]."""
    if windows.reach is not None:
        windows = narrowed(windows)
    counts: Float64s = np.zeros(len(windows.columns.values))
    np.cumsum(pairs, out=counts[1:])
    columns = Columns.frozen(windows.columns.offsets, windows.columns.timestamps, counts)
    return run_over_windows(_growth, replace(windows, columns=columns), [])


@window_kernel()
def _growth(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[hi - 1] - vs[lo]
