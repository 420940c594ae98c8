"""The shortest decimal that reads back as a given float64.

Schubfach, after Raffaello Giulietti, "The Schubfach way to render doubles" (2020): the decimals of
a power of ten form pigeonholes of which at most two meet the interval that rounds to the float.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.api.words import high_product
from bridge.kernel import inlined

_U0: Final = np.uint64(0)
_U1: Final = np.uint64(1)
_U2: Final = np.uint64(2)
_U4: Final = np.uint64(4)
_U10: Final = np.uint64(10)
_U40: Final = np.uint64(40)
_FRACTION: Final = np.uint64((1 << 52) - 1)
_HIDDEN: Final = np.uint64(1 << 52)

# The exponents of ten that a double needs.
_LEAST: Final = -292
_MOST: Final = 324


def _powers(shift: int) -> npt.NDArray[np.uint64]:
    """10**k for every k, scaled to 128 bits and rounded up; the 64 bits from `shift` on."""
    words = []
    for k in range(_LEAST, _MOST + 1):
        if k < 0:
            length = (10**-k).bit_length()
            scaled = -(-(1 << (127 + length)) // 10**-k)
        else:
            length = (10**k).bit_length()
            scaled = -(-(10**k << 128) // (1 << length))
        words.append(scaled >> shift & (1 << 64) - 1)
    return np.array(words, dtype=np.uint64)


_HIGH: Final = _powers(64)
_LOW: Final = _powers(0)


@inlined
def _rounded_to_odd(high: np.uint64, low: np.uint64, factor: np.uint64) -> np.uint64:
    """The product's upper part; its last bit is set if anything but rounding noise was cut off."""
    tail = high_product(low, factor)
    middle = high * factor + tail
    top = high_product(high, factor)
    if middle < tail:
        top += _U1
    return top | np.uint64(middle > _U1)


@inlined
def shortest(bits: np.uint64) -> tuple[np.uint64, int]:
    """Digits and exponent of ten of a finite positive float64, given by its bits without the sign.

    Of the shortest decimals the one closest to the float; trailing zeros may remain.
    """
    fraction = bits & _FRACTION
    exponent = int(np.int64(bits >> np.uint64(52)))
    if exponent != 0:
        significand = fraction | _HIDDEN
        power = exponent - 1075
        if -53 < power <= 0:
            shift = np.uint64(-power)
            whole = significand >> shift
            if whole << shift == significand:
                return whole, 0
    else:
        significand = fraction
        power = -1074
    return _shortest_inexact(significand, power, bool(fraction == _U0) and exponent > 1)


@inlined
def _shortest_inexact(significand: np.uint64, power: int, closer: bool) -> tuple[np.uint64, int]:
    """The same for `significand * 2**power`; `closer`: the float below is at half the distance."""
    odd = significand & _U1
    middle = significand * _U4
    k = (power * 1262611 - (524031 if closer else 0)) >> 22
    scale = np.uint64(power + ((-k * 1741647) >> 19) + 1)
    high, low = _HIGH[-k - _LEAST], _LOW[-k - _LEAST]
    beneath = middle - _U1 if closer else middle - _U2
    lower = _rounded_to_odd(high, low, beneath << scale) + odd
    value = _rounded_to_odd(high, low, middle << scale)
    upper = _rounded_to_odd(high, low, (middle + _U2) << scale) - odd
    digits = value >> _U2
    if digits >= _U10:
        tens = digits // _U10
        below, above = lower <= tens * _U40, tens * _U40 + _U40 <= upper
        if below != above:
            return tens + np.uint64(above), k + 1
    below, above = lower <= digits << _U2, (digits << _U2) + _U4 <= upper
    if below != above:
        return digits + np.uint64(above), k
    half = (digits << _U2) + _U2
    up = value > half or (value == half and digits & _U1 == _U1)
    return digits + np.uint64(up), k
