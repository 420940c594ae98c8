"""Marks of what was met lately."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.met import Met

MOST = 8


@given(st.lists(st.integers(0, 30)))
def test_what_was_met_lately_is_known_and_all_else_may_be_forgotten(marks: list[int]) -> None:
    met = Met(MOST)
    for at, mark in enumerate(marks):
        before = marks[:at]
        again = met.again(mark)
        assert not again or mark in before
        if mark in before:
            since = before[::-1].index(mark)
            different = len(set(before[at - since :]) - {mark})
            assert again or different >= MOST // 2
        assert len(met) <= MOST
