"""XOR chunks, Prometheus' encoding of float samples (`tsdb/chunkenc/xor.go`), to and from columns.

A chunk: sample count (16 bits, big endian); the first time as a varint and its value in 64 bits;
the second time as a uvarint difference; from then on each time as difference of differences in one
of five widths. Each value is XORed with the one before and written as the bits between its leading
and trailing zeros.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int64

from bridge.chunkenc.bits import (
    Bytes,
    big_endian,
    bits_at,
    leading_zeros,
    signed,
    trailing_zeros,
)
from bridge.kernel import i8_in, i8_out, inlined, kernel, u1_in, u1_out

Int64s = npt.NDArray[np.int64]

_EVER: Final = 2**63 - 1
# Prometheus cuts its chunks here.
SAMPLES_PER_CHUNK: Final = 120
# Count, time and value of the first sample, difference and value of the second.
_HEAD_BYTES: Final = 2 + 10 + 8 + 10 + 10
# 4 + 64 bits of time, 2 + 5 + 6 + 64 bits of value.
_SAMPLE_BYTES: Final = 19


@inlined
def _varint_end(data: Bytes, index: int) -> int:
    """Where the varint at `index` ends; -1 if it is longer than ten bytes."""
    for length in range(10):
        if data[index + length] < 0x80:
            return index + length + 1
    return -1


@inlined
def _uvarint(data: Bytes, index: int, end: int) -> int:
    """The uvarint from `index` to `end`, as the int64 of the same bits."""
    value = np.uint64(0)
    for at in range(index, end):
        value |= np.uint64(data[at] & 0x7F) << np.uint64(7 * (at - index))
    return signed(value)


@inlined
def _zigzag(value: int) -> int:
    """The signed number that Go's zigzag varint stands for."""
    word = np.uint64(value)
    return signed(word >> np.uint64(1)) ^ -signed(word & np.uint64(1))


@kernel(u1_in, i8_in, i8_in, i8_out, i8_out)
def inspect(data: Bytes, starts: Int64s, sizes: Int64s, counts: Int64s, firsts: Int64s) -> int:
    """Writes each chunk's sample count and first time (ms).

    Returns the first chunk that is too short for its count, or -1.

    `data` is padded; chunk c is data[starts[c] : starts[c] + sizes[c]].
    """
    for chunk in range(len(starts)):
        size = sizes[chunk]
        if size < 2:
            return chunk
        count = signed(big_endian(data, starts[chunk]) >> np.uint64(48))
        # One byte of time and eight of value, one byte and one bit, then at least two bits each.
        least = 16 + (72 if count > 0 else 0) + (9 + 2 * (count - 2) if count > 1 else 0)
        if least > size * 8:
            return chunk
        counts[chunk] = count
        firsts[chunk] = 0
        if count:
            behind = _varint_end(data, starts[chunk] + 2)
            if behind < 0:
                return chunk
            firsts[chunk] = _zigzag(_uvarint(data, starts[chunk] + 2, behind))
    return -1


@kernel(u1_in, i8_in, i8_in, i8_in, int64, int64, i8_out, i8_out, i8_out)
def decode(
    data: Bytes,
    starts: Int64s,
    sizes: Int64s,
    rows: Int64s,
    start: int,
    end: int,
    offsets: Int64s,
    timestamps: Int64s,
    bits: Int64s,
) -> tuple[int, int]:
    """Decodes chunks to the columns of rows, keeping the samples from `start` to `end` (ms).

    `data` is padded; chunk c is data[starts[c] : starts[c] + sizes[c]] and belongs to row rows[c];
    `rows` never falls. `offsets` [R+1] is written; `timestamps` and `bits` (the values' bits) have
    room for all samples that `inspect` found, and one more. Returns the first chunk that is not an
    XOR chunk, or -1; and whether a row's times fail to rise strictly (1) or not (0).
    """
    at, row, last, disorder = 0, -1, 0, False
    for chunk in range(len(starts)):
        fresh = rows[chunk] != row
        while row < rows[chunk]:
            row += 1
            offsets[row] = at
        low, high = starts[chunk], starts[chunk] + sizes[chunk]
        first, newest, at, rises = _decode(data, low, high, start, end, _EVER, timestamps, bits, at)
        if at < 0:
            return chunk, 0
        disorder |= not rises or (not fresh and first <= last)
        last = newest
    while row < len(offsets) - 1:
        row += 1
        offsets[row] = at
    return -1, int(disorder)


@inlined
def _decode(
    data: Bytes,
    low: int,
    high: int,
    start: int,
    end: int,
    until: int,
    timestamps: Int64s,
    bits: Int64s,
    at: int,
) -> tuple[int, int, int, bool]:
    """One chunk: first and last time, where the next sample goes (-1: error), if times rise.

    From the first sample after `until` on nothing is looked at.
    """
    count = signed(big_endian(data, low) >> np.uint64(48))
    index = _varint_end(data, low + 2)
    if count == 0:
        return end, start, at, True
    if index < 0 or index + 8 > high:
        return 0, 0, -1, False
    time = _zigzag(_uvarint(data, low + 2, index))
    value = big_endian(data, index)
    first, delta, rises, stop = time, 0, True, high * 8
    timestamps[at], bits[at] = time, signed(value)
    at += int(start <= time <= end)
    leading, trailing = 0, 0
    position = (index + 8) * 8
    for sample in range(1, count):
        if sample == 1:
            change, position = _difference(data, position)
            if position < 0:
                return 0, 0, -1, False
            word = _word(data, position)
        else:
            change, position, word = _change(data, position)
        delta += change
        time += delta
        if time > until:
            break
        rises &= delta > 0
        # `word` holds at least 33 good bits: enough for the 13 of a value's head.
        if word >> np.uint64(63) == 0:
            position += 1
        else:
            position += 2
            if word >> np.uint64(62) == 3:
                leading, trailing = _window(word)
                position += 11
            if trailing < 0 or position > stop:
                return 0, 0, -1, False
            skipped = np.uint64(leading + trailing)
            value ^= bits_at(data, position) >> skipped << np.uint64(trailing)
            position += 64 - leading - trailing
        if position > stop:
            return 0, 0, -1, False
        timestamps[at], bits[at] = time, signed(value)
        at += int(start <= time <= end)
    return first, time, at, rises


@inlined
def _word(data: Bytes, position: int) -> np.uint64:
    """At least 57 bits from bit `position` on, and zeros."""
    return big_endian(data, position >> 3) << np.uint64(position & 7)


@inlined
def _difference(data: Bytes, position: int) -> tuple[int, int]:
    """The second sample's difference in time and the bit behind it; -1 if malformed."""
    end = _varint_end(data, position >> 3)
    if end < 0:
        return 0, -1
    return _uvarint(data, position >> 3, end), end * 8


@inlined
def _change(data: Bytes, position: int) -> tuple[int, int, np.uint64]:
    """A difference of differences, the bit behind it, and the bits from there on."""
    word = _word(data, position)
    if word >> np.uint64(63) == 0:
        return 0, position + 1, word << np.uint64(1)
    if word >> np.uint64(60) == 15:
        return signed(bits_at(data, position + 4)), position + 68, _word(data, position + 68)
    ones = 1 + int(word >> np.uint64(61) >= 6) + int(word >> np.uint64(60) == 14)
    width = 11 + 3 * ones
    number = signed((word << np.uint64(ones + 1)) >> np.uint64(64 - width))
    number -= int(number > 1 << (width - 1)) << width
    behind = ones + 1 + width
    return number, position + behind, word << np.uint64(behind)


@inlined
def _window(word: np.uint64) -> tuple[int, int]:
    """Leading and trailing zeros as a new window says; trailing below 0 if malformed."""
    leading = signed((word >> np.uint64(57)) & np.uint64(31))
    significant = signed((word >> np.uint64(51)) & np.uint64(63))
    return leading, 64 - leading - (significant or 64)


def encoded_room(samples: int, chunks: int) -> int:
    """How many bytes `encode` may need at most."""
    return samples * _SAMPLE_BYTES + chunks * _HEAD_BYTES + 8


@kernel(i8_in, i8_in, i8_in, u1_out, i8_out)
def encode(timestamps: Int64s, bits: Int64s, bounds: Int64s, out: Bytes, ends: Int64s) -> None:
    """Encodes samples bounds[c] to bounds[c+1] as chunk c, one chunk after the other.

    `bits` are the values' bits; no chunk has more than 65,535 samples. `out` is all zeros and has
    `encoded_room` bytes; `ends` [C] says where each chunk ends in it.
    """
    index = 0
    for chunk in range(len(bounds) - 1):
        index = _encode(timestamps, bits, bounds[chunk], bounds[chunk + 1], out, index)
        ends[chunk] = index


@inlined
def _encode(timestamps: Int64s, bits: Int64s, low: int, high: int, out: Bytes, index: int) -> int:
    """One chunk from byte `index` on; returns where it ends."""
    position = _put(out, index * 8, np.uint64(high - low), 16)
    delta = 0
    leading, trailing = -1, 0
    for at in range(low, high):
        if at == low:
            first = timestamps[at]
            position = _put_uvarint(out, position, np.uint64((first << 1) ^ (first >> 63)))
            position = _put(out, position, np.uint64(bits[at]), 64)
            continue
        new_delta = timestamps[at] - timestamps[at - 1]
        if at == low + 1:
            position = _put_uvarint(out, position, np.uint64(new_delta))
        else:
            position = _put_change(out, position, new_delta - delta)
        delta = new_delta
        changed = np.uint64(bits[at]) ^ np.uint64(bits[at - 1])
        if changed == 0:
            position += 1
            continue
        zeros_before, zeros_behind = min(leading_zeros(changed), 31), trailing_zeros(changed)
        if 0 <= leading <= zeros_before and trailing <= zeros_behind:
            position = _put(out, position, np.uint64(2), 2)
        else:
            leading, trailing = zeros_before, zeros_behind
            width = 64 - leading - trailing
            head = 3 << 11 | leading << 6 | (width & 63)
            position = _put(out, position, np.uint64(head), 13)
        position = _put(out, position, changed >> np.uint64(trailing), 64 - leading - trailing)
    return (position + 7) >> 3


@inlined
def _put_change(out: Bytes, position: int, change: int) -> int:
    """A difference of differences, in the narrowest of its five widths."""
    if change == 0:
        return position + 1
    if -8191 <= change <= 8192:
        return _put(out, _put(out, position, np.uint64(2), 2), np.uint64(change), 14)
    if -65535 <= change <= 65536:
        return _put(out, _put(out, position, np.uint64(6), 3), np.uint64(change), 17)
    if -524287 <= change <= 524288:
        return _put(out, _put(out, position, np.uint64(14), 4), np.uint64(change), 20)
    return _put(out, _put(out, position, np.uint64(15), 4), np.uint64(change), 64)


@inlined
def _put_uvarint(out: Bytes, position: int, word: np.uint64) -> int:
    """A uvarint, seven bits a byte from the lowest."""
    while word >= 0x80:
        position = _put(out, position, (word & np.uint64(0x7F)) | np.uint64(0x80), 8)
        word >>= np.uint64(7)
    return _put(out, position, word, 8)


@inlined
def _put(out: Bytes, position: int, word: np.uint64, width: int) -> int:
    """The lowest `width` bits of a word, from bit `position` on; returns the next position."""
    left = word << np.uint64(64 - width)
    index, shift = position >> 3, position & 7
    out[index] |= np.uint8(left >> np.uint64(56 + shift))
    left <<= np.uint64(8 - shift)
    while left != 0:
        index += 1
        out[index] |= np.uint8(left >> np.uint64(56))
        left <<= np.uint64(8)
    return position + width
