"""What changed from each histogram of a series to the next: resets, changes, running hints.

Source: funcResets, funcChanges and HistogramStatsIterator in promql of Prometheus.
"""

import numpy as np
from numba import int64

from bridge.kernel import b1_out, i8_in, i8_out, inlined, rare_kernel
from bridge.model.arrays import STALE_NAN_BITS, Int64s
from bridge.model.histogram_layout import (
    HINT,
    NOT_RESET,
    RESET,
    SUM,
    UNKNOWN,
    Arrays,
    Bools,
    arrays_in,
    built,
    new_builder,
)
from bridge.model.histogram_rate import created_anew
from bridge.model.histogram_resets import equal, was_reset
from bridge.model.histogram_scratch import emit, load, new_scratch, room_for


@rare_kernel(arrays_in, i8_in, i8_in, i8_in, b1_out, b1_out)
def compare(
    table: Arrays, offsets: Int64s, times: Int64s, created: Int64s, resets: Bools, changes: Bools
) -> None:
    """Whether each row is a reset since the row before it in its series, and whether they differ.

    Series s owns the rows offsets[s] to offsets[s+1]; its first row is neither. `times` are the
    rows' times and `created` their start timestamps, ms, or empty.
    """
    buckets, bounds = room_for(table)
    now, before = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    for series in range(len(offsets) - 1):
        for row in range(offsets[series], offsets[series + 1]):
            resets[row] = changes[row] = False
            if row == offsets[series]:
                continue
            changes[row] = not equal(table, row, table, row - 1)
            hint = table.rows[row, HINT]
            if created_anew(times, created, row) or hint == RESET:
                resets[row] = True
            elif hint != NOT_RESET:
                load(now, table, row)
                load(before, table, row - 1)
                resets[row] = was_reset(now, before)


@rare_kernel(arrays_in, i8_in, i8_out)
def running_hints(table: Arrays, offsets: Int64s, hints: Int64s) -> None:
    """The hint of each row, with unknown ones found out from the row before it in its series.

    The first row of a series stays unknown; staleness markers are passed over.
    """
    buckets, bounds = room_for(table)
    now, before = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    for series in range(len(offsets) - 1):
        last = -1
        for row in range(offsets[series], offsets[series + 1]):
            hints[row] = table.rows[row, HINT]
            if is_stale(table, row):
                continue
            if hints[row] == UNKNOWN and last >= 0:
                load(now, table, row)
                load(before, table, last)
                hints[row] = RESET if was_reset(now, before) else NOT_RESET
            last = row


@inlined
def is_stale(table: Arrays, row: int) -> bool:
    """Whether a row is a staleness marker: its sum says so."""
    return int(np.float64(table.numbers[row, SUM]).view(np.int64)) == STALE_NAN_BITS


@rare_kernel(arrays_in, i8_in, int64)
def gather(table: Arrays, rows: Int64s, buckets: int) -> Arrays:
    """Copies of these rows, in a table that owns nothing else; `buckets` is how many to expect."""
    room, bounds = room_for(table)
    a, builder = new_scratch(room, bounds), new_builder(len(rows), buckets)
    for row in rows:
        load(a, table, row)
        builder = emit(builder, a)
    return built(builder)
