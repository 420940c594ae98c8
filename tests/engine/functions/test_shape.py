"""Tests of functions of a whole vector."""

import pytest

from bridge.model.time import Steps
from tests.engine.functions.asking import INF, MINUTE, NAN, Values, ask, minutes, rows, same

ABSENCES = [
    ("absent(none)", "{}"),
    ('absent(none{a="1", b!="2", c=~"3"})', '{a="1"}'),
    ('absent(none{a="1", a="2", b="3"})', '{b="3"}'),
    ('absent(none{a="1", a=~"2", b="3"})', '{b="3"}'),
    ('absent(none{a!="x", a="1"})', '{a="1"}'),
    ('absent(none{a="1", a!="x"})', "{}"),
    ('absent(none{a=~"1", a="2"})', '{a="2"}'),
    ('absent({__name__="none", a="1"})', '{a="1"}'),
    ('absent(((none{a="1"})))', '{a="1"}'),
    ('absent(none{a="1"} @ 60)', '{a="1"}'),
    ('absent(sum(none{a="1"}))', "{}"),
    ('absent_over_time(none{a="1"}[5m])', '{a="1"}'),
    ('absent_over_time(none{a="1"}[5m:1m])', "{}"),
]


@pytest.mark.parametrize(("query", "labels"), ABSENCES)
def test_absence_has_the_labels_that_the_selector_fixes(query: str, labels: str) -> None:
    assert rows(ask({"x": [1.0]}, query)) == {labels: [1.0]}


def test_absence_is_step_by_step() -> None:
    series: dict[str, Values] = {
        'x{a="1"}': [1.0, None, None, None],
        'x{a="2"}': [None, None, None, 1.0],
    }
    steps = minutes(0, 3)
    assert rows(ask(series, "absent_over_time(x[1m])", steps)) == {"{}": [None, 1.0, 1.0, None]}
    assert rows(ask(series, "absent(x)", steps)) == {}


def test_scalar_is_nan_unless_there_is_exactly_one() -> None:
    series: dict[str, Values] = {'x{a="1"}': [-0.0, 1.0, NAN], 'x{a="2"}': [None, 2.0, NAN]}
    found = rows(ask(series, "scalar(sum_over_time(x[1m]) != -1)", minutes(0, 2)))["{}"]
    assert [same(one, other) for one, other in zip(found, [0.0, NAN, NAN], strict=True)] == [
        True
    ] * 3
    assert same(rows(ask(series, "scalar(x)", Steps.at(0)))[""][0], -0.0)
    assert same(rows(ask(series, "scalar(none)"))[""][0], NAN)


def test_vector_has_no_labels() -> None:
    assert rows(ask({}, "vector(time())", minutes(0, 1))) == {"{}": [0.0, 60.0]}


def order(query: str, values: list[float]) -> list[str]:
    series = {f'x{{n="{n}"}}': [value] for n, value in enumerate(values)}
    return [name[len('{__name__="x", n="') : -2] for name in rows(ask(series, query))]


def test_sort_puts_nan_last_either_way() -> None:
    values = [3.0, NAN, -INF, 1.0, INF]
    assert order("sort(x)", values) == ["2", "3", "0", "4", "1"]
    assert order("sort_desc(x)", values) == ["4", "0", "3", "2", "1"]


def test_sort_keeps_the_order_of_equal_values() -> None:
    assert order("sort_desc(x)", [1.0, 2.0, 1.0, 2.0]) == ["1", "3", "0", "2"]


def test_sort_in_a_range_query_is_of_no_effect() -> None:
    series = {'x{a="1"}': [2.0, 2.0], 'x{a="2"}': [1.0, 1.0]}
    result = ask(series, " sort(x)", Steps(0, MINUTE, MINUTE))
    assert list(rows(result)) == ['{__name__="x", a="1"}', '{__name__="x", a="2"}']
    text = "sort is ineffective for range queries since results are always ordered by labels"
    assert result.warnings == (f"PromQL warning: {text} (1:2)",)
