"""The least and the greatest value in a range, and when they were.

Source: compareOverTime in promql/functions.go.
"""

from typing import Final, cast

import numpy as np
from numba import float64

from bridge.engine.function import MATRIX, CallSite, Function, function, over_window
from bridge.kernel import b1_out2, f8_in, f8_out2, i8_in2, inlined, kernel, window_kernel
from bridge.model.vectors import Matrix, Value, Windows

# Passing one sample or step through the queue costs about as much as looking at so many again.
_QUEUEING: Final = 24


def _extreme(name: str, sign: float) -> Function:
    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        windows = cast("Windows", values[0])
        site.note_ignored(windows)
        out = np.empty(windows.lo.shape)
        present = np.empty(windows.lo.shape, dtype=np.bool_)
        _maxima(windows.columns.values, windows.lo, windows.hi, sign, out, present)
        return Matrix(windows.labels, out, present)

    return function(name, (MATRIX,), row_wise=True)(apply)


max_over_time = _extreme("max_over_time", 1.0)
min_over_time = _extreme("min_over_time", -1.0)


@over_window("ts_of_max_over_time", experimental=True)
@window_kernel()
def ts_of_max_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    greatest = np.nan
    for i in range(lo, hi):
        if vs[i] >= greatest or np.isnan(greatest):
            greatest = vs[i]
            out[0] = ts[i] / 1000.0


@over_window("ts_of_min_over_time", experimental=True)
@window_kernel()
def ts_of_min_over_time(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi > lo
    least = np.nan
    for i in range(lo, hi):
        if vs[i] <= least or np.isnan(least):
            least = vs[i]
            out[0] = ts[i] / 1000.0


@kernel(f8_in, i8_in2, i8_in2, float64, f8_out2, b1_out2)
def _maxima(vs, lo, hi, sign, out, present):  # type: ignore[no-untyped-def]
    """The greatest of `sign * vs` in every window, times `sign`; the first of equal ones."""
    steps = lo.shape[1]
    for row in range(lo.shape[0]):
        looks = 0
        for step in range(steps):
            length = hi[row, step] - lo[row, step]
            present[row, step] = length > 0
            looks += length
        samples = hi[row, steps - 1] - lo[row, 0]
        if looks <= _QUEUEING * (samples + steps):
            _rescan(vs, lo[row], hi[row], sign, out[row])
        else:
            _slide(vs, lo[row], hi[row], sign, np.empty(samples, np.int64), out[row])


@inlined
def _rescan(vs, lo, hi, sign, out):  # type: ignore[no-untyped-def]
    for step in range(len(lo)):
        greatest = np.nan
        for i in range(lo[step], hi[step]):
            value = sign * vs[i]
            # NaN gives way to any number, no number gives way to NaN.
            if value > greatest or np.isnan(greatest):
                greatest = value
        out[step] = sign * greatest


@inlined
def _slide(vs, lo, hi, sign, queue, out):  # type: ignore[no-untyped-def]
    """`queue` holds the indices of the samples that may yet be the greatest, falling in value."""
    head, tail, seen = 0, 0, 0
    for step in range(len(lo)):
        while head < tail and queue[head] < lo[step]:
            head += 1
        for i in range(max(seen, lo[step]), hi[step]):
            value = sign * vs[i]
            if not np.isnan(value):
                while tail > head and sign * vs[queue[tail - 1]] < value:
                    tail -= 1
                queue[tail] = i
                tail += 1
        seen = max(seen, hi[step])
        out[step] = vs[queue[head]] if tail > head else np.nan
