"""How fast series rise and fall: rate, increase, delta, irate, idelta.

Source: extrapolatedRate and instantValue in promql/functions.go. The order of operations is theirs,
so that results are equal to the bit.
"""

from dataclasses import replace
from typing import Final, cast

import numpy as np
from numba import boolean, float64

from bridge.engine.extended import extended_rates, narrowed, narrowed_histograms
from bridge.engine.function import MATRIX, CallSite, Function, function, run_over_windows
from bridge.engine.mixed import cells_of, last_pairs, note_rates, numbers, unmixed, with_cells
from bridge.engine.starts import UNKNOWN_STARTS, Starts, began_anew, overlaps
from bridge.kernel import (
    WindowKernel,
    b1_out2,
    f8_in,
    f8_out2,
    i8_in,
    i8_in2,
    inlined,
    kernel,
    window_kernel,
)
from bridge.model.annotations import (
    mixed_in_range,
    possible_non_counter,
    possible_non_counter_type,
)
from bridge.model.histogram import HistogramCells
from bridge.model.histogram_extended import extended_rates as extended_histogram_rates
from bridge.model.histogram_rate import extrapolated_rates, instant_rates
from bridge.model.labels import METRIC_NAME, Grouping, Labels, LabelTable
from bridge.model.samples import Columns, Int64s
from bridge.model.time import go_seconds
from bridge.model.vectors import Bools, HistogramWindows, Matrix, Reach, Value, Windows

_COUNTER_SUFFIXES: Final = ("_total", "_sum", "_count", "_bucket")
_COUNTER_TYPES: Final = ("counter", "histogram")
_BY_METRIC: Final = Grouping((METRIC_NAME,), without=False)
_NO_RESETS: Final = np.empty(0, dtype=np.int64)


def _counter(name: str, per_second: bool) -> Function:
    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        windows = cast("Windows", values[0])
        seconds = go_seconds(windows.range) if per_second else 0.0
        if windows.reach is None:
            rates = _extrapolated(site, windows, site.starts(windows), True, seconds)
        else:
            rates = _extended(site, windows, True, seconds)
        _doubt_counters(site, rates)
        return rates

    return function(name, (MATRIX,), row_wise=True, reaches=Reach, skims=True)(apply)


rate = _counter("rate", per_second=True)
increase = _counter("increase", per_second=False)


@function("delta", (MATRIX,), row_wise=True, reaches=Reach, skims=True)
def delta(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    if windows.reach is not None:
        return _extended(site, windows, False, 0.0)
    return _extrapolated(site, windows, UNKNOWN_STARTS, False, 0.0)


def _extrapolated(
    site: CallSite, windows: Windows, starts: Starts, counter: bool, seconds: float
) -> Matrix:
    """The rates over windows; how much they rose if `seconds` is 0."""
    floats, native = unmixed(site, windows)
    if len(starts.floats):
        site.note_overlaps(windows, overlaps(floats, starts.floats))
    rates = _of_floats(floats, starts.floats, counter, seconds or 1.0)
    if native is None:
        return rates
    return with_cells(rates, _of_histograms(site, windows, native, starts, counter, seconds))


def _of_histograms(
    site: CallSite,
    windows: Windows,
    native: HistogramWindows,
    starts: Starts,
    counter: bool,
    seconds: float,
) -> HistogramCells:
    columns = native.columns
    index, notes = np.empty(native.lo.size, np.int64), np.zeros(native.lo.size, np.int64)
    rates = extrapolated_rates(
        columns.table.arrays,
        columns.timestamps,
        starts.histograms,
        native.lo,
        native.hi,
        windows.starts,
        windows.ends,
        counter,
        seconds,
        index,
        notes,
    )
    note_rates(site, windows, notes)
    return cells_of(native.lo.shape, index, rates)


def _extended(site: CallSite, windows: Windows, counter: bool, seconds: float) -> Matrix:
    """The same over windows that reach beyond their range."""
    floats, native = unmixed(site, windows)
    rates = extended_rates(narrowed(floats), seconds or 1.0, counter=counter)
    if native is None:
        return rates
    columns, native = native.columns, narrowed_histograms(windows, native)
    index, notes = np.empty(native.lo.size, np.int64), np.zeros(native.lo.size, np.int64)
    risen = extended_histogram_rates(
        columns.table.arrays,
        columns.timestamps,
        native.lo,
        native.hi,
        windows.starts,
        windows.ends,
        windows.reach is Reach.SMOOTHED,
        counter,
        seconds,
        index,
        notes,
    )
    note_rates(site, windows, notes)
    return with_cells(rates, cells_of(native.lo.shape, index, risen))


def _instant(name: str, kernel: WindowKernel, counter: bool) -> Function:
    """A function of the last two samples of each window."""

    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        windows = cast("Windows", values[0])
        starts = site.starts(windows) if counter else UNKNOWN_STARTS
        if windows.histograms is None:
            return _gains(kernel, windows, starts.floats)
        of_floats, of_histograms = last_pairs(windows)
        mixed = (numbers(windows) >= 2) & ~of_floats & ~of_histograms
        site.note_metrics(windows, mixed, mixed_in_range)
        floats = replace(windows, hi=np.where(of_floats, windows.hi, windows.lo))
        gains = _gains(kernel, floats, starts.floats)
        return with_cells(gains, _gained(site, windows, of_histograms, starts, counter))

    return function(name, (MATRIX,), row_wise=True, skims=True)(apply)


def _gains(kernel: WindowKernel, windows: Windows, created: Int64s) -> Matrix:
    """From the last float but one to the last; of counters that began in between the last."""
    gains = run_over_windows(kernel, windows, [])
    if len(created):
        last = np.maximum(windows.hi - 1, 0)
        anew = gains.present & began_anew(windows.columns, created)[last]
        times, reached = windows.columns.timestamps, last[anew]
        seconds = (times[reached] - times[reached - 1]) / 1000.0
        gains.values[anew] = windows.columns.values[reached] / seconds
    return gains


def _gained(
    site: CallSite, windows: Windows, where: Bools, starts: Starts, counter: bool
) -> HistogramCells:
    """From the last histogram but one to the last, in the windows `where` bool [S, T] says so."""
    native = windows.histograms
    assert native is not None
    columns, later = native.columns, (native.hi - 1).ravel()
    index, notes = np.empty(later.size, np.int64), np.zeros(later.size, np.int64)
    gains = instant_rates(
        columns.table.arrays,
        columns.timestamps,
        starts.histograms,
        np.where(where.ravel(), later - 1, -1),
        later,
        counter,
        index,
        notes,
    )
    note_rates(site, windows, notes)
    return cells_of(native.lo.shape, index, gains)


@window_kernel()
def _last_rate(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        last, previous = vs[hi - 1], vs[hi - 2]
        rise = last if last < previous else last - previous
        out[0] = rise / ((ts[hi - 1] - ts[hi - 2]) / 1000.0)


@window_kernel()
def _last_gain(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        out[0] = vs[hi - 1] - vs[hi - 2]


irate = _instant("irate", _last_rate, counter=True)
idelta = _instant("idelta", _last_gain, counter=False)


def _resets(columns: Columns, created: Int64s) -> Int64s:
    """Indices of the samples before which a counter began anew; row borders do no harm."""
    values = columns.values
    if not len(created):
        return np.flatnonzero(values[1:] < values[:-1]) + 1
    anew = began_anew(columns, created)
    anew[1:] |= values[1:] < values[:-1]
    return np.flatnonzero(anew)


def _of_floats(windows: Windows, created: Int64s, counter: bool, seconds: float) -> Matrix:
    columns = windows.columns
    values = np.empty(windows.lo.shape)
    present = np.empty(windows.lo.shape, dtype=np.bool_)
    _float_rates(
        columns.timestamps,
        columns.values,
        windows.lo,
        windows.hi,
        windows.starts,
        windows.ends,
        _resets(columns, created) if counter else _NO_RESETS,
        created,
        counter,
        seconds,
        values,
        present,
    )
    return Matrix(windows.labels, values, present)


_RATES_IN: Final = (i8_in, f8_in, i8_in2, i8_in2, i8_in, i8_in, i8_in, i8_in, boolean, float64)


@kernel(*_RATES_IN, f8_out2, b1_out2)
def _float_rates(ts, vs, lo, hi, starts, ends, resets, created, counter, seconds, out, present):  # type: ignore[no-untyped-def]
    """One pass over all windows: a window costs no more for its length, only for its resets."""
    at, begun = 0, False
    for row in range(lo.shape[0]):
        for step in range(lo.shape[1]):
            first, last = lo[row, step], hi[row, step] - 1
            if len(created) and last >= first:
                # A counter that began within the window was 0 then.
                begun = created[first] != 0 and starts[step] < created[first] < ts[first]
            present[row, step] = last > first or (begun and last == first)
            if not present[row, step]:
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
            average = sampled / max(last - first, 1)
            if begun:
                before, sampled = 0.0, (ts[last] - created[first]) / 1000.0
                rise += vs[first]
            elif before >= average * 1.1:
                before = average / 2.0
            if counter and rise > 0.0 and vs[first] >= 0.0 and not begun:
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
    if site.switches.type_and_unit_labels:
        shown = np.flatnonzero(rates.present.any(axis=1)).tolist()
        _doubt_types(site, [rates.labels[row] for row in shown])
        return
    table = rates.labels.whole
    doubtful = table.remembered("not named as counters", lambda: _doubtful(table))
    if not doubtful:
        return
    groups = table.grouped(_BY_METRIC)
    rows = groups.ids[rates.labels.start : rates.labels.start + len(rates)]
    groups_shown = set(rows[rates.present.any(axis=1)].tolist())
    for name, group in doubtful:
        if group in groups_shown:
            site.annotations.add(possible_non_counter(name, site.position(0)))


def _doubtful(table: LabelTable) -> list[tuple[str, int]]:
    """The metrics that are not named as counters are, in order, each with its group's number."""
    names = [labels.get(METRIC_NAME) for labels in table.grouped(_BY_METRIC).labels]
    named = ((name, group) for group, name in enumerate(names) if name)
    return sorted(one for one in named if not one[0].endswith(_COUNTER_SUFFIXES))


def _doubt_types(site: CallSite, series: list[Labels]) -> None:
    for name, kind in sorted({(one.get(METRIC_NAME), one.get("__type__")) for one in series}):
        if name and kind not in _COUNTER_TYPES:
            site.annotations.add(possible_non_counter_type(name, kind, site.position(0)))
