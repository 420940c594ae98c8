"""Native histograms to the fields of a SAMPLES body; see `histograms` for the other way."""

from typing import Final

import numpy as np
from numba import boolean

from bridge.chunkenc.bits import Bytes, unsigned
from bridge.chunkenc.histogram_runs import is_whole
from bridge.kernel import called, i8_in, i8_out, inlined, rare_kernel, u1_out
from bridge.model.arrays import Int64s
from bridge.model.gomath.bits import bits_of
from bridge.model.histogram import HistogramColumns
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNT,
    COUNTS,
    HINT,
    PLACES,
    SCHEMA,
    SIDE,
    SIZE,
    SUM,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    arrays_in,
)
from bridge.remote.varints import put_fixed, put_uvarint, put_zigzag

# All fields that are not lists, and heads of those that are; a bucket with a span of its own.
_HISTOGRAM_BYTES: Final = 160
_ENTRY_BYTES: Final = 32
# Room for the tag and the length of a message, which is known only behind it.
_HEAD_BYTES: Final = 11

# Tags of fields of TimeSeries, Histogram and BucketSpan.
_HISTOGRAM: Final = 0x22
_COUNT_INT: Final = 0x08
_COUNT_FLOAT: Final = 0x11
_SUM: Final = 0x19
_SCHEMA: Final = 0x20
_ZERO_THRESHOLD: Final = 0x29
_ZERO_COUNT_INT: Final = 0x30
_ZERO_COUNT_FLOAT: Final = 0x39
_NEGATIVE: Final = 0x42
_POSITIVE: Final = 0x5A
_DELTAS: Final = 0x08
_FLOATS: Final = 0x10
_HINT: Final = 0x70
_TIMESTAMP: Final = 0x78
_CUSTOM_VALUES: Final = (0x82, 0x01)
_OFFSET: Final = 0x08
_LENGTH: Final = 0x10


def histogram_fields(native: HistogramColumns, integers: bool) -> list[bytes]:
    """Each row's histograms, as fields of a TimeSeries.

    `integers`: those whose counts are whole numbers are written as integer histograms.
    """
    rows = native.table.arrays.rows
    entries = rows[:, SIZE] + rows[:, SIZE + SIDE] + rows[:, BOUNDS_SIZE]
    room = len(rows) * _HISTOGRAM_BYTES + int(entries.sum()) * _ENTRY_BYTES
    out, ends = np.empty(room, np.uint8), np.zeros(len(native), np.int64)
    _put(native.table.arrays, native.offsets, native.timestamps, integers, out, ends)
    whole = out[: ends[-1] if len(ends) else 0].tobytes()
    starts = [0, *ends[:-1].tolist()]
    return [whole[low:high] for low, high in zip(starts, ends.tolist(), strict=False)]


@rare_kernel(arrays_in, i8_in, i8_in, boolean, u1_out, i8_out)
def _put(
    table: Arrays,
    offsets: Int64s,
    timestamps: Int64s,
    integers: bool,
    out: Bytes,
    ends: Int64s,
) -> None:
    """Writes each row's histograms; `ends` [R] says where each row ends."""
    index = 0
    for row in range(len(ends)):
        for sample in range(offsets[row], offsets[row + 1]):
            whole = integers and is_whole(table, sample)
            end = _put_histogram(table, sample, timestamps[sample], whole, out, index + _HEAD_BYTES)
            index = _put_head(out, index, _HISTOGRAM, index + _HEAD_BYTES, end)
        ends[row] = index


@inlined
def _put_head(out: Bytes, index: int, tag: int, begin: int, end: int) -> int:
    """A tag and a length before what stands from `begin` to `end`, which moves to behind them."""
    out[index] = tag
    index = put_uvarint(out, index + 1, np.uint64(end - begin))
    for byte in range(end - begin):
        out[index + byte] = out[begin + byte]
    return index + end - begin


@called
def _put_histogram(
    table: Arrays, row: int, timestamp: int, whole: bool, out: Bytes, index: int
) -> int:
    numbers, facts = table.numbers[row], table.rows[row]
    if whole:
        out[index] = _COUNT_INT
        index = put_uvarint(out, index + 1, np.uint64(numbers[COUNT]))
    else:
        out[index] = _COUNT_FLOAT
        index = put_fixed(out, index + 1, bits_of(numbers[COUNT]))
    out[index] = _SUM
    index = put_fixed(out, index + 1, bits_of(numbers[SUM]))
    out[index] = _SCHEMA
    index = put_zigzag(out, index + 1, facts[SCHEMA])
    out[index] = _ZERO_THRESHOLD
    index = put_fixed(out, index + 1, bits_of(numbers[ZERO_THRESHOLD]))
    if whole:
        out[index] = _ZERO_COUNT_INT
        index = put_uvarint(out, index + 1, np.uint64(numbers[ZERO_COUNT]))
    else:
        out[index] = _ZERO_COUNT_FLOAT
        index = put_fixed(out, index + 1, bits_of(numbers[ZERO_COUNT]))
    index = _put_side(table, row, 1, _NEGATIVE, whole, out, index)
    index = _put_side(table, row, 0, _POSITIVE, whole, out, index)
    out[index] = _HINT
    index = put_uvarint(out, index + 1, np.uint64(facts[HINT]))
    out[index] = _TIMESTAMP
    index = put_uvarint(out, index + 1, unsigned(timestamp))
    size = facts[BOUNDS_SIZE]
    if size:
        out[index], out[index + 1] = _CUSTOM_VALUES
        index = put_uvarint(out, index + 2, np.uint64(8 * size))
        for bound in range(size):
            index = put_fixed(out, index, bits_of(table.bounds[facts[BOUNDS] + bound]))
    return index


@called
def _put_side(
    table: Arrays, row: int, side: int, tag: int, whole: bool, out: Bytes, index: int
) -> int:
    """The spans of a side, and its counts: of integers their differences."""
    facts = table.rows[row]
    size, place = facts[SIZE + SIDE * side], facts[PLACES + SIDE * side]
    first, behind = 0, 0
    while first < size:
        last = first + 1
        while last < size and not table.places[place + last] & 1:
            last += 1
        bucket = table.places[place + first] >> 1
        begin = index + _HEAD_BYTES
        out[begin] = _OFFSET
        end = put_zigzag(out, begin + 1, bucket - behind)
        out[end] = _LENGTH
        end = put_uvarint(out, end + 1, np.uint64(last - first))
        index = _put_head(out, index, tag, begin, end)
        first, behind = last, bucket + last - first
    if size:
        begin = index + _HEAD_BYTES
        end = _put_counts(table, facts[COUNTS + SIDE * side], size, whole, out, begin)
        index = _put_head(out, index, tag + (_DELTAS if whole else _FLOATS), begin, end)
    return index


@inlined
def _put_counts(table: Arrays, at: int, size: int, whole: bool, out: Bytes, index: int) -> int:
    before = 0
    for bucket in range(size):
        count = table.counts[at + bucket]
        if whole:
            index = put_zigzag(out, index, int(count) - before)
            before = int(count)
        else:
            index = put_fixed(out, index, bits_of(count))
    return index
