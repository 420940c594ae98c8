"""Durations written as arithmetic, to milliseconds.

Source: promql/durations.go of Prometheus.
"""

import math
from collections.abc import Callable, Mapping

from bridge.model.errors import BadData
from bridge.model.time import Steps
from bridge.promql.ast import DurationExpr, NumberLiteral, Preprocessor


def milliseconds(expr: DurationExpr, steps: Steps, *, signed: bool = False) -> int:
    """A duration in ms, for a query with these steps; only a `signed` one may be 0 or negative.

    Raises BadData with the place of what cannot be computed.
    """
    seconds = _seconds(expr, steps)
    if not math.isfinite(seconds):
        raise _duration_error(expr, "duration is NaN or infinite")
    if seconds <= 0 and not signed:
        raise _duration_error(expr, "duration must be greater than 0")
    if abs(seconds) > (1 << 63) / 1e9:
        raise _duration_error(expr, "duration is out of range")
    return int(seconds * 1000)


def _seconds(expr: DurationExpr | NumberLiteral | None, steps: Steps) -> float:
    if expr is None:
        return 0.0
    if isinstance(expr, NumberLiteral):
        return expr.value
    if expr.op == Preprocessor.STEP:
        return 0.0 if steps.start == steps.end else steps.interval / 1000
    if expr.op == Preprocessor.RANGE:
        return (steps.end - steps.start) / 1000
    lhs, rhs = _seconds(expr.lhs, steps), _seconds(expr.rhs, steps)
    if expr.op in ("/", "%") and rhs == 0:
        raise _duration_error(expr, "division by zero" if expr.op == "/" else "modulo by zero")
    return _ARITHMETIC[expr.op](lhs, rhs) if expr.rhs is not None else _unary(expr, lhs)


def _unary(expr: DurationExpr, value: float) -> float:
    return -value if expr.op == "-" else value


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except (OverflowError, ValueError):
        return math.nan


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda lhs, rhs: lhs + rhs,
    "-": lambda lhs, rhs: lhs - rhs,
    "*": lambda lhs, rhs: lhs * rhs,
    "/": lambda lhs, rhs: lhs / rhs,
    "%": math.fmod,
    "^": _power,
    Preprocessor.MIN_OF: min,
    Preprocessor.MAX_OF: max,
}


def _duration_error(expr: DurationExpr, text: str) -> BadData:
    return BadData(f"{expr.pos.start}:{expr.pos.end}: {text}")
