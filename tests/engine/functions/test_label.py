"""Tests of functions that change labels."""

import pytest

from bridge.model.errors import ExecutionError
from tests.engine.functions.asking import ask, minutes, rows

REPLACEMENTS = [
    ('"dst", "$1", "src", "(.*)-.*"', '{__name__="x", dst="a", src="a-b"}'),
    ('"dst", "${2}x$1", "src", "(.*)-(.*)"', '{__name__="x", dst="bxa", src="a-b"}'),
    ('"dst", "$1x", "src", "(.*)-.*"', '{__name__="x", src="a-b"}'),
    ('"dst", "$$1$", "src", ".*"', '{__name__="x", dst="$1$", src="a-b"}'),
    ('"dst", "${1", "src", "(.*)"', '{__name__="x", dst="${1", src="a-b"}'),
    ('"dst", "$0", "src", ".*"', '{__name__="x", dst="a-b", src="a-b"}'),
    ('"dst", "$9", "src", ".*"', '{__name__="x", src="a-b"}'),
    ('"dst", "$l-$r", "src", "(?P<l>.*)-(?P<r>.*)"', '{__name__="x", dst="a-b", src="a-b"}'),
    ('"dst", "${l}-${r}", "src", "(?P<l>.)-(?P<r>.)"', '{__name__="x", dst="a-b", src="a-b"}'),
    ('"dst", "value", "src", "a"', '{__name__="x", src="a-b"}'),
    ('"dst", "value", "missing", ""', '{__name__="x", dst="value", src="a-b"}'),
    ('"src", "", "src", ".*"', '{__name__="x"}'),
    ('"__name__", "y", "src", ".*"', '{__name__="y", src="a-b"}'),
    ('"dst", "$1", "src", "(x)?.*"', '{__name__="x", src="a-b"}'),
    ('"ü ", "$1", "src", "(a).*"', '{__name__="x", src="a-b", "ü "="a"}'),
]


@pytest.mark.parametrize(("arguments", "expected"), REPLACEMENTS)
def test_label_replace(arguments: str, expected: str) -> None:
    found = rows(ask({'x{src="a-b"}': [1.0]}, f"label_replace(x, {arguments})"))
    assert found == {expected: [1.0]}


def test_label_replace_matches_line_breaks_and_other_scripts() -> None:
    found = ask({'x{src="é\\nb"}': [1.0]}, 'label_replace(x, "d", "$1", "src", "(.).b")')
    assert "é" in next(iter(rows(found)))


JOINS = [
    ('"dst", "-", "a", "b"', '{__name__="x", a="1", b="2", dst="1-2"}'),
    ('"dst", "-", "a", "none", "b"', '{__name__="x", a="1", b="2", dst="1--2"}'),
    ('"a", "", "none"', '{__name__="x", b="2"}'),
    ('"a", "-"', '{__name__="x", b="2"}'),
]


@pytest.mark.parametrize(("arguments", "expected"), JOINS)
def test_label_join(arguments: str, expected: str) -> None:
    found = rows(ask({'x{a="1",b="2"}': [1.0]}, f"label_join(x, {arguments})"))
    assert found == {expected: [1.0]}


def test_series_that_become_one_are_joined_where_they_do_not_overlap() -> None:
    series = {'x{a="1"}': [1.0, None], 'x{a="2"}': [None, 2.0]}
    query = 'label_replace(last_over_time(x[1m]), "a", "", "", "")'
    assert rows(ask(series, query, minutes(0, 1))) == {'{__name__="x"}': [1.0, 2.0]}


FAULTS = [
    ('label_replace(x, "d", "", "a", "(")', "invalid regular expression in label_replace(): ("),
    ('label_replace(x, "", "", "a", "(")', "invalid regular expression in label_replace(): ("),
    ('label_replace(x, "", "", "a", "")', "invalid destination label name in label_replace(): "),
    ('label_join(x, "", "-", "")', "invalid source label name in label_join(): "),
    ('label_join(x, "", "-", "a")', "invalid destination label name in label_join(): "),
    (
        'label_replace(x, "a", "same", "a", ".*")',
        "vector cannot contain metrics with the same labelset",
    ),
    ('label_join(x, "a", "")', "vector cannot contain metrics with the same labelset"),
]


@pytest.mark.parametrize(("query", "text"), FAULTS)
def test_faults(query: str, text: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        ask({'x{a="1"}': [1.0], 'x{a="2"}': [2.0]}, query)
    assert str(caught.value) == text


CLASHING = '-{__name__=~"x|y"}'
CHECKED_FIRST = [
    ('label_join(CLASHING, "", "-", "a")', "invalid destination label name in label_join(): "),
    ('label_join(CLASHING, "d", "-", "")', "invalid source label name in label_join(): "),
    ('label_replace(CLASHING, "d", "", "a", "(")', FAULTS[0][1]),
    ('label_replace(CLASHING, "d", "", "a", "")', FAULTS[-1][1]),
]


@pytest.mark.parametrize(("query", "text"), CHECKED_FIRST)
def test_what_is_written_is_checked_before_the_series(query: str, text: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        ask({"x": [1.0], "y": [1.0]}, query.replace("CLASHING", CLASHING))
    assert str(caught.value) == text
