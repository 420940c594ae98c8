"""The φ-quantile of a range's values, and the median of their distances from the median.

Source: funcQuantileOverTime and funcMadOverTime in promql/functions.go, quantile in
promql/quantile.go.
"""

import math
from typing import Final, cast

import numpy as np

from bridge.engine.function import MATRIX, SCALAR, CallSite, function
from bridge.kernel import b1_out2, f8_in, f8_out2, i8_in2, inlined, kernel
from bridge.model.annotations import invalid_quantile
from bridge.model.samples import Float64s
from bridge.model.vectors import Matrix, Scalar, Value, Windows

# If so many samples are new at a step, sorting all anew is faster than putting them in one by one.
_MANY: Final = 32


@function("quantile_over_time", (SCALAR, MATRIX), row_wise=True)
def quantile_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    quantiles, windows = cast("Scalar", values[0]).values, cast("Windows", values[1])
    site.note_ignored(windows)
    out = np.empty(windows.lo.shape)
    present = np.empty(windows.lo.shape, dtype=np.bool_)
    _quantiles(windows.columns.values, windows.lo, windows.hi, quantiles, out, present)
    warn_of_invalid(site, 0, quantiles[present.any(axis=0)])
    return Matrix(windows.labels, out, present)


@function("mad_over_time", (MATRIX,), row_wise=True, experimental=True)
def mad_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    site.note_ignored(windows)
    out = np.empty(windows.lo.shape)
    present = np.empty(windows.lo.shape, dtype=np.bool_)
    _deviations(windows.columns.values, windows.lo, windows.hi, out, present)
    return Matrix(windows.labels, out, present)


def warn_of_invalid(site: CallSite, argument: int, quantiles: Float64s) -> None:
    """A warning for every distinct φ outside [0, 1] or NaN; `argument` is where φ stands."""
    for quantile in np.unique(quantiles).tolist():
        if not 0.0 <= quantile <= 1.0:
            site.annotations.add(invalid_quantile(quantile, site.position(argument)))


@inlined
def quantile_of_sorted(quantile, ordered, nans, count):  # type: ignore[no-untyped-def]
    """The quantile of `count` values of which `nans` are NaN and the rest stand in `ordered`.

    NaN counts as less than any number.
    """
    if count == 0 or math.isnan(quantile):
        return math.nan
    if quantile < 0.0:
        return -math.inf
    if quantile > 1.0:
        return math.inf
    rank = quantile * (count - 1)
    whole = math.floor(rank)
    lower = max(0, int(whole))
    upper = min(count - 1, lower + 1)
    weight = rank - whole
    below = ordered[lower - nans] if lower >= nans else math.nan
    above = ordered[upper - nans] if upper >= nans else math.nan
    return below * (1.0 - weight) + above * weight


@kernel(f8_in, i8_in2, i8_in2, f8_in, f8_out2, b1_out2)
def _quantiles(vs, lo, hi, quantiles, out, present):  # type: ignore[no-untyped-def]
    """Keeps the window sorted while it slides, each sample being put in and taken out once."""
    steps = lo.shape[1]
    for row in range(lo.shape[0]):
        longest = 0
        for step in range(steps):
            longest = max(longest, hi[row, step] - lo[row, step])
        ordered = np.empty(longest)
        held, nans, first, last = 0, 0, 0, 0
        for step in range(steps):
            start, stop = lo[row, step], hi[row, step]
            present[row, step] = stop > start
            if start >= last or stop - last >= _MANY:
                held, nans = _sort(ordered, vs, start, stop)
            else:
                for i in range(first, start):
                    held, nans = _take_out(ordered, held, nans, vs[i])
                for i in range(last, stop):
                    held, nans = _put_in(ordered, held, nans, vs[i])
            first, last = start, stop
            out[row, step] = quantile_of_sorted(quantiles[step], ordered, nans, held + nans)


@kernel(f8_in, i8_in2, i8_in2, f8_out2, b1_out2)
def _deviations(vs, lo, hi, out, present):  # type: ignore[no-untyped-def]
    """The median absolute deviation in every window; of a window with a NaN it is NaN."""
    for row in range(lo.shape[0]):
        longest = 0
        for step in range(lo.shape[1]):
            longest = max(longest, hi[row, step] - lo[row, step])
        ordered, distances = np.empty(longest), np.empty(longest)
        for step in range(lo.shape[1]):
            start, stop = lo[row, step], hi[row, step]
            present[row, step] = stop > start
            held, nans = _sort(ordered, vs, start, stop)
            if nans > 0:
                out[row, step] = math.nan
                continue
            median = quantile_of_sorted(0.5, ordered, 0, held)
            for i in range(start, stop):
                distances[i - start] = abs(vs[i] - median)
            held, nans = _sort(ordered, distances, 0, stop - start)
            out[row, step] = quantile_of_sorted(0.5, ordered, nans, held + nans)


@inlined
def _sort(ordered, vs, start, stop):  # type: ignore[no-untyped-def]
    held = 0
    for i in range(start, stop):
        if not math.isnan(vs[i]):
            ordered[held] = vs[i]
            held += 1
    ordered[:held].sort()
    _put_zeros_in_order(ordered, held, vs, start, stop)
    return held, stop - start - held


@inlined
def _put_zeros_in_order(ordered, held, vs, start, stop):  # type: ignore[no-untyped-def]
    """Zeros of both signs are equal: they stand as they came, which sorting does not keep."""
    at = _first_from(ordered, held, 0.0)
    if at < held and ordered[at] == 0.0:
        for i in range(start, stop):
            if vs[i] == 0.0:
                ordered[at] = vs[i]
                at += 1


@inlined
def _put_in(ordered, held, nans, value):  # type: ignore[no-untyped-def]
    if math.isnan(value):
        return held, nans + 1
    at = held
    while at > 0 and ordered[at - 1] > value:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = value
    return held + 1, nans


@inlined
def _take_out(ordered, held, nans, value):  # type: ignore[no-untyped-def]
    if math.isnan(value):
        return held, nans - 1
    for i in range(_first_from(ordered, held, value), held - 1):
        ordered[i] = ordered[i + 1]
    return held - 1, nans


@inlined
def _first_from(ordered, held, value):  # type: ignore[no-untyped-def]
    """Where the first of the sorted values stands that is not less than a value."""
    at, end = 0, held
    while at < end:
        middle = (at + end) // 2
        if ordered[middle] < value:
            at = middle + 1
        else:
            end = middle
    return at
