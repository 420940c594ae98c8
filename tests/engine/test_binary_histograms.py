"""Operators between native histograms and floats: which pairs have a result, and what is said."""

import numpy as np
import pytest

from bridge.engine.binary_histograms import Combined, Operand, Remark, combined, note_last
from bridge.model.annotations import Annotations, Severity
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram import Hint, Histogram, HistogramCells, Histograms
from bridge.model.posrange import PosRange

PRESENT = np.ones((1, 1), np.bool_)


def one(count: float, **other: object) -> Histogram:
    """A histogram of one bucket."""
    parts = {"count": count, "sum": 2 * count, "positive_spans": ((0, 1),), "positive": (count,)}
    return Histogram(**{**parts, **other})  # type: ignore[arg-type]


def custom(count: float, *bounds: float) -> Histogram:
    """A histogram with custom buckets."""
    return one(count, schema=CUSTOM_SCHEMA, bounds=bounds)


def operand(held: Histogram | float) -> Operand:
    """One pair's side."""
    if isinstance(held, Histogram):
        cells = HistogramCells.filled(PRESENT, Histograms.of([held]))
        return Operand.of(np.zeros((1, 1)), cells)
    return Operand.of(np.array([[held]]), None)


def joined(op: str, left: Histogram | float, right: Histogram | float) -> Combined:
    return combined(op, operand(left), operand(right), PRESENT)


def literal(found: Combined) -> Histogram:
    (row,) = found.cells.rows().tolist()
    return found.cells.table.literal(row)


@pytest.mark.parametrize(
    ("op", "left", "right", "count"),
    [
        ("+", one(3.0), one(1.0), 4.0),
        ("-", one(3.0), one(1.0), 2.0),
        ("*", one(3.0), 2.0, 6.0),
        ("*", 2.0, one(3.0), 6.0),
        ("/", one(3.0), 2.0, 1.5),
        ("==", one(3.0), one(3.0), 3.0),
        ("!=", one(3.0), one(1.0), 3.0),
    ],
)
def test_what_prometheus_computes_with_histograms(
    op: str, left: Histogram | float, right: Histogram | float, count: float
) -> None:
    found = joined(op, left, right)
    held = literal(found)
    assert (held.count, held.sum, held.positive) == (count, 2 * count, (count,))
    assert not found.dropped.any()


@pytest.mark.parametrize("op", ["==", "!="])
def test_a_comparison_that_does_not_hold_leaves_nothing_and_says_nothing(op: str) -> None:
    found = joined(op, one(3.0), one(3.0 if op == "!=" else 1.0))
    assert found.both.all()
    assert len(found.cells.rows()) == 0
    assert not found.dropped.any()


@pytest.mark.parametrize(
    ("op", "left", "right", "remark"),
    [
        ("+", 1.0, one(1.0), Remark.FLOAT_HISTOGRAM),
        ("/", 1.0, one(1.0), Remark.FLOAT_HISTOGRAM),
        ("-", one(1.0), 1.0, Remark.HISTOGRAM_FLOAT),
        ("*", one(1.0), one(1.0), Remark.HISTOGRAMS),
        ("<", one(1.0), one(1.0), Remark.HISTOGRAMS),
        ("+", one(1.0), custom(1.0, 5.0), Remark.LAYOUT),
    ],
)
def test_pairs_that_do_not_go_together_are_dropped_and_remarked_on(
    op: str, left: Histogram | float, right: Histogram | float, remark: Remark
) -> None:
    found = joined(op, left, right)
    assert found.dropped.all()
    assert found.remarks[0, 0] == remark


def test_custom_buckets_of_other_bounds_are_reconciled() -> None:
    found = joined("+", custom(1.0, 1.0, 5.0), custom(2.0, 1.0, 7.0))
    assert found.remarks[0, 0] == Remark.RECONCILED
    assert literal(found).bounds == (1.0,)
    assert not found.dropped.any()


@pytest.mark.parametrize(("op", "word"), [("+", "addition"), ("-", "subtraction")])
def test_hints_that_contradict_are_told_of(op: str, word: str) -> None:
    found = joined(op, one(3.0, hint=Hint.RESET), one(1.0, hint=Hint.NOT_RESET))
    said = Annotations()
    note_last(found.remarks, op, PosRange(0, 5), said)
    (text,) = said.texts(Severity.WARNING, "a + b")
    assert word in text
