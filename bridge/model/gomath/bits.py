"""A float64 as its sign, exponent and fraction."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from bridge.kernel import inlined

_EXPONENT = 0x7FF
_FRACTION = 0x000FFFFFFFFFFFFF
_BIAS = 1023


@inlined
def bits_of(value: float) -> int:
    """The 64 bits of a float64 as an int64."""
    return int(np.float64(value).view(np.int64))


@inlined
def from_bits(bits: int) -> float:
    """The float64 of these 64 bits."""
    return float(np.int64(bits).view(np.float64))


@inlined
def frexp(value: float) -> tuple[float, int]:
    """A fraction in [0.5, 1) and an exponent; zeros, infinities and NaN as they are."""
    if value == 0.0 or math.isinf(value) or math.isnan(value):
        return value, 0
    exponent = 0
    if abs(value) < 2.2250738585072014e-308:
        value *= 4503599627370496.0
        exponent = -52
    bits = bits_of(value)
    exponent += ((bits >> 52) & _EXPONENT) - _BIAS + 1
    sign = bits & ~0x7FFFFFFFFFFFFFFF
    return from_bits(sign | (bits & _FRACTION) | ((_BIAS - 1) << 52)), exponent


@inlined
def ldexp(fraction: float, exponent: int) -> float:
    """`fraction * 2**exponent`, rounded once."""
    if fraction == 0.0 or math.isinf(fraction) or math.isnan(fraction):
        return fraction
    fraction, extra = frexp(fraction)
    exponent += extra - 1
    if exponent < -1075:
        return math.copysign(0.0, fraction)
    if exponent > 1023:
        return math.copysign(math.inf, fraction)
    scale = 1.0
    if exponent < -1022:
        exponent += 53
        scale = 1.1102230246251565e-16
    bits = bits_of(fraction) & ~(_EXPONENT << 52)
    return scale * from_bits(bits | ((exponent + _BIAS) << 52))


def fused(a: float, b: float, c: float) -> float:
    """`a * b + c` of finite numbers, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def _fma_instruction(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), generate


_fma: Any = intrinsic(_fma_instruction)


@overload(fused)
def _compiled_fused(a, b, c):  # type: ignore[no-untyped-def]
    def compiled(a, b, c):  # type: ignore[no-untyped-def]
        return _fma(a, b, c)

    return compiled
