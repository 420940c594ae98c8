"""Which expressions can be evaluated one row range after the other, and how the rows join again."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bridge.engine.evaluation import Evaluation, Rows, in_order
from bridge.engine.limits import Tally
from bridge.engine.plan import once, subquery_steps
from bridge.engine.windows import seen_by
from bridge.model.labels import METADATA_LABELS
from bridge.model.samples import SeriesBlock
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Value
from bridge.promql.ast import (
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    StepInvariantExpr,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorSelector,
    children,
    value_type,
)

Evaluate = Callable[[Expr, Evaluation], Value]


def by_row_ranges(
    expr: Expr, on: Evaluation, evaluate: Evaluate, *, joined: bool = False
) -> Iterator[Matrix] | None:
    """The matrices of each row range in order, or None if the expression has to be taken whole.

    Where they are `joined`, the value of them all must be allowed: else LimitExceeded, Overloaded.

    Taken apart are expressions that treat each series of one selector by itself, over blocks of
    several parts whose labels stay distinct without their metric names.
    """
    if on.rows is not None or not on.reads.parted or value_type(expr) is not ValueType.VECTOR:
        return None
    found = _leaf(expr, on.steps, on)
    if found is None:
        return None
    selector, block = found
    if len(block.parts) < 2 or not block.labels.distinct_without(METADATA_LABELS):
        return None

    if joined:
        on.budget.room_for(len(block), len(on.steps))
    tally = Tally(on.budget)

    def one(part: int) -> Matrix:
        value = evaluate(expr, replace(on, rows=Rows(selector, part, tally)))
        assert isinstance(value, Matrix)
        return value

    return _counted(in_order(on.pool, one, range(len(block.parts))), tally, expr)


def _counted(parts: Iterator[Matrix], tally: Tally, expr: Expr) -> Iterator[Matrix]:
    yield from parts
    tally.settle(expr)


def _leaf(expr: Expr, steps: Steps, on: Evaluation) -> tuple[VectorSelector, SeriesBlock] | None:
    """The one selector that the expression goes over series by series, and its block."""
    match expr:
        case VectorSelector():
            seen = seen_by(expr, steps, on.timing.lookback)
            return expr, on.reads.find(expr, seen.window)
        case MatrixSelector(selector=selector):
            seen = seen_by(expr, steps, on.timing.lookback)
            return selector, on.reads.find(selector, seen.window)
        case SubqueryExpr():
            inner = subquery_steps(expr, steps, on.timing.resolution)
            return _leaf(expr.expr, inner, on) if len(inner) else None
        case StepInvariantExpr():
            return _leaf(expr.expr, once(steps), on)
        case ParenExpr() | UnaryExpr():
            return _leaf(expr.expr, steps, on)
        case Call() if on.functions[expr.func].row_wise:
            return _only_leaf(expr.args, steps, on)
        case BinaryExpr():
            return _only_leaf((expr.lhs, expr.rhs), steps, on)
        case _:
            return None


def _only_leaf(
    operands: tuple[Expr, ...], steps: Steps, on: Evaluation
) -> tuple[VectorSelector, SeriesBlock] | None:
    """The leaf of the one operand that has series, provided that the others read nothing."""
    vectors = [one for one in operands if value_type(one) in (ValueType.VECTOR, ValueType.MATRIX)]
    others = [one for one in operands if one not in vectors]
    if len(vectors) != 1 or any(map(_reads, others)):
        return None
    return _leaf(vectors[0], steps, on)


def _reads(expr: Expr) -> bool:
    return isinstance(expr, VectorSelector) or any(map(_reads, children(expr)))
