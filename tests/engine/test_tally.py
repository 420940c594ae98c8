"""Tests of count_values."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.tally import count_values, plain_text, plain_texts, require_label_name
from bridge.model.errors import ExecutionError
from bridge.model.histogram import Histogram, HistogramCells, Histograms
from bridge.model.labels import Grouping, Labels
from tests.engine.test_fold import matrix

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1e21, "1000000000000000000000"),
        (1.5e300, "15" + "0" * 299),
        (1e-7, "0.0000001"),
        (5e-324, "0." + "0" * 323 + "5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (123456789.125, "123456789.125"),
        (NAN, "NaN"),
        (INF, "+Inf"),
        (-INF, "-Inf"),
    ],
)
def test_numbers_are_written_as_go_does(value: float, text: str) -> None:
    assert plain_text(value) == text


@given(st.floats(allow_nan=False))
def test_a_number_is_written_so_that_it_comes_back(value: float) -> None:
    text = plain_text(value)
    assert float(text) == value
    assert "e" not in text


@given(st.lists(st.floats() | st.integers(-(10**17), 10**17).map(float)))
def test_many_numbers_are_written_as_each_alone(values: list[float]) -> None:
    assert plain_texts(np.array(values)) == list(map(plain_text, values))


def test_numbers_of_any_size_are_written_as_each_alone() -> None:
    draw = np.random.default_rng(3)
    values = draw.integers(0, 1 << 63, 20_000).view(np.float64)
    usual = np.round(draw.uniform(-1, 1, 20_000) * 10.0 ** draw.integers(-6, 18, 20_000), 3)
    for some in (values, usual, usual / 1443):
        assert plain_texts(some.astype(np.float64)) == list(map(plain_text, some.tolist()))


def test_over_several_steps_rows_come_in_the_order_of_their_labels() -> None:
    whole = matrix("abab", [[9.0, None], [8.0, None], [10.0, 1.0], [8.0, None]], 2)
    found = count_values(whole, Grouping(("g",), without=False), "v")
    assert [labels.pairs for labels in found.labels] == [
        (("g", "a"), ("v", "1")),
        (("g", "a"), ("v", "10")),
        (("g", "a"), ("v", "9")),
        (("g", "b"), ("v", "8")),
    ]
    assert found.values.tolist() == [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]


def test_values_are_counted_at_each_step() -> None:
    whole = matrix("aab", [[1.0, NAN], [1.0, 2.0], [1.0, None]], 2)
    found = count_values(whole, Grouping(("g",), without=False), "v")
    rows = {
        (labels.get("g"), labels.get("v")): values.tolist()
        for labels, values in zip(found.labels, found.values, strict=True)
    }
    assert rows == {
        ("a", "1"): [2.0, 0.0],
        ("a", "NaN"): [0.0, 1.0],
        ("a", "2"): [0.0, 1.0],
        ("b", "1"): [1.0, 0.0],
    }
    assert np.array_equal(found.present, found.values > 0)


@pytest.mark.parametrize(
    ("grouping", "label", "labels"),
    [
        (Grouping((), without=False), "v", {"v": "1"}),
        (Grouping(("g",), without=False), "g", {"g": "1"}),
        (Grouping(("n",), without=True), "v", {"g": "a", "v": "1"}),
        (Grouping(("n",), without=True), "n", {"g": "a"}),
        (Grouping(("g", "n"), without=True), "n", {}),
    ],
)
def test_the_label_of_the_value_is_one_of_the_groups(
    grouping: Grouping, label: str, labels: dict[str, str]
) -> None:
    found = count_values(matrix("a", [[1.0]], 1), grouping, label)
    assert list(found.labels) == [Labels.of(labels)]


@pytest.mark.parametrize(
    ("label", "text"),
    [("", 'invalid label name ""'), ("\udcff", 'invalid label name "\\xff"')],
)
def test_a_label_that_is_none_is_refused(label: str, text: str) -> None:
    with pytest.raises(ExecutionError) as failed:
        require_label_name(label)
    assert str(failed.value) == text


def test_any_utf8_may_be_a_label() -> None:
    found = count_values(matrix("a", [[1.0]], 1), Grouping((), without=False), "größe 1")
    assert list(found.labels) == [Labels.of({"größe 1": "1"})]


def test_a_label_that_is_left_out_itself_makes_one_row_a_group() -> None:
    whole = matrix("aab", [[1.0, 2.0], [3.0, None], [1.0, None]], 2)
    found = count_values(whole, Grouping(("n", "v"), without=True), "v")
    assert [str(labels) for labels in found.labels] == ['{g="a"}', '{g="b"}']
    assert found.values.tolist() == [[2.0, 1.0], [1.0, 0.0]]


def test_a_label_that_the_series_have_is_replaced_by_the_value() -> None:
    whole = matrix("ab", [[1.0], [1.0]], 1)
    found = count_values(whole, Grouping((), without=False), "g")
    assert [labels.pairs for labels in found.labels] == [(("g", "1"),)]
    assert found.values.tolist() == [[2.0]]


def test_rows_come_in_the_order_in_which_an_instant_query_meets_them() -> None:
    whole = matrix("abab", [[9.0], [8.0], [7.0], [8.0]], 1)
    found = count_values(whole, Grouping(("g",), without=False), "v")
    assert [labels.get("v") for labels in found.labels] == ["9", "8", "7"]


def test_histograms_that_read_alike_are_one_value() -> None:
    table = Histograms.of([Histogram(count=1.0, sum=2.0), Histogram(count=1.0, sum=2.0)])
    floats = matrix("ab", [[None], [None]], 1)
    both = replace(floats, histograms=HistogramCells(np.array([[0], [1]]), table))
    found = count_values(both, Grouping((), without=False), "v")
    assert [labels.pairs for labels in found.labels] == [(("v", "{count:1, sum:2}"),)]
    assert found.values.tolist() == [[2.0]]
