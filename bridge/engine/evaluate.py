"""A tree and samples to a value: one arm for each kind of node."""

from dataclasses import replace
from typing import assert_never, cast

import numpy as np

from bridge.engine.aggregate import aggregate
from bridge.engine.binary import operate
from bridge.engine.evaluation import Evaluation
from bridge.engine.function import CallSite, Function, require_reach
from bridge.engine.histograms import negated
from bridge.engine.limits import account, points
from bridge.engine.merge import SAME_LABELS, merge_equal_labels
from bridge.engine.names import nameless
from bridge.engine.operators import TRIMS
from bridge.engine.plan import once
from bridge.engine.rows import by_row_ranges
from bridge.engine.seen import Seen
from bridge.engine.selectors import instant_vector, lookback_windows, range_vector, subquery
from bridge.model.errors import ExecutionError
from bridge.model.vectors import Matrix, Scalar, String, Value, Windows, stacked
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StepInvariantExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)


def evaluate(expr: Expr, on: Evaluation) -> Value:
    """The value of an expression at every step; pure and synchronous.

    Row ranges are evaluated by the threads of `on.pool`. Raises ExecutionError, TooManySamples,
    QueryTimeout, QueryCanceled.
    """
    on.budget.check()
    held = on.budget.current
    parts = by_row_ranges(expr, on, evaluate, joined=True)
    if parts is not None:
        return _met(stacked(list(parts)), on)
    value = _whole(expr, on)
    if on.rows is None:
        account(expr, points(value), held, on.budget)
        return _met(value, on)
    on.rows.tally.add(expr, value)
    return value


def _met(value: Value, on: Evaluation) -> Value:
    if on.met is not None and isinstance(value, Matrix | Windows):
        on.met.append(value.labels)
    return value


def _whole(expr: Expr, on: Evaluation) -> Value:
    match expr:
        case NumberLiteral():
            return Scalar(np.full(len(on.steps), expr.value))
        case StringLiteral():
            return String(expr.value)
        case ParenExpr():
            return evaluate(expr.expr, on)
        case UnaryExpr():
            return _unary(expr, evaluate(expr.expr, on), on)
        case StepInvariantExpr():
            return _once(expr, on)
        case VectorSelector():
            return instant_vector(expr, on)
        case MatrixSelector():
            return range_vector(expr, on)
        case SubqueryExpr():
            return subquery(expr, on, evaluate)
        case Call():
            return _call(expr, on)
        case BinaryExpr():
            if expr.op in TRIMS:
                on = replace(on, counts_only=False)
            lhs, rhs = evaluate(expr.lhs, on), evaluate(expr.rhs, on)
            delayed = on.switches.delayed_name_removal
            return operate(expr, lhs, rhs, on.annotations, merge=on.rows is None, delayed=delayed)
        case AggregateExpr():
            return aggregate(expr, on, evaluate)
        case DurationExpr():
            raise AssertionError("durations are resolved by a pass")
        case _:
            assert_never(expr)


def _unary(expr: UnaryExpr, value: Value, on: Evaluation) -> Value:
    if expr.op == "+":
        return value
    if isinstance(value, Scalar):
        return Scalar(-value.values)
    matrix = cast("Matrix", value)
    delayed = on.switches.delayed_name_removal
    cells = None if matrix.histograms is None else negated(matrix.histograms)
    result = nameless(replace(matrix, values=-matrix.values, histograms=cells), delayed=delayed)
    return result if delayed or on.rows is not None else merge_equal_labels(result)


def _once(expr: StepInvariantExpr, on: Evaluation) -> Value:
    """What is evaluated once counts at every step, as if it had been evaluated there."""
    inner = replace(on, steps=once(on.steps), seen=Seen(1))
    value = evaluate(expr.expr, inner)
    on.seen.add(inner.seen.counts)
    return _repeated(value, on)


def _repeated(value: Value, on: Evaluation) -> Value:
    """The value of the one step at every step."""
    steps = len(on.steps)
    match value:
        case Matrix():
            shape = (len(value), steps)
            values = np.ascontiguousarray(np.broadcast_to(value.values, shape))
            present = np.ascontiguousarray(np.broadcast_to(value.present, shape))
            cells = None if value.histograms is None else value.histograms.repeated(steps)
            return replace(value, values=values, present=present, histograms=cells)
        case Scalar():
            return Scalar(np.ascontiguousarray(np.broadcast_to(value.values, (steps,))))
        case _:
            return value


def _call(expr: Call, on: Evaluation) -> Value:
    function = on.functions[expr.func]
    if function.counts_only is not None:
        on = replace(on, counts_only=function.counts_only)
    site = CallSite(expr, on.steps, on.annotations, on.budget.write, on.switches)
    if function.check is not None:
        function.check(site)
    first = expr.args[0] if expr.args else None
    if function.of_selector is not None and isinstance(first, VectorSelector):
        return _named(function.of_selector(site, lookback_windows(first, on)), expr, on)
    arguments = tuple(_argument(function, site, index, on) for index in range(len(expr.args)))
    windows = next((one for one in arguments if isinstance(one, Windows)), None)
    if windows is not None:
        require_reach(expr.func, windows, on.functions)
    value = function.apply(site, arguments)
    if not isinstance(value, Matrix):
        return value
    if function.keeps_name and function.row_wise and windows is not None:
        value = replace(value, drop_name=windows.drop_name)
    return _named(value, expr, on, ranges=windows is not None)


def _argument(function: Function, site: CallSite, index: int, on: Evaluation) -> Value:
    if index != function.signature.labels_argument:
        return evaluate(site.call.args[index], on)
    selector = site.argument(index)
    assert isinstance(selector, VectorSelector)
    return lookback_windows(selector, on)


def _named(matrix: Matrix, expr: Call, on: Evaluation, *, ranges: bool = False) -> Matrix:
    """The function's value under its final names, no two rows with the same."""
    delayed = on.switches.delayed_name_removal
    if not on.functions[expr.func].keeps_name:
        matrix = nameless(matrix, delayed=delayed)
    if on.rows is not None or matrix.labels.distinct():
        return matrix
    if delayed and (ranges or len(on.steps) == 1):
        return matrix
    if not ranges:
        return merge_equal_labels(matrix)
    matrix = matrix.without_empty_rows()
    if not matrix.labels.distinct():
        raise ExecutionError(SAME_LABELS)
    return matrix
