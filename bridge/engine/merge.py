"""Rows that came to have the same labels become one, where they share no step.

Source: mergeSeriesWithSameLabelset in promql/engine.go.
"""

from typing import Final

import numpy as np

from bridge.model.errors import ExecutionError
from bridge.model.histogram import HistogramCells
from bridge.model.labels import Labels, LabelTable
from bridge.model.vectors import Matrix

SAME_LABELS: Final = "vector cannot contain metrics with the same labelset"


def merge_equal_labels(matrix: Matrix, *, by_time: bool = False) -> Matrix:
    """One row for each label set, in the order of their first rows.

    Whether its name is to go is as in the first row, or `by_time` in the row that is present first.
    Raises ExecutionError where two rows of equal labels are present at the same step.
    """
    if matrix.labels.distinct():
        return matrix
    ids: dict[Labels, int] = {}
    groups = [ids.setdefault(row, len(ids)) for row in matrix.labels]
    values = np.empty((len(ids), matrix.steps))
    present = np.zeros(values.shape, dtype=np.bool_)
    held = np.zeros(values.shape, dtype=np.bool_)
    for row, (group, occupied) in enumerate(zip(groups, matrix.occupied, strict=True)):
        shown = matrix.present[row]
        if (held[group] & occupied).any():
            raise ExecutionError(SAME_LABELS)
        np.copyto(values[group], matrix.values[row], where=shown)
        present[group] |= shown
        held[group] |= occupied
    cells = matrix.histograms
    if cells is not None:
        index = np.full(values.shape, -1, np.int64)
        np.maximum.at(index, groups, cells.index)
        cells = HistogramCells(index, cells.table)
    drop_name = None
    if matrix.drop_name is not None:
        drop_name = matrix.drop_name[_first_rows(matrix, groups, by_time=by_time)]
    return Matrix(LabelTable(ids), values, present, drop_name, cells)


def _first_rows(matrix: Matrix, groups: list[int], *, by_time: bool) -> list[int]:
    """Of each group the number of its first row."""
    rows = list(range(len(matrix)))
    if by_time:
        occupied = matrix.occupied
        steps = np.where(occupied.any(axis=1), occupied.argmax(axis=1), matrix.steps)
        rows.sort(key=lambda row: int(steps[row]))
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(groups[row], row)
    return [first[group] for group in range(len(first))]
