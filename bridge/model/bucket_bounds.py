"""Where the buckets of native histograms begin and end.

Exponential schema s cuts every power of two into 2**s buckets, or 2**-s powers of two make one.
Source: getBound in model/histogram/generic.go of Prometheus, whose bounds are not everywhere the
nearest float64.
"""

import math
import sys
from typing import Final

import numpy as np

from bridge.kernel import inlined
from bridge.model.arrays import Float64s

CUSTOM_SCHEMA: Final = -53
FINEST_SCHEMA: Final = 8
COARSEST_SCHEMA: Final = -4
# What a newer Prometheus may write; finer than 8 is reduced to 8.
RESERVED_SCHEMAS: Final = (-9, 52)

# How far each bound of schema 8 between 0.5 and 1 is from the nearest float64, in units in the last
# place: `.` 0, `1` one above, `d` to `a` one to four below.
_DEVIATIONS: Final = (
    "......d...d.......dc..dddddddddd..d...d..ddd..dd..dd.1dd..dd..dd"
    "......ddddccd.cd..d...d....d.......d.1..d.cc..dd.ddd..d.d.ccdddd"
    "d.d.ddccddcdd.ddddddddcdcdcccdcc..dd..d.ddccd.ccddccd.ddcdccddcd"
    "ddbcddcdccbcccbcccccccbbbbaabcabddcddccccdbbddcccdbcddccccabccbb"
)
_ULPS: Final = {".": 0, "1": 1, "d": -1, "c": -2, "b": -3, "a": -4}
_LARGEST: Final = sys.float_info.max


def _schema_8() -> Float64s:
    """2**(k/256) / 2 for k from 0 to 255, as Prometheus has it."""
    bits = 160
    roots, root = [], 2 << bits
    for _ in range(8):
        root = math.isqrt(root << bits)
        roots.append(root)
    bounds = []
    for k, deviation in enumerate(_DEVIATIONS):
        power = 1 << bits
        for place, one in enumerate(roots):
            if k >> (7 - place) & 1:
                power = power * one >> bits
        nearest = np.float64(power / (2 << bits))
        bounds.append(int(nearest.view(np.int64)) + _ULPS[deviation])
    return np.array(bounds, np.int64).view(np.float64)


_FRACTIONS: Final = _schema_8()
_POWERS: Final = np.array([2.0**exponent for exponent in range(-1074, 1024)])


@inlined
def power_of_two(exponent: int) -> float:
    """2**exponent: 0 if it is too small for a float64, infinite if it is too large."""
    if exponent > 1023:
        return math.inf
    return 0.0 if exponent < -1074 else float(_POWERS[exponent + 1074])


@inlined
def exponential_bound(index: int, schema: int) -> float:
    """The upper bound of a positive bucket of an exponential schema up to 8."""
    if schema < 0:
        exponent = index << -schema
        return _LARGEST if exponent == 1024 else power_of_two(exponent)
    fraction = _FRACTIONS[(index & ((1 << schema) - 1)) << (8 - schema)]
    exponent = (index >> schema) + 1
    # One power more than the greatest float64 has: half of it twice.
    if exponent > 1024:
        return _LARGEST if fraction == 0.5 and exponent == 1025 else math.inf
    if exponent == 1024:
        return float(fraction * 2.0 * _POWERS[1023 + 1074])
    return 0.0 if exponent < -1074 else float(fraction * _POWERS[exponent + 1074])


@inlined
def is_exponential(schema: int) -> bool:
    """Whether this is an exponential schema that Prometheus computes with."""
    return COARSEST_SCHEMA <= schema <= FINEST_SCHEMA
