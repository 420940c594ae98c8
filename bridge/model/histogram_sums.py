"""Sums and means of native histograms, over windows of samples and over groups of series.

Source: funcSumOverTime and funcAvgOverTime in promql/functions.go and aggregation in
promql/engine.go of Prometheus.
"""

from typing import Final

import numpy as np
from numba import boolean

from bridge.kernel import called, i8_in, i8_in2, i8_out, inlined, rare_kernel
from bridge.model.arrays import Int64s
from bridge.model.histogram_alike import add_fitting, fits, would_overflow
from bridge.model.histogram_layout import (
    HINT,
    NOT_RESET,
    RESET,
    Arrays,
    arrays_in,
    built,
    new_builder,
)
from bridge.model.histogram_math import (
    MIXED_SCHEMAS,
    RECONCILED,
    add,
    add_lost,
    compact,
    divide,
    divide_lost,
    multiply,
    multiply_lost,
    overflows,
)
from bridge.model.histogram_scratch import (
    Scratch,
    copy,
    emit,
    emit_lost,
    load,
    load_lost,
    new_scratch,
    room_for,
)

# What there is to report, and what has been seen so far.
MIXED: Final = 1
RECONCILED_AGGREGATION: Final = 2
SAW_RESET: Final = 4
SAW_NO_RESET: Final = 8
# The state is a mean already, as the sum would overflow.
INCREMENTAL: Final = 16


@inlined
def _hint_seen(table: Arrays, row: int) -> int:
    hint = table.rows[row, HINT]
    return (SAW_RESET if hint == RESET else 0) | (SAW_NO_RESET if hint == NOT_RESET else 0)


@inlined
def _fold(
    total: Scratch,
    other: Scratch,
    trial: Scratch,
    table: Arrays,
    row: int,
    count: int,
    mean: bool,
    notes: int,
) -> int:
    """Takes in a row as the `count`-th; returns the notes so far. `other` and `trial` are spare."""
    # One call alone: every further one makes the kernel's machine code grow.
    fast = count > 1 and not notes & INCREMENTAL and fits(total, table, row)
    if not fast or (mean and would_overflow(total, table, row)):
        return _fold_any(total, other, trial, table, row, count, mean, notes)
    add_fitting(total, table, row)
    return notes | _hint_seen(table, row)


@called
def _fold_any(
    total: Scratch,
    other: Scratch,
    trial: Scratch,
    table: Arrays,
    row: int,
    count: int,
    mean: bool,
    notes: int,
) -> int:
    """The same of any row."""
    notes |= _hint_seen(table, row)
    if count == 1:
        load(total, table, row)
        return notes
    load(other, table, row)
    if not mean:
        return notes | _noted(add(total, other, False, True))
    if not notes & INCREMENTAL:
        copy(trial, total)
        report = add(trial, other, False, True)
        notes |= _noted(report)
        if report & MIXED_SCHEMAS:
            return notes
        if not overflows(trial):
            copy(total, trial)
            return notes
        notes |= INCREMENTAL
        load(other, table, row)
        divide(total, float(count - 1))
        divide_lost(total, float(count - 1))
    share = (float(count) - 1.0) / float(count)
    multiply_lost(total, share)
    divide(other, float(count))
    multiply(total, share)
    return notes | _noted(add(total, other, False, True))


@inlined
def _noted(report: int) -> int:
    mixed = MIXED if report & MIXED_SCHEMAS else 0
    return mixed | (RECONCILED_AGGREGATION if report & RECONCILED else 0)


@inlined
def _finish(total: Scratch, count: int, mean: bool, notes: int) -> None:
    """Makes of the running numbers what they stand for."""
    if mean and not notes & INCREMENTAL:
        divide(total, float(count))
        divide_lost(total, float(count))
    if count > 1:
        add_lost(total)


@rare_kernel(arrays_in, i8_in2, i8_in2, boolean, i8_out, i8_out)
def over_windows(
    table: Arrays, lo: Int64s, hi: Int64s, mean: bool, index: Int64s, notes: Int64s
) -> Arrays:
    """The sum, or mean, of rows lo[s, t] to hi[s, t] of the table.

    `index` int64 [S * T] is each window's row in the result, or -1 where it is empty or MIXED.
    """
    buckets, bounds = room_for(table)
    total, other = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    trial = new_scratch(buckets, bounds)
    builder, steps = new_builder(lo.size, lo.size), lo.shape[1]
    for cell in range(lo.size):
        first, last = lo[cell // steps, cell % steps], hi[cell // steps, cell % steps]
        index[cell], note = -1, 0
        for row in range(first, last):
            note = _fold(total, other, trial, table, row, row - first + 1, mean, note)
            if note & MIXED:
                break
        notes[cell] = note & ~INCREMENTAL
        if last > first and not note & MIXED:
            _finish(total, last - first, mean, note)
            index[cell] = builder.used[0]
            builder = emit(builder, total)
        elif note & MIXED:
            notes[cell] = MIXED
    return built(builder)


@rare_kernel(arrays_in, i8_in2, i8_in, arrays_in, arrays_in, boolean, i8_out, i8_out, i8_out)
def fold_rows(
    table: Arrays,
    cells: Int64s,
    groups: Int64s,
    totals: Arrays,
    lost: Arrays,
    mean: bool,
    index: Int64s,
    counts: Int64s,
    notes: Int64s,
) -> tuple[Arrays, Arrays]:
    """Takes in the histograms of a row range; returns the running totals and what they lost.

    `cells` int64 [R, T] are rows of the table, or -1; row r belongs to group groups[r]. The state
    is `index` int64 [G * T]: where each group's total is in `totals` and `lost`, or -1; `counts`:
    of how many; and `notes`. Rows are taken in their order.
    """
    steps = cells.shape[1]
    order, starts = _by_group(groups, len(index) // max(steps, 1))
    size = max(len(index), 1)
    ours, held = room_for(table), room_for(totals)
    buckets, bounds = ours[0] + held[0], max(ours[1], held[1])
    total, other = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    trial = new_scratch(buckets, bounds)
    builder, losses = new_builder(size, size), new_builder(size, size)
    for cell in range(len(index)):
        group, step = cell // steps, cell % steps
        if index[cell] >= 0:
            load(total, totals, index[cell])
            load_lost(total, lost, index[cell])
        for member in range(starts[group], starts[group + 1]):
            row = cells[order[member], step]
            # After a mix nothing more is looked at, as there will be no result.
            if row < 0 or notes[cell] & MIXED:
                continue
            counts[cell] += 1
            count, note = counts[cell], notes[cell]
            notes[cell] = _fold(total, other, trial, table, row, count, mean, note)
        if counts[cell] > 0:
            index[cell] = builder.used[0]
            builder = emit(builder, total)
            losses = emit_lost(losses, total)
    return built(builder), built(losses)


@inlined
def _by_group(groups: Int64s, number: int) -> tuple[Int64s, Int64s]:
    """Row indices by group, in order within each, and where each group begins."""
    starts, order = np.zeros(number + 2, np.int64), np.empty(len(groups), np.int64)
    for group in groups:
        starts[group + 2] += 1
    for group in range(number):
        starts[group + 2] += starts[group + 1]
    for row in range(len(groups)):
        order[starts[groups[row] + 1]] = row
        starts[groups[row] + 1] += 1
    return order, starts


@rare_kernel(arrays_in, arrays_in, boolean, i8_out, i8_in, i8_in)
def finish_folds(
    totals: Arrays, lost: Arrays, mean: bool, index: Int64s, counts: Int64s, notes: Int64s
) -> Arrays:
    """The sums, or means, of all groups; `index` is changed to rows of the result, -1 if MIXED."""
    buckets, bounds = room_for(totals)
    builder = new_builder(len(totals.rows), len(totals.counts))
    total = new_scratch(buckets, bounds)
    for cell in range(len(index)):
        if index[cell] < 0 or notes[cell] & MIXED:
            index[cell] = -1
            continue
        load(total, totals, index[cell])
        load_lost(total, lost, index[cell])
        _finish(total, counts[cell], mean, notes[cell])
        compact(total, False)
        index[cell] = builder.used[0]
        builder = emit(builder, total)
    return built(builder)
