"""`format_query` splits what is longer than 100 bytes, and loses nothing."""

from hypothesis import given, settings

from bridge.promql.ast import Expr
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.pretty import prettified
from tests.promql.generators import expressions, vocabulary
from tests.promql.signatures import SIGNATURES

ALL = Features(True, True, True, True)
LONG = "a_metric_with_a_rather_long_name_that_fills_a_line"


def pretty(query: str) -> str:
    return prettified(parse(query, SIGNATURES, ALL))


@settings(max_examples=2 * settings().max_examples)
@given(expressions(vocabulary(SIGNATURES, ALL)))
def test_split_tree_parses_to_itself(expr: Expr) -> None:
    assert parse(prettified(expr), SIGNATURES, ALL) == expr


def test_what_fits_stays_on_its_line() -> None:
    assert pretty("sum(\n  x\n)") == "sum(x)"
    assert len(pretty("a" * 98 + "+b").splitlines()) == 3
    assert len(pretty("a" * 96 + "+b").splitlines()) == 1


def test_width_is_counted_in_bytes() -> None:
    assert pretty(f'x{{a="{"é" * 40}"}} + y').count("\n") == 0
    assert pretty(f'x{{a="{"é" * 46}"}} + y').count("\n") == 2


def test_binary_operation_is_split_around_its_operator() -> None:
    assert pretty(f"{LONG} * on (a) group_left (b) {LONG}") == (
        f"  {LONG}\n* on (a) group_left (b)\n  {LONG}"
    )


def test_arguments_stand_on_lines_of_their_own() -> None:
    assert pretty(f"topk by (x) (5, rate({LONG}[5m]) / rate({LONG}[5m]))") == (
        f"topk by (x) (\n  5,\n    rate({LONG}[5m])\n  /\n    rate({LONG}[5m])\n)"
    )
    assert pretty(f'label_replace(({LONG}), "{LONG}", "a", "b", "c")') == (
        f'label_replace(\n  ({LONG}),\n  "{LONG}",\n  "a",\n  "b",\n  "c"\n)'
    )


def test_sign_clings_to_its_operand() -> None:
    assert pretty(f"-({LONG} + {LONG})") == f"-(\n    {LONG}\n  +\n    {LONG}\n)"


def test_subquery_ends_where_its_expression_ends() -> None:
    assert pretty(f"avg_over_time(sum({LONG} + {LONG})[5m:1m])") == (
        f"avg_over_time(\n  sum(\n      {LONG}\n    +\n      {LONG}\n  )[5m:1m]\n)"
    )
    # Prometheus forgets the indentation of a subquery that fits.
    inner = f'{LONG}{{a="{"x" * 30}"}}[5m:]'
    assert pretty(f"quantile_over_time(0.5, {inner})") == (
        f"quantile_over_time(\n  0.5,\n{inner}\n)"
    )
