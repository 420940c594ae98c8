"""Tests of how a value becomes what the client gets."""

import numpy as np
import pytest

from bridge.engine.outcome import outcome
from bridge.engine.query import Query, Result, Stats
from bridge.model.annotations import Annotations, possible_non_counter, store_warning
from bridge.model.labels import Labels, LabelTable
from bridge.model.posrange import PosRange
from bridge.model.samples import Columns
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar, String, Value, Windows
from bridge.promql.ast import ValueType
from bridge.promql.parser import parse

_TIMES = Steps(0, 2000, 1000)
A, B, C = (Labels.of({"__name__": "x", "n": name}) for name in "abc")


def matrix(*labels: Labels, present: list[list[int]]) -> Matrix:
    """Rows whose values tell the row."""
    shown = np.array(present, np.bool_)
    values = np.broadcast_to(np.arange(len(labels), dtype=np.float64)[:, None], shown.shape)
    return Matrix(LabelTable(labels), values, shown)


def shown(
    text: str, steps: Steps, value: Value, limit: int = 0, notes: Annotations | None = None
) -> Result:
    """The outcome of a query that evaluated to this."""
    query = Query(text, parse(text, {}), steps, 300_000)
    return outcome(query, value, notes or Annotations(), limit, Stats())


def names(result: Result) -> list[str]:
    """The `n` of each row."""
    assert isinstance(result.value, Matrix | Windows)
    return [labels.get("n") for labels in result.value.labels]


def test_a_range_query_is_sorted_by_labels() -> None:
    value = matrix(C, A, B, present=[[1, 0, 0], [1, 1, 1], [0, 0, 1]])
    result = shown("x", _TIMES, value)
    assert (result.type, names(result)) == (ValueType.MATRIX, ["a", "b", "c"])
    assert isinstance(result.value, Matrix)
    assert result.value.values[:, 0].tolist() == [1.0, 2.0, 0.0]
    assert result.value.present[1].tolist() == [False, False, True]


def test_labels_sort_by_name_and_value_and_the_shorter_first() -> None:
    order = [
        Labels.of({}),
        Labels.of({"a": "1"}),
        Labels.of({"a": "1", "b": "1"}),
        Labels.of({"a": "1", "c": "0"}),
        Labels.of({"a": "10"}),
        Labels.of({"a": "2"}),
        Labels.of({"b": "0"}),
        Labels.of({"b": "ä"}),
    ]
    value = matrix(*reversed(order), present=[[1, 1, 1]] * len(order))
    result = shown("x", _TIMES, value)
    assert isinstance(result.value, Matrix)
    assert list(result.value.labels) == order


def test_an_instant_query_keeps_its_order() -> None:
    result = shown("x", Steps.at(0), matrix(C, A, B, present=[[1], [1], [1]]))
    assert (result.type, names(result)) == (ValueType.VECTOR, ["c", "a", "b"])


@pytest.mark.parametrize("steps", [_TIMES, Steps.at(0)])
def test_rows_without_a_point_are_dropped(steps: Steps) -> None:
    count = len(steps)
    value = matrix(A, B, C, present=[[1] * count, [0] * count, [1] * count])
    assert names(shown("x", steps, value)) == ["a", "c"]


@pytest.mark.parametrize(("limit", "kept"), [(0, "abc"), (3, "abc"), (2, "ab"), (1, "a")])
def test_more_series_than_asked_for_are_cut_off_with_a_warning(limit: int, kept: str) -> None:
    value = matrix(C, A, B, present=[[1, 1, 1]] * 3)
    result = shown("x", _TIMES, value, limit)
    assert names(result) == list(kept)
    cut = len(kept) < 3
    assert result.warnings == (("results truncated due to limit",) if cut else ())


def test_empty_rows_do_not_count_for_the_limit() -> None:
    result = shown("x", Steps.at(0), matrix(A, B, C, present=[[0], [1], [1]]), 2)
    assert (names(result), result.warnings) == (["b", "c"], ())


def test_a_scalar_over_a_range_is_a_series_without_labels() -> None:
    result = shown("1", _TIMES, Scalar(np.array([1.0, 2.0, 3.0])))
    assert result.type is ValueType.MATRIX
    assert isinstance(result.value, Matrix)
    assert list(result.value.labels) == [Labels.of({})]
    assert result.value.values.tolist() == [[1.0, 2.0, 3.0]]
    assert result.value.present.all()


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("1", Scalar(np.array([1.0])), ValueType.SCALAR),
        ('"a"', String("a"), ValueType.STRING),
    ],
)
def test_an_instant_scalar_or_string_stays_one(text: str, value: Value, kind: ValueType) -> None:
    result = shown(text, Steps.at(0), value)
    assert result.type is kind
    assert result.value is value


def test_an_instant_range_vector_is_its_samples_sorted_by_labels() -> None:
    columns = Columns(np.array([0, 1, 1, 3]), np.array([5, 6, 7]), np.array([50.0, 60.0, 70.0]))
    edges = (np.array([[0], [1], [1]]), np.array([[1], [1], [3]]))
    bounds = (np.array([0]), np.array([10]), np.array([10]))
    value = Windows(LabelTable([C, B, A]), columns, *edges, *bounds, 10)
    result = shown("x[10ms]", Steps.at(10), value)
    assert (result.type, names(result)) == (ValueType.MATRIX, ["a", "c"])
    assert isinstance(result.value, Windows)
    spans = zip(result.value.lo[:, 0], result.value.hi[:, 0], strict=True)
    assert [result.value.columns.values[lo:hi].tolist() for lo, hi in spans] == [
        [60.0, 70.0],
        [50.0],
    ]
    cut = shown("x[10ms]", Steps.at(10), value, limit=1)
    assert names(cut) == ["a"]
    assert cut.warnings == ("results truncated due to limit",)


def test_annotations_tell_where_in_the_query() -> None:
    notes = Annotations([store_warning("careful"), possible_non_counter("x", PosRange(0, 1))])
    result = shown("x", Steps.at(0), matrix(A, present=[[1]]), notes=notes)
    assert result.warnings == ("careful",)
    (text,) = result.infos
    assert text.startswith("PromQL info: metric might not be a counter")
    assert text.endswith('"x" (1:1)')
