"""Repetitions are few, and further and further apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.remote.retries import LONGEST_PAUSE, RetryBudget, pause


@given(st.lists(st.booleans(), max_size=400))
def test_one_request_in_ten_is_a_repetition_but_for_the_first_ten(wanted: list[bool]) -> None:
    budget, repeated = RetryBudget(), 0
    for number, again in enumerate(wanted, 1):
        budget.earn()
        repeated += int(again and budget.spend())
        assert repeated <= 10 + number * 0.1


def test_what_was_spent_is_earned_again() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(11):
        budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]


@pytest.mark.parametrize(("attempt", "low", "high"), [(0, 0.05, 0.4), (1, 0.1, 0.8), (9, 10, 10)])
def test_pauses_double_and_are_jittered(attempt: int, low: float, high: float) -> None:
    assert pause(attempt, 0.0, None) == pytest.approx(low) or low == LONGEST_PAUSE
    assert pause(attempt, 1.0, None) == pytest.approx(high)


def test_the_store_may_ask_for_a_pause() -> None:
    assert pause(3, 0.5, 1.5) == 1.5
