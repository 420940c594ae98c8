"""Classic histograms: which series are the buckets of which histogram, quantiles and fractions.

Source: BucketQuantile, BucketFraction and their helpers in promql/quantile.go.
"""

import math
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.kernel import b1_in2, b1_out2, f8_in, f8_in2, f8_out2, i8_in, inlined, kernel
from bridge.model.annotations import FixedBuckets
from bridge.model.labels import METRIC_NAME, Labels, LabelTable
from bridge.model.samples import Float64s, Int64s
from bridge.model.time import parse_float
from bridge.model.vectors import Bools, Matrix

_BOUND: Final = frozenset({"le"})
# Counts of neighbours that differ relatively by less are taken for rounding errors.
_TOLERANCE: Final = 1e-12
_LEAST_NORMAL: Final = sys.float_info.min
_LARGEST: Final = sys.float_info.max

# Columns of what was fixed of each histogram: how often, lowest and highest bound, greatest fall,
# and the first and the last step.
_COUNT: Final = 0
_LOWEST: Final = 1
_HIGHEST: Final = 2
_FALL: Final = 3
_FIRST: Final = 4
_LAST: Final = 5
_UNFIXED: Final = (0.0, math.inf, -math.inf, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """The bucket series of H histograms.

    `labels` are the histograms' labels, without `le`. The buckets of histogram h are the rows
    `members[starts[h]:starts[h + 1]]` of the vector, by upper bound; `bounds` float64 goes with
    `members`. `unusable` are the rows that are present somewhere but whose `le` is no number.
    """

    labels: LabelTable
    members: Int64s
    starts: Int64s
    bounds: Float64s
    unusable: tuple[Labels, ...]


def classic_buckets(vector: Matrix) -> Buckets:
    """The histograms in a vector, in the order of their first buckets."""
    histograms: dict[Labels, list[tuple[float, int]]] = {}
    unusable = []
    seen = set(np.flatnonzero(vector.present.any(axis=1)).tolist())
    whole = vector.labels.mapped("without le", lambda row: row.drop(_BOUND))
    for row, labels in enumerate(vector.labels):
        try:
            bound = parse_float(labels.get("le"))
        except ValueError:
            unusable.extend([labels] if row in seen else [])
        else:
            histograms.setdefault(whole[row], []).append((bound, row))
    ordered = [bucket for buckets in histograms.values() for bucket in _by_bound(buckets)]
    starts = np.cumsum([0, *map(len, histograms.values())], dtype=np.int64)
    members = np.array([row for _, row in ordered], dtype=np.int64)
    bounds = np.array([bound for bound, _ in ordered], dtype=np.float64)
    return Buckets(LabelTable(histograms), members, starts, bounds, tuple(unusable))


def _by_bound(buckets: list[tuple[float, int]]) -> list[tuple[float, int]]:
    return sorted(buckets, key=lambda bucket: (math.isnan(bucket[0]), bucket[0]))


def quantiles(
    vector: Matrix, buckets: Buckets, wanted: Float64s, times: Int64s
) -> tuple[Matrix, dict[str, FixedBuckets]]:
    """The quantile `wanted` float64 [T] of every histogram; by metric what was fixed for it."""
    values, present = _outcome(buckets, vector)
    fixes = np.tile(_UNFIXED, (len(buckets.labels), 1))
    _quantiles(*_arrays(vector, buckets), wanted, values, present, fixes)
    fixed: dict[str, FixedBuckets] = {}
    for row in np.flatnonzero(fixes[:, _COUNT]).tolist():
        count, lowest, highest, fall, first, last = fixes[row].tolist()
        span = (int(times[int(first)]), int(times[int(last)]))
        found = FixedBuckets(lowest, highest, fall, int(count), *span)
        name = buckets.labels[row].get(METRIC_NAME)
        fixed[name] = found.joined(fixed[name]) if name in fixed else found
    return Matrix(buckets.labels, values, present), fixed


def fractions(vector: Matrix, buckets: Buckets, lower: Float64s, upper: Float64s) -> Matrix:
    """The share of observations between `lower` and `upper` float64 [T] in every histogram."""
    values, present = _outcome(buckets, vector)
    _fractions(*_arrays(vector, buckets), lower, upper, values, present)
    return Matrix(buckets.labels, values, present)


def _outcome(buckets: Buckets, vector: Matrix) -> tuple[Float64s, Bools]:
    shape = (len(buckets.labels), vector.steps)
    return np.empty(shape), np.empty(shape, dtype=np.bool_)


def _arrays(vector: Matrix, buckets: Buckets) -> tuple[Float64s, Bools, Int64s, Int64s, Float64s]:
    return vector.values, vector.present, buckets.members, buckets.starts, buckets.bounds


@kernel(f8_in2, b1_in2, i8_in, i8_in, f8_in, f8_in, f8_out2, b1_out2, f8_out2)
def _quantiles(values, present, members, starts, bounds, wanted, out, shown, fixes):  # type: ignore[no-untyped-def]
    held_bounds, held_counts = np.empty(len(bounds)), np.empty(len(bounds))
    for histogram in range(len(starts) - 1):
        first, last = starts[histogram], starts[histogram + 1]
        for step in range(len(wanted)):
            held = _gather(
                values, present, members, bounds, first, last, step, held_bounds, held_counts
            )
            shown[histogram, step] = held > 0
            if held > 0:
                before = fixes[histogram, _COUNT]
                out[histogram, step] = _quantile(
                    wanted[step], held_bounds, held_counts, held, fixes[histogram]
                )
                if fixes[histogram, _COUNT] > before:
                    fixes[histogram, _LAST] = step
                    if before == 0.0:
                        fixes[histogram, _FIRST] = step


@kernel(f8_in2, b1_in2, i8_in, i8_in, f8_in, f8_in, f8_in, f8_out2, b1_out2)
def _fractions(values, present, members, starts, bounds, lower, upper, out, shown):  # type: ignore[no-untyped-def]
    held_bounds, held_counts = np.empty(len(bounds)), np.empty(len(bounds))
    for histogram in range(len(starts) - 1):
        first, last = starts[histogram], starts[histogram + 1]
        for step in range(len(lower)):
            held = _gather(
                values, present, members, bounds, first, last, step, held_bounds, held_counts
            )
            shown[histogram, step] = held > 0
            if held > 0:
                out[histogram, step] = _fraction(
                    lower[step], upper[step], held_bounds, held_counts, held
                )


@inlined
def _gather(values, present, members, bounds, first, last, step, held_bounds, held_counts):  # type: ignore[no-untyped-def]
    """One histogram at one step: buckets with equal bounds are one; returns how many there are."""
    held = 0
    for i in range(first, last):
        row = members[i]
        if not present[row, step]:
            continue
        if held > 0 and held_bounds[held - 1] == bounds[i]:
            held_counts[held - 1] += values[row, step]
        else:
            held_bounds[held] = bounds[i]
            held_counts[held] = values[row, step]
            held += 1
    return held


@inlined
def _quantile(wanted, bounds, counts, held, fix):  # type: ignore[no-untyped-def]
    if math.isnan(wanted):
        return math.nan
    if wanted < 0.0:
        return -math.inf
    if wanted > 1.0:
        return math.inf
    if bounds[held - 1] != math.inf:
        return math.nan
    _make_monotonic(bounds, counts, held, fix)
    if held < 2 or counts[held - 1] == 0.0:
        return math.nan
    rank = wanted * counts[held - 1]
    at = _first_with(counts, held - 1, rank)
    if at == held - 1:
        return bounds[held - 2]
    if at == 0 and bounds[0] <= 0.0:
        return bounds[0]
    start, count = 0.0, counts[at]
    if at > 0:
        start = bounds[at - 1]
        count -= counts[at - 1]
        rank -= counts[at - 1]
    return start + (bounds[at] - start) * (rank / count)


@inlined
def _first_with(counts, length, rank):  # type: ignore[no-untyped-def]
    """The first of `length` buckets that holds `rank` observations, or `length`; by bisection."""
    low, high = 0, length
    while low < high:
        middle = (low + high) >> 1
        if counts[middle] >= rank:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _make_monotonic(bounds, counts, held, fix):  # type: ignore[no-untyped-def]
    """Lifts counts that are less than the one before; notes what it did in `fix`.

    A difference that looks like a rounding error is levelled without a note.
    """
    previous, greatest_fall = counts[0], 0.0
    lowest, highest = math.inf, -math.inf
    for i in range(1, held):
        count = counts[i]
        if count == previous:
            continue
        if _almost_equal(previous, count):
            counts[i] = previous
        elif count < previous:
            counts[i] = previous
            lowest, highest = min(lowest, bounds[i]), max(highest, bounds[i])
            greatest_fall = max(greatest_fall, previous - count)
        else:
            previous = count
    if lowest <= highest:
        fix[_COUNT] += 1.0
        fix[_LOWEST] = min(fix[_LOWEST], lowest)
        fix[_HIGHEST] = max(fix[_HIGHEST], highest)
        fix[_FALL] = max(fix[_FALL], greatest_fall)


@inlined
def _almost_equal(a, b):  # type: ignore[no-untyped-def]
    """Source: util/almost/almost.go."""
    if math.isnan(a) and math.isnan(b):
        return True
    total, difference = abs(a) + abs(b), abs(a - b)
    if a == 0.0 or b == 0.0 or total < _LEAST_NORMAL:
        return difference < _TOLERANCE * _LEAST_NORMAL
    return difference / min(total, _LARGEST) < _TOLERANCE


@inlined
def _fraction(lower, upper, bounds, counts, held):  # type: ignore[no-untyped-def]
    total = counts[held - 1]
    if bounds[held - 1] != math.inf or total == 0.0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    below_lower = _rank(lower, bounds, counts, held)
    below_upper = _rank(upper, bounds, counts, held)
    return (below_upper - below_lower) / total


@inlined
def _rank(value, bounds, counts, held):  # type: ignore[no-untyped-def]
    """How many observations are less than `value`: interpolated, at most all."""
    total, rank = counts[held - 1], 0.0
    start = 0.0 if bounds[0] > 0.0 else -math.inf
    for i in range(held):
        if start >= value:
            return min(rank, total)
        if bounds[i] > value:
            inside = counts[i]
            if start != -math.inf:
                inside = rank + (counts[i] - rank) * (value - start) / (bounds[i] - start)
            return min(inside, total)
        rank, start = counts[i], bounds[i]
    return total
