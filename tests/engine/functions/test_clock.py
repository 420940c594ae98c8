"""Tests of times and dates."""

from datetime import UTC, datetime

import pytest

from bridge.model.time import Steps
from tests.engine.functions.asking import INF, NAN, ask, minutes, rows, value

PARTS = [
    "year",
    "month",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "day_of_week",
    "hour",
    "minute",
]
# The parts of moments as Go's time package gives them.
MOMENTS = [
    (0.0, [1970, 1, 1, 1, 31, 4, 0, 0]),
    (951782400.0, [2000, 2, 29, 60, 29, 2, 0, 0]),
    (-1.5, [1969, 12, 31, 365, 31, 3, 23, 59]),
    (-0.9, [1970, 1, 1, 1, 31, 4, 0, 0]),
    (-2203891200.0, [1900, 3, 1, 60, 31, 4, 0, 0]),
    (1704067199.9, [2023, 12, 31, 365, 31, 0, 23, 59]),
    (1735689599.0, [2024, 12, 31, 366, 31, 2, 23, 59]),
    (253402300800.0, [10000, 1, 1, 1, 31, 6, 0, 0]),
    (NAN, [292277026596, 12, 4, 339, 31, 0, 15, 30]),
    (INF, [292277026596, 12, 4, 339, 31, 0, 15, 30]),
    (1e300, [292277026596, 12, 4, 339, 31, 0, 15, 30]),
    (2.0**63 - 1024, [292277026596, 12, 4, 339, 31, 0, 15, 13]),
]


@pytest.mark.parametrize(("seconds", "expected"), MOMENTS)
def test_parts_of_a_moment(seconds: float, expected: list[int]) -> None:
    assert [value({"x": [seconds]}, f"{part}(x)") for part in PARTS] == expected


def test_without_an_argument_it_is_the_evaluation_time() -> None:
    moment = datetime(2021, 2, 28, 23, 58, 59, 900_000, tzinfo=UTC)
    steps = Steps.at(round(moment.timestamp() * 1000))
    found = [rows(ask({}, f"{part}()", steps))["{}"][0] for part in PARTS]
    assert found == [2021, 2, 28, 59, 28, 0, 23, 58]


def test_time_is_in_seconds() -> None:
    assert rows(ask({}, "time()", Steps(1500, 2500, 500))) == {"{}": [1.5, 2.0, 2.5]}


def test_timestamp_of_a_selector_is_the_time_of_its_sample() -> None:
    series = {"x": [1.0, None, 3.0]}
    expected = {"{}": [0.0, 0.0, 120.0, 120.0]}
    assert rows(ask(series, "timestamp((x))", minutes(0.5, 3.5))) == expected


def test_timestamp_of_a_moved_selector_is_not_moved() -> None:
    assert value({"x": [1.0, 2.0]}, "timestamp(x offset 1m)") == 0.0


def test_timestamp_of_an_expression_is_the_evaluation_time() -> None:
    assert rows(ask({"x": [1.0]}, "timestamp(x + 0)", minutes(0, 1))) == {"{}": [0.0, 60.0]}


def test_time_differs_from_step_to_step_beside_a_fixed_selector() -> None:
    found = rows(ask({"x": [7.0, 8.0]}, "x @ 0 + time()", minutes(0, 1)))
    assert found == {"{}": [7.0, 67.0]}
