"""Rows that came to have the same labels become one, where they share no step.

Source: mergeSeriesWithSameLabelset in promql/engine.go.
"""

import numpy as np

from bridge.model.errors import ExecutionError
from bridge.model.labels import Labels, LabelTable
from bridge.model.vectors import Matrix


def merge_equal_labels(matrix: Matrix) -> Matrix:
    """One row for each label set, in the order of their first rows.

    Raises ExecutionError where two rows of equal labels are present at the same step.
    """
    if matrix.labels.distinct():
        return matrix
    ids: dict[Labels, int] = {}
    groups = [ids.setdefault(row, len(ids)) for row in matrix.labels]
    values = np.empty((len(ids), matrix.steps))
    present = np.zeros(values.shape, dtype=np.bool_)
    for row, group in enumerate(groups):
        shown = matrix.present[row]
        if (present[group] & shown).any():
            raise ExecutionError("vector cannot contain metrics with the same labelset")
        np.copyto(values[group], matrix.values[row], where=shown)
        present[group] |= shown
    return Matrix(LabelTable(ids), values, present)
