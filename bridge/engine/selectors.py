"""Selectors and subqueries to the samples that each step sees."""

from collections.abc import Callable
from dataclasses import replace

from bridge.engine.evaluation import Evaluation
from bridge.engine.extended import extended_ranges, interpolated
from bridge.engine.histograms import counts_only
from bridge.engine.mixed import note_smoothed, numbers
from bridge.engine.plan import subquery_steps
from bridge.engine.seen import Seen, shown, widths
from bridge.engine.windows import (
    Bounds,
    as_samples,
    latest,
    latest_windows,
    ranges,
    seen_by,
)
from bridge.model.errors import TooManySamples
from bridge.model.labels import LabelTable
from bridge.model.samples import Columns
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Reach, Value, Windows
from bridge.promql.ast import Expr, MatrixSelector, SubqueryExpr, VectorSelector


def instant_vector(selector: VectorSelector, on: Evaluation) -> Matrix:
    """The newest sample of each series within the lookback, at every step."""
    seen = seen_by(selector, on.steps, on.timing.lookback)
    labels, columns = _samples(selector, seen, on)
    on.budget.room_for(len(labels), len(on.steps))
    if selector.smoothed:
        smoothed = interpolated(labels, columns, seen)
        note_smoothed(smoothed, selector.pos, on.annotations)
        matrix = smoothed.matrix
    else:
        matrix = latest(labels, columns, seen)
    on.seen.add(shown(matrix))
    return matrix


def lookback_windows(selector: VectorSelector, on: Evaluation) -> Windows:
    """The same as windows of at most one sample, for functions that ask for its time."""
    lookback = on.timing.lookback
    seen = Bounds(on.steps, lookback, selector.offset, selector.timestamp)
    labels, columns = _samples(selector, seen, on)
    on.budget.room_for(len(labels), len(on.steps))
    windows = latest_windows(labels, columns, seen, lookback)
    on.seen.add(numbers(windows).sum(axis=0))
    return windows


def range_vector(expr: MatrixSelector, on: Evaluation) -> Windows:
    """The samples of each series within the range, at every step."""
    selector = expr.selector
    seen = seen_by(expr, on.steps, on.timing.lookback)
    labels, columns = _samples(selector, seen, on)
    reach = Reach.ANCHORED if selector.anchored else Reach.SMOOTHED if selector.smoothed else None
    return _windows(labels, columns, seen, expr.range, on, reach)


def subquery(
    expr: SubqueryExpr, on: Evaluation, evaluate: Callable[[Expr, Evaluation], Value]
) -> Windows:
    """The inner expression's points within the range, at every step."""
    grid = subquery_steps(expr, on.steps, on.timing.resolution)
    seen = Bounds(on.steps, expr.range, expr.offset, expr.timestamp)
    if len(grid) == 0:
        return _windows(*_nothing(), seen, expr.range, on)
    on.budget.room_for(1, len(grid))
    own = replace(on, steps=grid, counts_only=False, seen=Seen(len(grid)))
    inner = evaluate(expr.expr, own)
    assert isinstance(inner, Matrix)
    windows = _windows(inner.labels, as_samples(inner, grid.times()), seen, expr.range, on)
    return replace(windows, drop_name=inner.drop_name)


def _nothing() -> tuple[LabelTable, Columns]:
    empty = Matrix.empty(0)
    return empty.labels, as_samples(empty, Steps(0, -1, 1).times())


def _windows(
    labels: LabelTable,
    columns: Columns,
    seen: Bounds,
    length: int,
    on: Evaluation,
    reach: Reach | None = None,
) -> Windows:
    on.budget.room_for(len(labels), len(on.steps))
    if reach is None:
        windows = ranges(labels, columns, seen, length)
    else:
        windows = extended_ranges(labels, columns, seen, length, reach)
    counts, widest = widths(windows)
    on.seen.add(counts)
    if widest > on.budget.max_samples > 0:
        raise TooManySamples("query execution")
    return windows


def _samples(selector: VectorSelector, seen: Bounds, on: Evaluation) -> tuple[LabelTable, Columns]:
    """The selector's samples, of the rows that evaluation is about."""
    block = on.reads.find(selector, seen.window)
    if on.rows is None or on.rows.selector is not selector:
        labels, columns = block.labels, block.columns()
    else:
        start = sum(part.series for part in block.parts[: on.rows.part])
        part = block.parts[on.rows.part]
        labels, columns = block.labels[start : start + part.series], part.columns()
    if columns.histograms is None or not on.counts_only:
        return labels, columns
    return labels, replace(columns, histograms=counts_only(columns.histograms, seen.window.start))
