"""Functions of histograms: quantiles and fractions of classic buckets; count, sum and the like.

Source: the funcHistogram* functions in promql/functions.go, resetHistograms in promql/engine.go.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import cast

import numpy as np

from bridge.engine.buckets import Buckets, classic_buckets, fractions, quantiles
from bridge.engine.function import SCALAR, STRING, VECTOR, CallSite, Function, function
from bridge.engine.functions.quantile import warn_of_invalid
from bridge.model.annotations import (
    FixedBuckets,
    bad_bucket_label,
    forced_monotonicity,
    go_general,
)
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.samples import Float64s
from bridge.model.vectors import Matrix, Scalar, Value, stacked


@function("histogram_quantile", (SCALAR, VECTOR))
def histogram_quantile(site: CallSite, values: tuple[Value, ...]) -> Value:
    wanted, vector = cast("Scalar", values[0]).values, cast("Matrix", values[1])
    warn_of_invalid(site, 0, wanted)
    buckets = _buckets(site, 1, vector)
    result, fixed = quantiles(vector, buckets, wanted, site.steps.times())
    _note_fixes(site, 1, fixed)
    return result


@function("histogram_quantiles", (VECTOR, STRING, SCALAR, SCALAR), variadic=9, experimental=True)
def histogram_quantiles(site: CallSite, values: tuple[Value, ...]) -> Value:
    vector, label = cast("Matrix", values[0]), site.text(1)
    buckets = _buckets(site, 0, vector)
    parts: list[Matrix] = []
    for index in range(2, len(values)):
        wanted = cast("Scalar", values[index]).values
        warn_of_invalid(site, index, wanted)
        result, fixed = quantiles(vector, buckets, wanted, site.steps.times())
        _note_fixes(site, 0, fixed)
        parts += _labelled(result, label, wanted)
    return stacked(parts)


def _labelled(result: Matrix, label: str, wanted: Float64s) -> Iterator[Matrix]:
    """The quantiles with φ as a label, one matrix for each φ that there is over the steps."""
    for quantile in np.unique(wanted).tolist():
        change = partial(Labels.with_label, name=label, value=open_metrics_float(quantile))
        labels = result.labels.mapped((label, change.keywords["value"]), change)
        there = np.isnan(wanted) if np.isnan(quantile) else wanted == quantile
        yield Matrix(labels, result.values, result.present & there)


@function("histogram_fraction", (SCALAR, SCALAR, VECTOR))
def histogram_fraction(site: CallSite, values: tuple[Value, ...]) -> Value:
    lower, upper = cast("Scalar", values[0]).values, cast("Scalar", values[1]).values
    vector = cast("Matrix", values[2])
    return fractions(vector, _buckets(site, 2, vector), lower, upper)


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


def _of_native(name: str) -> Function:
    """A function that ignores floats: of a vector of floats it is empty."""

    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        return Matrix.empty(cast("Matrix", values[0]).steps)

    return function(name, (VECTOR,))(apply)


histogram_avg = _of_native("histogram_avg")
histogram_count = _of_native("histogram_count")
histogram_stddev = _of_native("histogram_stddev")
histogram_stdvar = _of_native("histogram_stdvar")
histogram_sum = _of_native("histogram_sum")
