"""Tables and plots."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.terminal import Table, answer_lines, plot, series_name


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        ({}, "{}"),
        ({"__name__": "up"}, "up"),
        ({"__name__": "up", "a": "b", "c": 'd"'}, 'up{a="b", c="d\\""}'),
        ({"a": "b"}, '{a="b"}'),
    ],
)
def test_series_are_named_as_in_promql(metric: dict[str, str], name: str) -> None:
    assert series_name(metric) == name


def test_a_vector_is_a_table() -> None:
    data = {
        "resultType": "vector",
        "result": [
            {"metric": {"__name__": "up", "job": "a"}, "value": [1, "1"]},
            {"metric": {"__name__": "up", "job": "long"}, "value": [1, "0.25"]},
        ],
    }
    assert list(answer_lines(data, 80)) == [
        "SERIES          VALUE",
        'up{job="a"}         1',
        'up{job="long"}   0.25',
    ]


HISTOGRAM = {
    "count": "7",
    "sum": "12.5",
    "buckets": [[3, "-0.001", "0.001", "1"], [0, "0.5", "1", "2"], [0, "1", "2", "4"]],
}


def test_a_histogram_in_a_vector_is_its_count_and_sum_and_bars_below() -> None:
    data = {
        "resultType": "vector",
        "result": [
            {"metric": {"__name__": "up"}, "value": [1, "1"]},
            {"metric": {"__name__": "rpc"}, "histogram": [1, HISTOGRAM]},
        ],
    }
    assert list(answer_lines(data, 36)) == [
        "SERIES" + "VALUE".rjust(19),
        "up" + "1".rjust(23),
        "rpc     count 7, sum 12.5",
        "",
        "rpc",
        "  [-0.001, 0.001]  1  ███▌",
        "  (0.5, 1]         2  ███████",
        "  (1, 2]           4  ██████████████",
    ]


def test_buckets_of_many_histograms_are_not_drawn() -> None:
    one = {"metric": {"__name__": "rpc"}, "histogram": [1, HISTOGRAM]}
    data = {"resultType": "vector", "result": [one] * 6}
    assert len(list(answer_lines(data, 80))) == 7


def test_a_histogram_without_buckets_has_no_bars() -> None:
    one = {"metric": {}, "histogram": [1, {"count": "0", "sum": "0"}]}
    lines = list(answer_lines({"resultType": "vector", "result": [one]}, 80))
    assert lines[-2:] == ["", "{}"]


def test_histograms_of_a_range_are_counted_and_the_last_is_shown() -> None:
    both = {
        "metric": {"a": "b"},
        "values": [[0, "3"], [60, "5"]],
        "histograms": [[120, HISTOGRAM]],
    }
    alone = {"metric": {"a": "c"}, "histograms": [[0, HISTOGRAM], [60, HISTOGRAM]]}
    data = {"resultType": "matrix", "result": [both, alone]}
    *_, first, second = answer_lines(data, 80)
    assert first.split() == ['{a="b"}', "3", "3", "5", "count", "7,", "sum", "12.5"]
    assert second.split() == ['{a="c"}', "2", "count", "7,", "sum", "12.5"]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ([1.5, "42"], "42  at 1970-01-01 00:00:01Z"),
        ([1.8e12, "NaN"], "NaN  at 1800000000000.0"),
    ],
)
def test_a_scalar_is_a_line(result: list[Any], line: str) -> None:
    assert list(answer_lines({"resultType": "scalar", "result": result}, 80)) == [line]


def test_a_range_is_a_plot_and_a_summary() -> None:
    values = [[60 * n, str(n)] for n in range(10)]
    data = {"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": values}]}
    lines = list(answer_lines(data, 60))
    assert lines[0].lstrip().startswith("9 ┤")
    assert lines[11].lstrip().startswith("0 ┤")
    assert "1970-01-01 00:00:00Z" in lines[12]
    assert "1970-01-01 00:09:00Z" in lines[12]
    assert lines[-2].split() == ["SERIES", "POINTS", "MIN", "MAX", "LAST"]
    assert lines[-1].split() == ['{a="b"}', "10", "0", "9", "9"]
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize("values", [[], [[1, "NaN"]], [[1, "NaN"], [2, "+Inf"]]])
def test_a_range_without_anything_to_draw_is_a_summary(values: list[Any]) -> None:
    data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
    assert next(answer_lines(data, 80)).startswith("SERIES")


def test_an_empty_answer_is_only_a_header() -> None:
    for kind in ("vector", "matrix"):
        assert len(list(answer_lines({"resultType": kind, "result": []}, 80))) == 1


def test_a_long_name_gives_way() -> None:
    table = Table(("SERIES", "VALUE"), (("x" * 200, "1"),))
    assert [len(line) for line in table.lines(40)] == [40, 40]


points = st.tuples(st.floats(0, 4e9), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(st.lists(points), min_size=1).filter(any), st.integers(1, 200))
def test_any_finite_points_can_be_drawn(lines: list[list[tuple[float, float]]], width: int) -> None:
    drawn = list(plot([sorted(line) for line in lines], width))
    assert len(drawn) == 13
    assert any(0x2800 < ord(char) <= 0x28FF for line in drawn for char in line)


def test_columns_of_words_are_aligned_to_the_left_and_numbers_to_the_right() -> None:
    table = Table(
        ("WHAT", "WHERE", "COUNT"), (("a", "b", "1"), ("long one", "here", "23")), words=2
    )
    assert list(table.lines(80)) == [
        "WHAT      WHERE  COUNT",
        "a         b          1",
        "long one  here      23",
    ]
