"""Sample values and timestamps as the text that Prometheus writes, straight into a byte array."""

from typing import Final

import numpy as np

from bridge.api.decimals import shortest
from bridge.api.words import Bytes, copy_block, store_word
from bridge.chunkenc.bits import leading_zeros
from bridge.kernel import inlined

# No value is longer than -0.0000012345678901234567.
VALUE_LENGTH: Final = 25
# No timestamp is longer than -9223372036854775.808.
TIME_LENGTH: Final = 21

_SIGN: Final = np.uint64(1 << 63)
_INFINITY: Final = np.uint64(0x7FF << 52)
_TEXT: Final = np.uint64(int.from_bytes(b"00000000", "little"))
_SMALL: Final = np.uint64(int.from_bytes(b"0.000000", "little"))
_TENS: Final = np.array([10**k for k in range(18)], dtype=np.uint64)
_1E8: Final = np.uint64(10**8)
_1E16: Final = np.uint64(10**16)
_U0: Final = np.uint64(0)
_U1000: Final = np.uint64(1000)


@inlined
def _eight_digits(number: np.uint64) -> np.uint64:
    """The digits of a number below 10**8, one a byte, the first in the lowest byte.

    Divides all lanes of a word at once: by 10**4, by 100, by 10, each as a multiplication.
    """
    fours = number // np.uint64(10000)
    lanes = fours | (number - fours * np.uint64(10000)) << np.uint64(32)
    upper = (lanes * np.uint64(10486) >> np.uint64(20)) & np.uint64(0x0000007F0000007F)
    lanes = upper | (lanes - upper * np.uint64(100)) << np.uint64(16)
    upper = (lanes * np.uint64(103) >> np.uint64(10)) & np.uint64(0x000F000F000F000F)
    return upper | (lanes - upper * np.uint64(10)) << np.uint64(8)


@inlined
def _length(digits: np.uint64) -> int:
    """How many decimal digits a number from 1 to 10**17 - 1 has."""
    guess = (64 - leading_zeros(digits)) * 1233 >> 12
    return guess + 1 if digits >= _TENS[guess] else guess


@inlined
def _put_digits(out: Bytes, at: int, digits: np.uint64, length: int) -> int:
    """Writes the digits and zeros behind them up to 17; returns how many remain without those."""
    scaled = digits * _TENS[17 - length]
    first = scaled // _1E16
    rest = scaled - first * _1E16
    upper = rest // _1E8
    middle, last = _eight_digits(upper), _eight_digits(rest - upper * _1E8)
    out[at] = 48 + np.int64(first)
    store_word(out, at + 1, middle | _TEXT)
    store_word(out, at + 9, last | _TEXT)
    if last != _U0:
        return 17 - (leading_zeros(last) >> 3)
    return 9 - (leading_zeros(middle) >> 3)


@inlined
def _put_exponential(out: Bytes, at: int, digits: np.uint64, length: int, exponent: int) -> int:
    """Writes the digits with a point behind the first, and two or three digits of exponent."""
    kept = _put_digits(out, at, digits, length)
    if kept > 1:
        copy_block(out, at + 2, out, at + 1)
        out[at + 1] = 46
        at += 1
    at += kept
    out[at] = 101
    out[at + 1] = 45 if exponent < 0 else 43
    at, exponent = at + 2, abs(exponent)
    if exponent >= 100:
        out[at] = 48 + exponent // 100
        at += 1
    out[at], out[at + 1] = 48 + exponent // 10 % 10, 48 + exponent % 10
    return at + 2


@inlined
def _put_three(out: Bytes, at: int, a: int, b: int, c: int) -> int:
    out[at], out[at + 1], out[at + 2] = a, b, c
    return at + 3


@inlined
def _put_special(out: Bytes, at: int, bits: np.uint64) -> int:
    """Infinities and NaN."""
    if bits & ~_SIGN != _INFINITY:
        return _put_three(out, at, 78, 97, 78)
    out[at] = 45 if bits & _SIGN else 43
    return _put_three(out, at + 1, 73, 110, 102)


@inlined
def put_value(out: Bytes, at: int, bits: np.uint64) -> int:
    """Writes a float64, given by its bits, as util/jsonutil's MarshalFloat; returns the end.

    Shortest form without exponent, with one below 1e-6 and from 1e21 on. Up to 32 bytes behind the
    text may be overwritten.
    """
    size = bits & ~_SIGN
    if size >= _INFINITY:
        return _put_special(out, at, bits)
    if bits != size:
        out[at] = 45
        at += 1
    if size == _U0:
        out[at] = 48
        return at + 1
    digits, exponent = shortest(size)
    length = _length(digits)
    point = length + exponent
    if point > 21 or point < -5:
        return _put_exponential(out, at, digits, length, point - 1)
    if point <= 0:
        store_word(out, at, _SMALL)
        start = at + 2 - point
        return start + _put_digits(out, start, digits, length)
    kept = _put_digits(out, at, digits, length)
    if kept <= point:
        store_word(out, at + 17, _TEXT)
        return at + point
    copy_block(out, at + point + 1, out, at + point)
    out[at + point] = 46
    return at + kept + 1


@inlined
def put_time(out: Bytes, at: int, milliseconds: int) -> int:
    """Writes a time as util/jsonutil's MarshalTimestamp, in seconds; returns the end."""
    size = np.uint64(abs(milliseconds))
    if milliseconds < 0:
        out[at] = 45
        at += 1
    seconds = size // _U1000
    rest = int(np.int64(size - seconds * _U1000))
    if seconds == _U0:
        out[at] = 48
        at += 1
    else:
        length = _length(seconds)
        _put_digits(out, at, seconds, length)
        at += length
    if rest == 0:
        return at
    out[at] = 46
    return _put_three(out, at + 1, 48 + rest // 100, 48 + rest // 10 % 10, 48 + rest % 10)
