"""Where series are heading: deriv and predict_linear.

Source: linearRegression in promql/functions.go.
"""

import math

from bridge.engine.function import MATRIX, SCALAR, over_window
from bridge.kernel import inlined, window_kernel
from bridge.model import kahan


@over_window("deriv")
@window_kernel()
def deriv(ts, vs, lo, hi, start, end, time, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        out[0], _ = _line(ts, vs, lo, hi, ts[lo])


@over_window("predict_linear", (MATRIX, SCALAR), timeless=False)
@window_kernel(params=1)
def predict_linear(ts, vs, lo, hi, start, end, time, ahead, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        slope, intercept = _line(ts, vs, lo, hi, time)
        out[0] = slope * ahead + intercept


@inlined
def _line(ts, vs, lo, hi, origin):  # type: ignore[no-untyped-def]
    """Slope per second and value at `origin` (ms) of the least-squares line through a window."""
    x_sum, x_lost, y_sum, y_lost = 0.0, 0.0, 0.0, 0.0
    xy_sum, xy_lost, xx_sum, xx_lost = 0.0, 0.0, 0.0, 0.0
    level = vs[lo]
    flat = True
    for i in range(lo, hi):
        x, y = (ts[i] - origin) / 1e3, vs[i]
        flat = flat and (i == lo or y == level)
        x_sum, x_lost = kahan.add(x, x_sum, x_lost)
        y_sum, y_lost = kahan.add(y, y_sum, y_lost)
        xy_sum, xy_lost = kahan.add(x * y, xy_sum, xy_lost)
        xx_sum, xx_lost = kahan.add(x * x, xx_sum, xx_lost)
    if flat:
        return (math.nan, math.nan) if kahan.is_infinite(level) else (0.0, level)
    count = float(hi - lo)
    x_sum += x_lost
    y_sum += y_lost
    xy_sum += xy_lost
    xx_sum += xx_lost
    slope = (xy_sum - x_sum * y_sum / count) / (xx_sum - x_sum * x_sum / count)
    return slope, y_sum / count - slope * x_sum / count
