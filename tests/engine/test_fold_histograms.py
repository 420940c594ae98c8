"""Aggregations of native histograms: sums, means, and what they remark on."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.engine.fold import FOLDS, fold
from bridge.engine.fold_histograms import Remarks
from bridge.model.annotations import Annotations, Severity
from bridge.model.histogram import Hint, Histogram, HistogramCells, Histograms
from bridge.model.labels import Grouping
from bridge.model.vectors import Matrix
from bridge.promql.ast import AggregateExpr
from bridge.promql.parser import parse
from tests.engine.test_fold import matrix

ALL = Grouping((), without=False)
TEXT = "sum(x)"


def one(count: float, hint: Hint = Hint.UNKNOWN) -> Histogram:
    """A histogram of one bucket."""
    return Histogram(
        count=count, sum=2 * count, positive_spans=((0, 1),), positive=(count,), hint=hint
    )


def vector(*cells: Histogram | float) -> Matrix:
    """One step; each row holds a float or a histogram."""
    floats = matrix("a" * len(cells), [[c if isinstance(c, float) else None] for c in cells], 1)
    held = [cell for cell in cells if isinstance(cell, Histogram)]
    present = np.array([[isinstance(cell, Histogram)] for cell in cells])
    return replace(floats, histograms=HistogramCells.filled(present, Histograms.of(held)))


def folded(name: str, *parts: Matrix) -> tuple[Matrix, tuple[str, ...]]:
    """The aggregation over everything, and what it said."""
    expr = parse(TEXT, {})
    assert isinstance(expr, AggregateExpr)
    said = Annotations()
    found = fold(FOLDS[name], ALL, parts, Remarks(expr, said))
    assert found is not None
    return found, (*said.texts(Severity.WARNING, TEXT), *said.texts(Severity.INFO, TEXT))


@pytest.mark.parametrize(("name", "count"), [("sum", 6.0), ("avg", 2.0)])
def test_counts_sums_and_buckets_are_added(name: str, count: float) -> None:
    found, said = folded(name, vector(one(1.0), one(2.0), one(3.0)))
    assert found.histograms is not None
    (row,) = found.histograms.rows().tolist()
    literal = found.histograms.table.literal(row)
    assert (literal.count, literal.sum, literal.positive) == (count, 2 * count, (count,))
    assert said == ()


def test_a_group_with_floats_beside_histograms_has_no_result() -> None:
    for cells in ((one(1.0), 2.0), (2.0, one(1.0))):
        found, said = folded("sum", vector(*cells))
        assert len(found) == 0
        assert len(said) == 1
        assert "mix" in said[0]


def test_histograms_are_counted_as_floats_are() -> None:
    found, said = folded("count", vector(one(1.0), 2.0, one(3.0)))
    assert found.values.tolist() == [[3.0]]
    assert said == ()


def test_histograms_are_ignored_where_values_are_ordered() -> None:
    found, said = folded("max", vector(one(9.0), 2.0))
    assert found.values.tolist() == [[2.0]]
    assert len(said) == 1
    assert "ignored" in said[0]


def test_a_reset_beside_what_is_none_is_told_of() -> None:
    _, said = folded("sum", vector(one(1.0, Hint.RESET), one(2.0, Hint.NOT_RESET)))
    assert len(said) == 1
    assert "onflicting counter resets" in said[0]


def test_exponential_and_custom_buckets_cannot_be_added() -> None:
    custom = Histogram(
        schema=-53, count=1.0, sum=1.0, positive_spans=((0, 1),), positive=(1.0,), bounds=(1.0,)
    )
    found, said = folded("sum", vector(one(1.0), custom))
    assert len(found) == 0
    assert len(said) == 1
