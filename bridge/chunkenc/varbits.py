"""Numbers of varying width in a stream of bits, as Prometheus' chunks have them.

Every reader returns the value and the bit behind it. That may lie behind the end of the data, which
is for the caller to see before it reads on; readers look at 16 bytes at most, which is less than
`PADDING`. Source: varbit.go, xor.go and st.go in tsdb/chunkenc of Prometheus.
"""

from typing import Final

import numpy as np

from bridge.chunkenc.bits import Bytes, bits_at, leading_zeros, signed, trailing_zeros, unsigned
from bridge.kernel import inlined

# What a reader gives for "behind" if the bits cannot be meant: behind the end of all data.
MALFORMED: Final = 1 << 60

# How many bits follow so many ones and a zero; eight ones are followed by 64.
_WIDTHS: Final = (0, 3, 6, 9, 12, 18, 25, 56)


@inlined
def varbit(data: Bytes, position: int) -> tuple[np.uint64, int, int]:
    """The bits of a number, how many, and the bit behind them."""
    word = bits_at(data, position)
    ones = leading_zeros(~word)
    if ones >= 8:
        return bits_at(data, position + 8), 64, position + 72
    if ones == 0:
        return np.uint64(0), 0, position + 1
    width = _WIDTHS[ones]
    bits = (word << np.uint64(ones + 1)) >> np.uint64(64 - width)
    return bits, width, position + ones + 1 + width


@inlined
def varbit_uint(data: Bytes, position: int) -> tuple[int, int]:
    """An unsigned number, as the int64 of its bits."""
    bits, _, behind = varbit(data, position)
    return signed(bits), behind


@inlined
def varbit_int(data: Bytes, position: int) -> tuple[int, int]:
    """A signed number: half of each width's range, and one more, is positive."""
    bits, width, behind = varbit(data, position)
    number = signed(bits)
    if 0 < width < 64 and number > 1 << (width - 1):
        number -= 1 << width
    return number, behind


@inlined
def varint_at(data: Bytes, position: int) -> tuple[int, int]:
    """Go's signed varint, whose bytes may begin at any bit."""
    word, behind = uvarint_at(data, position)
    return signed(word >> np.uint64(1)) ^ -signed(word & np.uint64(1)), behind


@inlined
def uvarint_at(data: Bytes, position: int) -> tuple[np.uint64, int]:
    """Go's unsigned varint, whose bytes may begin at any bit."""
    value = np.uint64(0)
    for length in range(10):
        byte = bits_at(data, position + 8 * length) >> np.uint64(56)
        value |= (byte & np.uint64(0x7F)) << np.uint64(7 * length)
        if byte < 0x80:
            return value, position + 8 * length + 8
    return value, MALFORMED


@inlined
def window(word: np.uint64) -> tuple[int, int]:
    """Leading and trailing zeros from the first 11 of 64 bits; trailing below 0 if malformed."""
    leading = signed(word >> np.uint64(59))
    significant = signed((word >> np.uint64(53)) & np.uint64(63))
    return leading, 64 - leading - (significant or 64)


@inlined
def significant_bits(
    data: Bytes, position: int, leading: int, trailing: int
) -> tuple[np.uint64, int]:
    """The XOR of two values from the bits between its leading and trailing zeros."""
    if trailing < 0:
        return np.uint64(0), MALFORMED
    changed = bits_at(data, position) >> np.uint64(leading + trailing) << np.uint64(trailing)
    return changed, position + 64 - leading - trailing


@inlined
def xor_change(
    data: Bytes, position: int, leading: int, trailing: int
) -> tuple[np.uint64, int, int, int]:
    """The XOR of a value and the one before, the bit behind, and the window that held it."""
    word = bits_at(data, position)
    if word >> np.uint64(63) == 0:
        return np.uint64(0), position + 1, leading, trailing
    position += 2
    if word >> np.uint64(62) == 3:
        leading, trailing = window(word << np.uint64(2))
        position += 11
    changed, behind = significant_bits(data, position, leading, trailing)
    return changed, behind, leading, trailing


@inlined
def put(out: Bytes, position: int, word: np.uint64, width: int) -> int:
    """The lowest `width` bits of a word, from bit `position` on; returns the next position."""
    if width == 0:
        return position
    left = word << np.uint64(64 - width)
    index, shift = position >> 3, position & 7
    out[index] |= np.uint8(left >> np.uint64(56 + shift))
    left <<= np.uint64(8 - shift)
    while left != 0:
        index += 1
        out[index] |= np.uint8(left >> np.uint64(56))
        left <<= np.uint64(8)
    return position + width


@inlined
def put_uvarint(out: Bytes, position: int, word: np.uint64) -> int:
    """Go's unsigned varint, seven bits a byte from the lowest."""
    while word >= 0x80:
        position = put(out, position, (word & np.uint64(0x7F)) | np.uint64(0x80), 8)
        word >>= np.uint64(7)
    return put(out, position, word, 8)


@inlined
def put_varint(out: Bytes, position: int, number: int) -> int:
    """Go's signed varint."""
    return put_uvarint(out, position, unsigned((number << 1) ^ (number >> 63)))


@inlined
def put_varbit(out: Bytes, position: int, word: np.uint64, ones: int) -> int:
    """The bits of a number in the width that so many ones announce."""
    if ones == 0:
        return position + 1
    if ones == 8:
        return put(out, put(out, position, np.uint64(0xFF), 8), word, 64)
    position = put(out, position, np.uint64((1 << (ones + 1)) - 2), ones + 1)
    return put(out, position, word, _WIDTHS[ones])


@inlined
def put_varbit_uint(out: Bytes, position: int, number: int) -> int:
    """An unsigned number, given as the int64 of its bits."""
    word = unsigned(number)
    ones = 0
    while ones < 8 and 64 - leading_zeros(word) > _WIDTHS[ones]:
        ones += 1
    return put_varbit(out, position, word, ones)


@inlined
def put_varbit_int(out: Bytes, position: int, number: int) -> int:
    """A signed number."""
    ones = int(number != 0)
    while 0 < ones < 8 and not -(1 << (_WIDTHS[ones] - 1)) < number <= 1 << (_WIDTHS[ones] - 1):
        ones += 1
    return put_varbit(out, position, unsigned(number), ones)


@inlined
def fits(changed: np.uint64, leading: int, trailing: int) -> bool:
    """Whether a XOR lies within the window of the one before; a leading of -1 is none yet."""
    return 0 <= leading <= leading_zeros(changed) and trailing <= trailing_zeros(changed)


@inlined
def put_window(out: Bytes, position: int, changed: np.uint64) -> tuple[int, int, int]:
    """A new window and the XOR within it; returns the next position and the window."""
    leading, trailing = min(leading_zeros(changed), 31), trailing_zeros(changed)
    width = 64 - leading - trailing
    position = put(out, position, np.uint64(leading << 6 | (width & 63)), 11)
    return put(out, position, changed >> np.uint64(trailing), width), leading, trailing


@inlined
def put_within(
    out: Bytes, position: int, changed: np.uint64, leading: int, trailing: int
) -> tuple[int, int, int]:
    """The XOR within the old window; returns the next position and the window."""
    width = 64 - leading - trailing
    return put(out, position, changed >> np.uint64(trailing), width), leading, trailing


@inlined
def put_xor(
    out: Bytes, position: int, changed: np.uint64, leading: int, trailing: int
) -> tuple[int, int, int]:
    """The XOR of a value and the one before; returns the next position and the window."""
    if changed == 0:
        return position + 1, leading, trailing
    if fits(changed, leading, trailing):
        return put_within(out, put(out, position, np.uint64(2), 2), changed, leading, trailing)
    return put_window(out, put(out, position, np.uint64(3), 2), changed)
