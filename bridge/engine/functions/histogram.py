"""Functions of histograms: quantiles and fractions of classic buckets; count, sum and the like.

Source: the funcHistogram* functions in promql/functions.go, resetHistograms in promql/engine.go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from bridge.engine.buckets import Buckets, classic_buckets, fractions, quantiles
from bridge.engine.function import SCALAR, STRING, VECTOR, CallSite, Function, OfMetric, function
from bridge.engine.functions.quantile import warn_of_invalid
from bridge.model.annotations import (
    FixedBuckets,
    bad_bucket_label,
    forced_monotonicity,
    fraction_without_nans,
    go_general,
    mixed_classic_native,
    quantile_of_nans,
    quantile_skewed_by_nans,
)
from bridge.model.histogram import HistogramCells, Histograms
from bridge.model.histogram_quantile import NAN_EXCLUDED, NAN_RESULT, NAN_SKEW, variances
from bridge.model.histogram_quantile import fractions as native_fractions
from bridge.model.histogram_quantile import quantiles as native_quantiles
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Matrix, Scalar, Value, stacked

_OfCells = Callable[[HistogramCells, Float64s, Int64s], None]

_REMARKS: Final[Mapping[int, OfMetric]] = MappingProxyType(
    {
        NAN_RESULT: quantile_of_nans,
        NAN_SKEW: quantile_skewed_by_nans,
        NAN_EXCLUDED: fraction_without_nans,
    }
)


@function("histogram_quantile", (SCALAR, VECTOR), counts_only=False, stepwise=True)
def histogram_quantile(site: CallSite, values: tuple[Value, ...]) -> Value:
    wanted, vector = cast("Scalar", values[0]).values, cast("Matrix", values[1])
    warn_of_invalid(site, 0, wanted)
    vector, native = _separated(site, 1, vector)
    buckets = _buckets(site, 1, vector)
    result, fixed = quantiles(vector, buckets, wanted, site.steps.times())
    _note_fixes(site, 1, fixed)
    return _both(_native_quantiles(site, 1, native, wanted), result)


@function(
    "histogram_quantiles",
    (VECTOR, STRING, SCALAR, SCALAR),
    variadic=9,
    experimental=True,
    counts_only=False,
)
def histogram_quantiles(site: CallSite, values: tuple[Value, ...]) -> Value:
    vector, label = cast("Matrix", values[0]), site.text(1)
    vector, native = _separated(site, 0, vector)
    buckets = _buckets(site, 0, vector)
    parts: list[Matrix] = []
    for index in range(2, len(values)):
        wanted = cast("Scalar", values[index]).values
        warn_of_invalid(site, index, wanted)
        result, fixed = quantiles(vector, buckets, wanted, site.steps.times())
        _note_fixes(site, 0, fixed)
        result = _both(_native_quantiles(site, 0, native, wanted), result)
        parts += _labelled(result, label, wanted)
    return stacked(parts)


def _labelled(result: Matrix, label: str, wanted: Float64s) -> Iterator[Matrix]:
    """The quantiles with φ as a label, one matrix for each φ that there is over the steps."""
    for quantile in np.unique(wanted).tolist():
        change = partial(Labels.with_label, name=label, value=open_metrics_float(quantile))
        labels = result.labels.mapped((label, change.keywords["value"]), change)
        there = np.isnan(wanted) if np.isnan(quantile) else wanted == quantile
        yield Matrix(labels, result.values, result.present & there)


@function("histogram_fraction", (SCALAR, SCALAR, VECTOR), counts_only=False, stepwise=True)
def histogram_fraction(site: CallSite, values: tuple[Value, ...]) -> Value:
    lower, upper = cast("Scalar", values[0]).values, cast("Scalar", values[1]).values
    vector, native = _separated(site, 2, cast("Matrix", values[2]))
    result = fractions(vector, _buckets(site, 2, vector), lower, upper)
    return _both(_native_fractions(site, 2, native, lower, upper), result)


def _separated(site: CallSite, argument: int, vector: Matrix) -> tuple[Matrix, Matrix]:
    """The floats and the native histograms; where they stand for the same, neither is kept."""
    native = vector.histograms
    if native is None:
        return vector, Matrix.empty(vector.steps)
    buckets = classic_buckets(vector.without_histograms())
    numbers = {labels: number for number, labels in enumerate(buckets.labels)}
    present, shown = vector.present.copy(), native.present
    for row in np.flatnonzero(shown.any(axis=1)).tolist():
        number = numbers.get(vector.labels[row])
        if number is None:
            continue
        members = buckets.members[buckets.starts[number] : buckets.starts[number + 1]]
        both = shown[row] & present[members].any(axis=0)
        present[members] &= ~both
        shown[row] &= ~both
        if both.any():
            name = _shown_name(site, vector.labels[row].get(METRIC_NAME))
            site.annotations.add(mixed_classic_native(name, site.position(argument)))
    classic = replace(vector, present=present, histograms=None)
    rows = np.flatnonzero(shown.any(axis=1))
    alone = replace(vector, present=np.zeros_like(present), histograms=native.where(shown))
    return classic, alone.take(rows)


def _both(native: Matrix, classic: Matrix) -> Matrix:
    return stacked((native, classic)) if len(native) else classic


def _native_quantiles(site: CallSite, argument: int, native: Matrix, wanted: Float64s) -> Matrix:
    def kernel(cells: HistogramCells, out: Float64s, notes: Int64s) -> None:
        at = np.broadcast_to(wanted, cells.index.shape)[cells.present]
        native_quantiles(cells.table.arrays, cells.rows(), at, out, notes)

    return _noted(site, argument, native, kernel)


def _native_fractions(
    site: CallSite, argument: int, native: Matrix, lower: Float64s, upper: Float64s
) -> Matrix:
    def kernel(cells: HistogramCells, out: Float64s, notes: Int64s) -> None:
        low = np.broadcast_to(lower, cells.index.shape)[cells.present]
        high = np.broadcast_to(upper, cells.index.shape)[cells.present]
        native_fractions(cells.table.arrays, cells.rows(), low, high, out, notes)

    return _noted(site, argument, native, kernel)


def _noted(site: CallSite, argument: int, native: Matrix, kernel: _OfCells) -> Matrix:
    """A number of each histogram, with what the kernel has to report."""
    cells = native.histograms
    if cells is None:
        return native
    shown = cells.present
    count = int(np.count_nonzero(shown))
    out, notes = np.empty(count), np.zeros(count, np.int64)
    kernel(cells, out, notes)
    rows = np.nonzero(shown)[0]
    for bit, remark in _REMARKS.items():
        for row in np.unique(rows[(notes & bit) != 0]).tolist():
            name = _shown_name(site, native.labels[row].get(METRIC_NAME))
            site.annotations.add(remark(name, site.position(argument)))
    return _numbers(native, out)


def _numbers(vector: Matrix, numbers: Float64s) -> Matrix:
    """A number for each histogram of the vector, in row-major order."""
    cells = vector.histograms
    if cells is None:
        return Matrix.empty(vector.steps)
    values, present = np.zeros(cells.index.shape), cells.present
    values[present] = numbers
    return replace(vector, values=values, present=present, histograms=None)


def open_metrics_float(value: float) -> str:
    """A number as OpenMetrics writes it: never without a point or an exponent."""
    text = go_general(value + 0.0)
    return text if not np.isfinite(value) or any(char in text for char in "e.") else f"{text}.0"


def _buckets(site: CallSite, argument: int, vector: Matrix) -> Buckets:
    """The classic histograms in a vector, with a warning about each row that is no bucket."""
    buckets = classic_buckets(vector)
    for labels in buckets.unusable:
        name = _shown_name(site, labels.get(METRIC_NAME))
        site.annotations.add(bad_bucket_label(name, labels.get("le"), site.position(argument)))
    return buckets


def _note_fixes(site: CallSite, argument: int, fixed: Mapping[str, FixedBuckets]) -> None:
    for name, what in fixed.items():
        note = forced_monotonicity(_shown_name(site, name), what, site.position(argument))
        site.annotations.add(note)


def _shown_name(site: CallSite, name: str) -> str:
    """A metric's name as annotations show it: none where it is removed at once."""
    return name if site.switches.delayed_name_removal else ""


def _of_native(
    name: str,
    body: Callable[[Histograms, Int64s], Float64s],
    *,
    counts_only: bool | None = None,
) -> Function:
    """A function of the histograms in a vector: `body(table, rows) -> numbers`."""

    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        vector = cast("Matrix", values[0])
        cells = vector.histograms
        if cells is None:
            return Matrix.empty(vector.steps)
        with np.errstate(all="ignore"):
            return _numbers(vector, body(cells.table, cells.rows()))

    return function(name, (VECTOR,), counts_only=counts_only)(apply)


def _average(table: Histograms, rows: Int64s) -> Float64s:
    return table.sum[rows] / table.count[rows]


def _variance(table: Histograms, rows: Int64s) -> Float64s:
    out = np.empty(len(rows))
    variances(table.arrays, rows, out)
    return out


histogram_avg = _of_native("histogram_avg", _average, counts_only=True)
histogram_count = _of_native(
    "histogram_count", lambda table, rows: table.count[rows], counts_only=True
)
histogram_stddev = _of_native(
    "histogram_stddev", lambda table, rows: np.sqrt(_variance(table, rows))
)
histogram_stdvar = _of_native("histogram_stdvar", _variance)
histogram_sum = _of_native("histogram_sum", lambda table, rows: table.sum[rows], counts_only=True)
