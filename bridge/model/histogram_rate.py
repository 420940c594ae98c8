"""Rate, increase and delta of native histograms, and irate and idelta, over windows of samples.

Source: extrapolatedRate, histogramRate and instantValue in promql/functions.go of Prometheus.
"""

from typing import Final

import numpy as np
from numba import boolean, float64

from bridge.kernel import called, i8_in, i8_in2, i8_out, inlined, rare_kernel
from bridge.model.arrays import Int64s
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram_alike import alike, load_difference
from bridge.model.histogram_layout import (
    COUNT,
    GAUGE,
    HINT,
    NOT_RESET,
    RESET,
    SCHEMA,
    UNKNOWN,
    Arrays,
    arrays_in,
    built,
    new_builder,
)
from bridge.model.histogram_math import (
    MIXED_SCHEMAS,
    RECONCILED,
    add,
    compact,
    divide,
    multiply,
    reduce,
)
from bridge.model.histogram_resets import was_reset
from bridge.model.histogram_scratch import LIMITS, Scratch, clear, emit, load, new_scratch, room_for

# What there is to report of a window.
MIXED: Final = 1
NOT_COUNTER: Final = 2
NOT_GAUGE: Final = 4
RECONCILED_ADDITION: Final = 8
RECONCILED_SUBTRACTION: Final = 16
START_OVERLAP: Final = 32


@rare_kernel(
    arrays_in, i8_in, i8_in, i8_in2, i8_in2, i8_in, i8_in, boolean, float64, i8_out, i8_out
)
def extrapolated_rates(
    table: Arrays,
    times: Int64s,
    created: Int64s,
    lo: Int64s,
    hi: Int64s,
    starts: Int64s,
    ends: Int64s,
    is_counter: bool,
    seconds: float,
    index: Int64s,
    notes: Int64s,
) -> Arrays:
    """The increase of every window, extrapolated to its bounds; per second if `seconds` is not 0.

    Row i of the table is the sample at `times[i]` ms; `created` are the samples' start timestamps,
    or empty. Window [s, t] holds the rows lo[s, t] to hi[s, t] and reaches from `starts[t]`, which
    is outside, to `ends[t]`. `index` int64 [S * T] is each window's row in the result, or -1.
    """
    buckets, bounds = room_for(table)
    result, other = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    before = new_scratch(buckets, bounds)
    builder, steps = new_builder(lo.size, lo.size), lo.shape[1]
    # Where start timestamps have a say every window is looked at by itself.
    steadily = is_counter and len(created) == 0
    runs = _runs(result, other, table) if steadily else np.arange(len(table.rows))
    for cell in range(lo.size):
        row, step = cell // steps, cell % steps
        first, last = lo[row, step], hi[row, step] - 1
        index[cell], notes[cell] = -1, 0
        if last < first:
            continue
        given = len(created) > 0 and is_counter and starts[step] < created[first] < times[first]
        given = given and created[first] != 0
        if last == first and not given:
            continue
        steady = steadily and runs[last] <= first < last and alike(table, last, first)
        if steady:
            load_difference(result, table, last, first)
            notes[cell] = NOT_COUNTER if table.rows[first, HINT] == GAUGE else 0
        else:
            notes[cell] = _increase(
                result, other, before, table, times, created, first, last, is_counter
            )
        if given and not notes[cell] & MIXED:
            notes[cell] |= _add_first(result, other, table, first, last)
        if notes[cell] & MIXED:
            continue
        begin = created[first] if given else times[first]
        reach = (starts[step], ends[step])
        factor = _factor(result, table, times, first, last, begin, reach, is_counter)
        multiply(result, factor / seconds if seconds != 0.0 else factor)
        index[cell] = builder.used[0]
        builder = emit(builder, result)
    return built(builder)


@called
def _runs(now: Scratch, before: Scratch, table: Arrays) -> Int64s:
    """Of each row the first one since which a counter was not reset and kept its schema."""
    rows, runs = table.rows, np.arange(len(table.rows))
    for row in range(1, len(rows)):
        hint, steady = rows[row, HINT], rows[row, SCHEMA] == rows[row - 1, SCHEMA]
        if steady and hint == UNKNOWN:
            load(before, table, row - 1)
            load(now, table, row)
            steady = not was_reset(now, before)
        if steady and hint in (UNKNOWN, NOT_RESET):
            runs[row] = runs[row - 1]
    return runs


@inlined
def _factor(
    result: Scratch,
    table: Arrays,
    times: Int64s,
    first: int,
    last: int,
    begin: int,
    bounds: tuple[int, int],
    is_counter: bool,
) -> float:
    """How much longer the window is, as far as the samples speak for it, than what they span."""
    to_start = float(times[first] - bounds[0]) / 1000.0
    to_end = float(bounds[1] - times[last]) / 1000.0
    sampled = float(times[last] - times[first]) / 1000.0
    average = sampled / float(last - first) if last > first else 0.0
    threshold = average * 1.1
    if begin != times[first]:
        to_start, sampled = 0.0, float(times[last] - begin) / 1000.0
    else:
        if to_start >= threshold:
            to_start = average / 2.0
        gained, held = result.numbers[0, COUNT], table.numbers[first, COUNT]
        if is_counter and gained > 0.0 and held >= 0.0:
            to_start = min(to_start, sampled * (held / gained))
    if to_end >= threshold:
        to_end = average / 2.0
    return (sampled + to_start + to_end) / sampled if sampled != 0.0 else 1.0


@called
def _add_first(result: Scratch, other: Scratch, table: Arrays, first: int, last: int) -> int:
    """Adds the first sample, which was zero when the counter was created."""
    if last == first:
        load(result, table, first)
        return 0
    load(other, table, first)
    return noted(add(result, other, False, False), RECONCILED_ADDITION)


@inlined
def noted(report: int, reconciled: int) -> int:
    """What `histogram_math.add` reports as notes; `reconciled` is the one for custom bounds."""
    return (MIXED if report & MIXED_SCHEMAS else 0) | (reconciled if report & RECONCILED else 0)


@called
def _increase(
    result: Scratch,
    other: Scratch,
    before: Scratch,
    table: Arrays,
    times: Int64s,
    created: Int64s,
    first: int,
    last: int,
    is_counter: bool,
) -> int:
    """What the samples gained, resets added; the result is undefined if the notes say MIXED."""
    if first == last:
        return 0
    rows, notes, anew = table.rows, 0, False
    if is_counter:
        if rows[first, HINT] == GAUGE or rows[last, HINT] == GAUGE:
            notes = NOT_COUNTER
        anew = _is_reset(other, before, table, times, created, first + 1)
    elif rows[first, HINT] != GAUGE or rows[last, HINT] != GAUGE:
        notes = NOT_GAUGE
    basis = first + 1 if anew else first
    custom = rows[basis, SCHEMA] == CUSTOM_SCHEMA
    if (rows[last, SCHEMA] == CUSTOM_SCHEMA) != custom:
        return notes & NOT_COUNTER | MIXED
    schema = min(rows[last, SCHEMA], rows[basis, SCHEMA])
    for row in range(first + 1, last if is_counter else first):
        if rows[row, HINT] == GAUGE:
            notes |= NOT_COUNTER
        if (rows[row, SCHEMA] == CUSTOM_SCHEMA) != custom:
            return MIXED
        schema = min(schema, rows[row, SCHEMA])
    load(result, table, last)
    if result.facts[SCHEMA] != schema:
        reduce(result, schema, False)
    _load_before(before, table, first + 1, anew)
    notes |= noted(add(result, before, True, False), RECONCILED_SUBTRACTION)
    for row in range(first + 1, last + 1 if is_counter else first):
        # Nearly all samples say that there was no reset.
        if rows[row, HINT] != NOT_RESET or len(created):
            empty = anew and row == first + 1
            notes |= _add_if_reset(result, other, before, table, times, created, row, empty)
    result.facts[HINT] = GAUGE
    compact(result, False)
    return notes


@called
def _load_before(scratch: Scratch, table: Arrays, row: int, empty: bool) -> None:
    """The sample before a row; if `empty`, nothing in that row's layout."""
    if not empty:
        load(scratch, table, row - 1)
        return
    load(scratch, table, row)
    schema, bounds = scratch.facts[SCHEMA], scratch.facts[LIMITS]
    clear(scratch)
    scratch.facts[SCHEMA], scratch.facts[LIMITS] = schema, bounds


@called
def _add_if_reset(
    result: Scratch,
    other: Scratch,
    before: Scratch,
    table: Arrays,
    times: Int64s,
    created: Int64s,
    row: int,
    empty: bool,
) -> int:
    """Adds the sample before a row to the result if the counter was reset in between."""
    notes = 0
    if len(created):
        known = created[row]
        overlaps = known != 0 and known < times[row - 1] and known != created[row - 1]
        notes = START_OVERLAP if overlaps else 0
    if not empty:
        reset = _is_reset(other, before, table, times, created, row)
    elif created_anew(times, created, row):
        reset = True
    else:
        _load_before(before, table, row, True)
        load(other, table, row)
        reset = was_reset(other, before)
    if not reset:
        return notes
    _load_before(before, table, row, empty)
    return notes | noted(add(result, before, False, False), RECONCILED_ADDITION)


@called
def _is_reset(
    now: Scratch, before: Scratch, table: Arrays, times: Int64s, created: Int64s, row: int
) -> bool:
    """Whether the counter was reset between a row and the one before."""
    if created_anew(times, created, row):
        return True
    hint = table.rows[row, HINT]
    if hint in (RESET, NOT_RESET):
        return bool(hint == RESET)
    load(before, table, row - 1)
    load(now, table, row)
    return was_reset(now, before)


@inlined
def created_anew(times: Int64s, created: Int64s, row: int) -> bool:
    """Whether a sample's start timestamp says that its counter began after the sample before."""
    if len(created) == 0:
        return False
    start, before, earlier = created[row], times[row - 1], created[row - 1]
    if start == 0 or start >= times[row] or start < before:
        return False
    # It began at the very sample before: so do deltas, and counters of unknown start.
    return bool(start > before or (0 != earlier < before))


@rare_kernel(arrays_in, i8_in, i8_in, i8_in, i8_in, boolean, i8_out, i8_out)
def instant_rates(
    table: Arrays,
    times: Int64s,
    created: Int64s,
    earlier: Int64s,
    later: Int64s,
    is_counter: bool,
    index: Int64s,
    notes: Int64s,
) -> Arrays:
    """What was gained from row earlier[i] to row later[i]: irate if `is_counter`, else idelta.

    Both rows are of one series, neighbours in the table, and their times differ; an `earlier` of -1
    gives nothing. `index` is each cell's row in the result, or -1.
    """
    buckets, bounds = room_for(table)
    result, other = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    before = new_scratch(buckets, bounds)
    builder = new_builder(len(earlier), len(earlier))
    for cell in range(len(earlier)):
        index[cell], notes[cell] = -1, 0
        if earlier[cell] < 0:
            continue
        row = later[cell]
        notes[cell] = _gained(result, other, before, table, times, created, row, is_counter)
        if notes[cell] & MIXED:
            continue
        if is_counter:
            divide(result, float(times[row] - times[earlier[cell]]) / 1000.0)
        index[cell] = builder.used[0]
        builder = emit(builder, result)
    return built(builder)


@called
def _gained(
    result: Scratch,
    other: Scratch,
    before: Scratch,
    table: Arrays,
    times: Int64s,
    created: Int64s,
    row: int,
    is_counter: bool,
) -> int:
    """The difference of a row and the one before, or the row itself after a reset."""
    gauges = int(table.rows[row, HINT] == GAUGE) + int(table.rows[row - 1, HINT] == GAUGE)
    notes, reset = 0, False
    if is_counter:
        notes = NOT_COUNTER if gauges else 0
        reset = _is_reset(other, before, table, times, created, row)
    elif gauges < 2:
        notes = NOT_GAUGE
    load(result, table, row)
    if not reset:
        load(other, table, row - 1)
        notes |= noted(add(result, other, True, False), RECONCILED_SUBTRACTION)
    result.facts[HINT] = GAUGE
    compact(result, False)
    return notes
