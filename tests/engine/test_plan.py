"""Tests of what a query reads, and at which steps subqueries are evaluated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.functions import FUNCTIONS, signatures
from bridge.engine.passes import Setting, rewritten
from bridge.engine.plan import Plan, Timing, plan, rows_of_values, subquery_steps
from bridge.model.time import Steps
from bridge.promql.ast import NumberLiteral, SubqueryExpr
from bridge.promql.features import Features
from bridge.promql.parser import parse

MINUTE = 60_000
LOOKBACK = 5 * MINUTE
_FEATURES = Features(experimental_functions=True, extended_range_selectors=True)


def planned(text: str, steps: Steps, lookback: int = LOOKBACK) -> Plan:
    """The plan of a query; subqueries step a minute by default."""
    expr = parse(text, signatures(), _FEATURES)
    return plan(rewritten(expr, Setting(steps, FUNCTIONS)), steps, Timing(lookback, MINUTE))


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("x", "x"),
        ("-rate(x[5m]) / 2", "x"),
        ("x + on() group_left() y", "xy"),
        ("absent(x)", "x"),
        ("x + sum(y)", "x"),
        ("x + (y @ 0)", "x"),
        ("max_over_time(x[5m:1m]) + y", "y"),
        ("rate(x[1h] @ 600)", ""),
        ("predict_linear(x[5m] @ 600, 60)", "x"),
        ("topk(1, x)", ""),
    ],
)
def test_reads_whose_series_are_rows_of_a_value_at_all_steps(query: str, rows: str) -> None:
    steps = Steps(0, 10 * MINUTE, MINUTE)
    found = rows_of_values(planned(query, steps), steps)
    assert sorted(one.matchers[0].value for one in found) == sorted(rows)


def test_a_read_of_another_time_brings_no_rows() -> None:
    steps = Steps(0, 10 * MINUTE, MINUTE)
    found = rows_of_values(planned("x + sum(x offset 1w)", steps), steps)
    assert [one.end for one in found] == [10 * MINUTE]


@pytest.mark.parametrize(
    ("query", "steps", "windows"),
    [
        ("x", (10, 10), [(5, 10)]),
        ("x", (10, 20), [(5, 20)]),
        ("x offset 3m", (10, 20), [(2, 17)]),
        ("x offset -3m", (10, 20), [(8, 23)]),
        ("x @ 600", (20, 30), [(5, 10)]),
        ("x @ 600 offset 1m", (20, 30), [(4, 9)]),
        ("x @ start()", (20, 30), [(15, 20)]),
        ("x @ end()", (20, 30), [(25, 30)]),
        ("rate(x[2m])", (10, 20), [(8, 20)]),
        ("rate(x[2m] offset 1m)", (10, 20), [(7, 19)]),
        ("rate(x[2m] @ 600)", (20, 30), [(8, 10)]),
        ("max_over_time(x[10m:2m])", (20, 30), [(7, 30)]),
        ("max_over_time(x[10m:2m] offset 1m)", (20, 30), [(5, 28)]),
        ("max_over_time(x[10m:3m] @ 600)", (20, 30), [(-2, 9)]),
        ("max_over_time(rate(x[1m])[10m:])", (20, 30), [(10, 30)]),
        ("max_over_time((x @ 600)[10m:])", (20, 30), [(5, 10)]),
        ("max_over_time(max_over_time(x[4m:1m])[10m:2m])", (20, 30), [(4, 30)]),
        ("x + rate(x[15m]) + x offset 1m", (10, 20), [(-5, 20)]),
        ("x + x offset 1h", (100, 110), [(35, 50), (95, 110)]),
        ("x offset 10m + x + x offset 5m", (10, 12), [(-5, 12)]),
        ("x @ 600 + x @ 60000", (20, 30), [(5, 10), (995, 1000)]),
        ("rate(x[2m] anchored)", (10, 20), [(3, 20)]),
        ("rate(x[2m] smoothed offset 1m)", (10, 20), [(2, 24)]),
        ("x smoothed", (10, 20), [(5, 25)]),
        ("x anchored", (10, 20), [(5, 20)]),
        ("time() + 1", (10, 20), []),
        ("max_over_time(x[1s:1m])", (10, 10), [(5, 10)]),
    ],
)
def test_windows_are_exact(
    query: str, steps: tuple[int, int], windows: list[tuple[int, int]]
) -> None:
    start, end = steps
    selects = planned(query, Steps(start * MINUTE, end * MINUTE, MINUTE)).selects
    found = [(select.start, select.end) for select in selects]
    # A window does not hold its first millisecond.
    assert sorted(found) == [(low * MINUTE + 1, high * MINUTE) for low, high in windows]


def test_the_last_window_ends_at_the_last_step_not_at_the_end() -> None:
    (select,) = planned("x", Steps(0, 10 * MINUTE - 1, 4 * MINUTE)).selects
    assert select.end == 8 * MINUTE


def test_a_subquery_without_steps_reads_nothing() -> None:
    at = Steps.at(10 * MINUTE + 30_000)
    assert planned("max_over_time(x[1s:1m])", at).selects == ()


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ('x{a="1",b="2"} + x{b="2",a="1"}', 1),
        ('x + {__name__="x"}', 1),
        ('x{a="1",a="1"} + x{a="1"}', 1),
        ("x + y", 2),
        ('x{a="1"} + x{a!="1"}', 2),
        ('x{a="1"} + x{a=~"1"}', 2),
    ],
)
def test_equal_selections_are_one_read(query: str, reads: int) -> None:
    assert len(planned(query, Steps.at(0)).selects) == reads


@given(
    st.integers(-1000, 1000),
    st.integers(0, 300),
    st.integers(1, 50),
    st.integers(1, 200),
    st.integers(-100, 100),
    st.integers(1, 70),
)
def test_subqueries_step_at_multiples_of_their_step(
    start: int, length: int, interval: int, range_: int, offset: int, step: int
) -> None:
    steps = Steps(start, start + length, interval)
    expr = SubqueryExpr(NumberLiteral(1.0), range_, step, offset)
    found = subquery_steps(expr, steps, MINUTE).times().tolist()
    low, high = start - offset - range_, steps.last - offset
    assert found == [time for time in range(low + 1, high + 1) if time % step == 0]


@pytest.mark.parametrize(
    ("expr", "steps"),
    [
        (SubqueryExpr(NumberLiteral(1.0), 10), Steps(-7, 13, 7)),
        (SubqueryExpr(NumberLiteral(1.0), 10, timestamp=100), Steps(91, 100, 7)),
        (SubqueryExpr(NumberLiteral(1.0), 10, 3, timestamp=100), Steps(93, 100, 3)),
        (SubqueryExpr(NumberLiteral(1.0), 10, 3, 4, timestamp=100), Steps(87, 96, 3)),
    ],
)
def test_default_step_and_fixed_time_of_subqueries(expr: SubqueryExpr, steps: Steps) -> None:
    found = subquery_steps(expr, Steps(-1, 13, 7), 7)
    assert found.times().tolist() == steps.times().tolist()


@pytest.mark.parametrize(
    ("query", "matchers", "window"),
    [
        ("info(x)", '__name__="target_info"', (5, 20)),
        ("info(x, {})", '__name__="target_info"', (5, 20)),
        ('info(x, {a="b"})', '__name__="target_info",a="b"', (5, 20)),
        ('info(x, {__name__=~".*"})', '__name__=~".*"', (5, 20)),
        ('info(x, {__name__!="i"})', '__name__!="i",__name__=~".+_info"', (5, 20)),
        ("info(rate(x[9m] offset 3m), {} offset 1h)", '__name__="target_info"', (2, 17)),
        ("info(x @ 600 offset 1m + x)", '__name__="target_info"', (4, 9)),
        ("info(topk(scalar(y @ 60), x))", '__name__="target_info"', (5, 20)),
        ("info(sum_over_time((x offset 1m)[5m:1m] @ 900))", '__name__="target_info"', (9, 14)),
        ("info(sum_over_time((x @ 900)[5m:1m] offset 1h))", '__name__="target_info"', (10, 15)),
        ("info(vector(1))", '__name__="target_info"', (5, 20)),
        ("max_over_time(info(x)[5m:1m])", '__name__="target_info"', (1, 20)),
    ],
)
def test_info_series_are_read_for_all_instances(
    query: str, matchers: str, window: tuple[int, int]
) -> None:
    selects = planned(query, Steps(10 * MINUTE, 20 * MINUTE, MINUTE)).selects
    (found,) = (
        select for select in selects if ",".join(sorted(map(str, select.matchers))) == matchers
    )
    assert (found.start // MINUTE, found.end // MINUTE) == window
    assert all(matcher.name not in ("instance", "job") for matcher in found.matchers)
