"""Tests of the rewrites before evaluation."""

from dataclasses import fields

import pytest

from bridge.engine.functions import FUNCTIONS, signatures
from bridge.engine.passes import (
    Setting,
    hoist_invariants,
    resolve_bounds,
    resolve_durations,
    unwrap_parens,
)
from bridge.model.errors import BadData
from bridge.model.time import MAX_TIME, MIN_TIME, Steps
from bridge.promql.ast import Expr, StepInvariantExpr, VectorSelector, children
from bridge.promql.parser import parse
from bridge.promql.printer import to_text

MINUTE = 60_000
_STEPS = Steps(10 * MINUTE, 70 * MINUTE, 5 * MINUTE)


def parsed(text: str) -> Expr:
    """The tree of a query."""
    return parse(text, signatures())


def hoisted(text: str) -> list[str]:
    """The parts that are evaluated once, from the outermost on."""
    setting = Setting(_STEPS, FUNCTIONS)
    expr = hoist_invariants(unwrap_parens(parsed(text), setting), setting)
    return [to_text(one) for one in _wrapped(expr)]


def _wrapped(expr: Expr) -> list[Expr]:
    inner = [one for child in children(expr) for one in _wrapped(child)]
    return [expr.expr, *inner] if isinstance(expr, StepInvariantExpr) else inner


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("x", []),
        ("x @ 5", ["x @ 5.000"]),
        ("x + x @ 5", ["x @ 5.000"]),
        ("x @ 5 + x @ 6", ["x @ 5.000 + x @ 6.000"]),
        ("sum(x @ 5)", ["sum(x @ 5.000)"]),
        ("-(x @ 5)", ["-x @ 5.000"]),
        ("rate(x[1m] @ 5)", ["rate(x[1m] @ 5.000)"]),
        ("rate(x[1m] @ 5) + x", ["rate(x[1m] @ 5.000)"]),
        ("1", []),
        ("1 + 2", ["1 + 2"]),
        ("vector(1)", ["vector(1)"]),
        ("time()", []),
        ("vector(time())", []),
        ("hour(x @ 5)", ["x @ 5.000"]),
        ("timestamp(x @ 5)", ["timestamp(x @ 5.000)"]),
        ("timestamp((x @ 5))", ["timestamp(x @ 5.000)"]),
        ("timestamp(-x @ 5)", ["-x @ 5.000"]),
        ("predict_linear(x[5m] @ 5, 60)", []),
        ("sum_over_time(x[5m:1m])", []),
        ("sum_over_time(x[5m:1m] @ 5)", ["sum_over_time(x[5m:1m] @ 5.000)"]),
        ("sum_over_time((x @ 5)[5m:1m])", ["x @ 5.000"]),
        ("sum_over_time((x + x @ 5)[5m:1m])", ["x @ 5.000"]),
        (
            "sum_over_time((x @ 5)[5m:1m] @ 6)",
            ["sum_over_time(x @ 5.000[5m:1m] @ 6.000)", "x @ 5.000"],
        ),
        ("topk(scalar(x), y @ 5)", ["topk(scalar(x), y @ 5.000)"]),
        ("topk(1, y)", []),
        ("round(x, 5)", []),
        ("clamp_max(x @ 5, 2)", ["clamp_max(x @ 5.000, 2)"]),
        ("clamp_max(x, scalar(y @ 5))", ["scalar(y @ 5.000)"]),
    ],
)
def test_the_largest_parts_that_stay_the_same_are_evaluated_once(
    query: str, parts: list[str]
) -> None:
    assert hoisted(query) == parts


@pytest.mark.parametrize(
    ("query", "resolved"),
    [
        ("x[5m + 1m]", "x[6m]"),
        ("x[2 * 30]", "x[1m]"),
        ("x[step()]", "x[5m]"),
        ("x[range()]", "x[1h]"),
        ("x[max_of(step(), 10m)]", "x[10m]"),
        ("x[min_of(step(), 10m) / 2]", "x[2m30s]"),
        ("x[2 ^ 3]", "x[8s]"),
        ("x[7m % 4m]", "x[3m]"),
        ("x offset (1m - 2m)", "x offset -1m"),
        ("x offset -step()", "x offset -5m"),
        ("(x)[1h - 30m:step()]", "(x)[30m:5m]"),
        ("(x)[5m:1m] offset (2 * 1m)", "(x)[5m:1m] offset 2m"),
        ("sum(rate(x[1m + 1.5]))", "sum(rate(x[1m1s500ms]))"),
    ],
)
def test_durations_are_computed(query: str, resolved: str) -> None:
    made = resolve_durations(parsed(query), Setting(_STEPS, FUNCTIONS))
    expected = parsed(resolved)
    for one in (made, expected):
        assert type(one) is type(expected)
    assert _durations(made) == _durations(expected)


def _durations(expr: Expr) -> list[object]:
    own = [
        getattr(expr, field.name)
        for field in fields(expr)
        if field.name in ("range", "step", "offset")
    ]
    return own + [one for child in children(expr) for one in _durations(child)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("x[5m - 10m]", "duration must be greater than 0"),
        ("x[5m / 0]", "division by zero"),
        ("x[5m % 0]", "modulo by zero"),
        ("x[2 ^ 2000]", "duration is NaN or infinite"),
        ("x[2 ^ 100]", "duration is out of range"),
        ("(x)[5m:1m - 1m]", "duration must be greater than 0"),
    ],
)
def test_durations_that_are_none_are_refused(query: str, text: str) -> None:
    with pytest.raises(BadData, match=f"{text}$"):
        resolve_durations(parsed(query), Setting(_STEPS, FUNCTIONS))


def test_step_is_nothing_for_one_moment() -> None:
    setting = Setting(Steps.at(MINUTE), FUNCTIONS)
    with pytest.raises(BadData, match=r"duration must be greater than 0$"):
        resolve_durations(parsed("x[step()]"), setting)
    assert _durations(resolve_durations(parsed("x[step() + 1m]"), setting))[0] == MINUTE


@pytest.mark.parametrize(
    ("query", "resolved"),
    [
        ("x @ start()", "x @ 600.000"),
        ("x @ end()", "x @ 4200.000"),
        ("max_over_time((x @ end())[5m:1m] @ start())", "max_over_time((x @ 4200)[5m:1m] @ 600)"),
        ("rate(x[5m] @ start())", "rate(x[5m] @ 600)"),
    ],
)
def test_start_and_end_are_the_times_of_the_query(query: str, resolved: str) -> None:
    assert resolve_bounds(parsed(query), Setting(_STEPS, FUNCTIONS)) == parsed(resolved)


@pytest.mark.parametrize(
    ("query", "time"),
    [
        ("x @ 9223372036854774", MAX_TIME),
        ("x @ -9223372036854774", MIN_TIME),
        ("x @ 1767600000000000000", MIN_TIME),  # leaves 64 bits, as on amd64
        ("x @ -9000000000000000", -9_000_000_000_000_000_000),
    ],
)
def test_no_time_leaves_those_of_a_query(query: str, time: int) -> None:
    found = resolve_bounds(parsed(query), Setting(_STEPS, FUNCTIONS))
    assert isinstance(found, VectorSelector)
    assert found.timestamp == time
