"""One native histogram being worked on: from a table's row, and into a builder."""

from typing import Final, NamedTuple

import numpy as np

from bridge.kernel import called, inlined
from bridge.model.arrays import Float64s, Int64s
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNTS,
    HINT,
    NUMBERS_WIDTH,
    PLACES,
    SCHEMA,
    SIDE,
    SIZE,
    UNKNOWN,
    Arrays,
    Builder,
    copy_first,
    with_room,
)

# Behind SCHEMA and HINT in `facts`: the sizes of both sides, and of the custom bounds.
SIZES: Final = 2
LIMITS: Final = 4

# Two more for each of the thirteen exponential schemas.
_SPARE: Final = 32


class Scratch(NamedTuple):
    """A histogram, and with it what Kahan summation has lost of each number: a second histogram.

    `facts` int64 [5]: schema, hint, and how many positive buckets, negative ones and custom bounds.
    `numbers` float64 [2, NUMBERS_WIDTH]: the numbers and what they lost. `places` int64, `counts`
    and `lost` float64 [3, room]: positive buckets, negative ones, and a row to build new ones in.
    `bounds` float64 [2, room]: likewise.
    """

    facts: Int64s
    numbers: Float64s
    places: Int64s
    counts: Float64s
    lost: Float64s
    bounds: Float64s


@called
def new_scratch(buckets: int, bounds: int) -> Scratch:
    """An empty histogram with room for so many buckets of either side, and custom bounds."""
    buckets = max(buckets, bounds + 1)
    return Scratch(
        np.zeros(5, np.int64),
        np.zeros((2, NUMBERS_WIDTH)),
        np.zeros((3, buckets), np.int64),
        np.zeros((3, buckets)),
        np.zeros((3, buckets)),
        np.zeros((2, max(bounds, 1))),
    )


@called
def room_for(table: Arrays) -> tuple[int, int]:
    """How many buckets of a side, and bounds, any sum of a table's rows may have.

    A sum has no buckets but those of rows, merged for coarser schemas: of every schema half as
    many, and two more, as of the next finer one over the same range of places.
    """
    lowest, highest, bounds = 0, 0, 0
    for at in range(len(table.places)):
        lowest, highest = min(lowest, table.places[at]), max(highest, table.places[at])
    for row in range(len(table.rows)):
        bounds = max(bounds, table.rows[row, BOUNDS_SIZE])
    return min(highest - lowest, len(table.places)) + _SPARE, bounds


@called
def fitted(scratch: Scratch, buckets: int, bounds: int) -> Scratch:
    """The same histogram with room for so many buckets of either side, and bounds."""
    buckets = max(buckets, bounds + 1)
    if buckets <= scratch.places.shape[1] and bounds <= scratch.bounds.shape[1]:
        return scratch
    wider = new_scratch(
        max(2 * buckets, scratch.places.shape[1]), max(2 * bounds, scratch.bounds.shape[1])
    )
    _copy_numbers(wider, scratch)
    held, limits = scratch.places.shape[1], scratch.bounds.shape[1]
    for row in range(3):
        copy_first(held, scratch.places[row], wider.places[row])
        copy_first(held, scratch.counts[row], wider.counts[row])
        copy_first(held, scratch.lost[row], wider.lost[row])
    for row in range(2):
        copy_first(limits, scratch.bounds[row], wider.bounds[row])
    return wider


@inlined
def _copy_numbers(scratch: Scratch, other: Scratch) -> None:
    copy_first(len(other.facts), other.facts, scratch.facts)
    for row in range(2):
        copy_first(NUMBERS_WIDTH, other.numbers[row], scratch.numbers[row])


@called
def load(scratch: Scratch, table: Arrays, row: int) -> None:
    """A row of a table, nothing lost yet; replaces what the scratch held, which has the room."""
    line, facts = table.rows[row], scratch.facts
    bounds = line[BOUNDS_SIZE]
    facts[SCHEMA], facts[HINT], facts[LIMITS] = line[SCHEMA], line[HINT], bounds
    for which in range(NUMBERS_WIDTH):
        scratch.numbers[0, which], scratch.numbers[1, which] = table.numbers[row, which], 0.0
    for side in range(2):
        size, at = line[SIZE + SIDE * side], line[PLACES + SIDE * side]
        first = line[COUNTS + SIDE * side]
        facts[SIZES + side] = size
        for bucket in range(size):
            scratch.places[side, bucket] = table.places[at + bucket]
            scratch.counts[side, bucket] = table.counts[first + bucket]
            scratch.lost[side, bucket] = 0.0
    for bound in range(bounds):
        scratch.bounds[0, bound] = table.bounds[line[BOUNDS] + bound]


@called
def clear(scratch: Scratch) -> None:
    """Makes it the empty histogram of schema 0."""
    scratch.facts[:] = 0
    scratch.numbers[:] = 0.0


@called
def copy(scratch: Scratch, other: Scratch) -> None:
    """Makes it equal to another one, what was lost included; it has the room."""
    _copy_numbers(scratch, other)
    for side in range(2):
        for bucket in range(other.facts[SIZES + side]):
            scratch.places[side, bucket] = other.places[side, bucket]
            scratch.counts[side, bucket] = other.counts[side, bucket]
            scratch.lost[side, bucket] = other.lost[side, bucket]
    for bound in range(other.facts[LIMITS]):
        scratch.bounds[0, bound] = other.bounds[0, bound]


@called
def emit(builder: Builder, scratch: Scratch) -> Builder:
    """Adds the histogram to a builder as its next row, without what was lost."""
    facts, used = scratch.facts, builder.used
    builder = with_room(builder, facts[SIZES] + facts[SIZES + 1], facts[LIMITS])
    at = used[0]
    line = builder.rows[at]
    line[SCHEMA], line[HINT] = facts[SCHEMA], facts[HINT]
    copy_first(NUMBERS_WIDTH, scratch.numbers[0], builder.numbers[at])
    for side in range(2):
        size, first = facts[SIZES + side], used[2]
        for bucket in range(size):
            builder.counts[first + bucket] = scratch.counts[side, bucket]
        used[2] += size
        line[SIZE + SIDE * side], line[COUNTS + SIDE * side] = size, first
        line[PLACES + SIDE * side] = _places(builder, scratch, side)
    line[BOUNDS_SIZE], line[BOUNDS] = facts[LIMITS], _bounds(builder, scratch)
    used[0] += 1
    return builder


@called
def emit_lost(builder: Builder, scratch: Scratch) -> Builder:
    """Adds what was lost to a builder as its next row: the compensation histogram."""
    at, first = builder.used[0], builder.used[2]
    builder = emit(builder, scratch)
    builder.rows[at, HINT] = UNKNOWN
    for which in range(1, NUMBERS_WIDTH):
        builder.numbers[at, which] = scratch.numbers[1, which]
    for side in range(2):
        for bucket in range(scratch.facts[SIZES + side]):
            builder.counts[first] = scratch.lost[side, bucket]
            first += 1
    return builder


@called
def load_lost(scratch: Scratch, table: Arrays, row: int) -> None:
    """What a histogram lost, from a row with its very layout."""
    line = table.rows[row]
    for which in range(1, NUMBERS_WIDTH):
        scratch.numbers[1, which] = table.numbers[row, which]
    for side in range(2):
        first = line[COUNTS + SIDE * side]
        for bucket in range(line[SIZE + SIDE * side]):
            scratch.lost[side, bucket] = table.counts[first + bucket]


@inlined
def _places(builder: Builder, scratch: Scratch, side: int) -> int:
    """Where this side's places are in the pool: the row before often has the same."""
    size, used = scratch.facts[SIZES + side], builder.used
    if used[0]:
        before = builder.rows[used[0] - 1]
        at, same = before[PLACES + SIDE * side], before[SIZE + SIDE * side] == size
        bucket = 0
        while same and bucket < size:
            same = builder.places[at + bucket] == scratch.places[side, bucket]
            bucket += 1
        if same:
            return int(at)
    at = used[1]
    for bucket in range(size):
        builder.places[at + bucket] = scratch.places[side, bucket]
    used[1] += size
    return int(at)


@inlined
def _bounds(builder: Builder, scratch: Scratch) -> int:
    """Where the custom bounds are in the pool."""
    size, used = scratch.facts[LIMITS], builder.used
    if used[0]:
        before = builder.rows[used[0] - 1]
        at, same = before[BOUNDS], before[BOUNDS_SIZE] == size
        bound = 0
        while same and bound < size:
            same = builder.bounds[at + bound] == scratch.bounds[0, bound]
            bound += 1
        if same:
            return int(at)
    at = used[3]
    for bound in range(size):
        builder.bounds[at + bound] = scratch.bounds[0, bound]
    used[3] += size
    return int(at)
