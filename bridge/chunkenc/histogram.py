"""Chunks of native histograms, four encodings, to and from tables.

Of integer histograms (HISTOGRAM) counts are written as differences of differences, of float ones
(FLOAT_HISTOGRAM) XORed as in XOR chunks; either with or without start timestamps (_ST). Source:
histogram.go, float_histogram.go and their twins with _st in tsdb/chunkenc of Prometheus.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import int64

from bridge.chunkenc.bits import Bytes, big_endian, bits_at, signed
from bridge.chunkenc.histogram_layout import UNKNOWN_SCHEMA, layout_room, read_layout
from bridge.chunkenc.start_time import Started, read_start
from bridge.chunkenc.varbits import varbit_int, varbit_uint, xor_change
from bridge.kernel import called, i8_in, i8_out, inlined, rare_kernel, u1_in
from bridge.model.bucket_bounds import FINEST_SCHEMA
from bridge.model.gomath.bits import from_bits
from bridge.model.histogram_layout import (
    COUNT,
    COUNTS,
    GAUGE,
    HINT,
    NOT_RESET,
    ROW_WIDTH,
    SCHEMA,
    SIDE,
    SIZE,
    SUM,
    UNKNOWN,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    Builder,
    built,
    copy_first,
    new_builder,
    with_room,
)
from bridge.model.histogram_math import reduce
from bridge.model.histogram_scratch import SIZES, Scratch, clear, copy, emit, new_scratch
from bridge.model.samples import STALE_NAN_BITS, Float64s, Int64s

# The encodings, numbered as in prompb.Chunk.
HISTOGRAM: Final = 2
FLOAT_HISTOGRAM: Final = 3
HISTOGRAM_ST: Final = 5
FLOAT_HISTOGRAM_ST: Final = 6

HEADER_BYTES: Final = 3
GAUGE_HEADER: Final = 3

# Numbers of a sample in front of its buckets. A decoder keeps them, int64 [3, room]: each number,
# or a float's bits; its last difference, or its window's leading zeros; its trailing zeros.
_COUNT: Final = 0
_ZEROS: Final = 1
_SUM: Final = 2
_BUCKETS: Final = 3


class Decoded(NamedTuple):
    """Samples by row, and what was wrong.

    `bad` is the first chunk that could not be read, or -1, and `schema` its schema if no Prometheus
    knows it, else 0. `disorder` is 1 if a row's times fail to rise strictly.
    """

    timestamps: Int64s
    created: Int64s
    table: Arrays
    bad: int
    schema: int
    disorder: int


@rare_kernel(u1_in, i8_in, i8_in, i8_in, i8_in, int64, int64, i8_out)
def decode(
    data: Bytes,
    starts: Int64s,
    sizes: Int64s,
    encodings: Int64s,
    rows: Int64s,
    start: int,
    end: int,
    offsets: Int64s,
) -> Decoded:
    """Decodes chunks to the columns of rows, keeping the samples from `start` to `end` (ms).

    `data` is padded; chunk c is data[starts[c] : starts[c] + sizes[c]], of encoding encodings[c],
    and belongs to row rows[c]; `rows` never falls. `offsets` [R+1] is written.
    """
    room = _room(data, starts, sizes, encodings)
    timestamps, created = np.empty(room, np.int64), np.empty(room, np.int64)
    builder, numbers = new_builder(room, 8 * room), np.zeros((3, 256), np.int64)
    layout, sample = new_scratch(64, 16), new_scratch(64, 16)
    row, last, disorder, bad, schema = -1, 0, 0, -1, 0
    for chunk in range(len(starts)):
        fresh = rows[chunk] != row
        row = _begun(offsets, row, rows[chunk], builder.used[0])
        low, high, encoding = starts[chunk], starts[chunk] + sizes[chunk], encodings[chunk]
        count = _count(data, low, sizes[chunk], encoding)
        if count == 0:
            continue
        buckets, bounds = _needed(data, low, high, count)
        if buckets < 0:
            bad = chunk
            break
        if buckets > layout.places.shape[1] or bounds >= layout.bounds.shape[1]:
            layout = new_scratch(2 * buckets, 2 * bounds + 1)
            sample = new_scratch(2 * buckets, 2 * bounds + 1)
            numbers = np.zeros((3, _BUCKETS + 2 * layout.places.shape[1]), np.int64)
        builder, first, newest, fault = _decode(
            data,
            low,
            high,
            encoding,
            count,
            (start, end),
            timestamps,
            created,
            numbers,
            layout,
            sample,
            builder,
        )
        if fault < 0:
            bad = chunk
            schema = layout.facts[SCHEMA] if fault == UNKNOWN_SCHEMA else 0
            break
        disorder |= int(fault == 1 or (not fresh and first <= last))
        last = newest
    _begun(offsets, row, len(offsets) - 1, builder.used[0])
    kept = builder.used[0]
    return Decoded(
        timestamps[:kept].copy(), created[:kept].copy(), built(builder), bad, schema, disorder
    )


@inlined
def _room(data: Bytes, starts: Int64s, sizes: Int64s, encodings: Int64s) -> int:
    """How many samples all chunks may have, and one more."""
    room = 1
    for chunk in range(len(starts)):
        room += max(_count(data, starts[chunk], sizes[chunk], encodings[chunk]), 0)
    return room


@inlined
def _begun(offsets: Int64s, row: int, last: int, sample: int) -> int:
    """Lets all rows behind `row` up to `last` begin with a sample; returns `last`, or `row`."""
    while row < last:
        row += 1
        offsets[row] = sample
    return row


@inlined
def _needed(data: Bytes, low: int, high: int, count: int) -> tuple[int, int]:
    """How many buckets and bounds a chunk's layout has; -1 buckets if it is malformed."""
    if count < 0:
        return -1, 0
    return layout_room(data, (low + HEADER_BYTES) * 8, high * 8)


@inlined
def _count(data: Bytes, low: int, size: int, encoding: int) -> int:
    """How many samples a chunk has; -1 if it is too short for them."""
    if size < HEADER_BYTES:
        return -1
    count = signed(big_endian(data, low) >> np.uint64(48))
    if encoding in (HISTOGRAM_ST, FLOAT_HISTOGRAM_ST):
        count &= 0x3FFF
    # Time, count, zero count and sum take a bit each, the first sum 64.
    return count if count == 0 or 4 * count + 63 <= (size - HEADER_BYTES) * 8 else -1


@called
def _decode(
    data: Bytes,
    low: int,
    high: int,
    encoding: int,
    count: int,
    wanted: tuple[int, int],
    timestamps: Int64s,
    created: Int64s,
    numbers: Int64s,
    layout: Scratch,
    sample: Scratch,
    builder: Builder,
) -> tuple[Builder, int, int, int]:
    """One chunk: first and last time, and 1 if times fail to rise, or below 0 what is wrong."""
    stop = high * 8
    started = encoding in (HISTOGRAM_ST, FLOAT_HISTOGRAM_ST)
    floats = encoding in (FLOAT_HISTOGRAM, FLOAT_HISTOGRAM_ST)
    gauge = int(data[low if started else low + 2]) >> 6 == GAUGE_HEADER
    header, position = int(data[low + 2]), read_layout(data, (low + HEADER_BYTES) * 8, stop, layout)
    if position < 0:
        return builder, 0, 0, position
    first, time, delta, falls, held = 0, 0, 0, 0, Started(0, 0)
    facts, model = layout.facts, -1
    buckets = facts[SIZES] + facts[SIZES + 1]
    numbers[:] = 0
    for at in range(count):
        previous = time
        change, position = varbit_int(data, position)
        if at == 0:
            first = time = change
        else:
            delta += change
            time += delta
            falls |= int(delta <= 0)
        if position <= stop:
            position = _read_numbers(data, position, stop, numbers, buckets, at == 0, floats)
        if started and position <= stop:
            held, position = read_start(data, position, header, at, time, previous, held)
        if position > stop:
            return builder, 0, 0, -1
        if wanted[0] <= time <= wanted[1]:
            hint = GAUGE if gauge else (UNKNOWN if at == 0 else NOT_RESET)
            timestamps[builder.used[0]], created[builder.used[0]] = time, held.created
            stale = numbers[0, _SUM] == STALE_NAN_BITS
            if stale or model < 0:
                _make_sample(sample, numbers, layout, floats, hint)
                builder = emit(builder, sample)
                if not stale and facts[SCHEMA] <= FINEST_SCHEMA:
                    model = builder.used[0] - 1
                continue
            if builder.used[2] + buckets > len(builder.counts):
                builder = with_room(builder, buckets, 0)
            _add_like(builder, model, numbers, floats, hint)
    return builder, first, time, falls


@inlined
def _read_numbers(
    data: Bytes,
    position: int,
    stop: int,
    numbers: Int64s,
    buckets: int,
    first: bool,
    floats: bool,
) -> int:
    """A sample's counts, sum and buckets; returns the bit behind, any behind `stop` if short."""
    for number in range(_BUCKETS + buckets):
        # A staleness marker has no buckets, but for a chunk's first sample.
        if number == _BUCKETS and not first and numbers[0, _SUM] == STALE_NAN_BITS:
            break
        if position > stop:
            break
        if floats or number == _SUM:
            position = _read_float(data, position, numbers, number, first)
        elif first and number < _SUM:
            numbers[0, number], position = varbit_uint(data, position)
        elif first:
            numbers[0, number], position = varbit_int(data, position)
        else:
            change, position = varbit_int(data, position)
            numbers[1, number] += change
            numbers[0, number] += numbers[1, number]
    return position


@inlined
def _read_float(data: Bytes, position: int, numbers: Int64s, number: int, first: bool) -> int:
    if first:
        numbers[0, number] = signed(bits_at(data, position))
        return position + 64
    changed, position, leading, trailing = xor_change(
        data, position, numbers[1, number], numbers[2, number]
    )
    numbers[0, number] ^= signed(changed)
    numbers[1, number], numbers[2, number] = leading, trailing
    return position


@called
def _make_sample(
    sample: Scratch, numbers: Int64s, layout: Scratch, floats: bool, hint: int
) -> None:
    """Makes it the histogram that the numbers stand for; a stale one has nothing but its sum."""
    facts = layout.facts
    if numbers[0, _SUM] == STALE_NAN_BITS:
        clear(sample)
        sample.numbers[0, SUM] = from_bits(STALE_NAN_BITS)
        return
    copy(sample, layout)
    sample.facts[HINT] = hint
    sample.numbers[0, SUM] = from_bits(numbers[0, _SUM])
    sample.numbers[0, COUNT] = _as_count(numbers[0, _COUNT], floats)
    sample.numbers[0, ZERO_COUNT] = _as_count(numbers[0, _ZEROS], floats)
    number = _BUCKETS
    for side in range(2):
        number = _put_counts(numbers, number, facts[SIZES + side], floats, sample.counts[side], 0)
    if sample.facts[SCHEMA] > FINEST_SCHEMA:
        reduce(sample, FINEST_SCHEMA, False)


@inlined
def _add_like(builder: Builder, model: int, numbers: Int64s, floats: bool, hint: int) -> None:
    """Adds a row that shares its layout with row `model`; the builder has room for it."""
    used, rows, held = builder.used, builder.rows, builder.numbers
    row = used[0]
    copy_first(ROW_WIDTH, rows[model], rows[row])
    rows[row, HINT] = hint
    held[row, ZERO_THRESHOLD] = held[model, ZERO_THRESHOLD]
    held[row, SUM] = from_bits(numbers[0, _SUM])
    held[row, COUNT] = _as_count(numbers[0, _COUNT], floats)
    held[row, ZERO_COUNT] = _as_count(numbers[0, _ZEROS], floats)
    number = _BUCKETS
    for side in range(0, 2 * SIDE, SIDE):
        size = rows[row, SIZE + side]
        rows[row, COUNTS + side] = used[2]
        number = _put_counts(numbers, number, size, floats, builder.counts, used[2])
        used[2] += size
    used[0] += 1


@inlined
def _put_counts(
    numbers: Int64s, number: int, size: int, floats: bool, counts: Float64s, at: int
) -> int:
    """Writes the counts of one side's buckets from `at` on; returns the number behind theirs."""
    total = 0
    for bucket in range(size):
        total += numbers[0, number + bucket]
        counts[at + bucket] = from_bits(numbers[0, number + bucket]) if floats else float(total)
    return number + size


@inlined
def _as_count(number: int, floats: bool) -> float:
    return from_bits(number) if floats else float(np.uint64(number))
