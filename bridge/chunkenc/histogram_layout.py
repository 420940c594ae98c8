"""The head of a histogram chunk: what its samples share. Schema, zero threshold, places, bounds.

Source: tsdb/chunkenc/histogram_meta.go of Prometheus.
"""

import math
from typing import Final

import numpy as np

from bridge.chunkenc.bits import Bytes, bits_at, signed, unsigned
from bridge.chunkenc.varbits import (
    put,
    put_varbit_int,
    put_varbit_uint,
    varbit_int,
    varbit_uint,
)
from bridge.kernel import called, inlined
from bridge.model.bucket_bounds import CUSTOM_SCHEMA, RESERVED_SCHEMAS, power_of_two
from bridge.model.gomath.bits import bits_of, frexp, from_bits
from bridge.model.histogram_layout import SCHEMA, ZERO_THRESHOLD
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch

# A chunk's layout is malformed, or of a schema that no Prometheus knows.
UNREADABLE: Final = -1
UNKNOWN_SCHEMA: Final = -2

_INT32: Final = 1 << 31
# The greatest bound that is written as thousandths.
_MOST_THOUSANDTHS: Final = 33554430.0


@called
def layout_room(data: Bytes, position: int, stop: int) -> tuple[int, int]:
    """How many buckets a side of a layout has at most, and how many bounds; -1 if malformed."""
    _, position = _read_threshold(data, position)
    schema, position = varbit_int(data, position)
    buckets, bounds = 0, 0
    for _ in range(2):
        if position > stop:
            return UNREADABLE, 0
        spans, position = varbit_uint(data, position)
        size, span = 0, 0
        while span != spans and position <= stop:
            length, position = varbit_uint(data, position)
            _, position = varbit_int(data, position)
            # Every bucket takes a bit at least.
            if not 0 <= length <= stop - position - size:
                return UNREADABLE, 0
            size, span = size + length, span + 1
        buckets = max(buckets, size)
    if schema == CUSTOM_SCHEMA and position <= stop:
        bounds, position = varbit_uint(data, position)
    sound = position <= stop and 0 <= bounds <= stop - position
    return buckets if sound else UNREADABLE, bounds


@called
def read_layout(data: Bytes, position: int, stop: int, scratch: Scratch) -> int:
    """Sets a histogram's schema, zero threshold, places and bounds; returns the bit behind them.

    It has the room that `layout_room` says. Instead of the bit UNREADABLE or UNKNOWN_SCHEMA, the
    schema set.
    """
    threshold, position = _read_threshold(data, position)
    schema, position = varbit_int(data, position)
    if position > stop or np.isnan(threshold):
        return UNREADABLE
    scratch.facts[:] = 0
    scratch.facts[SCHEMA] = schema
    scratch.numbers[0, ZERO_THRESHOLD] = threshold
    if schema != CUSTOM_SCHEMA and not RESERVED_SCHEMAS[0] <= schema <= RESERVED_SCHEMAS[1]:
        return UNKNOWN_SCHEMA
    for side in range(2):
        position = _read_spans(data, position, stop, scratch, side)
        if position < 0:
            return UNREADABLE
    if schema == CUSTOM_SCHEMA:
        return _read_bounds(data, position, stop, scratch)
    return position


@inlined
def _read_threshold(data: Bytes, position: int) -> tuple[float, int]:
    """A power of two in one byte, or 255 and any number."""
    code = int(bits_at(data, position) >> np.uint64(56))
    position += 8
    if code == 0:
        return 0.0, position
    if code == 255:
        return from_bits(signed(bits_at(data, position))), position + 64
    return power_of_two(code - 244), position


@called
def _read_spans(data: Bytes, position: int, stop: int, scratch: Scratch, side: int) -> int:
    """The places of one side; UNREADABLE if they are not meant."""
    spans, position = varbit_uint(data, position)
    index, size, span = 0, 0, 0
    while span != spans and position <= stop:
        length, position = varbit_uint(data, position)
        offset, position = varbit_int(data, position)
        index += offset
        if (offset < 0 and span > 0) or not -_INT32 <= index < _INT32 - length:
            return UNREADABLE
        for bucket in range(length):
            scratch.places[side, size] = 2 * index + int(bucket == 0)
            index, size = index + 1, size + 1
        span += 1
    scratch.facts[SIZES + side] = size
    return position if position <= stop else UNREADABLE


@called
def _read_bounds(data: Bytes, position: int, stop: int, scratch: Scratch) -> int:
    """The custom bounds, thousandths or any number; every place has to lie between two of them."""
    bounds, position = varbit_uint(data, position)
    for bound in range(bounds):
        if position > stop:
            return UNREADABLE
        thousandths, position = varbit_uint(data, position)
        if thousandths == 0:
            scratch.bounds[0, bound] = from_bits(signed(bits_at(data, position)))
            position += 64
        else:
            scratch.bounds[0, bound] = float(unsigned(thousandths) - np.uint64(1)) / 1000.0
    scratch.facts[LIMITS] = bounds
    size = scratch.facts[SIZES]
    sound = size == 0 or (
        scratch.places[0, 0] >> 1 >= 0 and scratch.places[0, size - 1] >> 1 <= bounds
    )
    return position if sound and position <= stop else UNREADABLE


@called
def put_layout(out: Bytes, position: int, scratch: Scratch) -> int:
    """Writes a histogram's layout; returns the next position."""
    threshold = scratch.numbers[0, ZERO_THRESHOLD]
    fraction, exponent = frexp(threshold)
    if threshold == 0.0:
        position += 8
    elif fraction == 0.5 and -242 <= exponent <= 11:
        position = put(out, position, np.uint64(exponent + 243), 8)
    else:
        position = put(out, position, np.uint64(255), 8)
        position = put(out, position, unsigned(bits_of(threshold)), 64)
    position = put_varbit_int(out, position, scratch.facts[SCHEMA])
    position = _put_spans(out, position, scratch, 0)
    position = _put_spans(out, position, scratch, 1)
    if scratch.facts[SCHEMA] != CUSTOM_SCHEMA:
        return position
    position = put_varbit_uint(out, position, scratch.facts[LIMITS])
    for bound in range(scratch.facts[LIMITS]):
        position = _put_bound(out, position, scratch.bounds[0, bound])
    return position


@inlined
def _put_spans(out: Bytes, position: int, scratch: Scratch, side: int) -> int:
    size, spans = scratch.facts[SIZES + side], 0
    for bucket in range(size):
        spans += scratch.places[side, bucket] & 1
    position = put_varbit_uint(out, position, spans)
    first, behind = 0, 0
    while first < size:
        last = first + 1
        while last < size and not scratch.places[side, last] & 1:
            last += 1
        index = scratch.places[side, first] >> 1
        position = put_varbit_uint(out, position, last - first)
        position = put_varbit_int(out, position, index - behind)
        first, behind = last, index + last - first
    return position


@inlined
def _put_bound(out: Bytes, position: int, bound: float) -> int:
    thousandths = bound * 1000.0
    if 0.0 <= thousandths <= _MOST_THOUSANDTHS:
        # Go rounds halves away from zero.
        rounded = math.floor(thousandths)
        rounded += int(thousandths - rounded >= 0.5)
        if float(rounded) / 1000.0 == bound:
            return put_varbit_uint(out, position, rounded + 1)
    return put(out, position + 1, unsigned(bits_of(bound)), 64)
