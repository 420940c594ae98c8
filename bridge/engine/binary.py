"""Binary operations on evaluated sides: scalars, vectors and scalars, vectors, sets."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from bridge.engine.binary_histograms import Combined, Operand, combined, note_last
from bridge.engine.matching import (
    Signatures,
    paired,
    present_groups,
    require_unique_one_side,
    require_unique_results,
    result_labels,
    signatures,
)
from bridge.engine.merge import merge_equal_labels
from bridge.engine.names import nameless
from bridge.engine.operators import ARITHMETIC, COMPARISONS, SET_OPERATORS, TRIMS
from bridge.model.annotations import Annotations
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
        case (Matrix(), Scalar()) | (Scalar(), Matrix()):
            result = _with_scalar(
                expr, cast("Matrix | Scalar", lhs), cast("Matrix | Scalar", rhs), annotations
            )
            if expr.op in TRIMS or (expr.op in COMPARISONS and not expr.return_bool):
                return result
            result = nameless(result, delayed=delayed)
            return merge_equal_labels(result) if merge and not delayed else result
        case Matrix(), Matrix():
            matching = expr.matching or VectorMatching(Cardinality.ONE_TO_ONE)
            if expr.op in SET_OPERATORS:
                return _sets(expr.op, lhs, rhs, matching)
            return _vectors(expr, lhs, rhs, matching, annotations, delayed=delayed)
        case _:
            raise AssertionError("operands are proven scalars or instant vectors")


def _scalars(op: str, lhs: Scalar, rhs: Scalar) -> Scalar:
    with np.errstate(all="ignore"):
        if op in COMPARISONS:
            return Scalar(COMPARISONS[op](lhs.values, rhs.values).astype(np.float64))
        if op not in ARITHMETIC:
            raise ExecutionError(f'operator "{op}" not allowed for Scalar operations')
        return Scalar(ARITHMETIC[op](lhs.values, rhs.values))


def _with_scalar(
    expr: BinaryExpr, lhs: Matrix | Scalar, rhs: Matrix | Scalar, annotations: Annotations
) -> Matrix:
    """The operation with names as they are; a comparison keeps the vector's values."""
    vector = lhs if isinstance(lhs, Matrix) else cast("Matrix", rhs)
    if vector.histograms is not None or expr.op in TRIMS:
        shape = vector.values.shape
        left, right = (_operand(side, shape) for side in (lhs, rhs))
        found = combined(expr.op, left, right, vector.occupied)
        note_last(found.remarks, expr.op, expr.pos, annotations)
        vector = replace(vector, present=found.floats, histograms=found.cells)
    if expr.op in TRIMS:
        return vector
    values, kept = _elements(expr, lhs.values, rhs.values)
    if kept is not None:
        return vector.masked(kept).without_histograms()
    return replace(vector, values=values)


def _operand(side: Matrix | Scalar, shape: tuple[int, ...]) -> Operand:
    cells = side.histograms if isinstance(side, Matrix) else None
    return Operand.of(np.broadcast_to(side.values, shape), cells)


def _elements(expr: BinaryExpr, lhs: Float64s, rhs: Float64s) -> tuple[Float64s, Bools | None]:
    """Values, and which of them a comparison without `bool` keeps; None if all."""
    with np.errstate(all="ignore"):
        if expr.op in ARITHMETIC:
            return ARITHMETIC[expr.op](lhs, rhs), None
        kept = COMPARISONS[expr.op](lhs, rhs)
    if expr.return_bool:
        return kept.astype(np.float64), None
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

    many: Operand
    one: Operand
    present: Bools
    labels: LabelTable
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
    matters: Bools = np.logical_or.reduce(many.occupied, axis=0) | fills
    require_unique_one_side(one, found.right, found, matters, matching)
    # Arithmetic never waits with its names; of its operands' names it forgets that they wait.
    drop_name = expr.op in ARITHMETIC or (expr.return_bool and not delayed)
    pairing = _matched(many, one, found, matching, drop_name=drop_name)
    if fills:
        pairing = _filled(pairing, many, one, found, matching, drop_name=drop_name)
    sides = (pairing.one, pairing.many) if swapped else (pairing.many, pairing.one)
    native = expr.op in TRIMS or many.histograms is not None or one.histograms is not None
    made = combined(expr.op, *sides, pairing.present) if native else None
    if made is not None:
        note_last(made.remarks, expr.op, expr.pos, annotations)
        pairing = replace(pairing, present=pairing.present & ~made.dropped)
    _require_unambiguous(pairing, matching)
    result = _result(expr, pairing, sides, made)
    if delayed and expr.return_bool:
        result = nameless(result, delayed=True)
    return merge_equal_labels(result.without_empty_rows(), by_time=True)


def _result(
    expr: BinaryExpr, pairing: _Pairing, sides: tuple[Operand, Operand], found: Combined | None
) -> Matrix:
    labels = pairing.labels
    if expr.op in TRIMS and found is not None:
        return Matrix(labels, pairing.many.values, found.floats, None, found.cells)
    values, kept = _elements(expr, sides[0].values, sides[1].values)
    if found is None:
        present = pairing.present if kept is None else pairing.present & kept
        return Matrix(labels, values, present)
    floats = found.floats if kept is None else found.floats & kept
    if not expr.return_bool:
        return Matrix(labels, values, floats, None, found.cells)
    values = np.where(found.both, found.cells.present, values)
    return Matrix(labels, values, floats | (found.both & pairing.present))


def _matched(
    many: Matrix, one: Matrix, found: Signatures, matching: VectorMatching, *, drop_name: bool
) -> _Pairing:
    rows = paired(many.labels, one.labels, found, matching, drop_name=drop_name)
    return _Pairing(
        _rows(many, rows.many),
        _rows(one, rows.one),
        many.occupied[rows.many] & one.occupied[rows.one],
        rows.labels,
        found.left[rows.many],
        rows.many,
    )


def _rows(side: Matrix, rows: Int64s) -> Operand:
    """These rows of a side: what it holds itself where they are all of it in its order."""
    if np.array_equal(rows, np.arange(len(side))):
        return Operand.of(side.values, side.histograms)
    cells = side.histograms
    return Operand.of(side.values[rows], None if cells is None else cells.take(rows))


def _require_unambiguous(pairing: _Pairing, matching: VectorMatching) -> None:
    """No two results of one match group at one step, or with grouping none of one name."""
    if matching.card is Cardinality.ONE_TO_ONE:
        require_unique_results(pairing.present, pairing.groups, _AMBIGUOUS)
        return
    if pairing.labels.distinct():
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
        missing = ~present_groups(one.occupied, found.right, groups)
        labels = LabelTable(
            result_labels(row, found.labels[group], matching, drop_name=drop_name)
            for row, group in zip(many.labels, found.left.tolist(), strict=True)
        )
        filling = Operand.of(np.full_like(many.values, fill_one), None)
        present = many.occupied & missing[found.left]
        places = np.arange(len(many))
        own = Operand.of(many.values, many.histograms)
        pieces.append(_Pairing(own, filling, present, labels, found.left, places))
    if fill_many is not None:
        missing = ~present_groups(many.occupied, found.left, groups)
        labels = LabelTable(
            result_labels(found.labels[group], row, matching, drop_name=drop_name)
            for row, group in zip(one.labels, found.right.tolist(), strict=True)
        )
        filling = Operand.of(np.full_like(one.values, fill_many), None)
        present = one.occupied & missing[found.right]
        places = len(many) + np.arange(len(one))
        own = Operand.of(one.values, one.histograms)
        pieces.append(_Pairing(filling, own, present, labels, found.right, places))
    return _in_places(pieces)


def _in_places(pieces: list[_Pairing]) -> _Pairing:
    """The rows of all pieces in their places."""
    places = np.concatenate([piece.places for piece in pieces])
    order = np.argsort(places, kind="stable")
    labels = [labels for piece in pieces for labels in piece.labels]
    return _Pairing(
        _stacked([piece.many for piece in pieces], order),
        _stacked([piece.one for piece in pieces], order),
        np.concatenate([piece.present for piece in pieces])[order],
        LabelTable(labels[row] for row in order.tolist()),
        np.concatenate([piece.groups for piece in pieces])[order],
        places[order],
    )


def _stacked(sides: list[Operand], order: Int64s) -> Operand:
    """The rows of operands of one table, or of none, in this order."""
    table = max((side.table for side in sides), key=len)
    return Operand(
        np.concatenate([side.values for side in sides])[order],
        np.concatenate([side.index for side in sides])[order],
        table,
    )
