"""How a table of native histograms lies in arrays, and what kernels take and give back.

A bucket's place is twice its index in the schema, plus 1 if it begins a span. Spans only show where
layouts are compared: `[0, 1] [0, 1]` and `[0, 2]` hold the same buckets but are not equal.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from bridge.kernel import called, f8_in, f8_in2, i8_in, i8_in2, inlined
from bridge.model.arrays import Float64s, Int64s

Bools = npt.NDArray[np.bool_]

# Columns of `rows`. A side's three columns lie SIDE apart: positive buckets, then negative ones.
SCHEMA: Final = 0
HINT: Final = 1
PLACES: Final = 2
COUNTS: Final = 3
SIZE: Final = 4
SIDE: Final = 3
BOUNDS: Final = 8
BOUNDS_SIZE: Final = 9
ROW_WIDTH: Final = 10

# Columns of `numbers`.
ZERO_THRESHOLD: Final = 0
ZERO_COUNT: Final = 1
COUNT: Final = 2
SUM: Final = 3
NUMBERS_WIDTH: Final = 4

# Counter reset hints, numbered as in prompb.Histogram.
UNKNOWN: Final = 0
RESET: Final = 1
NOT_RESET: Final = 2
GAUGE: Final = 3


class Arrays(NamedTuple):
    """M histograms.

    `rows` int64 [M, ROW_WIDTH]: schema, hint, and where each one's parts are: its places and counts
    of either side, with their number, and its custom bounds, with their number. `numbers` float64
    [M, NUMBERS_WIDTH]. `places` int64, `counts` float64 and `bounds` float64 are pools; rows may
    share what is in them.
    """

    rows: Int64s
    numbers: Float64s
    places: Int64s
    counts: Float64s
    bounds: Float64s


_named_tuple: Any = types.NamedTuple
arrays_in: Final[Any] = _named_tuple((i8_in2, f8_in2, i8_in, f8_in, f8_in), Arrays)


class Builder(NamedTuple):
    """Arrays with room behind them; `used` int64 [4]: rows, places, counts, bounds."""

    rows: Int64s
    numbers: Float64s
    places: Int64s
    counts: Float64s
    bounds: Float64s
    used: Int64s


@inlined
def copy_first(size: int, source: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """Copies the first elements of an array to another one.

    Assigned slices do the same, but numba compiles with each one the sentence that says which
    shapes differ: as much code as a kernel has.
    """
    for at in range(size):
        target[at] = source[at]


@called
def new_builder(rows: int, buckets: int) -> Builder:
    """An empty builder with room for so many rows and buckets to begin with."""
    return Builder(
        np.empty((max(rows, 1), ROW_WIDTH), np.int64),
        np.empty((max(rows, 1), NUMBERS_WIDTH), np.float64),
        np.empty(max(buckets, 1), np.int64),
        np.empty(max(buckets, 1), np.float64),
        np.empty(8, np.float64),
        np.zeros(4, np.int64),
    )


@called
def built(builder: Builder) -> Arrays:
    """What the builder holds."""
    used = builder.used
    return Arrays(
        builder.rows[: used[0]].copy(),
        builder.numbers[: used[0]].copy(),
        builder.places[: used[1]].copy(),
        builder.counts[: used[2]].copy(),
        builder.bounds[: used[3]].copy(),
    )


@called
def with_room(builder: Builder, buckets: int, bounds: int) -> Builder:
    """The builder with room for one more row of so many buckets and bounds."""
    used, rows, numbers = builder.used, builder.rows, builder.numbers
    places, counts, limits = builder.places, builder.counts, builder.bounds
    if used[0] == len(rows):
        rows = np.empty((2 * used[0], ROW_WIDTH), np.int64)
        numbers = np.empty((2 * used[0], NUMBERS_WIDTH), np.float64)
        for row in range(used[0]):
            copy_first(ROW_WIDTH, builder.rows[row], rows[row])
            copy_first(NUMBERS_WIDTH, builder.numbers[row], numbers[row])
    if used[1] + buckets > len(places):
        places = np.empty(2 * (used[1] + buckets), np.int64)
        copy_first(used[1], builder.places, places)
    if used[2] + buckets > len(counts):
        counts = np.empty(2 * (used[2] + buckets), np.float64)
        copy_first(used[2], builder.counts, counts)
    if used[3] + bounds > len(limits):
        limits = np.empty(2 * (used[3] + bounds), np.float64)
        copy_first(used[3], builder.bounds, limits)
    return Builder(rows, numbers, places, counts, limits, used)
