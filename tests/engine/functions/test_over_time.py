"""Tests of what functions over a range say of its samples."""

import math

import pytest

from bridge.model.errors import ExecutionError
from tests.engine.functions.asking import INF, NAN, ask, minutes, rows, same, value
from tests.oracle.series import STALE

TABLE = [
    ("count_over_time(x[10m])", [1, 2, None, NAN], 3.0),
    ("count_over_time(x[2m])", [1, 2, 3, 4], 2.0),
    ("count_over_time(x[10m])", [1, float(STALE), 3], 2.0),
    ("present_over_time(x[10m])", [None, NAN], 1.0),
    ("first_over_time(x[10m])", [None, 7, 8], 7.0),
    ("last_over_time(x[10m])", [7, 8, float(STALE)], 8.0),
    ("sum_over_time(x[10m])", [1.0, 1e100, 1.0, -1e100], 2.0),
    ("sum_over_time(x[10m])", [1e308, 1e308, -1e308], INF),
    ("sum_over_time(x[10m])", [INF, -INF], NAN),
    ("sum_over_time(x[10m])", [-0.0], 0.0),
    ("avg_over_time(x[10m])", [1.0, 2.0, 6.0], 3.0),
    ("avg_over_time(x[10m])", [1.5e308, 1.5e308], 1.5e308),
    ("avg_over_time(x[10m])", [INF, 1.0], INF),
    ("avg_over_time(x[10m])", [INF, -INF], NAN),
    ("avg_over_time(x[10m])", [-0.0], 0.0),
    ("stdvar_over_time(x[10m])", [2, 4, 4, 4, 5, 5, 7, 9], 4.0),
    ("stddev_over_time(x[10m])", [2, 4, 4, 4, 5, 5, 7, 9], 2.0),
    ("stddev_over_time(x[10m])", [3], 0.0),
    ("stdvar_over_time(x[10m])", [1, NAN], NAN),
    ("changes(x[10m])", [1, 1, 2, NAN, NAN, 2], 3.0),
    ("changes(x[10m])", [0.0, -0.0], 0.0),
    ("changes(x[10m])", [5], 0.0),
    ("resets(x[10m])", [3, 2, NAN, 1, 5, 4], 2.0),
    ("resets(x[2m])", [9, 1, 2, 3], 0.0),
    ("min_over_time(x[10m])", [NAN, 3, NAN, 2], 2.0),
    ("max_over_time(x[10m])", [NAN, 3, NAN, 2], 3.0),
    ("max_over_time(x[10m])", [NAN, NAN], NAN),
    ("min_over_time(x[10m])", [0.0, -0.0], 0.0),
    ("max_over_time(x[10m])", [-0.0, 0.0], -0.0),
    ("max_over_time(x[10m])", [-INF], -INF),
    ("ts_of_first_over_time(x[10m])", [None, 7, 8], 60.0),
    ("ts_of_last_over_time(x[10m])", [7, 8, None], 60.0),
    ("ts_of_max_over_time(x[10m])", [NAN, 3, 3, 2], 120.0),
    ("ts_of_min_over_time(x[10m])", [3, 2, 2, NAN], 120.0),
    ("ts_of_max_over_time(x[10m])", [NAN, NAN], 60.0),
    ("double_exponential_smoothing(x[10m], 0.5, 0.1)", [0, 2, 4], 4.0),
    ("double_exponential_smoothing(x[10m], 0.5, 0.5)", [1, 2, 1], 2.0),
    ("double_exponential_smoothing(x[10m], 0.5, 0.5)", [1], None),
    ("deriv(x[10m])", [0, 60, 120], 1.0),
    ("deriv(x[10m])", [5], None),
    ("deriv(x[10m])", [5, 5, 5], 0.0),
    ("deriv(x[10m])", [INF, INF], NAN),
    ("predict_linear(x[10m], 60)", [0, 60, 120], 180.0),
    ("predict_linear(x[10m], 0)", [7, 7], 7.0),
]


@pytest.mark.parametrize(("query", "samples", "expected"), TABLE)
def test_value_of_a_range(query: str, samples: list[float], expected: float | None) -> None:
    assert same(value({"x": samples}, query), expected)


@pytest.mark.parametrize("name", ["count", "sum", "avg", "min", "stddev", "last", "present"])
def test_empty_range_gives_nothing(name: str) -> None:
    assert rows(ask({"x": [1, 2]}, f"{name}_over_time(x[1m] offset 1h)")) == {}


def test_only_first_and_last_keep_the_name() -> None:
    series = {'x{a="1"}': [1.0, 2.0]}
    assert list(rows(ask(series, "last_over_time(x[5m])"))) == ['{__name__="x", a="1"}']
    assert list(rows(ask(series, "first_over_time(x[5m])"))) == ['{__name__="x", a="1"}']
    assert list(rows(ask(series, "sum_over_time(x[5m])"))) == ['{a="1"}']


def test_predict_linear_starts_at_the_evaluation_time_not_at_the_offset() -> None:
    rising = {"x": [0.0, 60, 120, 180]}
    assert value(rising, "predict_linear(x[2m] offset 1m, 0)") == 180.0


def test_extremes_of_long_windows_are_those_of_short_ones() -> None:
    samples = [float((n * 7919) % 101) if n % 13 else NAN for n in range(400)]
    steps = minutes(0, 400)
    for name, pick in (("max", max), ("min", min)):
        found = rows(ask({"x": samples}, f"{name}_over_time(x[1h])", steps))["{}"]
        for step, extreme in enumerate(found[:400]):
            seen = [one for one in samples[max(0, step - 59) : step + 1] if not math.isnan(one)]
            assert extreme == pick(seen) if seen else same(extreme, NAN)


def test_smoothing_factors_are_shares() -> None:
    with pytest.raises(ExecutionError) as caught:
        ask({"x": [1.0, 2.0]}, "double_exponential_smoothing(x[5m], 1, 0.5)")
    assert str(caught.value) == "invalid smoothing factor. Expected: 0 < sf < 1, got: 1.000000"
    with pytest.raises(ExecutionError) as caught:
        ask({"x": [1.0, 2.0]}, "double_exponential_smoothing(x[5m], 0.5, -2)")
    assert str(caught.value) == "invalid trend factor. Expected: 0 < tf < 1, got: -2.000000"
