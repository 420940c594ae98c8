"""count_values: how many series of a group have each value.

Source: aggregationCountValues in promql/engine.go of Prometheus.
"""

import math
from decimal import Decimal

import numpy as np

from bridge.model.errors import ExecutionError
from bridge.model.labels import Grouping, Labels, LabelTable, quoted
from bridge.model.vectors import Matrix


def require_label_name(label: str) -> None:
    """Raises ExecutionError for what cannot name a label."""
    if not label or not _is_utf8(label):
        raise ExecutionError(f"invalid label name {quoted(label)}")


def count_values(matrix: Matrix, grouping: Grouping, label: str) -> Matrix:
    """One row for each group and value that occurs, `label` holding the value's text."""
    values = np.where(np.isnan(matrix.values), np.nan, matrix.values)
    rows, steps = np.nonzero(matrix.present)
    bits, kinds = np.unique(values[rows, steps].view(np.int64), return_inverse=True)
    texts = [plain_text(value) for value in bits.view(np.float64).tolist()]
    if matrix.histograms is not None:
        cells = matrix.histograms
        more_rows, more_steps = np.nonzero(cells.present)
        shown, which = np.unique(cells.rows(), return_inverse=True)
        kinds = np.concatenate((kinds, which + len(texts)))
        texts += [cells.table.text(row) for row in shown.tolist()]
        rows, steps = np.concatenate((rows, more_rows)), np.concatenate((steps, more_steps))
    pairs, outputs = np.unique(rows * len(texts) + kinds, return_inverse=True)
    names = [
        _group(grouping, matrix.labels[pair // len(texts)], label, texts[pair % len(texts)])
        for pair in pairs.tolist()
    ]
    numbers: dict[Labels, int] = {}
    merged = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    counts = np.zeros((len(numbers), matrix.steps))
    if len(pairs):
        np.add.at(counts, (merged[outputs], steps), 1.0)
    return Matrix(LabelTable(numbers), counts, counts > 0)


def _group(grouping: Grouping, labels: Labels, label: str, text: str) -> Labels:
    names = grouping.names if grouping.without else (*grouping.names, label)
    return Grouping(names, grouping.without).of(labels.with_label(label, text))


def plain_text(value: float) -> str:
    """A number as Go's strconv.FormatFloat(value, 'f', -1, 64) writes it."""
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
