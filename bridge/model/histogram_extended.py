"""Native histograms between samples, and how much they rose from end to end of a range.

Source: interpolateHistograms, extendedHistogramRate and correctForCounterResetsHistogram in
promql/functions.go, smoothSeries in promql/engine.go of Prometheus.
"""

from numba import boolean, float64

from bridge.kernel import called, i8_in, i8_in2, i8_out, inlined, rare_kernel
from bridge.model.arrays import Int64s
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram_layout import (
    GAUGE,
    HINT,
    SCHEMA,
    UNKNOWN,
    Arrays,
    arrays_in,
    built,
    new_builder,
)
from bridge.model.histogram_math import add, compact, divide, multiply
from bridge.model.histogram_rate import (
    MIXED,
    NOT_COUNTER,
    NOT_GAUGE,
    RECONCILED_ADDITION,
    RECONCILED_SUBTRACTION,
    noted,
)
from bridge.model.histogram_resets import was_reset
from bridge.model.histogram_scratch import Scratch, copy, emit, load, new_scratch, room_for


@rare_kernel(arrays_in, i8_in, i8_in2, i8_in2, i8_in2, i8_in, i8_out, i8_out)
def interpolated(
    table: Arrays,
    times: Int64s,
    lo: Int64s,
    at: Int64s,
    hi: Int64s,
    targets: Int64s,
    index: Int64s,
    notes: Int64s,
) -> Arrays:
    """The histogram of every step on the line from the sample before to the one after.

    Row i of the table is the sample at `times[i]` ms. Window [s, t] holds the rows lo[s, t] to
    hi[s, t]; those before at[s, t] are at or before `targets[t]` ms. Without a sample after that
    time it is the one before; without one before there is none. `index` int64 [S * T] is each
    cell's row in the result, or -1.
    """
    buckets, bounds = room_for(table)
    result, other = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    before = new_scratch(buckets, bounds)
    builder, steps = new_builder(lo.size, lo.size), lo.shape[1]
    for cell in range(lo.size):
        row, step = cell // steps, cell % steps
        last = at[row, step] - 1
        index[cell], notes[cell] = -1, 0
        if last < lo[row, step]:
            continue
        if times[last] == targets[step]:
            load(result, table, last)
        elif last + 1 == hi[row, step]:
            load(result, table, last)
            result.facts[HINT] = UNKNOWN
        else:
            notes[cell] = _looked_over(table, last, last + 1, False)
            if notes[cell] & MIXED:
                continue
            counter = table.rows[last, HINT] != GAUGE or table.rows[last + 1, HINT] != GAUGE
            notes[cell] = _between(
                result, other, before, table, times, last, targets[step], counter
            )
        index[cell] = builder.used[0]
        builder = emit(builder, result)
    return built(builder)


@rare_kernel(
    arrays_in, i8_in, i8_in2, i8_in2, i8_in, i8_in, boolean, boolean, float64, i8_out, i8_out
)
def extended_rates(
    table: Arrays,
    times: Int64s,
    lo: Int64s,
    hi: Int64s,
    starts: Int64s,
    ends: Int64s,
    smoothed: bool,
    is_counter: bool,
    seconds: float,
    index: Int64s,
    notes: Int64s,
) -> Arrays:
    """How much each window rose from end to end; per second if `seconds` is not 0.

    As `histogram_rate.extrapolated_rates`, but that a window's first row may lie before its start,
    and its last one after its end if `smoothed`: then the ends are interpolated.
    """
    buckets, bounds = room_for(table)
    left, right = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    result, spare = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    other, lost = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    builder, steps = new_builder(lo.size, lo.size), lo.shape[1]
    for cell in range(lo.size):
        row, step = cell // steps, cell % steps
        first, last, start, end = lo[row, step], hi[row, step] - 1, starts[step], ends[step]
        index[cell], notes[cell] = -1, 0
        if last < first or (smoothed and times[first] > end):
            continue
        notes[cell] = note = _looked_over(table, first, last, is_counter)
        if note & MIXED:
            continue
        cut = smoothed and times[first] < start
        if cut:
            note |= _between(left, spare, other, table, times, first, start, is_counter)
        else:
            load(left, table, first)
        if smoothed and last > first and times[last] > end:
            note |= _between(right, spare, other, table, times, last - 1, end, is_counter)
        else:
            load(right, table, last)
        if not is_counter and (left.facts[HINT] != GAUGE or right.facts[HINT] != GAUGE):
            note |= NOT_GAUGE
        copy(result, right)
        copy(other, left)
        note |= noted(add(result, other, True, False), RECONCILED_SUBTRACTION)
        if is_counter:
            past = cut and _is_reset(spare, other, table, first + 1)
            note |= _add_lost(result, lost, left, right, spare, other, table, first, last, past)
        notes[cell] = note
        if seconds != 0.0:
            divide(result, seconds)
        result.facts[HINT] = GAUGE
        compact(result, False)
        index[cell] = builder.used[0]
        builder = emit(builder, result)
    return built(builder)


@inlined
def _looked_over(table: Arrays, first: int, last: int, is_counter: bool) -> int:
    """Whether all rows have buckets of one kind and, if they should be, are counters."""
    notes, row = 0, first
    custom = table.rows[first, SCHEMA] == CUSTOM_SCHEMA
    while row <= last and not notes & MIXED:
        if (table.rows[row, SCHEMA] == CUSTOM_SCHEMA) != custom:
            notes |= MIXED
        elif is_counter and table.rows[row, HINT] == GAUGE:
            notes |= NOT_COUNTER
        row += 1
    return notes


@called
def _is_reset(now: Scratch, before: Scratch, table: Arrays, row: int) -> bool:
    """Whether the counter was reset between a row and the one before."""
    load(now, table, row)
    load(before, table, row - 1)
    return was_reset(now, before)


@called
def _between(
    result: Scratch,
    other: Scratch,
    before: Scratch,
    table: Arrays,
    times: Int64s,
    row: int,
    time: int,
    is_counter: bool,
) -> int:
    """The histogram at a time between a row's and the next one's; a counter restarts at zero."""
    share = float(time - times[row]) / float(times[row + 1] - times[row])
    restarted = is_counter and _is_reset(other, before, table, row + 1)
    load(result, table, row + 1)
    notes = 0
    if not restarted:
        load(other, table, row)
        notes = noted(add(result, other, True, False), RECONCILED_SUBTRACTION)
    multiply(result, share)
    if not restarted:
        load(other, table, row)
        notes |= noted(add(result, other, False, False), RECONCILED_ADDITION)
    return notes


@called
def _add_lost(
    result: Scratch,
    lost: Scratch,
    left: Scratch,
    right: Scratch,
    spare: Scratch,
    other: Scratch,
    table: Arrays,
    first: int,
    last: int,
    past: bool,
) -> int:
    """Adds what resets took between the ends; `left` is undefined afterwards.

    `past`: the reset between the first two rows is in the left end already.
    """
    row, notes, some = first + 1, 0, False
    if past:
        load(left, table, row)
        row += 1
    if row > last:
        return notes
    # The last row is there as the right end: its hint must not tell of the reset twice.
    while row <= last:
        if row < last:
            load(spare, table, row)
        else:
            copy(spare, right)
        copy(other, left)
        if was_reset(spare, other):
            if some:
                copy(other, left)
                notes |= noted(add(lost, other, False, False), RECONCILED_ADDITION)
            else:
                copy(lost, left)
            some = True
        copy(left, spare)
        row += 1
    if some:
        notes |= noted(add(result, lost, False, False), RECONCILED_ADDITION)
    return notes
