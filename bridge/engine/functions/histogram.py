"""Functions of histograms: quantiles and fractions of classic buckets; count, sum and the like.

Source: the funcHistogram* functions in promql/functions.go, resetHistograms in promql/engine.go.
"""

from typing import cast

from bridge.engine.buckets import Buckets, classic_buckets, fractions, quantiles
from bridge.engine.function import SCALAR, VECTOR, CallSite, Function, function
from bridge.engine.functions.quantile import warn_of_invalid
from bridge.model.annotations import bad_bucket_label, forced_monotonicity
from bridge.model.vectors import Matrix, Scalar, Value


@function("histogram_quantile", (SCALAR, VECTOR))
def histogram_quantile(site: CallSite, values: tuple[Value, ...]) -> Value:
    wanted, vector = cast("Scalar", values[0]).values, cast("Matrix", values[1])
    warn_of_invalid(site, 0, wanted)
    buckets = _buckets(site, 1, vector)
    result, fixed = quantiles(vector, buckets, wanted, site.steps.times())
    if fixed is not None:
        site.annotations.add(forced_monotonicity("", fixed, site.position(1)))
    return result


@function("histogram_fraction", (SCALAR, SCALAR, VECTOR))
def histogram_fraction(site: CallSite, values: tuple[Value, ...]) -> Value:
    lower, upper = cast("Scalar", values[0]).values, cast("Scalar", values[1]).values
    vector = cast("Matrix", values[2])
    return fractions(vector, _buckets(site, 2, vector), lower, upper)


def _buckets(site: CallSite, argument: int, vector: Matrix) -> Buckets:
    """The classic histograms in a vector, with a warning about each row that is no bucket."""
    buckets = classic_buckets(vector)
    for labels in buckets.unusable:
        note = bad_bucket_label("", labels.get("le"), site.position(argument))
        site.annotations.add(note)
    return buckets


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
