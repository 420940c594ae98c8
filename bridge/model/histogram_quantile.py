"""Quantiles, fractions and variance of native histograms.

Source: HistogramQuantile and HistogramFraction in promql/quantile.go, histogramVariance in
promql/functions.go of Prometheus.
"""

import math
from typing import Final

import numpy as np

from bridge.kernel import called, f8_in, f8_out, i8_in, i8_out, inlined, rare_kernel
from bridge.model.arrays import Float64s, Int64s
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.gomath.powers import exp2, log2
from bridge.model.histogram_buckets import bucket_bounds, bucket_count, bucket_number
from bridge.model.histogram_layout import (
    COUNT,
    SCHEMA,
    SIDE,
    SIZE,
    SUM,
    Arrays,
    arrays_in,
)
from bridge.model.kahan import add as kahan_add

# What there is to report of a histogram with NaN observations.
NAN_RESULT: Final = 1
NAN_SKEW: Final = 2
NAN_EXCLUDED: Final = 4


@rare_kernel(arrays_in, i8_in, f8_in, f8_out, i8_out)
def quantiles(table: Arrays, rows: Int64s, at: Float64s, out: Float64s, notes: Int64s) -> None:
    """The quantile at[i] of row rows[i]; `notes` get NAN_RESULT or NAN_SKEW."""
    for cell in range(len(rows)):
        out[cell], notes[cell] = _quantile(table, rows[cell], at[cell])


@called
def _quantile(table: Arrays, row: int, q: float) -> tuple[float, int]:
    total, unsummed = table.numbers[row, COUNT], np.isnan(table.numbers[row, SUM])
    if q < 0.0 or q > 1.0:
        return math.copysign(math.inf, q), 0
    if total == 0.0 or np.isnan(q):
        return math.nan, 0
    upward = unsummed or q < 0.5
    rank = (q if upward else 1.0 - q) * total
    at, found, counted = _bucket_of_rank(table, row, rank, upward)
    lower, upper = _natural_bounds(table, row, found)
    if table.rows[row, SCHEMA] == CUSTOM_SCHEMA and found >= 0:
        lowest, highest = bucket_bounds(table, row, found)
        if lowest == -math.inf and upper <= 0.0:
            return upper, 0
        if lowest != -math.inf and highest == math.inf:
            return lower, 0
    counted = min(counted, total)
    if counted < rank:
        return (math.nan, NAN_RESULT) if unsummed else (upper, 0)
    held = 0.0 if found < 0 else bucket_count(table, row, found)
    rank = rank - (counted - held) if upward else counted - rank
    if not unsummed:
        return _interpolated(table, row, lower, upper, rank / held), 0
    # What is left is only counted, but Prometheus goes on with the last bucket that it counts.
    for k in range(at + 1, bucket_number(table, row)):
        if _is_there(table, row, k):
            counted += bucket_count(table, row, k)
            held = bucket_count(table, row, k)
            lower, upper = bucket_bounds(table, row, k)
    notes = NAN_SKEW if counted < total else 0
    return _interpolated(table, row, lower, upper, rank / held), notes


@inlined
def _bucket_of_rank(table: Arrays, row: int, rank: float, upward: bool) -> tuple[int, int, float]:
    """Walks until so many are counted: steps taken, the last bucket seen (or -1), the count."""
    size = bucket_number(table, row)
    at, found, counted = -1, -1, 0.0
    while at + 1 < size:
        at += 1
        k = at if upward else size - 1 - at
        if not _is_there(table, row, k):
            continue
        found = k
        here = bucket_count(table, row, k)
        if here != 0.0:
            counted += here
            if counted >= rank:
                break
    return at, found, counted


@inlined
def _is_there(table: Arrays, row: int, k: int) -> bool:
    """Whether bucket k is seen at all: a zero bucket is only if it counts something."""
    return bool(k != table.rows[row, SIZE + SIDE] or bucket_count(table, row, k) > 0.0)


@inlined
def _natural_bounds(table: Arrays, row: int, k: int) -> tuple[float, float]:
    """A bucket's bounds, where 0 limits what is known to be of one sign."""
    if k < 0:
        return 0.0, 0.0
    lower, upper = bucket_bounds(table, row, k)
    if table.rows[row, SCHEMA] == CUSTOM_SCHEMA:
        return (0.0 if lower == -math.inf and upper > 0.0 else lower), upper
    if lower < 0.0 and upper > 0.0:
        return _one_sided(table, row, lower, upper)
    return lower, upper


@inlined
def _one_sided(table: Arrays, row: int, lower: float, upper: float) -> tuple[float, float]:
    """Of a bucket around zero: without negative buckets it begins at 0, without positive ends."""
    positive, negative = table.rows[row, SIZE], table.rows[row, SIZE + SIDE]
    if negative == 0 and positive > 0:
        return 0.0, upper
    return lower, 0.0 if positive == 0 and negative > 0 else upper


@inlined
def _interpolated(table: Arrays, row: int, lower: float, upper: float, fraction: float) -> float:
    """The value so far into a bucket: linearly in custom and zero buckets, else exponentially."""
    if table.rows[row, SCHEMA] == CUSTOM_SCHEMA or (lower <= 0.0 and upper >= 0.0):
        return lower + (upper - lower) * fraction
    low, high = log2(abs(lower)), log2(abs(upper))
    if lower > 0.0:
        return exp2(low + (high - low) * fraction)
    return -exp2(high + (low - high) * (1.0 - fraction))


@inlined
def fraction_below(lower: float, upper: float, value: float, linear: bool) -> float:
    """The share of a bucket below a value within it."""
    if linear:
        return (value - lower) / (upper - lower)
    low, high, here = log2(abs(lower)), log2(abs(upper)), log2(abs(value))
    if value > 0.0:
        return (here - low) / (high - low)
    return 1.0 - ((here - high) / (low - high))


@rare_kernel(arrays_in, i8_in, f8_in, f8_in, f8_out, i8_out)
def fractions(
    table: Arrays, rows: Int64s, lower: Float64s, upper: Float64s, out: Float64s, notes: Int64s
) -> None:
    """The share of row rows[i]'s observations from lower[i] to upper[i]; notes: NAN_EXCLUDED."""
    for cell in range(len(rows)):
        row = rows[cell]
        total = table.numbers[row, COUNT]
        notes[cell] = 0
        if total == 0.0 or np.isnan(lower[cell]) or np.isnan(upper[cell]):
            out[cell] = math.nan
        elif lower[cell] >= upper[cell]:
            out[cell] = 0.0
        else:
            below, above, notes[cell] = _ranks(table, row, lower[cell], upper[cell])
            out[cell] = (above - below) / total


@called
def _ranks(table: Arrays, row: int, low: float, high: float) -> tuple[float, float, int]:
    """How many observations are below either value, and what there is to report."""
    counted, rank, low_rank, high_rank = 0.0, 0.0, 0.0, 0.0
    low_set, high_set, both = False, False, False
    for k in range(bucket_number(table, row)):
        here = bucket_count(table, row, k)
        if not _is_there(table, row, k):
            continue
        counted += here
        if both:
            continue
        lower, upper = bucket_bounds(table, row, k)
        linear = table.rows[row, SCHEMA] == CUSTOM_SCHEMA
        if lower <= 0.0 and upper >= 0.0:
            linear = True
            lower, upper = _one_sided(table, row, lower, upper)
        if not low_set and (lower >= low or upper > low):
            low_set, low_rank = True, _rank_at(lower, upper, low, here, rank, linear)
        if not high_set and (lower >= high or upper > high):
            high_set, high_rank = True, _rank_at(lower, upper, high, here, rank, linear)
        both = low_set and high_set
        rank += here
    notes = 0
    if np.isnan(table.numbers[row, SUM]):
        notes = NAN_EXCLUDED if counted < table.numbers[row, COUNT] else 0
    else:
        counted = table.numbers[row, COUNT]
    low_rank = counted if not low_set or low_rank > counted else low_rank
    high_rank = counted if not high_set or high_rank > counted else high_rank
    return low_rank, high_rank, notes


@inlined
def _rank_at(
    lower: float, upper: float, value: float, count: float, rank: float, linear: bool
) -> float:
    """How many observations are at or below a value that is in this bucket or before it."""
    if lower >= value:
        return rank
    if linear and lower == -math.inf:
        return count
    return rank + count * fraction_below(lower, upper, value, linear)


@rare_kernel(arrays_in, i8_in, f8_out)
def variances(table: Arrays, rows: Int64s, out: Float64s) -> None:
    """The variance of row rows[i]'s observations, each taken for the middle of its bucket."""
    for cell in range(len(rows)):
        out[cell] = _variance(table, rows[cell])


@called
def _variance(table: Arrays, row: int) -> float:
    total, lost = 0.0, 0.0
    mean = table.numbers[row, SUM] / table.numbers[row, COUNT]
    for k in range(bucket_number(table, row)):
        count = bucket_count(table, row, k)
        if count == 0.0:
            continue
        lower, upper = bucket_bounds(table, row, k)
        if table.rows[row, SCHEMA] == CUSTOM_SCHEMA:
            middle = (upper + lower) / 2.0
        elif lower <= 0.0 and upper >= 0.0:
            middle = 0.0
        else:
            middle = math.copysign(np.sqrt(upper * lower), upper)
        delta = middle - mean
        total, lost = kahan_add(count * delta * delta, total, lost)
    return float((total + lost) / table.numbers[row, COUNT])
