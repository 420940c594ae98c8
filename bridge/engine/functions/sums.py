"""Sums and means over a range, from running sums where those are proven to give the same bits.

Prometheus adds up every window anew (funcSumOverTime and funcAvgOverTime in promql/functions.go,
util/kahansum). Here samples are added up once and a window's sum is the difference of two running
sums, whatever its length. Two proofs allow that; a window without one is added up as in Prometheus:

* Whole numbers whose magnitudes add up to less than 2**53: every sum of some of them is exact.
* Any numbers: of n samples, A the sum of their magnitudes and u = 2**-53, what Prometheus rounds
  to a window's sum lies within 4 n²u²A of the true sum, the difference of two compensated running
  sums within 8 n²u²A, and computing with them adds less than 28 n²u²A. Where all that lies within
  64 n²u²A of the difference is rounded to the same number, that is the sum.
"""

from typing import Final, cast

import numpy as np
from numba import boolean

from bridge.engine.function import MATRIX, CallSite, function
from bridge.engine.mixed import cells_of, note_sums, unmixed, with_cells
from bridge.kernel import f8_in, f8_out2, i8_in2, inlined, kernel
from bridge.model import kahan
from bridge.model.histogram_sums import over_windows
from bridge.model.vectors import Matrix, Value, Windows

# A sample's running sum, or a difference of two, costs about as much as adding so many samples.
_RUNNING: Final = 3
# Running sums go on for so many samples, or so many times the longest window: errors stay small.
_SPAN: Final = 4096
_WINDOWS: Final = 4
_EXACT: Final = 2.0**53
_UNSURE: Final = 64.0 * 2.0**-106
# Between these nothing overflows, and no bound of an error underflows.
_LEAST: Final = 1e-200
_GREATEST: Final = 1e300


@function("sum_over_time", (MATRIX,), row_wise=True)
def sum_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    return _added_up(site, cast("Windows", values[0]), mean=False)


@function("avg_over_time", (MATRIX,), row_wise=True)
def avg_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    return _added_up(site, cast("Windows", values[0]), mean=True)


def _added_up(site: CallSite, windows: Windows, *, mean: bool) -> Matrix:
    floats, native = unmixed(site, windows)
    out = np.empty(floats.lo.shape)
    _sums(floats.columns.values, floats.lo, floats.hi, mean, out)
    result = Matrix(floats.labels, out, floats.hi > floats.lo)
    if native is None:
        return result
    index, notes = np.empty(native.lo.size, np.int64), np.zeros(native.lo.size, np.int64)
    sums = over_windows(native.columns.table.arrays, native.lo, native.hi, mean, index, notes)
    note_sums(site, windows, notes)
    return with_cells(result, cells_of(native.lo.shape, index, sums))


@kernel(f8_in, i8_in2, i8_in2, boolean, f8_out2)
def _sums(vs, lo, hi, mean, out):  # type: ignore[no-untyped-def]
    """The sum, or mean, of every window; the windows of a row never begin before the one before."""
    for row in range(lo.shape[0]):
        begin = 0
        while begin < lo.shape[1]:
            end, stop, looks = _together(lo[row], hi[row], begin)
            first, steps = lo[row, begin], end - begin
            size, whole = np.nan, False
            if looks > _RUNNING * (stop - first + steps):
                size, whole = _magnitude(vs, first, stop)
            edges = (lo[row, begin:end], hi[row, begin:end])
            if whole and size < _EXACT:
                _exact(vs, *edges, first, stop, mean, out[row, begin:end])
            elif _LEAST <= size <= _GREATEST and not mean:
                _certain(vs, *edges, first, stop, size, out[row, begin:end])
            else:
                _plain(vs, *edges, mean, out[row, begin:end])
            begin = end


@inlined
def _together(lo, hi, begin):  # type: ignore[no-untyped-def]
    """The steps from `begin` on that share running sums: their end, their samples', all lengths."""
    end, stop, looks, longest = begin, lo[begin], 0, 0
    while end < len(lo):
        longest = max(longest, hi[end] - lo[end])
        if end > begin and hi[end] - lo[begin] > max(_SPAN, _WINDOWS * longest):
            break
        stop = max(stop, hi[end])
        looks += hi[end] - lo[end]
        end += 1
    return end, stop, looks


@inlined
def _magnitude(vs, first, stop):  # type: ignore[no-untyped-def]
    """The sum of all magnitudes, and whether all are whole numbers."""
    size, whole = 0.0, True
    for i in range(first, stop):
        size += abs(vs[i])
        whole &= vs[i] == np.floor(vs[i])
    return size, whole


@inlined
def _exact(vs, lo, hi, first, stop, mean, out):  # type: ignore[no-untyped-def]
    totals = np.zeros(stop - first + 1)
    for i in range(first, stop):
        totals[i - first + 1] = totals[i - first] + vs[i]
    for step in range(len(lo)):
        total = totals[hi[step] - first] - totals[lo[step] - first]
        out[step] = total / (hi[step] - lo[step]) if mean else total


@inlined
def _certain(vs, lo, hi, first, stop, size, out):  # type: ignore[no-untyped-def]
    count = stop - first
    unsure = _UNSURE * count * count * size
    totals, lost = np.zeros(count + 1), np.zeros(count + 1)
    for i in range(count):
        totals[i + 1], lost[i + 1] = kahan.add(vs[first + i], totals[i], lost[i])
    for step in range(len(lo)):
        a, b = lo[step] - first, hi[step] - first
        total, rest = kahan.add(-totals[a], totals[b], 0.0)
        total, rest = kahan.add(rest + (lost[b] - lost[a]), total, 0.0)
        out[step] = total + (rest - unsure)
        if out[step] != total + (rest + unsure):
            out[step] = _sum(vs, lo[step], hi[step])


@inlined
def _plain(vs, lo, hi, mean, out):  # type: ignore[no-untyped-def]
    for step in range(len(lo)):
        if mean:
            out[step] = _mean(vs, lo[step], hi[step])
        else:
            out[step] = _sum(vs, lo[step], hi[step])


@inlined
def _sum(vs, lo, hi):  # type: ignore[no-untyped-def]
    total, lost = 0.0, 0.0
    for i in range(lo, hi):
        total, lost = kahan.add(vs[i], total, lost)
    return total if kahan.is_infinite(total) else total + lost


@inlined
def _mean(vs, lo, hi):  # type: ignore[no-untyped-def]
    if hi == lo:
        return np.nan
    total, lost, incremental = vs[lo], 0.0, False
    for i in range(lo + 1, hi):
        count = float(i - lo + 1)
        total, lost, incremental = kahan.add_to_mean(vs[i], count, total, lost, incremental)
    return kahan.mean(float(hi - lo), total, lost, incremental)
