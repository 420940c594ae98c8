"""count_values: how many series of a group have each value.

Source: aggregationCountValues in promql/engine.go of Prometheus.
"""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from bridge.model.errors import ExecutionError
from bridge.model.labels import METRIC_NAME, Grouping, Labels, LabelTable, quoted
from bridge.model.samples import Int64s
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
        numbers: dict[str, int] = {}
        merged = [numbers.setdefault(cells.table.text(row), len(numbers)) for row in shown.tolist()]
        kinds = np.concatenate((kinds, np.array(merged, np.int64)[which] + len(texts)))
        texts += numbers
        rows, steps = np.concatenate((rows, more_rows)), np.concatenate((steps, more_steps))
    groups = matrix.labels.grouped(_beside(grouping, label))
    if grouping.without and label in (*grouping.names, METRIC_NAME):
        # The label that tells values apart is left out itself.
        kinds, texts = np.zeros_like(kinds), [""]
    pairs, first, outputs = np.unique(
        groups.ids[rows] * len(texts) + kinds, return_index=True, return_inverse=True
    )
    # In the order in which an instant query meets them.
    order = np.lexsort((kinds[first], rows[first]))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    counts = np.zeros((len(pairs), matrix.steps))
    np.add.at(counts, (place[outputs], steps), 1.0)
    labels = _labels(groups.labels, pairs[order], label, texts)
    return Matrix(LabelTable(labels), counts, counts > 0)


def _beside(grouping: Grouping, label: str) -> Grouping:
    """What makes a group without the label that holds the value."""
    others = {name for name in grouping.names if name != label}
    if grouping.without:
        others.add(label)
    return Grouping(tuple(sorted(others)), grouping.without)


def _labels(groups: LabelTable, pairs: Int64s, label: str, texts: Sequence[str]) -> list[Labels]:
    """The labels of each pair of group and text, which is group * len(texts) + text."""
    # One tuple a row, not two label sets: there may be as many rows as samples.
    halves = [
        (
            tuple(pair for pair in group.pairs if pair[0] < label),
            tuple(pair for pair in group.pairs if pair[0] > label),
        )
        for group in groups
    ]
    made = []
    for group, text in zip(*(part.tolist() for part in divmod(pairs, len(texts))), strict=True):
        before, after = halves[group]
        held = ((label, texts[text]),) if texts[text] else ()
        made.append(Labels.of_sorted((*before, *held, *after)))
    return made


def plain_text(value: float) -> str:
    """A number as Go's strconv.FormatFloat(value, 'f', -1, 64) writes it."""
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
