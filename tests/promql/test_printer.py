"""What is printed parses to the same tree, and reads as Prometheus writes it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.promql.ast import Expr
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.printer import float_text, to_text
from tests.promql.generators import expressions, vocabulary
from tests.promql.signatures import SIGNATURES

ALL = Features(True, True, True, True)


@settings(max_examples=2 * settings().max_examples)
@given(expressions(vocabulary(SIGNATURES, ALL)))
def test_printed_tree_parses_to_itself(expr: Expr) -> None:
    assert parse(to_text(expr), SIGNATURES, ALL) == expr


@given(expressions(vocabulary(SIGNATURES, Features())))
def test_generated_tree_needs_no_experimental_feature(expr: Expr) -> None:
    assert parse(to_text(expr), SIGNATURES) == expr


OPERATORS = st.sampled_from(
    ("+", "-", "*", "/", "%", "^", "==", "<", "and", "or", "unless", "atan2", "</", "+ -", "^ -")
)


@given(st.lists(OPERATORS, max_size=12))
def test_chain_of_operators_prints_as_it_binds(operators: list[str]) -> None:
    query = "a" + "".join(
        f" {op} {name}" for op, name in zip(operators, "bcdefghijklm", strict=False)
    )
    text = to_text(parse(query, SIGNATURES))
    assert text == query.replace("- ", "-", 0) or text.replace(" ", "") == query.replace(" ", "")


@given(st.floats())
def test_number_text_gives_the_number_back(value: float) -> None:
    text = float_text(value)
    assert "e" not in text
    assert float(text) == value or math.isnan(value)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SUM(x) BY (b,a)", "sum by (b, a) (x)"),
        ("sum by () (x)", "sum(x)"),
        ("sum without () (x)", "sum without () (x)"),
        ("topk by (a) (5, x)", "topk by (a) (5, x)"),
        ('count_values("v", x)', 'count_values("v", x)'),
        ('sum by ("k8s.pod", a) (x)', 'sum by ("k8s.pod", a) (x)'),
        ("a==bool b", "a == bool b"),
        ("a + on() b", "a + on () b"),
        ("a + ignoring() b", "a + b"),
        ("a * on(x)group_left b", "a * on (x) group_left () b"),
        ("a * ignoring(x)group_right(y,z) b", "a * ignoring (x) group_right (y, z) b"),
        ("a + fill(1000000) b", "a + fill (1e+06) b"),
        ("a + fill_right(2) fill_left(-0.5) b", "a + fill_left (-0.5) fill_right (2) b"),
        ("a + fill_right(1h) b", "a + fill_right (3600) b"),
        ("a{z='1',b=~\"x\"}", 'a{b=~"x",z="1"}'),
        ('{__name__="a"}', '{__name__="a"}'),
        ('{"a.b"}', '{__name__="a.b"}'),
        ('a{"x.y"="z",""=""}', 'a{""="","x.y"="z"}'),
        ('{__name__="",b="c"}', '{__name__="",b="c"}'),
        ("a @ 1.2344", "a @ 1.234"),
        ("a offset 1h @ start()", "a @ start() offset 1h"),
        ("a[300] offset -90s @ end()", "a[5m] @ end() offset -1m30s"),
        ("a[1w] smoothed offset 1d", "a[1w] smoothed offset 1d"),
        ("a @ 5 anchored offset 1m", "a @ 5.000 anchored offset 1m"),
        ("a[(5m)]", "a[(5m)]"),
        ("a[-(-5m)]", "a[-(-5m)]"),
        ("a[(5m*2)^STEP()]", "a[(5m * 2) ^ step()]"),
        ("a[max_of(1m,RANGE()):min_of(step(),+1m)]", "a[max_of(1m, range()):min_of(step(), 1m)]"),
        ("a offset (5m+1)", "a offset (5m + 1)"),
        ("a offset -(5)", "a offset -(5)"),
        ("a offset +step()", "a offset step()"),
        # Seconds in float64 hold no millisecond of a century, in Prometheus neither.
        ("a offset 100y1ms", "a offset 100y"),
        ("a[36500d2ms]", "a[36500d1ms]"),
        ("a[90m:]", "a[1h30m:]"),
        ("a[366d:370s]", "a[366d:6m10s]"),
        ("--1", "1"),
        ("- -a", "--a"),
        ("-1^2", "-1 ^ 2"),
        ("0x1F + 017 + 1_000", "31 + 15 + 1000"),
        ("1e21", "1000000000000000000000"),
        ("-Inf + NAN", "-Inf + NaN"),
        ("90s", "1m30s"),
        ("-1d", "-1d"),
        ("'a\"\\n'", '"a\\"\\n"'),
        ("`\\d`", '"\\\\d"'),
        ("'\\xff'", '"\\xff"'),
        ("'é\u200b'", '"é\\u200b"'),
        ("a # comment\n+ b", "a + b"),
        ("start() + step()", "start() + step()"),
        ("sum", "sum"),
        ("by{without='a'}", 'by{without="a"}'),
        ("time ( )", "time()"),
        ("((a))", "((a))"),
    ],
)
def test_one_line_reads_as_prometheus_writes_it(query: str, text: str) -> None:
    assert to_text(parse(query, SIGNATURES, ALL)) == text
