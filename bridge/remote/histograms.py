"""The native histograms of a SAMPLES body: straight from protobuf bytes to a table.

Layouts that Prometheus refuses are refused: see Validate in model/histogram of Prometheus. Counts
are taken as they come, as its own client for remote read takes them.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import int64

from bridge.chunkenc.bits import Bytes, little_endian, signed
from bridge.kernel import called, i8_in, i8_out, inlined, rare_kernel, u1_in
from bridge.model.bucket_bounds import (
    CUSTOM_SCHEMA,
    FINEST_SCHEMA,
    RESERVED_SCHEMAS,
    is_exponential,
)
from bridge.model.gomath.bits import from_bits
from bridge.model.histogram_layout import (
    COUNT,
    GAUGE,
    HINT,
    SCHEMA,
    SUM,
    UNKNOWN,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    built,
    new_builder,
)
from bridge.model.histogram_math import reduce
from bridge.model.histogram_scratch import (
    LIMITS,
    SIZES,
    Scratch,
    clear,
    emit,
    fitted,
    new_scratch,
)
from bridge.model.samples import Int64s
from bridge.remote.protobuf import FIXED64, LENGTH, VARINT, field, varint

_HISTOGRAM: Final = 4 << 3 | LENGTH

# Field numbers of Histogram; those of the negative side are three less than the positive one's.
_COUNT_INT: Final = 1
_COUNT_FLOAT: Final = 2
_SUM: Final = 3
_SCHEMA: Final = 4
_ZERO_THRESHOLD: Final = 5
_ZERO_COUNT_INT: Final = 6
_ZERO_COUNT_FLOAT: Final = 7
_NEGATIVE_SPANS: Final = 8
_POSITIVE_SPANS: Final = 11
_POSITIVE_DELTAS: Final = 12
_POSITIVE_COUNTS: Final = 13
_HINT: Final = 14
_TIMESTAMP: Final = 15
_BOUNDS: Final = 16

_INT32: Final = 1 << 31

_SCHEMAS: Final = "for exponential buckets, or -53 for custom buckets"

FAULTS: Final = (
    "",
    "a histogram is malformed",
    f"histogram has an unknown schema, which must be between -9 and 52 {_SCHEMAS}",
    f"histogram has an invalid schema, which must be between -4 and 8 {_SCHEMAS}",
    "histogram has a span whose offset is negative",
    "histogram spans specify different number of buckets than provided",
    "histogram custom bounds must be in strictly increasing order, finite and not NaN",
    "histogram custom bounds are too few",
    "custom buckets: must have neither a zero bucket nor negative buckets",
    "histogram with exponential schema must not have custom bounds",
)
"""What can be wrong, in Prometheus' words; a fault is an index into it, 0 is none."""

_MALFORMED: Final = 1
UNKNOWN_SCHEMA: Final = 2
_INVALID_SCHEMA: Final = 3
_NEGATIVE_OFFSET: Final = 4
_SPANS_MISMATCH: Final = 5
_BAD_BOUNDS: Final = 6
FEW_BOUNDS: Final = 7
_CUSTOM_ZEROS: Final = 8
_NEEDLESS_BOUNDS: Final = 9


class Decoded(NamedTuple):
    """Samples by row; `bad` is the first time series with a fault, or -1, and `fault` which.

    `disorder` is 1 if a row's times fail to rise strictly.
    """

    timestamps: Int64s
    table: Arrays
    bad: int
    fault: int
    disorder: int


class Reading(NamedTuple):
    """A message being read.

    `sizes` int64 [7]: of each side how many places, how many counts and where its next span begins;
    then the time, ms.
    """

    scratch: Scratch
    sizes: Int64s


_COUNTED: Final = 2
_NEXT: Final = 4
_TIME: Final = 6


@rare_kernel(u1_in, i8_in, i8_in, int64, int64, i8_out)
def decode(
    data: Bytes, starts: Int64s, stops: Int64s, start: int, end: int, offsets: Int64s
) -> Decoded:
    """Decodes the histograms of time series, keeping those from `start` to `end` (ms).

    Time series r is data[starts[r] : stops[r]], as `samples.survey` finds them; `data` is padded.
    `offsets` [R+1] is written.
    """
    room, size = _histograms(data, starts, stops)
    timestamps, builder = np.empty(room + 1, np.int64), new_builder(room, size // 2)
    reading = Reading(new_scratch(64, 16), np.zeros(7, np.int64))
    bad, fault, disorder = -1, 0, 0
    for row in range(len(starts)):
        offsets[row] = builder.used[0]
        index, first, last = starts[row], True, 0
        while index < stops[row] and fault == 0:
            tag, low, stop, _ = field(data, index, stops[row])
            index = stop
            if stop < 0:
                bad, fault = row, _MALFORMED
            elif tag == _HISTOGRAM:
                reading, fault = _read(data, low, stop, reading)
                bad = row if fault else bad
                time = reading.sizes[_TIME]
                disorder |= int(not first and time <= last)
                first, last = False, time
                if fault == 0 and start <= time <= end:
                    timestamps[builder.used[0]] = time
                    builder = emit(builder, reading.scratch)
    offsets[len(starts)] = builder.used[0]
    return Decoded(timestamps[: builder.used[0]].copy(), built(builder), bad, fault, disorder)


@inlined
def _histograms(data: Bytes, starts: Int64s, stops: Int64s) -> tuple[int, int]:
    """How many histograms there are, and how many bytes they have."""
    found, size = 0, 0
    for row in range(len(starts)):
        index = starts[row]
        while 0 <= index < stops[row]:
            tag, low, stop, _ = field(data, index, stops[row])
            if tag == _HISTOGRAM and stop >= 0:
                found += 1
                size += stop - low
            index = stop
    return found, size


@called
def _read(data: Bytes, index: int, end: int, reading: Reading) -> tuple[Reading, int]:
    """One Histogram message; returns what is wrong with it, or 0."""
    scratch, sizes = reading.scratch, reading.sizes
    clear(scratch)
    sizes[:] = 0
    # No bucket takes less than a byte.
    scratch = fitted(scratch, end - index + 1, (end - index) // 8 + 1)
    reading = Reading(scratch, sizes)
    while index < end:
        tag, low, stop, number = field(data, index, end)
        if stop < 0:
            return reading, _MALFORMED
        fault = _read_field(data, tag, low, stop, number, reading)
        if fault:
            return reading, fault
        index = stop
    return reading, _checked(reading)


@called
def _read_field(data: Bytes, tag: int, low: int, stop: int, number: int, reading: Reading) -> int:
    scratch, which, kind = reading.scratch, tag >> 3, tag & 7
    bits = signed(little_endian(data, low)) if kind == FIXED64 else 0
    if _NEGATIVE_SPANS <= which <= _POSITIVE_COUNTS:
        side = int(which < _POSITIVE_SPANS)
        part = which + (3 if side else 0)
        if part == _POSITIVE_SPANS:
            return _read_span(data, low, stop, side, reading) if kind == LENGTH else 0
        return _read_counts(data, low, stop, number, kind, side, part, reading)
    if which == _BOUNDS:
        _read_bounds(data, low, stop, kind, reading)
    elif kind == VARINT:
        if which == _COUNT_INT:
            scratch.numbers[0, COUNT] = float(np.uint64(number))
        elif which == _ZERO_COUNT_INT:
            scratch.numbers[0, ZERO_COUNT] = float(np.uint64(number))
        elif which == _SCHEMA:
            scratch.facts[SCHEMA] = (number >> 1) ^ -(number & 1)
        elif which == _HINT:
            scratch.facts[HINT] = number if 0 <= number <= GAUGE else UNKNOWN
        elif which == _TIMESTAMP:
            reading.sizes[_TIME] = number
    elif kind == FIXED64:
        if which == _COUNT_FLOAT:
            scratch.numbers[0, COUNT] = from_bits(bits)
        elif which == _SUM:
            scratch.numbers[0, SUM] = from_bits(bits)
        elif which == _ZERO_THRESHOLD:
            scratch.numbers[0, ZERO_THRESHOLD] = from_bits(bits)
        elif which == _ZERO_COUNT_FLOAT:
            scratch.numbers[0, ZERO_COUNT] = from_bits(bits)
    return 0


@inlined
def _read_span(data: Bytes, index: int, end: int, side: int, reading: Reading) -> int:
    """A BucketSpan: adds its places to a side."""
    offset, length, sizes, places = 0, 0, reading.sizes, reading.scratch.places
    while index < end:
        tag, _, stop, number = field(data, index, end)
        if stop < 0:
            return _MALFORMED
        if tag == (1 << 3 | VARINT):
            offset = (number >> 1) ^ -(number & 1)
        elif tag == (2 << 3 | VARINT):
            length = number
        index = stop
    place, size = sizes[_NEXT + side] + offset, sizes[side]
    if offset < 0 and sizes[_NEXT + side] != 0 and size > 0:
        return _NEGATIVE_OFFSET
    if not 0 <= length < places.shape[1] - size:
        return _SPANS_MISMATCH
    if not -_INT32 <= place < _INT32 - length:
        return _MALFORMED
    for bucket in range(length):
        places[side, size + bucket] = 2 * (place + bucket) + int(bucket == 0)
    sizes[side], sizes[_NEXT + side] = size + length, place + length
    return 0


@inlined
def _read_counts(
    data: Bytes, low: int, stop: int, number: int, kind: int, side: int, part: int, reading: Reading
) -> int:
    """Counts, or deltas of counts, packed or one by one."""
    sizes, counts = reading.sizes, reading.scratch.counts
    index = low
    while index < stop:
        if part == _POSITIVE_COUNTS:
            if index + 8 > stop:
                return _MALFORMED
            count, index = from_bits(signed(little_endian(data, index))), index + 8
        else:
            if kind == LENGTH:
                number, index = varint(data, index, stop)
                if index < 0:
                    return _MALFORMED
            else:
                index = stop
            before = counts[side, sizes[_COUNTED + side] - 1] if sizes[_COUNTED + side] else 0.0
            count = before + float((number >> 1) & 0x7FFFFFFFFFFFFFFF ^ -(number & 1))
        counts[side, sizes[_COUNTED + side]] = count
        reading.scratch.lost[side, sizes[_COUNTED + side]] = 0.0
        sizes[_COUNTED + side] += 1
    return 0


@inlined
def _read_bounds(data: Bytes, low: int, stop: int, kind: int, reading: Reading) -> None:
    if kind in (LENGTH, FIXED64):
        for index in range(low, stop - 7, 8):
            at = reading.scratch.facts[LIMITS]
            reading.scratch.bounds[0, at] = from_bits(signed(little_endian(data, index)))
            reading.scratch.facts[LIMITS] = at + 1


@called
def _checked(reading: Reading) -> int:
    """What is wrong with a histogram that has been read, in Prometheus' order; 0 if nothing."""
    scratch, sizes = reading.scratch, reading.sizes
    scratch.facts[SIZES], scratch.facts[SIZES + 1] = sizes[0], sizes[1]
    schema = scratch.facts[SCHEMA]
    if schema != CUSTOM_SCHEMA and not RESERVED_SCHEMAS[0] <= schema <= RESERVED_SCHEMAS[1]:
        return UNKNOWN_SCHEMA
    if sizes[0] != sizes[_COUNTED] or sizes[1] != sizes[_COUNTED + 1]:
        return _SPANS_MISMATCH
    if schema > FINEST_SCHEMA:
        reduce(scratch, FINEST_SCHEMA, False)
    if np.isnan(scratch.numbers[0, ZERO_THRESHOLD]):
        return _MALFORMED
    if schema == CUSTOM_SCHEMA:
        fault = _check_custom(scratch)
        if fault:
            return fault
    elif not is_exponential(scratch.facts[SCHEMA]):
        return _INVALID_SCHEMA
    elif scratch.facts[LIMITS] > 0:
        return _NEEDLESS_BOUNDS
    return 0


@inlined
def _check_custom(scratch: Scratch) -> int:
    size, limits = scratch.facts[SIZES], scratch.facts[LIMITS]
    previous = -math.inf
    for bound in range(limits):
        here = scratch.bounds[0, bound]
        if not here < math.inf or (bound > 0 and here <= previous):
            return _BAD_BOUNDS
        previous = here
    if size and scratch.places[0, 0] >> 1 < 0:
        return _NEGATIVE_OFFSET
    if size and scratch.places[0, size - 1] >> 1 > limits:
        return FEW_BOUNDS
    zeros = scratch.numbers[0, ZERO_COUNT] != 0.0 or scratch.numbers[0, ZERO_THRESHOLD] != 0.0
    return _CUSTOM_ZEROS if zeros or scratch.facts[SIZES + 1] else 0
