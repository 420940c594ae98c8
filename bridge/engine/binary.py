"""Binary operations on evaluated sides: scalars, vectors and scalars, vectors, sets."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from bridge.engine.matching import (
    Signatures,
    pairs,
    present_groups,
    require_unique_one_side,
    require_unique_results,
    result_labels,
    signatures,
)
from bridge.engine.merge import merge_equal_labels
from bridge.engine.names import nameless
from bridge.engine.operators import ARITHMETIC, COMPARISONS, SET_OPERATORS, TRIMS
from bridge.model.annotations import Annotations, incompatible_types
from bridge.model.errors import ExecutionError
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Bools, Matrix, Scalar, Value, stacked
from bridge.promql.ast import BinaryExpr, Cardinality, VectorMatching

_AMBIGUOUS = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
_NOT_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def operate(
    expr: BinaryExpr,
    lhs: Value,
    rhs: Value,
    annotations: Annotations,
    *,
    merge: bool = True,
    delayed: bool = False,
) -> Value:
    """The value of an operation; `merge` is false where the rows are known to stay distinct.

    `delayed`: names only go when evaluation ends.
    """
    match lhs, rhs:
        case Scalar(), Scalar():
            return _scalars(expr.op, lhs, rhs)
        case (Matrix(), Scalar()) | (Scalar(), Matrix()) if expr.op in TRIMS:
            vector = lhs if isinstance(lhs, Matrix) else rhs
            return _trimmed(expr, cast("Matrix", vector).present, annotations)
        case Matrix(), Scalar():
            return _with_scalar(expr, lhs, rhs, swapped=False, merge=merge, delayed=delayed)
        case Scalar(), Matrix():
            return _with_scalar(expr, rhs, lhs, swapped=True, merge=merge, delayed=delayed)
        case Matrix(), Matrix():
            matching = expr.matching or VectorMatching(Cardinality.ONE_TO_ONE)
            if expr.op in SET_OPERATORS:
                return _sets(expr.op, lhs, rhs, matching)
            return _vectors(expr, lhs, rhs, matching, annotations, delayed=delayed)
        case _:
            raise AssertionError("operands are proven scalars or instant vectors")


def _trimmed(expr: BinaryExpr, operands: Bools, annotations: Annotations) -> Matrix:
    """What is left of floats by an operator that is for histograms: a remark."""
    if operands.any():
        annotations.add(incompatible_types("float", expr.op, "float", expr.pos))
    return Matrix.empty(operands.shape[1])


def _scalars(op: str, lhs: Scalar, rhs: Scalar) -> Scalar:
    with np.errstate(all="ignore"):
        if op in COMPARISONS:
            return Scalar(COMPARISONS[op](lhs.values, rhs.values).astype(np.float64))
        if op not in ARITHMETIC:
            raise ExecutionError(f'operator "{op}" not allowed for Scalar operations')
        return Scalar(ARITHMETIC[op](lhs.values, rhs.values))


def _with_scalar(
    expr: BinaryExpr,
    vector: Matrix,
    scalar: Scalar,
    *,
    swapped: bool,
    merge: bool,
    delayed: bool,
) -> Matrix:
    sides = (scalar.values, vector.values) if swapped else (vector.values, scalar.values)
    values, kept = _elements(expr, *sides)
    if expr.op in COMPARISONS and not expr.return_bool:
        return vector.masked(vector.present & kept)
    result = nameless(replace(vector, values=values), delayed=delayed)
    return merge_equal_labels(result) if merge and not delayed else result


def _elements(expr: BinaryExpr, lhs: Float64s, rhs: Float64s) -> tuple[Float64s, Bools]:
    """Values, and whether a comparison without `bool` keeps them."""
    with np.errstate(all="ignore"):
        if expr.op in ARITHMETIC:
            values = ARITHMETIC[expr.op](lhs, rhs)
            return values, np.ones(values.shape, np.bool_)
        kept = COMPARISONS[expr.op](lhs, rhs)
    if expr.return_bool:
        return kept.astype(np.float64), np.ones(kept.shape, np.bool_)
    return np.broadcast_to(lhs, kept.shape), kept


def _sets(op: str, lhs: Matrix, rhs: Matrix, matching: VectorMatching) -> Matrix:
    found = signatures(lhs.labels, rhs.labels, matching)
    groups = len(found.labels)
    if op == "or":
        left_any = present_groups(lhs.occupied, found.left, groups)
        added = rhs.masked(~left_any[found.right]).without_empty_rows()
        return merge_equal_labels(stacked((lhs, added)) if len(added) else lhs, by_time=True)
    right_any = present_groups(rhs.occupied, found.right, groups)[found.left]
    kept = right_any if op == "and" else ~right_any
    return lhs.masked(kept).without_empty_rows()


@dataclass(frozen=True, slots=True, eq=False)
class _Pairing:
    """Operands row by row: of the many side and of the one side, with the results' label sets.

    `places` int64 tells the order of results: the many side's rows, then those without any.
    """

    many: Float64s
    one: Float64s
    present: Bools
    labels: tuple[Labels, ...]
    groups: Int64s
    places: Int64s


def _vectors(
    expr: BinaryExpr,
    lhs: Matrix,
    rhs: Matrix,
    matching: VectorMatching,
    annotations: Annotations,
    *,
    delayed: bool,
) -> Matrix:
    swapped = matching.card is Cardinality.ONE_TO_MANY
    many, one = (rhs, lhs) if swapped else (lhs, rhs)
    found = signatures(many.labels, one.labels, matching)
    fills = matching.fill_lhs is not None or matching.fill_rhs is not None
    matters: Bools = np.logical_or.reduce(many.present, axis=0) | fills
    require_unique_one_side(one, found.right, found, matters, matching)
    # Arithmetic never waits with its names; of its operands' names it forgets that they wait.
    drop_name = expr.op in ARITHMETIC or (expr.return_bool and not delayed)
    pairing = _matched(many, one, found, matching, drop_name=drop_name)
    if fills:
        pairing = _filled(pairing, many, one, found, matching, drop_name=drop_name)
    if expr.op in TRIMS:
        return _trimmed(expr, pairing.present, annotations)
    _require_unambiguous(pairing, matching)
    sides = (pairing.one, pairing.many) if swapped else (pairing.many, pairing.one)
    values, kept = _elements(expr, *sides)
    result = Matrix(LabelTable(pairing.labels), values, pairing.present & kept)
    if delayed and expr.return_bool:
        result = nameless(result, delayed=True)
    return merge_equal_labels(result.without_empty_rows(), by_time=True)


def _matched(
    many: Matrix, one: Matrix, found: Signatures, matching: VectorMatching, *, drop_name: bool
) -> _Pairing:
    many_rows, one_rows = pairs(found.left, found.right)
    labels = tuple(
        result_labels(many.labels[row], one.labels[other], matching, drop_name=drop_name)
        for row, other in zip(many_rows.tolist(), one_rows.tolist(), strict=True)
    )
    return _Pairing(
        many.values[many_rows],
        one.values[one_rows],
        many.present[many_rows] & one.present[one_rows],
        labels,
        found.left[many_rows],
        many_rows,
    )


def _require_unambiguous(pairing: _Pairing, matching: VectorMatching) -> None:
    """No two results of one match group at one step, or with grouping none of one name."""
    if matching.card is Cardinality.ONE_TO_ONE:
        require_unique_results(pairing.present, pairing.groups, _AMBIGUOUS)
        return
    numbers: dict[tuple[int, Labels], int] = {}
    names = [
        numbers.setdefault(key, len(numbers))
        for key in zip(pairing.groups.tolist(), pairing.labels, strict=True)
    ]
    require_unique_results(pairing.present, np.array(names, np.int64), _NOT_UNIQUE)


def _filled(
    pairing: _Pairing,
    many: Matrix,
    one: Matrix,
    found: Signatures,
    matching: VectorMatching,
    *,
    drop_name: bool,
) -> _Pairing:
    """The pairing with rows added for series whose other side is missing at a step."""
    groups = len(found.labels)
    # With group_right too: Prometheus swaps the sides but not their fill values.
    fill_many, fill_one = matching.fill_lhs, matching.fill_rhs
    pieces = [pairing]
    if fill_one is not None:
        missing = ~present_groups(one.present, found.right, groups)
        labels = tuple(
            result_labels(row, found.labels[group], matching, drop_name=drop_name)
            for row, group in zip(many.labels, found.left.tolist(), strict=True)
        )
        filling = np.full_like(many.values, fill_one)
        present = many.present & missing[found.left]
        places = np.arange(len(many))
        pieces.append(_Pairing(many.values, filling, present, labels, found.left, places))
    if fill_many is not None:
        missing = ~present_groups(many.present, found.left, groups)
        labels = tuple(
            result_labels(found.labels[group], row, matching, drop_name=drop_name)
            for row, group in zip(one.labels, found.right.tolist(), strict=True)
        )
        filling = np.full_like(one.values, fill_many)
        present = one.present & missing[found.right]
        places = len(many) + np.arange(len(one))
        pieces.append(_Pairing(filling, one.values, present, labels, found.right, places))
    return _in_places(pieces)


def _in_places(pieces: list[_Pairing]) -> _Pairing:
    """The rows of all pieces in their places."""
    places = np.concatenate([piece.places for piece in pieces])
    order = np.argsort(places, kind="stable")
    labels = [labels for piece in pieces for labels in piece.labels]
    return _Pairing(
        np.concatenate([piece.many for piece in pieces])[order],
        np.concatenate([piece.one for piece in pieces])[order],
        np.concatenate([piece.present for piece in pieces])[order],
        tuple(labels[row] for row in order.tolist()),
        np.concatenate([piece.groups for piece in pieces])[order],
        places[order],
    )
