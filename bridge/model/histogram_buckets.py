"""The buckets of a row in order, with their bounds.

Bucket k of a row counts from the lowest: the negative ones from far to near, the zero bucket, the
positive ones. Source: allFloatBucketIterator in model/histogram/float_histogram.go of Prometheus.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import boolean

from bridge.kernel import i8_in, inlined, rare_kernel
from bridge.model.arrays import Float64s, Int64s
from bridge.model.bucket_bounds import CUSTOM_SCHEMA, exponential_bound
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNTS,
    PLACES,
    SCHEMA,
    SIDE,
    SIZE,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    arrays_in,
)


@inlined
def bucket_number(table: Arrays, row: int) -> int:
    """How many buckets a row has, empty ones and the zero bucket included."""
    return int(table.rows[row, SIZE] + table.rows[row, SIZE + SIDE] + 1)


@inlined
def bucket_count(table: Arrays, row: int, k: int) -> float:
    """What bucket k counts; a zero bucket that counts nothing, or less, counts as absent."""
    line = table.rows[row]
    negative = line[SIZE + SIDE]
    if k < negative:
        return float(table.counts[line[COUNTS + SIDE] + negative - 1 - k])
    if k > negative:
        return float(table.counts[line[COUNTS] + k - negative - 1])
    zeros = table.numbers[row, ZERO_COUNT]
    return zeros if zeros > 0.0 and line[SCHEMA] != CUSTOM_SCHEMA else 0.0


@inlined
def bucket_bounds(table: Arrays, row: int, k: int) -> tuple[float, float]:
    """Where bucket k begins and ends; none reaches into the zero bucket."""
    lower, upper = schema_bounds(table, row, k)
    threshold = table.numbers[row, ZERO_THRESHOLD]
    if 0.0 < lower < threshold:
        lower = threshold
    if -threshold < upper < 0.0:
        upper = -threshold
    return lower, upper


@inlined
def schema_bounds(table: Arrays, row: int, k: int) -> tuple[float, float]:
    """Where bucket k begins and ends by the schema alone."""
    line = table.rows[row]
    negative, threshold = line[SIZE + SIDE], table.numbers[row, ZERO_THRESHOLD]
    if k == negative:
        return -threshold, threshold
    if k < negative:
        index = table.places[line[PLACES + SIDE] + negative - 1 - k] >> 1
        return (
            -exponential_bound(index, line[SCHEMA]),
            -exponential_bound(index - 1, line[SCHEMA]),
        )
    index = table.places[line[PLACES] + k - negative - 1] >> 1
    if line[SCHEMA] != CUSTOM_SCHEMA:
        return exponential_bound(index - 1, line[SCHEMA]), exponential_bound(index, line[SCHEMA])
    lower, upper = -math.inf, math.inf
    if index > 0:
        lower = table.bounds[line[BOUNDS] + index - 1]
    if index < line[BOUNDS_SIZE]:
        upper = table.bounds[line[BOUNDS] + index]
    return lower, upper


class Populated(NamedTuple):
    """Buckets that count something: row i's are offsets[i] to offsets[i+1] of the other arrays.

    `rules` int64 say which bounds belong to a bucket: 0 (lower, upper], 1 [lower, upper), 2 none,
    3 both.
    """

    offsets: Int64s
    rules: Int64s
    lower: Float64s
    upper: Float64s
    counts: Float64s


@rare_kernel(arrays_in, i8_in, boolean)
def populated(table: Arrays, rows: Int64s, by_schema: bool) -> Populated:
    """The populated buckets of rows, ascending: as the API shows them, or by the schema alone."""
    offsets, size = np.zeros(len(rows) + 1, np.int64), 0
    for i in range(len(rows)):
        size += bucket_number(table, rows[i])
    rules, counts = np.empty(size, np.int64), np.empty(size, np.float64)
    lowers, uppers = np.empty(size, np.float64), np.empty(size, np.float64)
    at = 0
    for i in range(len(rows)):
        row = rows[i]
        for k in range(bucket_number(table, row)):
            count = bucket_count(table, row, k)
            if by_schema and k == table.rows[row, SIZE + SIDE]:
                count = table.numbers[row, ZERO_COUNT]
            if count == 0.0:
                continue
            lower, upper = schema_bounds(table, row, k)
            rules[at] = _rule(table, row, k, lower, upper)
            if not by_schema:
                lower, upper = bucket_bounds(table, row, k)
            lowers[at], uppers[at], counts[at] = lower, upper, count
            at += 1
        offsets[i + 1] = at
    return Populated(
        offsets, rules[:at].copy(), lowers[:at].copy(), uppers[:at].copy(), counts[:at].copy()
    )


@inlined
def _rule(table: Arrays, row: int, k: int, lower: float, upper: float) -> int:
    """Which bounds belong to a bucket: the outer one, and of the lowest custom bucket both."""
    if k == table.rows[row, SIZE + SIDE]:
        return 3
    if table.rows[row, SCHEMA] == CUSTOM_SCHEMA:
        return 3 if lower == -math.inf else 0
    if lower < 0.0:
        return 3 if upper > 0.0 else 1
    return 0 if upper > 0.0 else 2
