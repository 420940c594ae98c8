"""Histograms of one layout, as neighbours mostly are: sums and differences without copying either.

What is computed is what `histogram_math.add` computes of such histograms, to the bit.
"""

from bridge.kernel import called, inlined
from bridge.model.bucket_bounds import CUSTOM_SCHEMA, exponential_bound, is_exponential
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNT,
    COUNTS,
    GAUGE,
    HINT,
    PLACES,
    SCHEMA,
    SIDE,
    SIZE,
    SUM,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
)
from bridge.model.histogram_math import add_number, join_hints
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch
from bridge.model.kahan import add as kahan_add
from bridge.model.kahan import is_infinite


@called
def fits(a: Scratch, table: Arrays, row: int) -> bool:
    """Whether a row's buckets are those of `a`, and none lies within the zero bucket."""
    same = (
        a.facts[SCHEMA] == table.rows[row, SCHEMA]
        and a.numbers[0, ZERO_THRESHOLD] == table.numbers[row, ZERO_THRESHOLD]
        and a.facts[LIMITS] == table.rows[row, BOUNDS_SIZE]
    )
    for side in range(2):
        size, at = table.rows[row, SIZE + SIDE * side], table.rows[row, PLACES + SIDE * side]
        same = same and a.facts[SIZES + side] == size and _beyond_zero(table, row, side)
        bucket = 0
        while same and bucket < size:
            same = a.places[side, bucket] >> 1 == table.places[at + bucket] >> 1
            bucket += 1
    bound = 0
    while same and bound < table.rows[row, BOUNDS_SIZE]:
        same = a.bounds[0, bound] == table.bounds[table.rows[row, BOUNDS] + bound]
        bound += 1
    return bool(same)


@inlined
def alike(table: Arrays, i: int, j: int) -> bool:
    """Whether two rows have the same buckets, none of them within the zero bucket."""
    same = (
        table.rows[i, SCHEMA] == table.rows[j, SCHEMA]
        and table.numbers[i, ZERO_THRESHOLD] == table.numbers[j, ZERO_THRESHOLD]
        and table.rows[i, BOUNDS_SIZE] == table.rows[j, BOUNDS_SIZE]
    )
    for side in range(2):
        size, at = table.rows[i, SIZE + SIDE * side], table.rows[i, PLACES + SIDE * side]
        other = table.rows[j, PLACES + SIDE * side]
        same = same and table.rows[j, SIZE + SIDE * side] == size and _beyond_zero(table, i, side)
        # Rows of one chunk share their places.
        bucket = size if at == other else 0
        while same and bucket < size:
            same = table.places[at + bucket] >> 1 == table.places[other + bucket] >> 1
            bucket += 1
    bound, at, other = 0, table.rows[i, BOUNDS], table.rows[j, BOUNDS]
    while same and at != other and bound < table.rows[i, BOUNDS_SIZE]:
        same = table.bounds[at + bound] == table.bounds[other + bound]
        bound += 1
    return bool(same)


@inlined
def _beyond_zero(table: Arrays, row: int, side: int) -> bool:
    """Whether all buckets of a side reach beyond the zero bucket: if the first one does."""
    schema = table.rows[row, SCHEMA]
    if not is_exponential(schema) or table.rows[row, SIZE + SIDE * side] == 0:
        return True
    first = table.places[table.rows[row, PLACES + SIDE * side]] >> 1
    return bool(exponential_bound(first, schema) > table.numbers[row, ZERO_THRESHOLD])


@called
def add_fitting(a: Scratch, table: Arrays, row: int) -> None:
    """Adds a row that fits, with Kahan summation."""
    join_hints(a, table.rows[row, HINT])
    if a.facts[SCHEMA] != CUSTOM_SCHEMA:
        add_number(a, ZERO_COUNT, table.numbers[row, ZERO_COUNT], True)
        # What reconciling zero buckets lost.
        add_number(a, ZERO_COUNT, 0.0, True)
    add_number(a, COUNT, table.numbers[row, COUNT], True)
    add_number(a, SUM, table.numbers[row, SUM], True)
    for side in range(2):
        first = table.rows[row, COUNTS + SIDE * side]
        for bucket in range(a.facts[SIZES + side]):
            a.counts[side, bucket], a.lost[side, bucket] = kahan_add(
                table.counts[first + bucket], a.counts[side, bucket], a.lost[side, bucket]
            )


@called
def would_overflow(a: Scratch, table: Arrays, row: int) -> bool:
    """Whether `histogram_math.overflows` would be true of `a` after adding a row that fits."""
    found = False
    for which in range(1, 4):
        found |= is_infinite(a.numbers[0, which] + table.numbers[row, which])
    for side in range(2):
        first = table.rows[row, COUNTS + SIDE * side]
        for bucket in range(a.facts[SIZES + side]):
            found |= is_infinite(a.counts[side, bucket] + table.counts[first + bucket])
    for bound in range(a.facts[LIMITS]):
        found |= is_infinite(a.bounds[0, bound])
    return found


@inlined
def load_difference(a: Scratch, table: Arrays, row: int, before: int) -> None:
    """Row `row` minus row `before`, which is alike: a gauge without empty buckets, nothing lost."""
    facts, bounds = a.facts, table.rows[row, BOUNDS_SIZE]
    facts[SCHEMA], facts[HINT], facts[LIMITS] = table.rows[row, SCHEMA], GAUGE, bounds
    a.numbers[0, ZERO_THRESHOLD] = table.numbers[row, ZERO_THRESHOLD]
    for which in range(1, 4):
        a.numbers[0, which] = table.numbers[row, which]
        if which != ZERO_COUNT or facts[SCHEMA] != CUSTOM_SCHEMA:
            a.numbers[0, which] -= table.numbers[before, which]
    for which in range(4):
        a.numbers[1, which] = 0.0
    for side in range(2):
        at, first = table.rows[row, PLACES + SIDE * side], table.rows[row, COUNTS + SIDE * side]
        earlier, size, last = table.rows[before, COUNTS + SIDE * side], 0, 0
        for bucket in range(table.rows[row, SIZE + SIDE * side]):
            count = table.counts[first + bucket] - table.counts[earlier + bucket]
            if count == 0.0:
                continue
            index = table.places[at + bucket] >> 1
            a.places[side, size] = 2 * index + int(size == 0 or index != last + 1)
            a.counts[side, size], a.lost[side, size] = count, 0.0
            size, last = size + 1, index
        facts[SIZES + side] = size
    for bound in range(bounds):
        a.bounds[0, bound] = table.bounds[table.rows[row, BOUNDS] + bound]
