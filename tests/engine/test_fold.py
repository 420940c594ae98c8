"""Tests of aggregations that take one series after the other."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.fold import FOLDS, State, as_seen, by_first, fold
from bridge.engine.fold_histograms import Remarks
from bridge.model.annotations import Annotations
from bridge.model.labels import Grouping, Labels, LabelTable
from bridge.model.vectors import Matrix
from bridge.promql.ast import AggregateExpr
from bridge.promql.parser import parse

NAN, INF = math.nan, math.inf
BY_GROUP = Grouping(("g",), without=False)
_EXPR = parse("sum by (g) (x)", {})
assert isinstance(_EXPR, AggregateExpr)
REMARKS = Remarks(_EXPR, Annotations())

_NUMBERS = st.one_of(
    st.sampled_from((0.0, -0.0, 1.0, 0.1, 1e16, -1e16, 1e308, INF, -INF, NAN)),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
)
_CELLS = st.one_of(st.none(), _NUMBERS)


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Rows in up to three groups."""
    rows, steps = draw(st.integers(0, 8)), draw(st.integers(1, 3))
    cells = draw(
        st.lists(st.lists(_CELLS, min_size=steps, max_size=steps), min_size=rows, max_size=rows)
    )
    groups = draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    return matrix(groups, cells, steps)


def matrix(groups: Sequence[str], cells: Sequence[Sequence[float | None]], steps: int) -> Matrix:
    """Rows of these groups; None is absent, and what stands there must not matter."""
    labels = LabelTable(Labels.of({"g": g, "n": str(n)}) for n, g in enumerate(groups))
    values = np.array([[666.0 if v is None else v for v in row] for row in cells], np.float64)
    present = np.array([[v is not None for v in row] for row in cells], np.bool_)
    return Matrix(labels, values.reshape(-1, steps), present.reshape(-1, steps))


def rows_of(whole: Matrix, start: int, stop: int) -> Matrix:
    """A row range, whose labels are a slice of the whole table."""
    return Matrix(whole.labels[start:stop], whole.values[start:stop], whole.present[start:stop])


def shown(result: Matrix | None) -> list[tuple[Labels, list[bytes | None]]]:
    """Rows bit for bit, but for the payload of NaN."""
    assert result is not None
    values = np.where(np.isnan(result.values), np.nan, result.values)
    return [
        (labels, [v.tobytes() if p else None for v, p in zip(row, there, strict=True)])
        for labels, row, there in zip(result.labels, values, result.present, strict=True)
    ]


@pytest.mark.parametrize("name", FOLDS)
@given(whole=matrices(), cuts=st.lists(st.integers(0, 8), max_size=4))
def test_rows_may_be_cut_anywhere(name: str, whole: Matrix, cuts: list[int]) -> None:
    edges = sorted({0, len(whole), *(at for at in cuts if at < len(whole))})
    parts = [rows_of(whole, *pair) for pair in pairwise(edges)] or [whole]
    assert shown(fold(FOLDS[name], BY_GROUP, parts, REMARKS)) == shown(
        fold(FOLDS[name], BY_GROUP, [whole], REMARKS)
    )


@pytest.mark.parametrize("name", FOLDS)
@given(whole=matrices())
def test_kernels_are_their_plain_python(name: str, whole: Matrix) -> None:
    ids = whole.labels.grouped(BY_GROUP).ids
    groups = len(whole.labels.grouped(BY_GROUP).labels)
    kernel = FOLDS[name].add
    assert _added(kernel, whole, ids, groups) == _added(kernel.py_func, whole, ids, groups)


def _added(
    kernel: Callable[..., None],
    whole: Matrix,
    ids: np.ndarray[tuple[int], np.dtype[np.int64]],
    groups: int,
) -> list[bytes]:
    state = State.of(groups, whole.steps)
    with np.errstate(all="ignore"):
        kernel(
            whole.values,
            whole.present,
            ids,
            state.count,
            state.value,
            state.compensation,
            state.mean,
        )
    columns = (state.count, state.value, state.compensation, state.mean)
    return [np.where(np.isnan(one), np.nan, one).tobytes() for one in columns]


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30))
def test_sum_is_nearly_exact(numbers: list[float]) -> None:
    whole = matrix("a" * len(numbers), [[n] for n in numbers], 1)
    result = fold(FOLDS["sum"], BY_GROUP, [whole], REMARKS)
    assert result is not None
    bound = 4 * len(numbers) * math.ulp(max(map(abs, numbers)) * 1e-16 + 5e-324)
    assert (
        abs(float(result.values[0, 0]) - math.fsum(numbers))
        <= bound + abs(math.fsum(numbers)) * 3e-16
    )


@pytest.mark.parametrize(
    ("name", "numbers", "expected"),
    [
        ("sum", [1e100, 1.0, -1e100], 1.0),
        ("sum", [0.1] * 10, 1.0),
        ("sum", [INF, -INF], NAN),
        ("sum", [1e308, 1e308], INF),
        ("avg", [1e308, 1.5e308, 0.5e308], 1e308),
        ("avg", [INF, 1.0], INF),
        ("avg", [1.0, NAN], NAN),
        ("avg", [2.0], 2.0),
        ("count", [NAN, 1.0, None], 2.0),
        ("group", [NAN, 7.0], 1.0),
        ("min", [NAN, 3.0, 2.0], 2.0),
        ("min", [NAN, NAN], NAN),
        ("max", [2.0, NAN, 3.0], 3.0),
        ("max", [NAN, -INF], -INF),
        ("stdvar", [1.0, 3.0], 1.0),
        ("stddev", [1.0, 3.0, 5.0, 7.0], math.sqrt(5.0)),
        ("stddev", [4.0], 0.0),
        ("stddev", [INF], NAN),
        ("stdvar", [1.0, INF], NAN),
    ],
)
def test_what_an_aggregation_makes_of_numbers(
    name: str, numbers: list[float | None], expected: float
) -> None:
    whole = matrix("a" * len(numbers), [[n] for n in numbers], 1)
    ((_, values),) = shown(fold(FOLDS[name], BY_GROUP, [whole], REMARKS))
    assert values == [np.float64(expected).tobytes()]


def test_groups_that_are_absent_are_left_out() -> None:
    whole = matrix("abc", [[None, 1.0], [None, None], [2.0, None]], 2)
    result = fold(FOLDS["sum"], BY_GROUP, [whole], REMARKS)
    assert result is not None
    assert [labels.get("g") for labels in result.labels] == ["a", "c"]
    assert result.present.tolist() == [[False, True], [True, False]]


def test_an_instant_shows_groups_as_their_samples_come() -> None:
    whole = matrix("aba", [[None], [1.0], [2.0]], 1)
    result = fold(FOLDS["sum"], BY_GROUP, [whole], REMARKS)
    assert result is not None
    assert [labels.get("g") for labels in result.labels] == ["b", "a"]


def test_no_parts_are_no_matrix() -> None:
    assert fold(FOLDS["sum"], BY_GROUP, [], REMARKS) is None


@given(st.lists(st.integers(0, 5)))
def test_numbers_by_first_occurrence(ids: list[int]) -> None:
    assert by_first(np.array(ids, np.int64)).tolist() == list(dict.fromkeys(ids))


def test_groups_in_order_stay_as_they_are() -> None:
    groups = matrix("ab", [[1.0], [2.0]], 1)
    assert as_seen(groups, np.array([0, 1, 0])) is groups
