"""Aggregation operators: which there are and how their operand reaches them."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from bridge.engine.evaluation import Evaluation
from bridge.engine.fold import FOLDS, fold
from bridge.engine.fold_histograms import Remarks
from bridge.engine.pick import (
    checked_k,
    checked_ratio,
    extremes,
    first_rows,
    quantiles,
    sampled_rows,
)
from bridge.engine.rows import by_row_ranges
from bridge.engine.tally import count_values, require_label_name
from bridge.model.annotations import ignored_in_aggregation, invalid_quantile, invalid_ratio
from bridge.model.errors import ExecutionError
from bridge.model.labels import Grouping
from bridge.model.posrange import PosRange
from bridge.model.samples import Float64s
from bridge.model.vectors import Matrix, Scalar, String, Value
from bridge.promql.ast import AggregateExpr, Expr

Evaluate = Callable[[Expr, Evaluation], Value]
Whole = Callable[[AggregateExpr, Matrix, Value, Evaluation], Matrix]


def aggregate(expr: AggregateExpr, on: Evaluation, evaluate: Evaluate) -> Matrix:
    """The aggregation's value; groups that are present at no step are left out."""
    parameter = None if expr.param is None else evaluate(expr.param, on)
    if expr.op in FOLDS:
        parts = by_row_ranges(expr.expr, on, evaluate)
        if parts is None:
            parts = iter((cast("Matrix", evaluate(expr.expr, on)),))
        remarks = Remarks(expr, on.annotations)
        folded = fold(FOLDS[expr.op], grouping(expr), parts, remarks)
        return folded if folded is not None else Matrix.empty(len(on.steps))
    if isinstance(parameter, String):
        # Only count_values has a text; Prometheus looks at it before any series.
        require_label_name(parameter.value)
    operand = cast("Matrix", evaluate(expr.expr, on))
    whole = WHOLES.get(expr.op)
    if whole is None:
        raise ExecutionError(f"{expr.op}() is not implemented")
    return whole(expr, operand, parameter or Scalar(np.zeros(len(on.steps))), on)


def grouping(expr: AggregateExpr) -> Grouping:
    """The expression's `by` or `without`."""
    return Grouping(tuple(sorted(set(expr.grouping))), expr.without)


def _numbers(parameter: Value) -> Float64s:
    return cast("Scalar", parameter).values


def _extremes(
    expr: AggregateExpr, operand: Matrix, parameter: Value, on: Evaluation, *, largest: bool
) -> Matrix:
    k = checked_k(_numbers(parameter))
    groups = operand.labels.grouped(grouping(expr))
    if k is None:
        return Matrix.empty(operand.steps)
    _note_ignored(expr, operand, expr.pos, on)
    return extremes(operand.without_histograms(), groups, k, largest=largest)


def _limitk(expr: AggregateExpr, operand: Matrix, parameter: Value, on: Evaluation) -> Matrix:
    k = checked_k(_numbers(parameter))
    groups = operand.labels.grouped(grouping(expr))
    return Matrix.empty(operand.steps) if k is None else first_rows(operand, groups, k)


def _limit_ratio(expr: AggregateExpr, operand: Matrix, parameter: Value, on: Evaluation) -> Matrix:
    wanted = _numbers(parameter)
    ratio = checked_ratio(wanted)
    groups = operand.labels.grouped(grouping(expr))
    if ratio is None:
        return Matrix.empty(operand.steps)
    pos = expr.param.pos if expr.param is not None else expr.pos
    for extreme, cap in ((float(np.max(wanted)), 1.0), (float(np.min(wanted)), -1.0)):
        if abs(extreme) > 1.0 and extreme * cap > 0.0:
            on.annotations.add(invalid_ratio(extreme, cap, pos))
    return sampled_rows(operand, groups, ratio)


def _quantile(expr: AggregateExpr, operand: Matrix, parameter: Value, on: Evaluation) -> Matrix:
    q = _numbers(parameter)
    pos = expr.param.pos if expr.param is not None else expr.pos
    if np.isnan(q).any():
        on.annotations.add(invalid_quantile(np.nan, pos))
    greatest, least = float(np.max(q)), float(np.min(q))
    if greatest > 1:
        on.annotations.add(invalid_quantile(greatest, pos))
    if least < 0:
        on.annotations.add(invalid_quantile(least, pos))
    groups = operand.labels.grouped(grouping(expr))
    _note_ignored(expr, operand, expr.expr.pos, on)
    return quantiles(operand.without_histograms(), groups, q)


def _note_ignored(expr: AggregateExpr, operand: Matrix, pos: PosRange, on: Evaluation) -> None:
    if operand.histograms is not None and operand.histograms.present.any():
        on.annotations.add(ignored_in_aggregation(expr.op, pos))


def _count_values(expr: AggregateExpr, operand: Matrix, parameter: Value, on: Evaluation) -> Matrix:
    return count_values(operand, grouping(expr), cast("String", parameter).value)


WHOLES: Final[Mapping[str, Whole]] = MappingProxyType(
    {
        "topk": partial(_extremes, largest=True),
        "bottomk": partial(_extremes, largest=False),
        "limitk": _limitk,
        "limit_ratio": _limit_ratio,
        "quantile": _quantile,
        "count_values": _count_values,
    }
)
