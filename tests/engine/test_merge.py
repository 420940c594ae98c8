"""Tests of rows that came to have the same labels."""

import numpy as np
import pytest

from bridge.engine.merge import merge_equal_labels
from bridge.model.errors import ExecutionError
from bridge.model.labels import Labels, LabelTable
from bridge.model.vectors import Matrix

A, B = Labels.of({"n": "a"}), Labels.of({"n": "b"})


def matrix(labels: list[Labels], present: list[list[int]]) -> Matrix:
    """Rows whose values are 10, 11, 12… in the first row, 20, 21… in the second."""
    shown = np.array(present, dtype=np.bool_)
    first = 10.0 * (1 + np.arange(len(labels)))
    values = np.asarray(first[:, None] + np.arange(shown.shape[1]), np.float64)
    return Matrix(LabelTable(labels), values, shown)


def test_distinct_rows_stay_as_they_are() -> None:
    rows = matrix([B, A], [[1, 1], [1, 0]])
    assert merge_equal_labels(rows) is rows


def test_rows_of_equal_labels_become_one_in_the_place_of_the_first() -> None:
    merged = merge_equal_labels(matrix([B, A, B], [[1, 0, 0], [1, 1, 1], [0, 1, 0]]))
    assert list(merged.labels) == [B, A]
    assert merged.present.tolist() == [[True, True, False], [True, True, True]]
    assert merged.values[0, :2].tolist() == [10.0, 31.0]


def test_rows_that_share_a_step_are_refused() -> None:
    with pytest.raises(
        ExecutionError, match="vector cannot contain metrics with the same labelset"
    ):
        merge_equal_labels(matrix([A, A], [[1, 1], [0, 1]]))
