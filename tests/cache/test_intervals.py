"""Arithmetic of pieces of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cache.intervals import common, covers, cut, gaps, outward, without
from bridge.model.time import Window
from tests.cache.world import disjoint

windows = st.tuples(st.integers(-50, 50), st.integers(0, 40)).map(
    lambda pair: Window(pair[0], sum(pair))
)
pieces = st.lists(windows, max_size=6)


def times(*held: Window) -> set[int]:
    return {time for window in held for time in range(window.start, window.end + 1)}


@given(windows, pieces)
def test_what_is_left_is_all_that_was_not_taken(window: Window, taken: list[Window]) -> None:
    left = list(without(window, taken))
    assert times(*left) == times(window) - times(*taken)
    assert disjoint(left)


@given(windows, pieces, st.integers(0, 10), st.integers(1, 4))
def test_gaps_and_what_is_held_make_the_whole(
    window: Window, held: list[Window], near: int, most: int
) -> None:
    found = gaps(window, held, near, most)
    assert times(window) - times(*held) <= times(*found) <= times(window)
    assert disjoint(found)
    assert len(found) <= most


@given(windows, pieces)
def test_gaps_far_from_each_other_hold_nothing_that_is_held(
    window: Window, held: list[Window]
) -> None:
    assert not times(*gaps(window, held, 0, 100)) & times(*held)


def test_gaps_near_each_other_are_read_as_one() -> None:
    held = [Window(10, 14), Window(30, 80)]
    assert gaps(Window(0, 100), held, 6, 4) == [Window(0, 29), Window(81, 100)]


def test_more_gaps_than_allowed_are_read_as_one() -> None:
    held = [Window(at, at + 8) for at in range(1, 60, 10)]
    assert gaps(Window(0, 60), held, 0, 4) == [Window(0, 60)]
    assert len(gaps(Window(0, 60), held, 0, 7)) == 7


@given(windows, st.lists(st.integers(-60, 100), max_size=5))
def test_a_cut_window_is_whole_and_each_edge_inside_begins_a_piece(
    window: Window, edges: list[int]
) -> None:
    made = cut(window, edges)
    assert times(*made) == times(window)
    assert disjoint(made)
    assert {piece.start for piece in made} == {window.start} | (set(edges) & times(window))


@given(windows, st.integers(1, 20))
def test_rounding_outward_only_adds_less_than_the_grid(window: Window, grid: int) -> None:
    made = outward(window, grid)
    assert covers(made, window)
    assert made.start % grid == 0
    assert (made.end + 1) % grid == 0
    assert window.start - made.start < grid
    assert made.end - window.end < grid


@given(windows, windows)
def test_common_time_is_in_both(one: Window, other: Window) -> None:
    both = common(one, other)
    assert (times(both) if both else set()) == times(one) & times(other)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [(Window(0, 9), True), (Window(3, 4), True), (Window(-1, 4), False), (Window(5, 10), False)],
)
def test_covers(inner: Window, expected: bool) -> None:
    assert covers(Window(0, 9), inner) is expected
