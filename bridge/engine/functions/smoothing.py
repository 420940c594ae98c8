"""Double exponential smoothing, which Prometheus 2 called holt_winters.

Source: funcDoubleExponentialSmoothing in promql/functions.go.
"""

import math
from typing import cast

import numpy as np

from bridge.engine.function import MATRIX, SCALAR, CallSite, function, run_over_windows
from bridge.engine.mixed import numbers
from bridge.kernel import window_kernel
from bridge.model.errors import ExecutionError
from bridge.model.samples import Float64s
from bridge.model.vectors import Bools, Scalar, Value, Windows


@function(
    "double_exponential_smoothing", (MATRIX, SCALAR, SCALAR), row_wise=True, experimental=True
)
def double_exponential_smoothing(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    smoothing, trend = (cast("Scalar", value).values for value in values[1:])
    _require_shares(smoothing, trend, np.asarray(numbers(windows) > 0))
    site.note_ignored(windows)
    return run_over_windows(_smoothed, windows, [smoothing, trend])


def _require_shares(smoothing: Float64s, trend: Float64s, used: Bools) -> None:
    """Raises ExecutionError for the first series' first step `used` [S, T] with a wrong factor."""
    smooths, trends = _is_share(smoothing), _is_share(trend)
    wrong = np.flatnonzero(used & ~(smooths & trends))
    if not len(wrong):
        return
    step = int(wrong[0]) % len(smoothing)
    name, factor = ("trend", trend[step]) if smooths[step] else ("smoothing", smoothing[step])
    shown = f"{factor:f}" if math.isfinite(factor) else f"{factor:+f}".title()
    short = f"{name[0]}f"
    raise ExecutionError(f"invalid {name} factor. Expected: 0 < {short} < 1, got: {shown}")


def _is_share(factors: Float64s) -> Bools:
    """Whether it is none of those that are refused; NaN is not."""
    result: Bools = ~((factors <= 0.0) | (factors >= 1.0))
    return result


@window_kernel(params=2)
def _smoothed(ts, vs, lo, hi, start, end, time, smoothing, trend, out, present):  # type: ignore[no-untyped-def]
    present[0] = hi - lo >= 2
    if present[0]:
        before, level, slope = 0.0, vs[lo], vs[lo + 1] - vs[lo]
        for i in range(lo + 1, hi):
            if i > lo + 1:
                slope = trend * (level - before) + (1.0 - trend) * slope
            before, level = level, smoothing * vs[i] + (1.0 - smoothing) * (level + slope)
        out[0] = level
