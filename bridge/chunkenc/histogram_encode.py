"""Tables of native histograms to chunks; see `chunkenc.histogram` for the other way.

The samples of a chunk have one layout, staleness markers excepted: `histogram_cuts` makes them so.
"""

import numpy as np
from numba import int64

from bridge.chunkenc.bits import Bytes, unsigned
from bridge.chunkenc.histogram import (
    FLOAT_HISTOGRAM,
    FLOAT_HISTOGRAM_ST,
    HEADER_BYTES,
    HISTOGRAM_ST,
)
from bridge.chunkenc.histogram_layout import put_layout
from bridge.chunkenc.start_time import Started, put_start
from bridge.chunkenc.varbits import put, put_varbit_int, put_varbit_uint, put_xor
from bridge.kernel import called, i8_in, i8_out, inlined, rare_kernel, u1_out
from bridge.model.gomath.bits import bits_of
from bridge.model.histogram import Histograms
from bridge.model.histogram_layout import (
    BOUNDS_SIZE,
    COUNT,
    SIDE,
    SIZE,
    SUM,
    ZERO_COUNT,
    Arrays,
    arrays_in,
)
from bridge.model.histogram_scratch import SIZES, Scratch, clear, load, new_scratch, room_for
from bridge.model.samples import STALE_NAN_BITS, Int64s

# A number takes 8 + 64 bits at most, or 2 + 11 + 64; a sample has a time, a start timestamp, a
# count, a zero count and a sum; a layout five numbers, and two for each span.
_NUMBER_BYTES = 10
_SAMPLE_NUMBERS = 5
_LAYOUT_NUMBERS = 7


def encoded(
    table: Histograms,
    timestamps: Int64s,
    created: Int64s,
    bounds: Int64s,
    encoding: int,
    flags: Int64s,
) -> list[bytes]:
    """Samples bounds[c] to bounds[c+1] as chunk c, with the counter reset flags flags[c] (0 to 3).

    `timestamps` and `created` are ms, `created` 0 if unknown. Without _ST start timestamps are
    lost; in integer encodings counts have to be whole. No chunk has more than 16,383 samples.
    """
    rows = table.arrays.rows
    numbers = rows[:, SIZE] + rows[:, SIZE + SIDE] + rows[:, BOUNDS_SIZE] + _SAMPLE_NUMBERS
    chunk_numbers = 3 * int(numbers.max(initial=0)) + _LAYOUT_NUMBERS
    room = _NUMBER_BYTES * (int(numbers.sum()) + (len(bounds) - 1) * chunk_numbers) + 8
    out, ends = np.zeros(room, np.uint8), np.zeros(len(bounds) - 1, np.int64)
    encode(table.arrays, timestamps, created, bounds, encoding, flags, out, ends)
    starts = [0, *ends[:-1].tolist()]
    return [out[low:high].tobytes() for low, high in zip(starts, ends.tolist(), strict=True)]


@rare_kernel(arrays_in, i8_in, i8_in, i8_in, int64, i8_in, u1_out, i8_out)
def encode(
    table: Arrays,
    timestamps: Int64s,
    created: Int64s,
    bounds: Int64s,
    encoding: int,
    flags: Int64s,
    out: Bytes,
    ends: Int64s,
) -> None:
    """As `encoded`; `out` is all zeros and has room, `ends` [C] says where each chunk ends."""
    buckets, limits = room_for(table)
    index, scratch = 0, new_scratch(buckets, limits)
    numbers = np.zeros((3, 64), np.int64)
    for chunk in range(len(bounds) - 1):
        low, high = bounds[chunk], bounds[chunk + 1]
        started = encoding in (HISTOGRAM_ST, FLOAT_HISTOGRAM_ST)
        put(out, index * 8 + (2 if started else 0), np.uint64(high - low), 14 if started else 16)
        put(out, index * 8 + (0 if started else 16), np.uint64(flags[chunk]), 2)
        position, held = (index + HEADER_BYTES) * 8, Started(0, 0)
        delta = 0
        for at in range(low, high):
            _load_sample(scratch, table, at)
            size = 3 + scratch.facts[SIZES] + scratch.facts[SIZES + 1]
            if at == low:
                position = put_layout(out, position, scratch)
                if size > numbers.shape[1]:
                    numbers = np.zeros((3, 2 * size), np.int64)
                numbers[1, :], numbers[2, :] = -1, 0
            previous = timestamps[at - 1] if at > low else 0
            change = timestamps[at] - previous - delta
            delta = timestamps[at] - previous if at > low else 0
            position = put_varbit_int(out, position, change)
            floats = encoding in (FLOAT_HISTOGRAM, FLOAT_HISTOGRAM_ST)
            position = _put_numbers(out, position, scratch, numbers, at == low, floats)
            if started:
                held, position = put_start(
                    out, position, index + 2, at - low, created[at], timestamps[at], previous, held
                )
        index = (position + 7) >> 3
        ends[chunk] = index


@inlined
def _load_sample(scratch: Scratch, table: Arrays, row: int) -> None:
    """A row, or of a staleness marker nothing but its sum."""
    if bits_of(table.numbers[row, SUM]) != STALE_NAN_BITS:
        load(scratch, table, row)
        return
    clear(scratch)
    scratch.numbers[0, SUM] = table.numbers[row, SUM]


@called
def _put_numbers(
    out: Bytes, position: int, sample: Scratch, numbers: Int64s, first: bool, floats: bool
) -> int:
    """A sample's counts, sum and buckets; `numbers` holds those of the sample before."""
    count, zeros = sample.numbers[0, COUNT], sample.numbers[0, ZERO_COUNT]
    if floats:
        position = _put_float(out, position, numbers, 0, bits_of(count), first)
        position = _put_float(out, position, numbers, 1, bits_of(zeros), first)
    elif not first and bits_of(sample.numbers[0, SUM]) == STALE_NAN_BITS:
        # Of a staleness marker both count as going on as before, whatever that gives.
        position += 2
    else:
        position = _put_int(out, position, numbers, 0, _unsigned(count), first)
        position = _put_int(out, position, numbers, 1, _unsigned(zeros), first)
    position = _put_float(out, position, numbers, 2, bits_of(sample.numbers[0, SUM]), first)
    number = 3
    for side in range(2):
        before = 0
        for bucket in range(sample.facts[SIZES + side]):
            held = sample.counts[side, bucket]
            if floats:
                position = _put_float(out, position, numbers, number, bits_of(held), first)
            else:
                position = _put_int(out, position, numbers, number, int(held) - before, first)
                before = int(held)
            number += 1
    return position


@inlined
def _unsigned(count: float) -> int:
    """A whole number below 2**64, as the int64 of its bits."""
    return int(count) if count < 9223372036854775808.0 else int(count - 18446744073709551616.0)


@inlined
def _put_int(
    out: Bytes, position: int, numbers: Int64s, number: int, value: int, first: bool
) -> int:
    if first:
        numbers[0, number], numbers[1, number] = value, 0
        if number < 2:
            return put_varbit_uint(out, position, value)
        return put_varbit_int(out, position, value)
    delta = value - numbers[0, number]
    change = delta - numbers[1, number]
    numbers[0, number], numbers[1, number] = value, delta
    return put_varbit_int(out, position, change)


@inlined
def _put_float(
    out: Bytes, position: int, numbers: Int64s, number: int, bits: int, first: bool
) -> int:
    changed = unsigned(bits ^ numbers[0, number])
    numbers[0, number] = bits
    if first:
        return put(out, position, unsigned(bits), 64)
    position, leading, trailing = put_xor(
        out, position, changed, numbers[1, number], numbers[2, number]
    )
    numbers[1, number], numbers[2, number] = leading, trailing
    return position
