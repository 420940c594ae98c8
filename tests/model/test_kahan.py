"""Tests of compensated addition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import kahan

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)


def total(values: list[float]) -> float:
    sum_, lost = 0.0, 0.0
    for value in values:
        sum_, lost = kahan.add(value, sum_, lost)
    return sum_ + lost


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 1e100, 1.0, -1e100], 2.0),
        ([0.1] * 10, 1.0),
        ([5e-324, -5e-324], 0.0),
        ([1e308, 1e308], math.inf),
        ([-math.inf, 3.0], -math.inf),
    ],
)
def test_rounding_errors_are_kept(values: list[float], expected: float) -> None:
    assert total(values) == expected


@given(st.lists(st.integers(-(2**60), 2**60).map(float), max_size=30))
def test_sums_of_integers_are_exact(values: list[float]) -> None:
    assert total(values) == math.fsum(values)


def test_mean_of_values_whose_sum_overflows() -> None:
    state = (1.7e308, 0.0, False)
    for count in (2.0, 3.0, 4.0):
        state = kahan.add_to_mean(1.7e308, count, *state)
    assert kahan.mean(4.0, *state) == pytest.approx(1.7e308)


@given(numbers, numbers, numbers)
def test_compiled_equals_python(value: float, sum_: float, lost: float) -> None:
    assert kahan.add(value, sum_, lost) == kahan.add.py_func(value, sum_, lost)  # type: ignore[attr-defined]
