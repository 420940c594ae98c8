"""Functions of a whole vector: absent, scalar, vector, sort.

Source: promql/functions.go.
"""

from typing import cast

import numpy as np
import numpy.typing as npt

from bridge.engine.function import MATRIX, SCALAR, VECTOR, CallSite, Function, function
from bridge.engine.mixed import numbers
from bridge.model.annotations import sort_in_range_query
from bridge.model.labels import METRIC_NAME, Labels, LabelTable, MatchType
from bridge.model.samples import Int64s
from bridge.model.vectors import Matrix, Scalar, Value, Windows
from bridge.promql.ast import Expr, MatrixSelector, VectorSelector


@function("scalar", (VECTOR,), SCALAR, stepwise=True)
def scalar(site: CallSite, values: tuple[Value, ...]) -> Value:
    vector = cast("Matrix", values[0])
    if not len(vector):
        return Scalar(np.full(vector.steps, np.nan))
    rows = vector.present.argmax(axis=0)
    alone = vector.present.sum(axis=0) == 1
    return Scalar(np.where(alone, vector.values[rows, np.arange(vector.steps)], np.nan))


@function("vector", (SCALAR,))
def vector(site: CallSite, values: tuple[Value, ...]) -> Value:
    return Matrix.single(cast("Scalar", values[0]).values)


@function("absent", (VECTOR,), keeps_name=True, stepwise=True)
def absent(site: CallSite, values: tuple[Value, ...]) -> Value:
    return _absence(site, cast("Matrix", values[0]).occupied)


@function("absent_over_time", (MATRIX,), keeps_name=True, stepwise=True)
def absent_over_time(site: CallSite, values: tuple[Value, ...]) -> Value:
    windows = cast("Windows", values[0])
    return _absence(site, numbers(windows) > 0)


def _absence(site: CallSite, present: npt.NDArray[np.bool_]) -> Matrix:
    """One series that is 1 where no row of `present` bool [S, T] is."""
    missing = np.logical_not(present.any(axis=0, keepdims=True))
    labels = LabelTable((_labels_of_absence(site.argument(0)),))
    return Matrix(labels, np.ones(missing.shape), missing)


def _labels_of_absence(expr: Expr) -> Labels:
    """The labels that a selector's equality matchers fix, each named once only."""
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if not isinstance(selector, VectorSelector):
        return Labels.of(())
    fixed: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in selector.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.type is MatchType.EQUAL and matcher.name not in seen:
            fixed[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            fixed.pop(matcher.name, None)
    return Labels.of(fixed)


def _sort(name: str, sign: float) -> Function:
    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        vector = cast("Matrix", values[0])
        if site.steps.start != site.steps.end:
            site.annotations.add(sort_in_range_query(site.call.pos))
            return vector.without_histograms()
        return vector.without_histograms().take(_order(vector, sign))

    return function(name, (VECTOR,), keeps_name=True)(apply)


sort = _sort("sort", 1.0)
sort_desc = _sort("sort_desc", -1.0)


def _order(vector: Matrix, sign: float) -> Int64s:
    """The present rows by `sign` times their value; NaN last, the later rows of those first."""
    rows = np.flatnonzero(vector.present[:, 0])
    values = sign * vector.values[rows, 0]
    unordered = np.isnan(values)
    numbers = rows[~unordered]
    ordered = numbers[np.argsort(values[~unordered], kind="stable")]
    return np.concatenate((ordered, rows[unordered][::-1]))
