"""Trigonometric functions and their inverses.

Source: sin.go, tan.go, atan.go, asin.go (Cephes), atan2.go and trig_reduce.go (Payne and Hanek) of
Go's math package.
"""

import math

import numpy as np

from bridge.kernel import elementwise_kernel, inlined
from bridge.model.gomath.bits import bits_of, from_bits

_PI = math.pi
_FOUR_OVER_PI = 1.2732395447351626861510701069801148
_PI_4_A = 7.85398125648498535156e-1
_PI_4_B = 3.77489470793079817668e-8
_PI_4_C = 2.69515142907905952645e-15
_HUGE = 536870912.0
# The digits of 4/pi, 64 bits each.
_FOUR_OVER_PI_DIGITS = np.array(
    [
        0x0000000000000001,
        0x45F306DC9C882A53,
        0xF84EAFA3EA69BB81,
        0xB6C52B3278872083,
        0xFCA2C757BD778AC3,
        0x6E48DC74849BA5C0,
        0x0C925DD413A32439,
        0xFC3BD63962534E7D,
        0xD1046BEA5D768909,
        0xD338E04D68BEFC82,
        0x7323AC7306A673E9,
        0x3908BF177BF25076,
        0x3FF12FFFBC0B301F,
        0xDE5E2316B414DA3E,
        0xDA6CFD9E4F96136E,
        0x9E8C7ECD3CBFD45A,
        0xEA4F758FD7CBE2F6,
        0x7A0E73EF14A525D4,
        0xD7F6BF623F1ABA10,
        0xAC06608DF8F6D757,
    ],
    dtype=np.uint64,
)


@elementwise_kernel()
def sine(x: float) -> float:
    """The sine of x radians."""
    if x == 0.0 or math.isnan(x):
        return x
    if math.isinf(x):
        return math.nan
    octant, z = _reduced(abs(x))
    negative = (x < 0.0) != (octant > 3)
    turned = octant % 4
    result = _cosine_series(z) if turned in (1, 2) else _sine_series(z)
    return -result if negative else result


@elementwise_kernel()
def cosine(x: float) -> float:
    """The cosine of x radians."""
    if math.isnan(x) or math.isinf(x):
        return math.nan
    octant, z = _reduced(abs(x))
    turned = octant % 4
    negative = (octant > 3) != (turned > 1)
    result = _sine_series(z) if turned in (1, 2) else _cosine_series(z)
    return -result if negative else result


@elementwise_kernel()
def tangent(x: float) -> float:
    """The tangent of x radians."""
    if x == 0.0 or math.isnan(x):
        return x
    if math.isinf(x):
        return math.nan
    octant, z = _reduced(abs(x))
    square = z * z
    result = z
    if square > 1e-14:
        above = (-1.30936939181383777646e4 * square + 1.15351664838587416140e6) * square
        above -= 1.79565251976484877988e7
        below = (square + 1.36812963470692954678e4) * square - 1.32089234440210967447e6
        below = (below * square + 2.50083801823357915839e7) * square - 5.38695755929454629881e7
        result = z + z * (square * above / below)
    if octant & 2:
        result = -1.0 / result
    return -result if x < 0.0 else result


@inlined
def _sine_series(z: float) -> float:
    zz = z * z
    series = 1.58962301576546568060e-10 * zz - 2.50507477628578072866e-8
    series = (series * zz + 2.75573136213857245213e-6) * zz - 1.98412698295895385996e-4
    series = (series * zz + 8.33333333332211858878e-3) * zz - 1.66666666666666307295e-1
    return z + z * zz * series


@inlined
def _cosine_series(z: float) -> float:
    zz = z * z
    series = -1.13585365213876817300e-11 * zz + 2.08757008419747316778e-9
    series = (series * zz - 2.75573141792967388112e-7) * zz + 2.48015872888517045348e-5
    series = (series * zz - 1.38888888888730564116e-3) * zz + 4.16666666666665929218e-2
    return 1.0 - 0.5 * zz + zz * zz * series


@inlined
def _reduced(x: float) -> tuple[int, float]:
    """The octant of x >= 0, made even, and the angle within it."""
    if x >= _HUGE:
        return _reduced_huge(x)
    octant = int(x * _FOUR_OVER_PI)
    octant += octant & 1
    y = float(octant)
    return octant & 7, ((x - y * _PI_4_A) - y * _PI_4_B) - y * _PI_4_C


@inlined
def _reduced_huge(x: float) -> tuple[int, float]:
    """The same of x beyond 2**29, by the 192 bits of 4/pi that matter for it."""
    bits = bits_of(x)
    exponent = (bits >> 52) - 1023 - 52
    whole = np.uint64((bits & 0x000FFFFFFFFFFFFF) | 0x0010000000000000)
    at = (exponent + 61) // 64
    shift = np.uint64((exponent + 61) % 64)
    high = _digits_at(at, shift) * whole
    middle = _digits_at(at + 1, shift)
    low = middle * whole + _high_product(_digits_at(at + 2, shift), whole)
    carry = np.uint64(1) if low < middle * whole else np.uint64(0)
    high = high + _high_product(middle, whole) + carry
    octant = int(np.int64(high >> np.uint64(61)))
    fraction = (high << np.uint64(3)) | (low >> np.uint64(61))
    # Go goes on with the lower digits as they were, not moved by the octant's three bits.
    z = _as_fraction(fraction, low)
    if octant & 1:
        octant = (octant + 1) & 7
        z -= 1.0
    return octant, z * (_PI / 4.0)


@inlined
def _digits_at(at, shift):  # type: ignore[no-untyped-def]
    digits = _FOUR_OVER_PI_DIGITS
    upper = digits[at] << shift
    if shift == 0:
        return upper
    return upper | (digits[at + 1] >> (np.uint64(64) - shift))


@inlined
def _high_product(a, b):  # type: ignore[no-untyped-def]
    """The upper 64 of the 128 bits of a product."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    a_high, a_low, b_high, b_low = a >> half, a & mask, b >> half, b & mask
    cross = a_high * b_low + ((a_low * b_low) >> half)
    other = a_low * b_high + (cross & mask)
    return a_high * b_high + (cross >> half) + (other >> half)


@inlined
def _as_fraction(upper, lower):  # type: ignore[no-untyped-def]
    """The float64 in [0, 1) whose binary digits these 128 bits begin with, cut off."""
    zeros = 0
    while zeros < 63 and (upper << np.uint64(zeros)) >> np.uint64(63) == 0:
        zeros += 1
    drop = np.uint64(zeros + 1)
    kept = upper << drop
    kept = kept | (lower >> (np.uint64(64) - drop))
    return from_bits(int(np.int64(kept >> np.uint64(12))) | ((1022 - zeros) << 52))


@inlined
def _arctangent_small(x: float) -> float:
    """The arctangent of 0 <= x <= 0.66."""
    z = x * x
    above = -8.750608600031904122785e-01 * z - 1.615753718733365076637e01
    above = (above * z - 7.500855792314704667340e01) * z - 1.228866684490136173410e02
    above = above * z - 6.485021904942025371773e01
    below = (z + 2.485846490142306297962e01) * z + 1.650270098316988542046e02
    below = (below * z + 4.328810604912902668951e02) * z + 4.853903996359136964868e02
    below = below * z + 1.945506571482613964425e02
    return x * (z * above / below) + x


@inlined
def _arctangent_positive(x: float) -> float:
    if x <= 0.66:
        return _arctangent_small(x)
    if x > 2.41421356237309504880:
        return _PI / 2.0 - _arctangent_small(1.0 / x) + 6.123233995736765886130e-17
    return _PI / 4.0 + _arctangent_small((x - 1.0) / (x + 1.0)) + 0.5 * 6.123233995736765886130e-17


@inlined
def _arctangent(x: float) -> float:
    if x == 0.0:
        return x
    return _arctangent_positive(x) if x > 0.0 else -_arctangent_positive(-x)


@inlined
def _arcsine(x: float) -> float:
    size = abs(x)
    if x == 0.0:
        return x
    if not size <= 1.0:
        return math.nan
    root = math.sqrt(1.0 - size * size)
    if size > 0.7:
        result = _PI / 2.0 - _arctangent_positive(root / size)
    else:
        result = _arctangent_positive(size / root)
    return -result if x < 0.0 else result


@elementwise_kernel()
def arctangent(x: float) -> float:
    """The angle whose tangent is x."""
    return _arctangent(x)


@elementwise_kernel()
def arcsine(x: float) -> float:
    """The angle whose sine is x."""
    return _arcsine(x)


@elementwise_kernel()
def arccosine(x: float) -> float:
    """The angle whose cosine is x."""
    return _PI / 2.0 - _arcsine(x)


@elementwise_kernel(2)
def arctangent2(y: float, x: float) -> float:
    """The angle of the point (x, y)."""
    if math.isnan(y) or math.isnan(x):
        return math.nan
    left = math.copysign(1.0, x) < 0.0
    if y == 0.0:
        return math.copysign(_PI if left else 0.0, y)
    if x == 0.0:
        return math.copysign(_PI / 2.0, y)
    if math.isinf(x):
        if math.isinf(y):
            return math.copysign(2.356194490192344928846982537459627 if left else _PI / 4.0, y)
        return math.copysign(_PI if left else 0.0, y)
    if math.isinf(y):
        return math.copysign(_PI / 2.0, y)
    angle = _arctangent(y / x)
    if x > 0.0:
        return angle
    return angle + _PI if angle <= 0.0 else angle - _PI
