"""A value as the client gets it: empty rows dropped, in order, no more series than asked for."""

from dataclasses import replace

import numpy as np

from bridge.engine.extended import cut_at_ends
from bridge.engine.query import Query, Result, Stats
from bridge.model.annotations import RESULTS_TRUNCATED, Annotations, Severity
from bridge.model.labels import EMPTY_LABELS, LabelTable
from bridge.model.samples import Columns
from bridge.model.vectors import Matrix, Scalar, Value, Windows
from bridge.promql.ast import ValueType, value_type


def outcome(
    query: Query, value: Value, annotations: Annotations, limit: int, stats: Stats
) -> Result:
    """The result of a query; more than `limit` series (0: no limit) are cut off with a warning."""
    kind = value_type(query.expr)
    if not query.steps.instant:
        kind = ValueType.MATRIX
        if isinstance(value, Scalar):
            value = Matrix(LabelTable((EMPTY_LABELS,)), value.values[None, :], _all(value))
    if isinstance(value, Matrix):
        value = value.without_empty_rows()
        if kind is ValueType.MATRIX:
            value = _in_label_order(value)
    if isinstance(value, Windows):
        value = _samples_in_order(value if value.reach is None else cut_at_ends(value))
    if limit and isinstance(value, Matrix | Windows) and len(value) > limit:
        value = _first(value, limit)
        annotations.add(RESULTS_TRUNCATED)
    return Result(
        kind,
        value,
        query.steps,
        annotations.texts(Severity.WARNING, query.text),
        annotations.texts(Severity.INFO, query.text),
        stats,
    )


def _all(value: Scalar) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.ones((1, len(value.values)), np.bool_)


def _in_label_order(matrix: Matrix) -> Matrix:
    return matrix if matrix.labels.in_order() else matrix.take(matrix.labels.order())


def _samples_in_order(windows: Windows) -> Windows:
    """The rows that have samples, sorted by labels; of one step."""
    order = windows.labels.order()
    counts = (windows.hi - windows.lo)[order, 0]
    if windows.histograms is not None:
        counts = counts + (windows.histograms.hi - windows.histograms.lo)[order, 0]
    return _rows(windows, order[counts > 0])


def _first(value: Matrix | Windows, limit: int) -> Matrix | Windows:
    rows = np.arange(limit)
    return value.take(rows) if isinstance(value, Matrix) else _rows(value, rows)


def _rows(windows: Windows, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Windows:
    """The windows of these rows; offsets keep no meaning, the indices point where they did."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    columns = Columns(offsets, windows.columns.timestamps, windows.columns.values)
    native = windows.histograms
    if native is not None:
        native = replace(native, lo=native.lo[rows], hi=native.hi[rows])
    return Windows(
        windows.labels.take(rows),
        columns,
        windows.lo[rows],
        windows.hi[rows],
        windows.starts,
        windows.ends,
        windows.times,
        windows.range,
        histograms=native,
    )
