"""Exponentials, logarithms, powers and remainders.

Source: exp_amd64.s (Shibata's method, with fused multiply-add as every CPU of the last decade has
it), exp.go, log.go, log10.go, pow.go and mod.go of Go's math package.
"""

import math

import numpy as np

from bridge.kernel import elementwise_kernel, inlined
from bridge.model.gomath.bits import bits_of, frexp, from_bits, fused, ldexp

_OVERFLOW = 7.09782712893384e02
_UNDERFLOW = -746.0
_LOG2_E = 1.4426950408889634073599246810018920
_LN2_UPPER = 0.69314718055966295651160180568695068359375
_LN2_LOWER = 0.28235290563031577122588448175013436025525412068e-12
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_HALF_SQRT2 = 7.07106781186547524401e-01


@inlined
def exp(x: float) -> float:
    """e**x."""
    if math.isnan(x):
        return x
    if x > _OVERFLOW:
        return math.inf
    if x < _UNDERFLOW:
        return 0.0
    exponent = round(x * _LOG2_E)
    whole = float(exponent)
    rest = fused(-whole, _LN2_LOWER, fused(-whole, _LN2_UPPER, x)) * 0.0625
    series = fused(2.4801587301587301587e-5, rest, 1.9841269841269841270e-4)
    series = fused(series, rest, 1.3888888888888888889e-3)
    series = fused(series, rest, 8.3333333333333333333e-3)
    series = fused(series, rest, 4.1666666666666666667e-2)
    series = fused(series, rest, 1.6666666666666666667e-1)
    series = fused(series, rest, 0.5)
    series = fused(series, rest, 1.0)
    result = rest * series
    result *= result + 2.0
    result *= result + 2.0
    result *= result + 2.0
    return _scaled(fused(result, result + 2.0, 1.0), exponent)


@inlined
def _scaled(value: float, exponent: int) -> float:
    """`value * 2**exponent` as the assembly multiplies: once, or twice if it is subnormal."""
    biased = exponent + 1023
    if biased >= 2047:
        return math.inf
    if biased > 0:
        return value * from_bits(biased << 52)
    if biased < -52:
        return 0.0
    return value * from_bits((biased + 1022) << 52) * from_bits(1 << 52)


@inlined
def log(x: float) -> float:
    """The natural logarithm; of subnormal numbers it is wrong, as Go's assembly is."""
    if math.isnan(x) or x == math.inf:
        return x
    if x < 0.0:
        return math.nan
    if x == 0.0:
        return -math.inf
    bits = bits_of(x)
    fraction = from_bits((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000)
    exponent = (bits >> 52) - 1022
    if fraction <= _HALF_SQRT2:
        fraction *= 2.0
        exponent -= 1
    f, k = fraction - 1.0, float(exponent)
    s = f / (2.0 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = 1.818357216161805012e-01 + s4 * 1.479819860511658591e-01
    odd = s2 * (6.666666666666735130e-01 + s4 * (2.857142874366239149e-01 + s4 * odd))
    even = 2.222219843214978396e-01 + s4 * 1.531383769920937332e-01
    even = s4 * (3.999999999940941908e-01 + s4 * even)
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)


@inlined
def log2(x: float) -> float:
    """The logarithm to base 2; exact for powers of two."""
    fraction, exponent = frexp(x)
    if fraction == 0.5:
        return float(exponent - 1)
    return log(fraction) * 1.44269504088896340735992468100189214 + float(exponent)


@inlined
def exp2(x: float) -> float:
    """2**x."""
    if math.isnan(x):
        return x
    if x > 1.0239999999999999e03:
        return math.inf
    if x < -1.0740e03:
        return 0.0
    exponent = 0
    if x > 0.0:
        exponent = int(x + 0.5)
    elif x < 0.0:
        exponent = int(x - 0.5)
    rest = x - float(exponent)
    high, low = rest * _LN2_HIGH, -rest * _LN2_LOW
    r = high - low
    t = r * r
    series = 6.61375632143793436117e-05 + t * (
        -1.65339022054652515390e-06 + t * 4.13813679705723846039e-08
    )
    series = 1.66666666666666657415e-01 + t * (-2.77777777770155933842e-03 + t * series)
    c = r - t * series
    return ldexp(1.0 - ((low - (r * c) / (2.0 - c)) - high), exponent)


@elementwise_kernel()
def exponential(x: float) -> float:
    """The exponential function."""
    return exp(x)


@elementwise_kernel()
def logarithm(x: float) -> float:
    """The natural logarithm."""
    return log(x)


@elementwise_kernel()
def logarithm2(x: float) -> float:
    """The logarithm to base 2; exact for powers of two."""
    return log2(x)


@elementwise_kernel()
def logarithm10(x: float) -> float:
    """The logarithm to base 10."""
    return log(x) * 0.43429448190325182765112891891660508229


@elementwise_kernel(2)
def modulo(x: float, y: float) -> float:
    """The remainder of x / y with the sign of x; exact."""
    if y == 0.0 or math.isinf(x) or math.isnan(x) or math.isnan(y):
        return math.nan
    return float(np.fmod(x, y))


@elementwise_kernel(2)
def power(x: float, y: float) -> float:
    """x**y, by squaring for the whole part of y and exp and log for the rest."""
    if y == 0.0 or x == 1.0:
        return 1.0
    if y == 1.0:
        return x
    if math.isnan(x) or math.isnan(y):
        return math.nan
    if x == 0.0 or math.isinf(x) or math.isinf(y):
        return _power_of_limit(x, y)
    if y == 0.5:
        return math.sqrt(x) if x >= 0.0 else math.nan
    if y == -0.5:
        return 1.0 / math.sqrt(x) if x >= 0.0 else math.nan
    whole = float(np.floor(abs(y)))
    if abs(y) != whole and x < 0.0:
        return math.nan
    if whole >= 9.223372036854775808e18:
        return 1.0 if x == -1.0 else _power_of_limit(abs(x), math.copysign(math.inf, y))
    return _finite_power(x, y, whole)


@inlined
def _power_of_limit(x: float, y: float) -> float:
    """x**y where x is 0 or infinite, or y is infinite."""
    if math.isinf(y):
        if x == -1.0:
            return 1.0
        return 0.0 if (abs(x) < 1.0) == (y > 0.0) else math.inf
    negative = math.copysign(1.0, x) < 0.0 and _is_odd(y)
    limit = 0.0 if (x == 0.0) == (y > 0.0) else math.inf
    return -limit if negative else limit


@inlined
def _is_odd(x: float) -> bool:
    return abs(x) < 9007199254740992.0 and bool(abs(np.fmod(x, 2.0)) == 1.0)


@inlined
def _finite_power(x: float, y: float, whole: float) -> float:
    rest = abs(y) - whole
    result = 1.0
    if rest != 0.0:
        if rest > 0.5:
            rest -= 1.0
            whole += 1.0
        result = exp(rest * log(x))
    exponent = 0
    base, base_exponent = frexp(x)
    bits = int(whole)
    while bits != 0:
        if base_exponent < -4096 or base_exponent > 4096:
            exponent += base_exponent
            break
        if bits & 1:
            result *= base
            exponent += base_exponent
        base *= base
        base_exponent <<= 1
        if base < 0.5:
            base += base
            base_exponent -= 1
        bits >>= 1
    if y < 0.0:
        return ldexp(1.0 / result, -exponent)
    return ldexp(result, exponent)
