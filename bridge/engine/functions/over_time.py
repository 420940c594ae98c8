"""What is in a range: how many samples, the first and the last, their sum, mean and variance.

Source: the *OverTime functions, funcResets and funcChanges in promql/functions.go.
"""

import math
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from bridge.engine.function import MATRIX, CallSite, function, over_window, run_over_windows
from bridge.kernel import inlined, window_kernel
from bridge.model import kahan
from bridge.model.samples import Columns, Float64s
from bridge.model.vectors import Matrix, Reach, Value, Windows


@over_window("count_over_time")
@window_kernel()
def count_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    out[0] = hi - lo
    present[0] = hi > lo


@over_window("present_over_time")
@window_kernel()
def present_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    out[0] = 1.0
    present[0] = hi > lo


@over_window("first_over_time", keeps_name=True)
@window_kernel()
def first_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[lo]


@over_window("last_over_time", keeps_name=True)
@window_kernel()
def last_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[hi - 1]


@over_window("ts_of_first_over_time", experimental=True)
@window_kernel()
def ts_of_first_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = ts[lo] / 1000.0


@over_window("ts_of_last_over_time", experimental=True)
@window_kernel()
def ts_of_last_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = ts[hi - 1] / 1000.0


@over_window("sum_over_time")
@window_kernel()
def sum_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    total, lost = 0.0, 0.0
    for i in range(lo, hi):
        total, lost = kahan.add(vs[i], total, lost)
    out[0] = total if kahan.is_infinite(total) else total + lost
    present[0] = hi > lo


@over_window("avg_over_time")
@window_kernel()
def avg_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        total, lost, incremental = vs[lo], 0.0, False
        for i in range(lo + 1, hi):
            count = float(i - lo + 1)
            total, lost, incremental = kahan.add_to_mean(vs[i], count, total, lost, incremental)
        out[0] = kahan.mean(float(hi - lo), total, lost, incremental)


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
    return _count_pairs(windows, (vs[1:] != vs[:-1]) & ~both_nan)


@function("resets", (MATRIX,), row_wise=True, reaches=(Reach.ANCHORED,))
def resets(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    vs = windows.columns.values
    return _count_pairs(windows, vs[1:] < vs[:-1])


def _count_pairs(windows: Windows, pairs: npt.NDArray[np.bool_]) -> Matrix:
    """How many of the neighbours inside each window are marked; `pairs` bool [N-1]."""
    counts: Float64s = np.zeros(len(windows.columns.values))
    np.cumsum(pairs, out=counts[1:])
    columns = Columns.frozen(windows.columns.offsets, windows.columns.timestamps, counts)
    return run_over_windows(_growth, replace(windows, columns=columns), [])


@window_kernel()
def _growth(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    if hi > lo:
        out[0] = vs[hi - 1] - vs[lo]
