"""Tests of aggregations that compare the rows of a group."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine import pick
from bridge.engine.pick import checked_k, extremes, first_rows, quantiles, sorted_quantile
from bridge.model.errors import ExecutionError
from bridge.model.labels import Grouping
from bridge.model.vectors import Matrix
from tests.engine.test_fold import matrices, matrix

NAN, INF = math.nan, math.inf
BY_GROUP = Grouping(("g",), without=False)


def numbered(whole: Matrix) -> list[int]:
    """Which rows of a generated matrix these are."""
    return [int(labels.get("n")) for labels in whole.labels]


@pytest.mark.parametrize(
    ("k", "kept"),
    [
        ([1.0, 2.9], [1, 2]),
        ([0.5, 1.0], [0, 1]),
        ([-3.0, 4.0], [0, 4]),
        ([0.9], None),
        ([-INF], None),
        ([-1e30], None),
    ],
)
def test_k_is_cut_to_whole_rows(k: list[float], kept: list[int] | None) -> None:
    found = checked_k(np.array(k))
    assert (None if found is None else found.tolist()) == kept


@pytest.mark.parametrize(
    ("k", "text"),
    [
        ([NAN], "Parameter value is NaN"),
        ([1.0, NAN], "Parameter value is NaN"),
        ([INF], "Scalar value +Inf overflows int64"),
        ([9.3e18], "Scalar value 9.3e+18 overflows int64"),
        ([1.0, -1e19], "Scalar value -1e+19 underflows int64"),
    ],
)
def test_k_that_is_no_count_is_refused(k: list[float], text: str) -> None:
    with pytest.raises(ExecutionError) as failed:
        checked_k(np.array(k))
    assert str(failed.value) == text


@given(whole=matrices(), k=st.integers(0, 4), largest=st.booleans())
def test_the_k_most_extreme_of_each_group_are_kept(whole: Matrix, k: int, *, largest: bool) -> None:
    groups = whole.labels.grouped(BY_GROUP)
    found = extremes(whole, groups, np.full(whole.steps, k), largest=largest)
    kept = {n: found.present[r].tolist() for r, n in enumerate(numbered(found))}
    for step in range(whole.steps):
        picked = [n for n, there in kept.items() if there[step]]
        for group in range(len(groups.labels)):
            rows = [r for r in np.flatnonzero(groups.ids == group) if whole.present[r, step]]
            members = [r for r in rows if r in picked]
            others = [r for r in rows if r not in picked]
            assert len(members) == min(k, len(rows))
            worst = [_rank(float(whole.values[r, step]), largest=largest) for r in members]
            best = [_rank(float(whole.values[r, step]), largest=largest) for r in others]
            assert not worst or not best or min(worst) >= max(best)


def _rank(value: float, *, largest: bool) -> tuple[bool, float]:
    """The higher the better; NaN is the worst in both directions."""
    return (False, 0.0) if math.isnan(value) else (True, value if largest else -value)


@pytest.mark.parametrize(
    ("numbers", "k", "largest", "order"),
    [
        ([1.0, 3.0, 2.0], 2, True, [1, 2]),
        ([1.0, 3.0, 2.0], 2, False, [0, 2]),
        ([5.0, 5.0, 5.0], 1, True, [0]),
        ([5.0, 5.0, 5.0], 1, False, [0]),
        ([NAN, 1.0, NAN], 2, True, [1, 0]),
        ([NAN, 1.0, NAN], 2, False, [1, 0]),
        ([NAN, NAN], 1, True, [0]),
        ([-INF, NAN, INF], 3, True, [2, 0, 1]),
        ([-INF, NAN, INF], 3, False, [0, 2, 1]),
        ([1.0, 2.0], 9, True, [1, 0]),
    ],
)
def test_an_instant_is_in_order_and_of_equals_the_first_stays(
    numbers: list[float], k: int, order: list[int], *, largest: bool
) -> None:
    whole = matrix("a" * len(numbers), [[n] for n in numbers], 1)
    found = extremes(whole, whole.labels.grouped(BY_GROUP), np.array([k]), largest=largest)
    assert numbered(found) == order


def test_groups_of_an_instant_stand_together() -> None:
    whole = matrix("abab", [[None], [1.0], [5.0], [2.0]], 1)
    found = extremes(whole, whole.labels.grouped(BY_GROUP), np.array([2]), largest=True)
    assert numbered(found) == [3, 1, 2]


@given(matrices(), st.integers(0, 4))
def test_the_first_rows_of_each_group_are_kept(whole: Matrix, k: int) -> None:
    groups = whole.labels.grouped(BY_GROUP)
    found = first_rows(whole, groups, np.full(whole.steps, k))
    kept = {n: found.present[r].tolist() for r, n in enumerate(numbered(found))}
    for step in range(whole.steps):
        for group in range(len(groups.labels)):
            members = np.flatnonzero(groups.ids == group).tolist()
            rows = [r for r in members if whole.present[r, step]]
            assert [r for r in rows if r in kept and kept[r][step]] == rows[:k]


@pytest.mark.parametrize(
    ("q", "numbers", "expected"),
    [
        (0.5, [1.0, 2.0, 4.0], 2.0),
        (0.25, [1.0, 2.0], 1.25),
        (0.0, [3.0, 1.0], 1.0),
        (1.0, [3.0, 1.0], 3.0),
        (-0.1, [1.0], -INF),
        (1.1, [1.0], INF),
        (NAN, [1.0], NAN),
        (0.0, [1.0, NAN], NAN),
        (1.0, [1.0, NAN, 2.0], 2.0),
        (0.5, [1.0, INF], INF),
        (0.0, [1.0, INF], NAN),
        (1.0, [7.0], 7.0),
    ],
)
def test_quantiles(q: float, numbers: list[float], expected: float) -> None:
    whole = matrix("a" * len(numbers), [[n] for n in numbers], 1)
    found = quantiles(whole, whole.labels.grouped(BY_GROUP), np.array([q]))
    assert np.array_equal(found.values, [[expected]], equal_nan=True)


@given(st.floats(0, 1), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_quantiles_are_numpys(q: float, numbers: list[float]) -> None:
    found = sorted_quantile.py_func(q, np.sort(np.array(numbers)))  # type: ignore[attr-defined]
    assert found == pytest.approx(np.quantile(numbers, q), rel=1e-9, abs=1e-6)


@given(
    whole=matrices(),
    k=st.integers(0, 3),
    largest=st.booleans(),
    q=st.sampled_from((0.0, 0.5, 1.0, 2.0, NAN)),
)
def test_kernels_are_their_plain_python(whole: Matrix, k: int, q: float, *, largest: bool) -> None:
    groups = whole.labels.grouped(BY_GROUP)
    counts, wanted = np.full(whole.steps, k), np.full(whole.steps, q)
    shape, grouped = whole.values.shape, (len(groups.labels), whole.steps)
    cases: Sequence[tuple[Any, tuple[object, ...], tuple[object, ...]]] = (
        (pick._extremes, (counts, largest), (np.zeros(shape, np.int64),)),
        (pick._first_rows, (counts,), (np.zeros(shape, np.bool_),)),
        (pick._quantiles, (wanted,), (np.zeros(grouped), np.zeros(grouped, np.bool_))),
    )
    for kernel, parameters, outs in cases:
        inputs = (whole.present, groups.ids, *parameters)
        if kernel is not pick._first_rows:
            inputs = (whole.values, *inputs)
        assert _run(kernel, inputs, outs) == _run(kernel.py_func, inputs, outs)


def _run(
    kernel: Callable[..., None], inputs: tuple[object, ...], outs: tuple[Any, ...]
) -> list[list[object]]:
    made = [out.copy() for out in outs]
    with np.errstate(all="ignore"):
        kernel(*inputs, *made)
    return [np.where(np.isnan(out), -1234.5, out).tolist() for out in made]
