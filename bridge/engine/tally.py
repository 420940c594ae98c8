"""count_values: how many series of a group have each value.

Source: aggregationCountValues in promql/engine.go of Prometheus.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import orjson

from bridge.model.errors import ExecutionError
from bridge.model.labels import METRIC_NAME, Grouping, LabelTable, quoted
from bridge.model.samples import Float64s, Int64s
from bridge.model.valued_labels import ValuedLabels
from bridge.model.vectors import Matrix

# Between these any writer has no exponent.
_PLAIN_FROM: Final = 1e-4
_PLAIN_TO: Final = 1e15


def require_label_name(label: str) -> None:
    """Raises ExecutionError for what cannot name a label."""
    if not label or not _is_utf8(label):
        raise ExecutionError(f"invalid label name {quoted(label)}")


def count_values(matrix: Matrix, grouping: Grouping, label: str) -> Matrix:
    """One row for each group and value that occurs, `label` holding the value's text.

    In the order in which an instant query meets them; over several steps in that of the labels.
    """
    rows, steps, kinds, texts = _read(matrix)
    groups = matrix.labels.grouped(_beside(grouping, label))
    if grouping.without and label in (*grouping.names, METRIC_NAME):
        # The label that tells values apart is left out itself.
        kinds, texts = np.zeros_like(kinds), [""]
    kinds, texts = _ascending(kinds, texts)
    pairs, first, outputs = np.unique(
        groups.ids[rows] * len(texts) + kinds, return_index=True, return_inverse=True
    )
    labels = _labels(groups.labels, pairs, label, texts)
    met = np.lexsort((kinds[first], rows[first]))
    order = met if matrix.steps == 1 else labels.order()
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    cells, counts = np.unique(place[outputs] * matrix.steps + steps, return_counts=True)
    values = np.zeros((len(pairs), matrix.steps))
    present = np.zeros(values.shape, np.bool_)
    values.reshape(-1)[cells], present.reshape(-1)[cells] = counts, True
    return Matrix(labels.take(order), values, present)


def _read(matrix: Matrix) -> tuple[Int64s, Int64s, Int64s, list[str]]:
    """The row and step of each sample, floats first, and which of the texts it reads as."""
    rows, steps = np.nonzero(matrix.present)
    values = matrix.values[rows, steps]
    values[np.isnan(values)] = np.nan
    bits, kinds = np.unique(values.view(np.int64), return_inverse=True)
    texts = plain_texts(bits.view(np.float64))
    if matrix.histograms is None:
        return rows, steps, kinds, texts
    cells = matrix.histograms
    more_rows, more_steps = np.nonzero(cells.present)
    shown, which = np.unique(cells.rows(), return_inverse=True)
    numbers: dict[str, int] = {}
    merged = [numbers.setdefault(cells.table.text(row), len(numbers)) for row in shown.tolist()]
    return (
        np.concatenate((rows, more_rows)),
        np.concatenate((steps, more_steps)),
        np.concatenate((kinds, np.array(merged, np.int64)[which] + len(texts))),
        [*texts, *numbers],
    )


def _ascending(kinds: Int64s, texts: list[str]) -> tuple[Int64s, list[str]]:
    """The same texts in order, and what then tells them apart."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    places = np.empty(len(texts), np.int64)
    places[order] = np.arange(len(texts))
    return places[kinds], [texts[at] for at in order]


def _beside(grouping: Grouping, label: str) -> Grouping:
    """What makes a group without the label that holds the value."""
    others = {name for name in grouping.names if name != label}
    if grouping.without:
        others.add(label)
    return Grouping(tuple(sorted(others)), grouping.without)


def _labels(groups: LabelTable, pairs: Int64s, label: str, texts: Sequence[str]) -> LabelTable:
    """The labels of each pair of group and text, which is group * len(texts) + text."""
    group_of, text_of = np.divmod(pairs, max(len(texts), 1))
    if texts == [""]:
        return groups.take(group_of)
    return ValuedLabels(groups, label, texts, group_of, text_of)


def plain_texts(values: Float64s) -> list[str]:
    """Numbers as `plain_text` writes each, in a fraction of the time."""
    if not len(values):
        return []
    # The shortest form, as Go's, but for exponents and for what JSON has no word for.
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = text[1:-1].decode().replace(".0,", ",").removesuffix(".0").split(",")
    size = np.abs(values)
    odd = ~((size >= _PLAIN_FROM) & (size < _PLAIN_TO)) & (size != 0.0)
    for at in np.flatnonzero(odd).tolist():
        texts[at] = plain_text(float(values[at]))
    return texts


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
