"""The binary operators over many histograms at once."""

from numba import boolean

from bridge.kernel import b1_out, f8_in, i8_in, i8_out, rare_kernel
from bridge.model.arrays import Float64s, Int64s
from bridge.model.histogram_layout import GAUGE, HINT, Arrays, Bools, arrays_in, built, new_builder
from bridge.model.histogram_math import add, compact, divide, multiply
from bridge.model.histogram_resets import equal
from bridge.model.histogram_scratch import emit, load, new_scratch, room_for
from bridge.model.histogram_trim import trim


@rare_kernel(arrays_in, i8_in, arrays_in, i8_in, boolean, i8_out)
def sums(
    left: Arrays, i: Int64s, right: Arrays, j: Int64s, subtract: bool, notes: Int64s
) -> Arrays:
    """Row i[n] of the left table plus, or minus, row j[n] of the right one, compacted.

    `notes` get what `histogram_math.add` reports; after MIXED_SCHEMAS row n means nothing.
    """
    ours, theirs = room_for(left), room_for(right)
    buckets, bounds = ours[0] + theirs[0], max(ours[1], theirs[1])
    a, b = new_scratch(buckets, bounds), new_scratch(buckets, bounds)
    builder = new_builder(len(i), len(i))
    for cell in range(len(i)):
        load(a, left, i[cell])
        load(b, right, j[cell])
        notes[cell] = add(a, b, subtract, False)
        if subtract:
            a.facts[HINT] = GAUGE
        compact(a, False)
        builder = emit(builder, a)
    return built(builder)


@rare_kernel(arrays_in, i8_in, f8_in, boolean)
def products(table: Arrays, rows: Int64s, factors: Float64s, compacted: bool) -> Arrays:
    """Row rows[n] times factors[n]; the operator `*` compacts, the unary minus does not."""
    buckets, bounds = room_for(table)
    a, builder = new_scratch(buckets, bounds), new_builder(len(rows), len(rows))
    for cell in range(len(rows)):
        load(a, table, rows[cell])
        multiply(a, factors[cell])
        if compacted:
            compact(a, False)
        builder = emit(builder, a)
    return built(builder)


@rare_kernel(arrays_in, i8_in, f8_in)
def quotients(table: Arrays, rows: Int64s, divisors: Float64s) -> Arrays:
    """Row rows[n] divided by divisors[n], compacted."""
    buckets, bounds = room_for(table)
    a, builder = new_scratch(buckets, bounds), new_builder(len(rows), len(rows))
    for cell in range(len(rows)):
        load(a, table, rows[cell])
        divide(a, divisors[cell])
        compact(a, False)
        builder = emit(builder, a)
    return built(builder)


@rare_kernel(arrays_in, i8_in, f8_in, boolean)
def trims(table: Arrays, rows: Int64s, values: Float64s, keep_below: bool) -> Arrays:
    """What is left of row rows[n] below values[n] (`</`), or above it (`>/`)."""
    buckets, bounds = room_for(table)
    a, builder = new_scratch(buckets, bounds), new_builder(len(rows), len(rows))
    for cell in range(len(rows)):
        load(a, table, rows[cell])
        trim(a, values[cell], keep_below)
        builder = emit(builder, a)
    return built(builder)


@rare_kernel(arrays_in, i8_in, arrays_in, i8_in, b1_out)
def equals(left: Arrays, i: Int64s, right: Arrays, j: Int64s, out: Bools) -> None:
    """Whether row i[n] of the left table equals row j[n] of the right one, layouts included."""
    for cell in range(len(i)):
        out[cell] = equal(left, i[cell], right, j[cell])
