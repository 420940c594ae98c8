"""How fast series rise and fall: rate, increase, delta, irate, idelta.

Source: extrapolatedRate and instantValue in promql/functions.go. The order of operations is theirs,
so that results are equal to the bit.
"""

from typing import Final, cast

import numpy as np
from numba import boolean, float64

from bridge.engine.extended import extended_rates
from bridge.engine.function import MATRIX, CallSite, Function, function, over_window
from bridge.kernel import (
    b1_out2,
    f8_in,
    f8_out2,
    i8_in,
    i8_in2,
    inlined,
    kernel,
    window_kernel,
)
from bridge.model.annotations import possible_non_counter, possible_non_counter_type
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.samples import Float64s, Int64s
from bridge.model.time import go_seconds
from bridge.model.vectors import Matrix, Reach, Value, Windows

_COUNTER_SUFFIXES: Final = ("_total", "_sum", "_count", "_bucket")
_COUNTER_TYPES: Final = ("counter", "histogram")
_NO_RESETS: Final = np.empty(0, dtype=np.int64)


def _counter(name: str, per_second: bool) -> Function:
    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        windows = cast("Windows", values[0])
        seconds = go_seconds(windows.range) if per_second else 1.0
        if windows.reach is None:
            rates = _extrapolate(windows, _resets(windows.columns.values), True, seconds)
        else:
            rates = extended_rates(windows, seconds, counter=True)
        _doubt_counters(site, rates)
        return rates

    return function(name, (MATRIX,), row_wise=True, reaches=Reach)(apply)


rate = _counter("rate", per_second=True)
increase = _counter("increase", per_second=False)


@function("delta", (MATRIX,), row_wise=True, reaches=Reach)
def delta(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    if windows.reach is None:
        return _extrapolate(windows, _NO_RESETS, False, 1.0)
    return extended_rates(windows, 1.0, counter=False)


@over_window("irate")
@window_kernel()
def irate(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        last, previous = vs[hi - 1], vs[hi - 2]
        rise = last if last < previous else last - previous
        out[0] = rise / ((ts[hi - 1] - ts[hi - 2]) / 1000.0)


@over_window("idelta")
@window_kernel()
def idelta(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        out[0] = vs[hi - 1] - vs[hi - 2]


def _resets(values: Float64s) -> Int64s:
    """Indices of the samples that are less than the one before; row borders do no harm."""
    return np.flatnonzero(values[1:] < values[:-1]) + 1


def _extrapolate(windows: Windows, resets: Int64s, counter: bool, seconds: float) -> Matrix:
    columns = windows.columns
    values = np.empty(windows.lo.shape)
    present = np.empty(windows.lo.shape, dtype=np.bool_)
    _extrapolated(
        columns.timestamps,
        columns.values,
        windows.lo,
        windows.hi,
        windows.starts,
        windows.ends,
        resets,
        counter,
        seconds,
        values,
        present,
    )
    return Matrix(windows.labels, values, present)


@kernel(i8_in, f8_in, i8_in2, i8_in2, i8_in, i8_in, i8_in, boolean, float64, f8_out2, b1_out2)
def _extrapolated(ts, vs, lo, hi, starts, ends, resets, counter, seconds, out, present):  # type: ignore[no-untyped-def]
    """One pass over all windows: a window costs no more for its length, only for its resets."""
    at = 0
    for row in range(lo.shape[0]):
        for step in range(lo.shape[1]):
            first, last = lo[row, step], hi[row, step] - 1
            present[row, step] = last > first
            if last <= first:
                continue
            rise = vs[last] - vs[first]
            at = _after(resets, at, first)
            reset = at
            while reset < len(resets) and resets[reset] <= last:
                rise += vs[resets[reset] - 1]
                reset += 1
            sampled = (ts[last] - ts[first]) / 1000.0
            before = (ts[first] - starts[step]) / 1000.0
            after = (ends[step] - ts[last]) / 1000.0
            average = sampled / (last - first)
            if before >= average * 1.1:
                before = average / 2.0
            if counter and rise > 0.0 and vs[first] >= 0.0:
                to_zero = sampled * (vs[first] / rise)
                before = min(before, to_zero)
            if after >= average * 1.1:
                after = average / 2.0
            out[row, step] = rise * ((sampled + before + after) / sampled / seconds)


@inlined
def _after(resets, at, first):  # type: ignore[no-untyped-def]
    """The position of the first reset after sample `first`, searched from position `at` on."""
    while at > 0 and resets[at - 1] > first:
        at -= 1
    while at < len(resets) and resets[at] <= first:
        at += 1
    return at


def _doubt_counters(site: CallSite, rates: Matrix) -> None:
    """Remarks on every metric with a rate that is not named, or typed, as a counter."""
    shown = np.flatnonzero(rates.present.any(axis=1)).tolist()
    if site.switches.type_and_unit_labels:
        _doubt_types(site, [rates.labels[row] for row in shown])
        return
    names = {rates.labels[row].get(METRIC_NAME) for row in shown}
    for name in sorted(names):
        if name and not name.endswith(_COUNTER_SUFFIXES):
            site.annotations.add(possible_non_counter(name, site.position(0)))


def _doubt_types(site: CallSite, series: list[Labels]) -> None:
    for name, kind in sorted({(one.get(METRIC_NAME), one.get("__type__")) for one in series}):
        if name and kind not in _COUNTER_TYPES:
            site.annotations.add(possible_non_counter_type(name, kind, site.position(0)))
