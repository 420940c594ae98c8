"""The lesser and the greater of two numbers; NaN wins over all but the infinity looked for."""

import math

from bridge.kernel import elementwise_kernel


@elementwise_kernel(2)
def maximum(a: float, b: float) -> float:
    """Go's math.Max: +Inf before NaN before numbers; +0 is greater than -0."""
    if math.inf in (a, b):
        return math.inf
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if a == 0.0 and b == 0.0:
        return b if math.copysign(1.0, a) < 0.0 else a
    return max(a, b)


@elementwise_kernel(2)
def minimum(a: float, b: float) -> float:
    """Go's math.Min: -Inf before NaN before numbers; -0 is less than +0."""
    if -math.inf in (a, b):
        return -math.inf
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if a == 0.0 and b == 0.0:
        return a if math.copysign(1.0, a) < 0.0 else b
    return min(a, b)
