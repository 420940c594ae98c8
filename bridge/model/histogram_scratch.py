"""One native histogram being worked on: from a table's row, and into a builder."""

from typing import NamedTuple

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
    with_room,
)

# Behind SCHEMA and HINT in `facts`: the sizes of both sides, and of the custom bounds.
SIZES = 2
LIMITS = 4


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
def new_scratch() -> Scratch:
    """An empty histogram."""
    return Scratch(
        np.zeros(5, np.int64),
        np.zeros((2, NUMBERS_WIDTH)),
        np.zeros((3, 64), np.int64),
        np.zeros((3, 64)),
        np.zeros((3, 64)),
        np.zeros((2, 16)),
    )


@called
def fitted(scratch: Scratch, buckets: int, bounds: int) -> Scratch:
    """The same histogram with room for so many buckets of either side, and bounds."""
    places, counts, lost, limits = scratch.places, scratch.counts, scratch.lost, scratch.bounds
    if buckets > places.shape[1]:
        held, room = places.shape[1], 2 * buckets
        places = np.zeros((3, room), np.int64)
        counts, lost = np.zeros((3, room)), np.zeros((3, room))
        places[:, :held], counts[:, :held] = scratch.places, scratch.counts
        lost[:, :held] = scratch.lost
    if bounds > limits.shape[1]:
        limits = np.zeros((2, 2 * bounds))
        limits[:, : scratch.bounds.shape[1]] = scratch.bounds
    return Scratch(scratch.facts, scratch.numbers, places, counts, lost, limits)


@inlined
def roomy(scratch: Scratch, other: Scratch) -> Scratch:
    """The same histogram with room to add another one to it."""
    facts, more = scratch.facts, other.facts
    buckets = max(facts[SIZES] + more[SIZES], facts[SIZES + 1] + more[SIZES + 1])
    # Custom buckets of different bounds are laid out anew, up to one more than there are bounds.
    buckets = max(buckets, facts[LIMITS] + 1, more[LIMITS] + 1)
    if buckets > scratch.places.shape[1] or more[LIMITS] > scratch.bounds.shape[1]:
        return fitted(scratch, buckets, max(facts[LIMITS], more[LIMITS]))
    return scratch


@called
def load(scratch: Scratch, table: Arrays, row: int) -> Scratch:
    """A row of a table, nothing lost yet; replaces what the scratch held."""
    line = table.rows[row]
    bounds = line[BOUNDS_SIZE]
    buckets = max(line[SIZE], line[SIZE + SIDE], bounds + 1)
    if buckets > scratch.places.shape[1] or bounds > scratch.bounds.shape[1]:
        scratch = fitted(scratch, buckets, bounds)
    facts = scratch.facts
    facts[SCHEMA], facts[HINT], facts[LIMITS] = line[SCHEMA], line[HINT], bounds
    scratch.numbers[0, :] = table.numbers[row]
    scratch.numbers[1, :] = 0.0
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
    return scratch


@called
def clear(scratch: Scratch) -> None:
    """Makes it the empty histogram of schema 0."""
    scratch.facts[:] = 0
    scratch.numbers[:] = 0.0


@called
def copy(scratch: Scratch, other: Scratch) -> Scratch:
    """Makes it equal to another one, what was lost included."""
    if other.places.shape[1] > scratch.places.shape[1]:
        scratch = fitted(scratch, other.places.shape[1], 0)
    if other.bounds.shape[1] > scratch.bounds.shape[1]:
        scratch = fitted(scratch, 0, other.bounds.shape[1])
    scratch.facts[:] = other.facts
    scratch.numbers[:] = other.numbers
    for side in range(2):
        for bucket in range(other.facts[SIZES + side]):
            scratch.places[side, bucket] = other.places[side, bucket]
            scratch.counts[side, bucket] = other.counts[side, bucket]
            scratch.lost[side, bucket] = other.lost[side, bucket]
    for bound in range(other.facts[LIMITS]):
        scratch.bounds[0, bound] = other.bounds[0, bound]
    return scratch


@called
def emit(builder: Builder, scratch: Scratch) -> Builder:
    """Adds the histogram to a builder as its next row, without what was lost."""
    facts, used = scratch.facts, builder.used
    builder = with_room(builder, facts[SIZES] + facts[SIZES + 1], facts[LIMITS])
    at = used[0]
    line = builder.rows[at]
    line[SCHEMA], line[HINT] = facts[SCHEMA], facts[HINT]
    builder.numbers[at, :] = scratch.numbers[0]
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
    builder.numbers[at, 1:] = scratch.numbers[1, 1:]
    for side in range(2):
        for bucket in range(scratch.facts[SIZES + side]):
            builder.counts[first] = scratch.lost[side, bucket]
            first += 1
    return builder


@called
def load_lost(scratch: Scratch, table: Arrays, row: int) -> None:
    """What a histogram lost, from a row with its very layout."""
    line = table.rows[row]
    scratch.numbers[1, 1:] = table.numbers[row, 1:]
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
