"""Hyperbolic functions and their inverses.

Source: sinh.go (Hart & Cheney), tanh.go (Cephes), asinh.go, acosh.go, atanh.go and log1p.go (msun)
of Go's math package.
"""

import math

from bridge.kernel import elementwise_kernel, inlined
from bridge.model.gomath.bits import bits_of, from_bits
from bridge.model.gomath.powers import exp, log

_LN2 = 6.93147180559945286227e-01
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LARGE = 268435456.0
_NEAR_ZERO = 1.0 / 268435456.0
_SATURATED = 0.5 * 8.8029691931113054295988e01


@elementwise_kernel()
def hyperbolic_sine(x: float) -> float:
    """The hyperbolic sine of x."""
    size = -x if x < 0.0 else x
    if size > 21.0:
        result = exp(size) * 0.5
    elif size > 0.5:
        grown = exp(size)
        result = (grown - 1.0 / grown) * 0.5
    else:
        square = size * size
        above = -0.2894211355989563807284660366e4 + square * -0.2630563213397497062819489e2
        above = -0.8991272022039509355398013511e5 + square * above
        above = (-0.6307673640497716991184787251e6 + square * above) * size
        below = -0.173678953558233699533450911e3 + square
        below = 0.1521517378790019070696485176e5 + square * below
        result = above / (-0.6307673640497716991212077277e6 + square * below)
    return -result if x < 0.0 else result


@elementwise_kernel()
def hyperbolic_cosine(x: float) -> float:
    """The hyperbolic cosine of x."""
    size = abs(x)
    if size > 21.0:
        return exp(size) * 0.5
    grown = exp(size)
    return (grown + 1.0 / grown) * 0.5


@elementwise_kernel()
def hyperbolic_tangent(x: float) -> float:
    """The hyperbolic tangent of x."""
    size = abs(x)
    if size > _SATURATED:
        return -1.0 if x < 0.0 else 1.0
    if size >= 0.625:
        result = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
        return -result if x < 0.0 else result
    if x == 0.0:
        return x
    s = x * x
    above = (-9.64399179425052238628e-1 * s - 9.92877231001918586564e1) * s
    above -= 1.61468768441708447952e3
    below = ((s + 1.12811678491632931402e2) * s + 2.23548839060100448583e3) * s
    below += 4.84406305325125486048e3
    return x + x * s * above / below


@elementwise_kernel()
def inverse_hyperbolic_sine(x: float) -> float:
    """The inverse hyperbolic sine of x."""
    if math.isnan(x) or math.isinf(x):
        return x
    size = -x if x < 0.0 else x
    if size > _LARGE:
        result = log(size) + _LN2
    elif size > 2.0:
        result = log(2.0 * size + 1.0 / (math.sqrt(size * size + 1.0) + size))
    elif size < _NEAR_ZERO:
        result = size
    else:
        result = _log_of_one_plus(size + size * size / (1.0 + math.sqrt(1.0 + size * size)))
    return -result if x < 0.0 else result


@elementwise_kernel()
def inverse_hyperbolic_cosine(x: float) -> float:
    """The inverse hyperbolic cosine of x."""
    if x < 1.0 or math.isnan(x):
        return math.nan
    if x == 1.0:
        return 0.0
    if x >= _LARGE:
        return log(x) + _LN2
    if x > 2.0:
        return log(2.0 * x - 1.0 / (x + math.sqrt(x * x - 1.0)))
    t = x - 1.0
    return _log_of_one_plus(t + math.sqrt(2.0 * t + t * t))


@elementwise_kernel()
def inverse_hyperbolic_tangent(x: float) -> float:
    """The inverse hyperbolic tangent of x."""
    size = -x if x < 0.0 else x
    if size > 1.0 or math.isnan(x):
        return math.nan
    if size == 1.0:
        return math.copysign(math.inf, x)
    if size < _NEAR_ZERO:
        result = size
    elif size < 0.5:
        double = size + size
        result = 0.5 * _log_of_one_plus(double + double * size / (1.0 - size))
    else:
        result = 0.5 * _log_of_one_plus((size + size) / (1.0 - size))
    return -result if x < 0.0 else result


@inlined
def _log_of_one_plus(x: float) -> float:
    """log(1 + x) of x >= 0, as the functions above need it."""
    if x < 4.142135623730950488017e-01:
        if x < 1.8626451492309570e-09:
            return x if x < 5.5511151231257827e-17 else x - x * x * 0.5
        return _log_series(x, 0.0, 0.0, 1)
    bigger = 1.0 + x if x < 9007199254740992.0 else x
    bits = bits_of(bigger)
    exponent = (bits >> 52) - 1023
    lost = 0.0
    if x < 9007199254740992.0:
        lost = (1.0 - (bigger - x) if exponent > 0 else x - (bigger - 1.0)) / bigger
    bits &= 0x000FFFFFFFFFFFFF
    if bits < 0x0006A09E667F3BCD:
        f = from_bits(bits | 0x3FF0000000000000) - 1.0
    else:
        exponent += 1
        f = from_bits(bits | 0x3FE0000000000000) - 1.0
        bits = (0x0010000000000000 - bits) >> 2
    return _log_series(f, float(exponent), lost, bits)


@inlined
def _log_series(f: float, k: float, lost: float, bits: int) -> float:
    """The sum k log 2 + log(1 + f) + what rounding lost; `bits` is 0 where f is tiny."""
    half = 0.5 * f * f
    if bits == 0:
        if f == 0.0:
            return 0.0 if k == 0.0 else k * _LN2_HIGH + (lost + k * _LN2_LOW)
        rest = half * (1.0 - 0.66666666666666666 * f)
        return f - rest if k == 0.0 else k * _LN2_HIGH - ((rest - (k * _LN2_LOW + lost)) - f)
    s = f / (2.0 + f)
    z = s * s
    rest = 1.531383769920937332e-01 + z * 1.479819860511658591e-01
    rest = 2.222219843214978396e-01 + z * (1.818357216161805012e-01 + z * rest)
    rest = 3.999999999940941908e-01 + z * (2.857142874366239149e-01 + z * rest)
    rest = z * (6.666666666666735130e-01 + z * rest)
    if k == 0.0:
        return f - (half - s * (half + rest))
    return k * _LN2_HIGH - ((half - (s * (half + rest) + (k * _LN2_LOW + lost))) - f)
