"""Which histograms can be one chunk as they are: their layouts stay, and so do their hints.

Unlike `histogram_cuts`, which does what a TSDB does when it appends: it makes layouts the same.
"""

import math
from typing import Final

from numba import boolean, int64

from bridge.kernel import b1_out, called, i8_in, inlined, rare_kernel
from bridge.model.arrays import STALE_NAN_BITS, Int64s
from bridge.model.gomath.bits import bits_of
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNT,
    COUNTS,
    GAUGE,
    HINT,
    NOT_RESET,
    PLACES,
    SCHEMA,
    SIDE,
    SIZE,
    SUM,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    Bools,
    arrays_in,
)

# Up to here every whole number is a float64.
_MOST_WHOLE: Final = 9007199254740992.0


@rare_kernel(arrays_in, i8_in, int64, boolean, b1_out, b1_out)
def find_runs(
    table: Arrays, offsets: Int64s, limit: int, beside: bool, begins: Bools, whole: Bools
) -> None:
    """Which samples begin a chunk of at most `limit` samples, and whose counts are whole numbers.

    Series s owns the rows offsets[s] to offsets[s+1]. A chunk says one hint for all samples behind
    its first one: "not reset", or "gauge" of those of a gauge. `beside`: hints are kept beside the
    chunk, one for its first sample and one for all others. Staleness markers have none.
    """
    for series in range(len(offsets) - 1):
        first, held, later = -1, -1, -1
        for row in range(offsets[series], offsets[series + 1]):
            whole[row] = is_whole(table, row)
            stale, hint = _is_stale(table, row), table.rows[row, HINT]
            if first < 0 or row - first == limit:
                begins[row] = True
            elif stale:
                begins[row] = False
            elif held < 0 or _is_stale(table, row - 1) or not _same_layout(table, held, row):
                begins[row] = True
            elif beside:
                begins[row] = later >= 0 and hint != later
            else:
                begins[row] = hint != (GAUGE if table.rows[first, HINT] == GAUGE else NOT_RESET)
            if begins[row]:
                first, held, later = row, -1, -1
            elif not stale:
                later = hint
            held = held if stale else row


@inlined
def _is_stale(table: Arrays, row: int) -> bool:
    return bits_of(table.numbers[row, SUM]) == STALE_NAN_BITS


@called
def is_whole(table: Arrays, row: int) -> bool:
    """Whether all counts are whole numbers that integer encodings keep."""
    if _is_stale(table, row):
        return True
    whole = _whole(table.numbers[row, COUNT]) and _whole(table.numbers[row, ZERO_COUNT])
    for side in range(2):
        at, size = table.rows[row, COUNTS + SIDE * side], table.rows[row, SIZE + SIDE * side]
        bucket = 0
        while whole and bucket < size:
            whole = _whole(table.counts[at + bucket])
            bucket += 1
    return whole


@inlined
def _whole(count: float) -> bool:
    # Of the two zeros only one is an integer.
    return 0.0 <= count <= _MOST_WHOLE and math.floor(count) == count and bits_of(count) >= 0


@called
def _same_layout(table: Arrays, i: int, j: int) -> bool:
    """Whether two rows have one schema, one zero threshold, the same spans and bounds."""
    ours, theirs = table.rows[i], table.rows[j]
    same = ours[SCHEMA] == theirs[SCHEMA] and ours[BOUNDS_SIZE] == theirs[BOUNDS_SIZE]
    same &= bits_of(table.numbers[i, ZERO_THRESHOLD]) == bits_of(table.numbers[j, ZERO_THRESHOLD])
    for side in range(2):
        size = ours[SIZE + SIDE * side]
        same &= size == theirs[SIZE + SIDE * side]
        place, other = ours[PLACES + SIDE * side], theirs[PLACES + SIDE * side]
        bucket = 0
        while same and place != other and bucket < size:
            same &= table.places[place + bucket] == table.places[other + bucket]
            bucket += 1
    bound = 0
    while same and ours[BOUNDS] != theirs[BOUNDS] and bound < ours[BOUNDS_SIZE]:
        same &= table.bounds[ours[BOUNDS] + bound] == table.bounds[theirs[BOUNDS] + bound]
        bound += 1
    return bool(same)
