"""Tests of functions of one value."""

import math

import pytest

from tests.engine.functions.asking import INF, NAN, ask, minutes, rows, same, value

TABLE = [
    ("abs(x)", -3.0, 3.0),
    ("ceil(x)", -0.3, -0.0),
    ("floor(x)", -0.3, -1.0),
    ("sqrt(x)", -1.0, NAN),
    ("exp(x)", 1.0, math.e),
    ("ln(x)", 0.0, -INF),
    ("ln(x)", -1.0, NAN),
    ("log2(x)", 8.0, 3.0),
    ("log10(x)", 1000.0, 3.0),
    ("sgn(x)", -0.0, -0.0),
    ("sgn(x)", -7.0, -1.0),
    ("sgn(x)", 7.0, 1.0),
    ("sgn(x)", NAN, NAN),
    ("deg(x)", math.pi, 180.0),
    ("rad(x)", 180.0, math.pi),
    ("sin(x)", INF, NAN),
    ("acosh(x)", 1.0, 0.0),
    ("round(x)", 2.5, 3.0),
    ("round(x)", -2.5, -2.0),
    ("round(x)", 0.4, 0.0),
    ("round(x, 5)", 12.5, 15.0),
    ("round(x, 0.1)", 1.26, 1.3),
    ("round(x, 0)", 1.0, NAN),
    ("round(x, -5)", 12.0, 10.0),
    ("clamp(x, 0, 10)", -1.0, 0.0),
    ("clamp(x, 0, 10)", 11.0, 10.0),
    ("clamp(x, 10, 0)", 5.0, None),
    ("clamp(x, 0, NaN)", 5.0, NAN),
    ("clamp(x, NaN, 10)", 5.0, NAN),
    ("clamp(x, 0, 10)", NAN, NAN),
    ("clamp_min(x, 3)", 1.0, 3.0),
    ("clamp_min(x, Inf)", NAN, INF),
    ("clamp_max(x, 3)", 5.0, 3.0),
    ("clamp_max(x, -Inf)", NAN, -INF),
    ("clamp_max(x, NaN)", 5.0, NAN),
]


@pytest.mark.parametrize(("query", "sample", "expected"), TABLE)
def test_value_of_a_value(query: str, sample: float, expected: float | None) -> None:
    assert same(value({"x": [sample]}, query), expected)


def test_pi_is_a_scalar() -> None:
    assert rows(ask({}, "pi()", minutes(0, 1))) == {"{}": [math.pi, math.pi]}


def test_scalar_arguments_may_differ_from_step_to_step() -> None:
    series = {"x": [1.0, 1.0, 1.0], "least": [0.0, 2.0, 5.0]}
    assert rows(ask(series, "clamp_min(x, scalar(least))", minutes(0, 2))) == {
        "{}": [1.0, 2.0, 5.0]
    }


def test_name_is_dropped() -> None:
    assert rows(ask({'x{a="1"}': [4.0]}, "sqrt(x)")) == {'{a="1"}': [2.0]}
