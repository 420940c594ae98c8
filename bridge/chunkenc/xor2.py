"""XOR2 chunks, Prometheus' newer encoding of float samples (`tsdb/chunkenc/xor2.go`).

Unlike in XOR chunks, one code tells both time and value where neither changes, staleness markers
have codes of their own, and samples may have start timestamps.
"""

from typing import Final

import numpy as np
from numba import int64

from bridge.chunkenc.bits import Bytes, big_endian, bits_at, leading_zeros, signed, unsigned
from bridge.chunkenc.start_time import Started, put_start, read_start
from bridge.chunkenc.varbits import (
    fits,
    put,
    put_uvarint,
    put_varint,
    put_window,
    put_within,
    significant_bits,
    uvarint_at,
    varint_at,
    window,
)
from bridge.kernel import i8_in, i8_out, inlined, rare_kernel, u1_in, u1_out
from bridge.model.samples import STALE_NAN_BITS, Int64s

HEADER_BYTES: Final = 3
_HEAD_BYTES: Final = HEADER_BYTES + 10 + 8 + 10 + 10
# 5 + 64 bits of time, 3 + 11 + 64 of value, 8 + 64 of start timestamp.
_SAMPLE_BYTES: Final = 28


@rare_kernel(u1_in, i8_in, i8_in, i8_in, int64, int64, i8_out, i8_out, i8_out, i8_out)
def decode(
    data: Bytes,
    starts: Int64s,
    sizes: Int64s,
    rows: Int64s,
    start: int,
    end: int,
    offsets: Int64s,
    timestamps: Int64s,
    created: Int64s,
    bits: Int64s,
) -> tuple[int, int]:
    """Decodes chunks to the columns of rows, keeping the samples from `start` to `end` (ms).

    As `xor.decode`; `created` are the samples' start timestamps, ms, 0 if unknown. The arrays have
    room for as many samples as `xor.inspect` counts in these chunks, whose heads are alike, and one
    more.
    """
    at, row, last, disorder = 0, -1, 0, False
    for chunk in range(len(starts)):
        fresh = rows[chunk] != row
        while row < rows[chunk]:
            row += 1
            offsets[row] = at
        low, size, before = starts[chunk], sizes[chunk], at
        count = _count(data, low, size)
        if count < 0:
            return chunk, 0
        at, first, newest, rises = _decode(
            data, low, low + size, count, start, end, timestamps, created, bits, before
        )
        if at < 0:
            return chunk, 0
        if count:
            disorder |= not rises or (not fresh and first <= last)
            last = newest
    while row < len(offsets) - 1:
        row += 1
        offsets[row] = at
    return -1, int(disorder)


@inlined
def _count(data: Bytes, low: int, size: int) -> int:
    """How many samples a chunk has; -1 if it is too short for them."""
    if size < HEADER_BYTES:
        return -1
    count = signed(big_endian(data, low) >> np.uint64(48))
    least = 0 if count == 0 else 71 + count
    return count if HEADER_BYTES * 8 + least <= size * 8 else -1


@inlined
def _decode(
    data: Bytes,
    low: int,
    high: int,
    count: int,
    start: int,
    end: int,
    timestamps: Int64s,
    created: Int64s,
    bits: Int64s,
    at: int,
) -> tuple[int, int, int, bool]:
    """One chunk: where the next sample goes (-1: error), first, last time, whether times rise."""
    header, stop, position = int(data[low + 2]), high * 8, (low + HEADER_BYTES) * 8
    time, delta, first, rises = 0, 0, 0, True
    base, value, leading, trailing = np.uint64(0), np.uint64(0), 0, 0
    held = Started(0, 0)
    for sample in range(count):
        previous = time
        if sample == 0:
            time, position = varint_at(data, position)
            if position > stop:
                return -1, 0, 0, False
            value = bits_at(data, position)
            position += 64
            first, base = time, np.uint64(0) if signed(value) == STALE_NAN_BITS else value
        else:
            delta, position, code = _time(data, position, sample, delta)
            if position > stop:
                return -1, 0, 0, False
            time += delta
            rises &= delta > 0
            value, base, position, leading, trailing = _value(
                data, position, code, base, leading, trailing
            )
        if position > stop:
            return -1, 0, 0, False
        held, position = read_start(data, position, header, sample, time, previous, held)
        if position > stop:
            return -1, 0, 0, False
        timestamps[at], created[at], bits[at] = time, held.created, signed(value)
        at += int(start <= time <= end)
    return at, first, time, rises


# How a sample's value is told: as the base, in the old or a new window, stale; or it follows.
_SAME: Final = 0
_REUSED: Final = 1
_NEW: Final = 2
_STALE: Final = 3
_FOLLOWS: Final = 4


@inlined
def _time(data: Bytes, position: int, sample: int, delta: int) -> tuple[int, int, int]:
    """The difference in time to the sample before, the bit behind, and how the value is told."""
    if sample == 1:
        word, position = uvarint_at(data, position)
        return signed(word), position, _FOLLOWS
    word = bits_at(data, position)
    ones = leading_zeros(~word)
    if ones == 0:
        return delta, position + 1, _SAME
    if ones == 1:
        fresh = (word >> np.uint64(61)) & np.uint64(1)
        return delta, position + 3, _NEW if fresh else _REUSED
    if ones >= 5:
        return delta, position + 5, _STALE
    if ones == 4:
        return delta + signed(bits_at(data, position + 5)), position + 69, _FOLLOWS
    width = 13 if ones == 2 else 20
    change = signed((word << np.uint64(ones + 1)) >> np.uint64(64 - width))
    change -= int(change >= 1 << (width - 1)) << width
    return delta + change, position + ones + 1 + width, _FOLLOWS


@inlined
def _value(
    data: Bytes, position: int, code: int, base: np.uint64, leading: int, trailing: int
) -> tuple[np.uint64, np.uint64, int, int, int]:
    """A value, the last that is not stale, the bit behind, and the window."""
    if code == _FOLLOWS:
        ones = min(leading_zeros(~bits_at(data, position)), 3)
        position += min(ones + 1, 3)
        code = ones
    if code == _SAME:
        return base, base, position, leading, trailing
    if code == _STALE:
        return np.uint64(STALE_NAN_BITS), base, position, leading, trailing
    if code == _NEW:
        leading, trailing = window(bits_at(data, position))
        position += 11
    changed, behind = significant_bits(data, position, leading, trailing)
    return base ^ changed, base ^ changed, behind, leading, trailing


def encoded_room(samples: int, chunks: int) -> int:
    """How many bytes `encode` may need at most."""
    return samples * _SAMPLE_BYTES + chunks * _HEAD_BYTES + 8


@rare_kernel(i8_in, i8_in, i8_in, i8_in, u1_out, i8_out)
def encode(
    timestamps: Int64s, created: Int64s, bits: Int64s, bounds: Int64s, out: Bytes, ends: Int64s
) -> None:
    """Encodes samples bounds[c] to bounds[c+1] as chunk c, one chunk after the other.

    As `xor.encode`; `created` are the start timestamps, ms, 0 if unknown.
    """
    index = 0
    for chunk in range(len(bounds) - 1):
        low, high = bounds[chunk], bounds[chunk + 1]
        index = _encode(timestamps, created, bits, low, high, out, index)
        ends[chunk] = index


@inlined
def _encode(
    timestamps: Int64s, created: Int64s, bits: Int64s, low: int, high: int, out: Bytes, index: int
) -> int:
    """One chunk from byte `index` on; returns where it ends."""
    position = put(out, index * 8, np.uint64(high - low), 16) + 8
    base, delta, leading, trailing, held = 0, 0, -1, 0, Started(0, 0)
    for at in range(low, high):
        time, value, sample = timestamps[at], bits[at], at - low
        previous = timestamps[at - 1] if sample else 0
        if sample == 0:
            position = put(out, put_varint(out, position, time), unsigned(value), 64)
        else:
            position, told = _put_time(out, position, sample, time - previous, delta, value == base)
            delta = time - previous
            position, leading, trailing = _put_value(
                out, position, value, base, told, leading, trailing
            )
        if value != STALE_NAN_BITS:
            base = value
        held, position = put_start(
            out, position, index + 2, sample, created[at], time, previous, held
        )
    return (position + 7) >> 3


@inlined
def _put_time(
    out: Bytes, position: int, sample: int, new: int, delta: int, same: bool
) -> tuple[int, bool]:
    """A difference in time; returns the next position and whether a whole code has to follow."""
    if sample == 1:
        return put_uvarint(out, position, unsigned(new)), False
    change = new - delta
    if change == 0:
        return position, True
    word = unsigned(change)
    if -(1 << 12) <= change < 1 << 12:
        return put(out, put(out, position, np.uint64(6), 3), word, 13), False
    if -(1 << 19) <= change < 1 << 19:
        return put(out, put(out, position, np.uint64(14), 4), word, 20), False
    return put(out, put(out, position, np.uint64(30), 5), word, 64), False


@inlined
def _put_value(
    out: Bytes, position: int, value: int, base: int, joint: bool, leading: int, trailing: int
) -> tuple[int, int, int]:
    """A value; `joint` if its code also says that the difference in time is that of before."""
    if value == STALE_NAN_BITS:
        width = 5 if joint else 3
        return put(out, position, np.uint64((1 << width) - 1), width), leading, trailing
    if value == base:
        return position + 1, leading, trailing
    changed = unsigned(value) ^ unsigned(base)
    if fits(changed, leading, trailing):
        position = put(out, position, np.uint64(4 if joint else 2), 3 if joint else 2)
        return put_within(out, position, changed, leading, trailing)
    return put_window(out, put(out, position, np.uint64(5 if joint else 6), 3), changed)
