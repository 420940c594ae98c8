"""Tests of binary operations against a plain evaluation, pair by pair and step by step."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.binary import operate
from bridge.model.annotations import Annotations, Severity
from bridge.model.errors import ExecutionError
from bridge.model.labels import METADATA_LABELS, Grouping, Labels, LabelTable
from bridge.model.vectors import Matrix, Scalar
from bridge.promql.ast import (
    BinaryExpr,
    Cardinality,
    NumberLiteral,
    VectorMatching,
)

STEPS = 2
_OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
}
_COMPARISONS = {
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    ">=": lambda x, y: x >= y,
}
_CELL = st.one_of(st.none(), st.sampled_from((0.0, 1.0, 2.0, -1.5, math.inf, math.nan)))
_ROW = st.tuples(_CELL, _CELL)
Row = tuple[float | None, float | None]
Side = dict[Labels, Row]
# What a plain evaluation gives: a point for each label set at each step, or an error's beginning.
Points = list[dict[Labels, float]]


def sides(name: str) -> st.SearchStrategy[Side]:
    """Series of one name with labels a and b."""
    labels = st.builds(
        lambda a, b: Labels.of({"__name__": name, "a": a, "b": b}),
        st.sampled_from(("1", "2")),
        st.sampled_from(("1", "2", "3")),
    )
    return st.dictionaries(labels, _ROW, max_size=5)


def matrix(side: Side) -> Matrix:
    """The side as a matrix; None is absent."""
    rows = list(side.values())
    values = np.array([[666.0 if v is None else v for v in row] for row in rows], np.float64)
    present = np.array([[v is not None for v in row] for row in rows], np.bool_)
    return Matrix(LabelTable(side), values.reshape(-1, STEPS), present.reshape(-1, STEPS))


def points(result: Matrix) -> Points:
    """The result step by step."""
    rows = list(zip(result.labels, result.values.tolist(), result.present.tolist(), strict=True))
    return [
        {labels: values[t] for labels, values, there in rows if there[t]}
        for t in range(result.steps)
    ]


_MATCHINGS = st.builds(
    VectorMatching,
    st.sampled_from(list(Cardinality)[:3]),
    st.sampled_from(((), ("a",), ("b",), ("a", "b"))),
    st.booleans(),
    st.just(()),
    st.sampled_from((None, None, 7.0)),
    st.sampled_from((None, None, 9.0)),
)


@given(
    sides("x"),
    sides("y"),
    st.sampled_from((*_OPERATIONS, *_COMPARISONS)),
    st.booleans(),
    _MATCHINGS,
)
def test_vectors_are_matched_as_prometheus_does(
    lhs: Side,
    rhs: Side,
    op: str,
    flag: bool,
    matching: VectorMatching,
) -> None:
    expr = BinaryExpr(op, NumberLiteral(0), NumberLiteral(0), flag and op in _COMPARISONS, matching)
    try:
        expected: Points | str = [_by_hand(expr, matching, lhs, rhs, t) for t in range(STEPS)]
    except ExecutionError as error:
        expected = str(error)
    try:
        result = operate(expr, matrix(lhs), matrix(rhs), Annotations())
        assert isinstance(result, Matrix)
        found: Points | str = points(result)
    except ExecutionError as error:
        found = str(error)
    if isinstance(expected, str):
        # Which of several errors comes first may differ where both are at different steps.
        assert isinstance(found, str)
    else:
        assert repr(found) == repr(expected) or _equal(found, expected)


def _equal(found: Points | str, expected: Points) -> bool:
    return not isinstance(found, str) and all(
        one.keys() == other.keys()
        and all(
            one[labels] == other[labels] or (math.isnan(one[labels]) and math.isnan(other[labels]))
            for labels in one
        )
        for one, other in zip(found, expected, strict=True)
    )


def _by_hand(
    expr: BinaryExpr, matching: VectorMatching, lhs: Side, rhs: Side, step: int
) -> dict[Labels, float]:
    """VectorBinop of Prometheus, one step, without any columns."""
    group = Grouping(matching.labels, without=not matching.on).of
    swapped = matching.card is Cardinality.ONE_TO_MANY
    many, one = (_at(rhs, step), _at(lhs, step)) if swapped else (_at(lhs, step), _at(rhs, step))
    filling = matching.fill_lhs is not None or matching.fill_rhs is not None
    if not (many or one) or (not filling and not (many and one)):
        return {}
    single: dict[Labels, tuple[Labels, float]] = {}
    for labels, value in one.items():
        if single.setdefault(group(labels), (labels, value))[0] is not labels:
            raise ExecutionError("duplicate")
    out: dict[Labels, float] = {}
    seen: dict[Labels, set[Labels]] = {}

    def put(key: Labels, left: tuple[Labels, float], right: tuple[Labels, float]) -> None:
        name = _named(expr, matching, left[0])
        taken = seen.setdefault(key, set())
        if name in taken or (taken and matching.card is Cardinality.ONE_TO_ONE):
            raise ExecutionError("ambiguous")
        taken.add(name)
        value = _value(expr, *((right[1], left[1]) if swapped else (left[1], right[1])))
        if value is not None:
            if name in out:
                raise ExecutionError("same labelset")
            out[name] = value

    for labels, value in many.items():
        key = group(labels)
        if key in single:
            put(key, (labels, value), single[key])
        elif matching.fill_rhs is not None:
            put(key, (labels, value), (key, matching.fill_rhs))
    for labels, value in one.items():
        if matching.fill_lhs is not None and group(labels) not in seen:
            put(group(labels), (group(labels), matching.fill_lhs), (labels, value))
    return out


def _at(side: Side, step: int) -> dict[Labels, float]:
    cells = ((labels, row[step]) for labels, row in side.items())
    return {labels: cell for labels, cell in cells if cell is not None}


def _named(expr: BinaryExpr, matching: VectorMatching, labels: Labels) -> Labels:
    if expr.op in _OPERATIONS or expr.return_bool:
        labels = labels.drop(METADATA_LABELS)
    if matching.card is not Cardinality.ONE_TO_ONE:
        return labels
    named = frozenset(matching.labels)
    return labels.keep(named) if matching.on else labels.drop(named)


def _value(expr: BinaryExpr, x: float, y: float) -> float | None:
    if expr.op in _OPERATIONS:
        return float(_OPERATIONS[expr.op](x, y))
    kept = bool(_COMPARISONS[expr.op](x, y))
    if expr.return_bool:
        return float(kept)
    return x if kept else None


@given(sides("x"), sides("y"), st.sampled_from(("and", "or", "unless")), _MATCHINGS)
def test_sets_are_made_of_signatures(
    lhs: Side, rhs: Side, op: str, matching: VectorMatching
) -> None:
    many = replace(matching, card=Cardinality.MANY_TO_MANY, fill_lhs=None, fill_rhs=None)
    group = Grouping(many.labels, without=not many.on).of
    expected: Points = []
    for step in range(STEPS):
        left, right = _at(lhs, step), _at(rhs, step)
        lefts, rights = set(map(group, left)), set(map(group, right))
        kept = {
            key: value for key, value in left.items() if (group(key) in rights) is (op == "and")
        }
        added = {key: value for key, value in right.items() if group(key) not in lefts}
        expected.append(left | added if op == "or" else kept)
    expr = BinaryExpr(op, NumberLiteral(0), NumberLiteral(0), False, many)
    result = operate(expr, matrix(lhs), matrix(rhs), Annotations())
    assert isinstance(result, Matrix)
    assert _equal(points(result), expected)


@pytest.mark.parametrize(
    ("op", "flag", "vector", "scalar", "vector_first", "expected"),
    [
        ("+", False, 2.0, 3.0, True, 5.0),
        ("-", False, 2.0, 3.0, False, 1.0),
        ("/", False, 0.0, 1.0, False, math.inf),
        ("%", False, -5.0, 3.0, True, -2.0),
        ("^", False, 3.0, 2.0, False, 8.0),
        ("atan2", False, 0.0, -1.0, True, math.pi),
        ("<", False, 2.0, 3.0, True, 2.0),
        ("<", False, 2.0, 3.0, False, None),
        (">", False, 2.0, 3.0, False, 2.0),
        (">", True, 2.0, 3.0, True, 0.0),
        ("==", False, math.nan, math.nan, True, None),
        ("!=", False, math.nan, 1.0, True, math.nan),
    ],
)
def test_vector_and_scalar(
    op: str,
    vector: float,
    scalar: float,
    expected: float | None,
    *,
    flag: bool,
    vector_first: bool,
) -> None:
    side = matrix({Labels.of({"__name__": "x", "a": "1"}): (vector, None)})
    number = Scalar(np.full(STEPS, scalar))
    expr = BinaryExpr(op, NumberLiteral(0), NumberLiteral(0), flag)
    lhs, rhs = (side, number) if vector_first else (number, side)
    result = operate(expr, lhs, rhs, Annotations())
    assert isinstance(result, Matrix)
    keeps = op in ("<", ">", "==", "!=") and not flag
    name = {"__name__": "x"} if keeps else {}
    wanted = {} if expected is None else {Labels.of({**name, "a": "1"}): expected}
    assert _equal(points(result), [wanted, {}])


@pytest.mark.parametrize(
    ("op", "lhs", "rhs", "expected"),
    [("+", 1.0, 2.0, 3.0), ("%", 5.0, 0.0, math.nan), ("<", 1.0, 2.0, 1.0), ("==", 1.0, 2.0, 0.0)],
)
def test_scalars(op: str, lhs: float, rhs: float, expected: float) -> None:
    expr = BinaryExpr(op, NumberLiteral(0), NumberLiteral(0), True)
    result = operate(expr, Scalar(np.array([lhs])), Scalar(np.array([rhs])), Annotations())
    assert isinstance(result, Scalar)
    assert np.array_equal(result.values, [expected], equal_nan=True)


def test_trimming_floats_leaves_a_remark() -> None:
    expr = BinaryExpr("</", NumberLiteral(0), NumberLiteral(0))
    side, number, notes = (
        matrix({Labels.of({}): (1.0, None)}),
        Scalar(np.zeros(STEPS)),
        Annotations(),
    )
    result = operate(expr, side, number, notes)
    assert isinstance(result, Matrix)
    assert len(result.without_empty_rows()) == 0
    (text,) = notes.texts(Severity.INFO, "")
    assert text.endswith(
        'incompatible sample types encountered for binary operator "</": float </ float'
    )
    with pytest.raises(ExecutionError, match=r'^operator "</" not allowed for Scalar operations$'):
        operate(expr, number, number, notes)
