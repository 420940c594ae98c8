"""Rate, increase and delta of native histograms, and irate and idelta, over windows of samples.

Source: extrapolatedRate, histogramRate and instantValue in promql/functions.go of Prometheus.
"""

from typing import Final, NamedTuple

from numba import boolean, float64

from bridge.kernel import called, i8_in, i8_in2, i8_out, inlined, kernel
from bridge.model.arrays import Int64s
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram_layout import (
    COUNT,
    GAUGE,
    HINT,
    NOT_RESET,
    RESET,
    SCHEMA,
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
from bridge.model.histogram_scratch import LIMITS, Scratch, clear, emit, load, new_scratch, roomy

# What there is to report of a window.
MIXED: Final = 1
NOT_COUNTER: Final = 2
NOT_GAUGE: Final = 4
RECONCILED_ADDITION: Final = 8
RECONCILED_SUBTRACTION: Final = 16
START_OVERLAP: Final = 32


class Bench(NamedTuple):
    """Three histograms to work on: the result, another one, and the one before it."""

    result: Scratch
    other: Scratch
    before: Scratch


@inlined
def _bench() -> Bench:
    return Bench(new_scratch(), new_scratch(), new_scratch())


@kernel(arrays_in, i8_in, i8_in, i8_in2, i8_in2, i8_in, i8_in, boolean, float64, i8_out, i8_out)
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
    builder, bench, steps = new_builder(lo.size, lo.size), _bench(), lo.shape[1]
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
        bench, notes[cell] = _increase(bench, table, times, created, first, last, is_counter)
        if given and not notes[cell] & MIXED:
            bench, note = _add_first(bench, table, first, last)
            notes[cell] |= note
        if notes[cell] & MIXED:
            continue
        begin = created[first] if given else times[first]
        bounds = (starts[step], ends[step])
        factor = _factor(bench.result, table, times, first, last, begin, bounds, is_counter)
        multiply(bench.result, factor / seconds if seconds != 0.0 else factor)
        index[cell] = builder.used[0]
        builder = emit(builder, bench.result)
    return built(builder)


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
def _add_first(bench: Bench, table: Arrays, first: int, last: int) -> tuple[Bench, int]:
    """Adds the first sample, which was zero when the counter was created."""
    if last == first:
        return Bench(load(bench.result, table, first), bench.other, bench.before), 0
    bench, report = _combine(bench, table, first, False)
    return bench, _noted(report, RECONCILED_ADDITION)


@inlined
def _noted(report: int, reconciled: int) -> int:
    return (MIXED if report & MIXED_SCHEMAS else 0) | (reconciled if report & RECONCILED else 0)


@inlined
def _combine(bench: Bench, table: Arrays, row: int, subtract: bool) -> tuple[Bench, int]:
    """Adds a row to the result, or subtracts it."""
    other = load(bench.other, table, row)
    result = roomy(bench.result, other)
    return Bench(result, other, bench.before), add(result, other, subtract, False)


@called
def _increase(
    bench: Bench,
    table: Arrays,
    times: Int64s,
    created: Int64s,
    first: int,
    last: int,
    is_counter: bool,
) -> tuple[Bench, int]:
    """What the samples gained, resets added; the result is undefined if the notes say MIXED."""
    if first == last:
        return bench, 0
    rows, notes, anew = table.rows, 0, False
    if is_counter:
        if rows[first, HINT] == GAUGE or rows[last, HINT] == GAUGE:
            notes = NOT_COUNTER
        bench, anew = _is_reset(bench, table, times, created, first + 1)
    elif rows[first, HINT] != GAUGE or rows[last, HINT] != GAUGE:
        notes = NOT_GAUGE
    basis = first + 1 if anew else first
    custom = rows[basis, SCHEMA] == CUSTOM_SCHEMA
    if (rows[last, SCHEMA] == CUSTOM_SCHEMA) != custom:
        return bench, notes & NOT_COUNTER | MIXED
    schema = min(rows[last, SCHEMA], rows[basis, SCHEMA])
    for row in range(first + 1, last if is_counter else first):
        if rows[row, HINT] == GAUGE:
            notes |= NOT_COUNTER
        if (rows[row, SCHEMA] == CUSTOM_SCHEMA) != custom:
            return bench, MIXED
        schema = min(schema, rows[row, SCHEMA])
    result = load(bench.result, table, last)
    if result.facts[SCHEMA] != schema:
        reduce(result, schema, False)
    before = _sample_before(bench.before, table, first + 1, anew)
    result = roomy(result, before)
    report = add(result, before, True, False)
    notes |= _noted(report, RECONCILED_SUBTRACTION)
    bench = Bench(result, bench.other, before)
    if is_counter:
        for row in range(first + 1, last + 1):
            bench, note = _add_if_reset(
                bench, table, times, created, row, anew and row == first + 1
            )
            notes |= note
    bench.result.facts[HINT] = GAUGE
    compact(bench.result, False)
    return bench, notes


@inlined
def _sample_before(scratch: Scratch, table: Arrays, row: int, empty: bool) -> Scratch:
    """The sample before a row; if `empty`, nothing in that row's layout."""
    if not empty:
        return load(scratch, table, row - 1)
    scratch = load(scratch, table, row)
    schema, bounds = scratch.facts[SCHEMA], scratch.facts[LIMITS]
    clear(scratch)
    scratch.facts[SCHEMA], scratch.facts[LIMITS] = schema, bounds
    return scratch


@called
def _add_if_reset(
    bench: Bench, table: Arrays, times: Int64s, created: Int64s, row: int, empty: bool
) -> tuple[Bench, int]:
    """Adds the sample before a row to the result if the counter was reset in between."""
    notes, reset = 0, False
    if len(created):
        known = created[row]
        overlaps = known != 0 and known < times[row - 1] and known != created[row - 1]
        notes = START_OVERLAP if overlaps else 0
    if empty:
        reset = created_anew(times, created, row)
        if not reset:
            before = _sample_before(bench.before, table, row, True)
            other = load(bench.other, table, row)
            bench = Bench(bench.result, other, before)
            reset = was_reset(other, before)
    else:
        bench, reset = _is_reset(bench, table, times, created, row)
    if not reset:
        return bench, notes
    before = _sample_before(bench.before, table, row, empty)
    result = roomy(bench.result, before)
    report = add(result, before, False, False)
    return Bench(result, bench.other, before), notes | _noted(report, RECONCILED_ADDITION)


@called
def _is_reset(
    bench: Bench, table: Arrays, times: Int64s, created: Int64s, row: int
) -> tuple[Bench, bool]:
    """Whether the counter was reset between a row and the one before."""
    if created_anew(times, created, row):
        return bench, True
    hint = table.rows[row, HINT]
    if hint in (RESET, NOT_RESET):
        return bench, hint == RESET
    before, other = load(bench.before, table, row - 1), load(bench.other, table, row)
    return Bench(bench.result, other, before), was_reset(other, before)


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


@kernel(arrays_in, i8_in, i8_in, i8_in, i8_in, boolean, i8_out, i8_out)
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
    builder, bench = new_builder(len(earlier), len(earlier)), _bench()
    for cell in range(len(earlier)):
        index[cell], notes[cell] = -1, 0
        if earlier[cell] < 0:
            continue
        bench, notes[cell] = _gained(bench, table, times, created, later[cell], is_counter)
        if notes[cell] & MIXED:
            continue
        if is_counter:
            divide(bench.result, float(times[later[cell]] - times[earlier[cell]]) / 1000.0)
        index[cell] = builder.used[0]
        builder = emit(builder, bench.result)
    return built(builder)


@called
def _gained(
    bench: Bench, table: Arrays, times: Int64s, created: Int64s, row: int, is_counter: bool
) -> tuple[Bench, int]:
    """The difference of a row and the one before, or the row itself after a reset."""
    gauges = int(table.rows[row, HINT] == GAUGE) + int(table.rows[row - 1, HINT] == GAUGE)
    notes, reset = 0, False
    if is_counter:
        notes = NOT_COUNTER if gauges else 0
        bench, reset = _is_reset(bench, table, times, created, row)
    elif gauges < 2:
        notes = NOT_GAUGE
    bench = Bench(load(bench.result, table, row), bench.other, bench.before)
    if not reset:
        bench, report = _combine(bench, table, row - 1, True)
        notes |= _noted(report, RECONCILED_SUBTRACTION)
    bench.result.facts[HINT] = GAUGE
    compact(bench.result, False)
    return bench, notes
