"""Results of queries as the tests make them."""

from collections.abc import Sequence

import numpy as np

from bridge.engine.query import Result, Stats
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Columns, Float64s
from bridge.model.time import Steps
from bridge.model.vectors import Bools, Matrix, Value, Windows
from bridge.promql.ast import ValueType


def result(kind: ValueType, value: Value, steps: Steps) -> Result:
    """A result without remarks."""
    return Result(kind, value, steps, (), (), Stats())


def matrix(
    labels: Sequence[Labels], values: Float64s, steps: Steps, present: Bools | None = None
) -> Result:
    """A range query's result."""
    shown = np.ones(values.shape, bool) if present is None else present
    return result(ValueType.MATRIX, Matrix(LabelTable(labels), values, shown), steps)


def vector(labels: Sequence[Labels], values: Sequence[float], time: int) -> Result:
    """An instant query's result."""
    column = np.array(values, dtype=np.float64).reshape(-1, 1)
    held = Matrix(LabelTable(labels), column, np.ones(column.shape, bool))
    return result(ValueType.VECTOR, held, Steps.at(time))


def samples(labels: Sequence[Labels], rows: Sequence[Sequence[tuple[int, float]]]) -> Result:
    """The result of an instant query of a range vector: these rows of raw samples."""
    ends = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    flat = [sample for row in rows for sample in row]
    columns = Columns.frozen(
        ends,
        np.array([time for time, _ in flat], dtype=np.int64),
        np.array([value for _, value in flat], dtype=np.float64),
    )
    bound = np.zeros(1, np.int64)
    lo, hi = ends[:-1, None], ends[1:, None]
    windows = Windows(LabelTable(labels), columns, lo, hi, bound, bound, bound, 0)
    return result(ValueType.MATRIX, windows, Steps.at(0))
