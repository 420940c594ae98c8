"""Tests of which series of two vectors belong together, and what pairs are called."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine import matching
from bridge.engine.matching import (
    Pairs,
    Signatures,
    paired,
    pairs,
    present_groups,
    require_unique_one_side,
    require_unique_results,
    result_labels,
    signatures,
)
from bridge.model.errors import ExecutionError
from bridge.model.labels import Labels, LabelTable
from bridge.model.vectors import Matrix
from bridge.promql.ast import Cardinality, VectorMatching

_IDS = st.lists(st.integers(0, 4), max_size=8)
ONE, LEFT, RIGHT = Cardinality.ONE_TO_ONE, Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY


def labelled(**labels: str) -> Labels:
    """A label set; `name` is the metric name."""
    if "name" in labels:
        labels["__name__"] = labels.pop("name")
    return Labels.of(labels)


@given(_IDS, _IDS)
def test_pairs_are_all_of_one_group_in_the_order_of_the_many_side(
    many: list[int], one: list[int]
) -> None:
    rows, others = pairs(np.array(many, np.int64), np.array(one, np.int64))
    expected = [(m, o) for m, x in enumerate(many) for o, y in enumerate(one) if x == y]
    assert list(zip(rows.tolist(), others.tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=8))
def test_a_group_is_present_where_any_row_is(rows: list[tuple[int, bool, bool]]) -> None:
    ids = np.array([group for group, _, _ in rows], np.int64)
    present = np.array([there for _, *there in rows], np.bool_).reshape(-1, 2)
    found = present_groups(present, ids, 4)
    for group in range(4):
        assert found[group].tolist() == present[ids == group].any(axis=0).tolist()
    plain = np.zeros((4, 2), np.bool_)
    matching._any_of_group.py_func(present, ids, plain)
    assert np.array_equal(found, plain)


@pytest.mark.parametrize(
    ("on", "labels", "groups"),
    [
        (True, ("a",), [{"a": "1"}, {"a": "2"}]),
        (True, (), [{}]),
        (True, ("__name__",), [{"name": "x"}, {"name": "y"}]),
        (True, ("missing",), [{}]),
        (False, ("b",), [{"a": "1"}, {"a": "2"}]),
        (False, (), [{"a": "1", "b": "1"}, {"a": "1", "b": "2"}, {"a": "2", "b": "1"}]),
    ],
)
def test_match_groups(*, on: bool, labels: tuple[str, ...], groups: list[dict[str, str]]) -> None:
    left = LabelTable([labelled(name="x", a="1", b="1"), labelled(name="x", a="1", b="2")])
    right = LabelTable([labelled(name="y", a="2", b="1"), labelled(name="y", a="1", b="1")])
    found = signatures(left, right, VectorMatching(ONE, labels, on))
    assert list(found.labels) == [labelled(**one) for one in groups]
    for side, ids in ((left, found.left), (right, found.right)):
        for row, group in zip(side, ids.tolist(), strict=True):
            assert found.labels[group].pairs == tuple(
                pair for pair in row.pairs if pair in found.labels[group].pairs
            )


def test_how_small_tables_match_is_remembered_for_each_way_to_match_and_each_partner() -> None:
    many = LabelTable([labelled(name="x", a="1", b="1"), labelled(name="x", a="1", b="2")])
    one, other = (LabelTable([labelled(name=name, a="1", c="3")]) for name in ("y", "z"))
    by_a, with_c = VectorMatching(LEFT, ("a",), True), VectorMatching(LEFT, ("a",), True, ("c",))

    def made(partner: LabelTable, how: VectorMatching, *, drop_name: bool = True) -> Pairs:
        found = signatures(many, partner, how)
        return paired(many, partner, found, how, drop_name=drop_name)

    first = made(one, by_a)
    assert made(one, by_a) is first
    assert [row.get("c") for row in made(one, with_c).labels] == ["3", "3"]
    assert [row.get("c") for row in first.labels] == ["", ""]
    assert [row.get("__name__") for row in made(one, by_a, drop_name=False).labels] == ["x", "x"]
    assert made(other, by_a) is not first
    assert (first.many.tolist(), first.one.tolist()) == ([0, 1], [0, 0])


_MANY, _SINGLE = labelled(name="x", a="1", b="2", c="3"), labelled(name="y", a="1", d="4", c="5")


@pytest.mark.parametrize(
    ("matched", "drop_name", "result"),
    [
        (VectorMatching(ONE, (), False), True, {"a": "1", "b": "2", "c": "3"}),
        (VectorMatching(ONE, (), False), False, {"name": "x", "a": "1", "b": "2", "c": "3"}),
        (VectorMatching(ONE, ("b",), False), True, {"a": "1", "c": "3"}),
        (VectorMatching(ONE, ("a",), True), True, {"a": "1"}),
        (VectorMatching(ONE, ("a",), True), False, {"a": "1"}),
        (VectorMatching(ONE, ("a", "__name__"), True), False, {"name": "x", "a": "1"}),
        (VectorMatching(LEFT, ("a",), True), True, {"a": "1", "b": "2", "c": "3"}),
        (VectorMatching(LEFT, ("a",), True), False, {"name": "x", "a": "1", "b": "2", "c": "3"}),
        (
            VectorMatching(LEFT, ("a",), True, ("d",)),
            True,
            {"a": "1", "b": "2", "c": "3", "d": "4"},
        ),
        (VectorMatching(RIGHT, ("a",), True, ("c",)), True, {"a": "1", "b": "2", "c": "5"}),
        (VectorMatching(LEFT, ("a",), True, ("b",)), True, {"a": "1", "c": "3"}),
        (
            VectorMatching(LEFT, ("a",), True, ("__name__",)),
            True,
            {"name": "y", "a": "1", "b": "2", "c": "3"},
        ),
    ],
)
def test_what_a_pair_is_called(
    matched: VectorMatching, result: dict[str, str], *, drop_name: bool
) -> None:
    assert result_labels(_MANY, _SINGLE, matched, drop_name=drop_name) == labelled(**result)


def one_side(*present: list[int]) -> tuple[Matrix, Signatures]:
    """Series with the same `a`, in one match group, present at these steps."""
    table = LabelTable(labelled(name="y", a="1", n=str(9 - n)) for n in range(len(present)))
    shown = np.array(present, np.bool_)
    ids = np.zeros(len(present), np.int64)
    return Matrix(table, np.zeros(shown.shape), shown), Signatures(ids, ids, (labelled(a="1"),))


@pytest.mark.parametrize(("card", "side"), [(ONE, "right"), (LEFT, "right"), (RIGHT, "left")])
def test_two_series_of_the_one_side_in_a_group_are_refused(card: Cardinality, side: str) -> None:
    matrix, found = one_side([1, 0], [0, 1], [1, 1])
    with pytest.raises(ExecutionError) as failed:
        require_unique_one_side(
            matrix, found.right, found, np.ones(2, np.bool_), VectorMatching(card, ("a",), True)
        )
    assert str(failed.value) == (
        f'found duplicate series for the match group {{a="1"}} on the {side} hand-side of the'
        ' operation: [{__name__="y", a="1", n="7"}, {__name__="y", a="1", n="9"}];many-to-many'
        " matching not allowed: matching labels must be unique on one side"
    )


@pytest.mark.parametrize(
    ("present", "matters"),
    [([[1, 0], [0, 1]], [1, 1]), ([[1, 1], [0, 1]], [1, 0]), ([[1, 1]], [1, 1])],
)
def test_series_that_do_not_meet_are_no_clash(present: list[list[int]], matters: list[int]) -> None:
    matrix, found = one_side(*present)
    one = VectorMatching(ONE, ("a",), True)
    require_unique_one_side(matrix, found.right, found, np.array(matters, np.bool_), one)


def test_two_results_of_one_name_are_refused() -> None:
    names = np.array([3, 1, 3])
    require_unique_results(np.array([[1, 0], [1, 1], [0, 1]], np.bool_), names, "twice")
    with pytest.raises(ExecutionError, match=r"^twice$"):
        require_unique_results(np.array([[1, 0], [1, 1], [1, 1]], np.bool_), names, "twice")


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=6))
def test_the_first_clash_is_at_the_earliest_step(rows: list[tuple[int, bool, bool]]) -> None:
    ids = np.array([group for group, _, _ in rows], np.int64)
    present = np.array([there for _, *there in rows], np.bool_).reshape(-1, 2)
    expected = next(
        (
            (first, second)
            for step in range(2)
            for second in range(len(rows))
            for first in range(second)
            if ids[first] == ids[second] and present[first, step] and present[second, step]
        ),
        None,
    )
    assert matching._first_clash(present, ids, 3) == expected
    first, clash = np.full((3, 1), -1, np.int64), np.full((1, 3), -1, np.int64)
    matching._find_clash.py_func(present, ids, first, clash)
    assert (None if clash[0, 0] < 0 else (clash[0, 0], clash[0, 1])) == expected
