"""The grammar binds and refuses as Prometheus' does."""

import pytest

from bridge.model.errors import ParseError
from bridge.model.posrange import PosRange
from bridge.promql.ast import (
    BinaryExpr,
    Bound,
    Cardinality,
    DurationExpr,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorMatching,
    VectorSelector,
    children,
)
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.printer import to_text
from bridge.promql.selectors import parse_selector
from tests.promql.signatures import SIGNATURES

ALL = Features(True, True, True, True)


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("a or b and c unless d", "a or ((b and c) unless d)"),
        ("a + b * c ^ d ^ e", "a + (b * (c ^ (d ^ e)))"),
        ("a - b - c", "(a - b) - c"),
        ("a == b + c", "a == (b + c)"),
        ("a </ b < c", "(a </ b) < c"),
        ("a atan2 b * c", "(a atan2 b) * c"),
        ("-a ^ b", "-(a ^ b)"),
        ("-a * b", "(-a) * b"),
        ("a ^ -b * c", "(a ^ (-b)) * c"),
        ("a ^ -b ^ c", "a ^ (-(b ^ c))"),
        ("- a offset 5m + b", "(-(a offset 5m)) + b"),
        ("a offset -2^2", "(a offset -2) ^ 2"),
        ("a offset 5m * 3", "(a offset 5m) * 3"),
        ("a offset -(5m) * 3", "(a offset -(5m)) * 3"),
        ("a offset step() * 3", "(a offset step()) * 3"),
        ("sum by (x) (a)", "sum(a) by (x)"),
        ("a @ 5 offset 1m", "a offset 1m @ 5"),
        ("a + b anchored", "a + (b anchored)"),
    ],
)
def test_operators_bind_as_in_prometheus(query: str, same: str) -> None:
    assert bare(query) == bare(same)


def bare(query: str) -> str:
    """The tree as text in which every operation has its own parentheses, and nothing else has."""
    return _shape(parse(query, SIGNATURES, ALL))


def _shape(expr: Expr) -> str:
    match expr:
        case BinaryExpr():
            return f"({_shape(expr.lhs)} {expr.op} {_shape(expr.rhs)})"
        case UnaryExpr():
            return f"({expr.op}{_shape(expr.expr)})"
        case ParenExpr():
            return _shape(expr.expr)
        case _:
            return to_text(expr)


def test_parenthesised_offset_takes_the_operator_behind_it() -> None:
    tree = parse("a offset (5m) * 3", SIGNATURES)
    assert isinstance(tree, VectorSelector)
    assert isinstance(tree.offset_expr, DurationExpr)
    assert tree.offset_expr.op == "*"


def test_selector_holds_its_modifiers_and_its_name_last() -> None:
    tree = parse('a{b!="c"}[5m] @ start() offset -1500ms', SIGNATURES)
    assert isinstance(tree, MatrixSelector)
    assert tree.range == 300_000
    assert tree.selector.offset == -1500
    assert tree.selector.bound is Bound.START
    assert [str(matcher) for matcher in tree.selector.matchers] == ['b!="c"', '__name__="a"']
    assert tree.pos == PosRange(0, 38)
    assert tree.selector.pos == PosRange(0, 9)


def test_subquery_without_step_leaves_it_to_the_engine() -> None:
    tree = parse("rate(a[5m])[1h:] @ 10", SIGNATURES)
    assert isinstance(tree, SubqueryExpr)
    assert (tree.range, tree.step, tree.timestamp) == (3_600_000, 0, 10_000)


@pytest.mark.parametrize(
    ("query", "milliseconds"),
    [
        ("a[1.5]", 1500),
        ("a[0.0015]", 1),
        ("a[5m1ms]", 300_001),
        ("a[0x10]", 16_000),
        ("a[+1]", 1000),
    ],
)
def test_range_is_cut_to_milliseconds(query: str, milliseconds: int) -> None:
    tree = parse(query, SIGNATURES)
    assert isinstance(tree, MatrixSelector)
    assert tree.range == milliseconds


@pytest.mark.parametrize(
    ("query", "matching"),
    [
        ("a + b", VectorMatching(Cardinality.ONE_TO_ONE)),
        ("a and b", VectorMatching(Cardinality.MANY_TO_MANY)),
        ("a + 1", None),
        ("1 + 1", None),
        ("a + (1)", None),
        ("a / ignoring (x) b", VectorMatching(Cardinality.ONE_TO_ONE, ("x",))),
        (
            "a / on (y, x) group_left (z) b",
            VectorMatching(Cardinality.MANY_TO_ONE, ("y", "x"), True, ("z",)),
        ),
        ("a / on () group_right b", VectorMatching(Cardinality.ONE_TO_MANY, (), True)),
        ("a / fill (2) b", VectorMatching(Cardinality.ONE_TO_ONE, fill_lhs=2.0, fill_rhs=2.0)),
        ("a / fill_right (-1) b", VectorMatching(Cardinality.ONE_TO_ONE, fill_rhs=-1.0)),
    ],
)
def test_matching_is_settled_by_the_sides(query: str, matching: VectorMatching | None) -> None:
    tree = parse(query, SIGNATURES, ALL)
    assert isinstance(tree, BinaryExpr)
    assert tree.matching == matching


def test_matching_deep_in_a_tree_is_settled_too() -> None:
    tree = parse("sum(abs(-(a * 2)))", SIGNATURES)
    node = tree
    while not isinstance(node, BinaryExpr):
        (node,) = children(node)
    assert node.matching is None


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "unknown position: parse error: no expression found in input"),
        (" # x", "1:1: parse error: no expression found in input"),
        ("foo(x)", '1:1: parse error: unknown function with name "foo"'),
        ("START()", '1:1: parse error: unknown function with name "START"'),
        ("foo(x) 'a", '1:1: parse error: unknown function with name "foo"'),
        (
            "a * on (x) group_left < b",
            '1:23: parse error: unexpected <op:<> in grouping opts, expected "("',
        ),
        ("sum(a + rate(b c))", '1:16: parse error: unexpected identifier "c" in aggregation'),
        (
            "sum by (without) (a)",
            "1:9: parse error: unexpected <without> in grouping opts, expected label",
        ),
        ("sum by ('') (a)", '1:9: parse error: invalid label name for grouping: ""'),
        ("sum by ('\\xff') (a)", '1:9: parse error: invalid label name for grouping: "\\xff"'),
        ("on", "1:1: parse error: unexpected <on>"),
        ("abs(a,)", "1:6: parse error: trailing commas not allowed in function call args"),
        ("abs('a)", "1:5: parse error: unterminated quoted string"),
        ("a[0m 'x", "1:6: parse error: unterminated quoted string"),
        ("a[5m) ", "1:6: parse error: unexpected right parenthesis ')'"),
        ("(a[5m)", '1:6: parse error: unexpected ")" in subquery or range, expected ":" or "]"'),
        ("a{b=~'('}", "1:3: parse error: error parsing regexp: missing closing ): `(`"),
        ("a @ start", "1:10: parse error: unexpected end of input in @, expected timestamp"),
        ("a[5m:1m:]", "1:8: parse error: unexpected colon ':'"),
        ("a offset (step() - 5m", "1:22: parse error: unclosed left parenthesis"),
        (
            "a anchored smoothed",
            "1:1: parse error: anchored and smoothed modifiers cannot be used together",
        ),
        ("a[5m:] smoothed", "1:1: parse error: smoothed modifier is not supported for subqueries"),
        ("abs(a) anchored", "1:1: parse error: anchored modifier not implemented"),
        (
            "a and fill(1) b",
            "1:1: parse error: filling in missing series not allowed for set operators",
        ),
        (
            "a + fill(1) 2",
            "1:1: parse error: filling in missing series only allowed between instant vectors",
        ),
        (
            "info(a, 1)",
            '1:1: parse error: expected type instant vector in call to function "info", got scalar',
        ),
    ],
)
def test_wrong_query_is_told_why(query: str, error: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(query, SIGNATURES, ALL)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("query", "feature", "error"),
    [
        ("step()", "experimental_functions", 'function "step" is not enabled'),
        (
            "limitk(1, a)",
            "experimental_functions",
            (
                "limitk() is experimental and must be enabled with "
                "--enable-feature=promql-experimental-functions"
            ),
        ),
        (
            "a anchored",
            "extended_range_selectors",
            "anchored modifier is experimental and not enabled",
        ),
        (
            "a + fill(1) b",
            "fill_modifiers",
            "binop fill modifiers are experimental and not enabled",
        ),
        ("a[5m+1m]", "duration_expressions", "experimental duration expression is not enabled"),
        (
            "a offset step()",
            "duration_expressions",
            "experimental duration expression is not enabled",
        ),
    ],
)
def test_experimental_syntax_needs_its_feature(query: str, feature: str, error: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(
            query,
            SIGNATURES,
            Features(**{**dict.fromkeys(Features.__slots__, True), feature: False}),
        )
    assert caught.value.message == error
    assert parse(query, SIGNATURES, ALL) is not None


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("up", ['__name__="up"']),
        ('{a="b", "c.d"!~"e",}', ['a="b"', 'c.d!~"e"']),
        ("{}", []),
        ('sum{__name__="x"}', ['__name__="x"', '__name__="sum"']),
        ("{'my.metric'}", ['__name__="my.metric"']),
    ],
)
def test_selector_text_gives_its_matchers(text: str, matchers: list[str]) -> None:
    assert [str(matcher) for matcher in parse_selector(text)] == matchers


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "unknown position: parse error: unexpected end of input"),
        ("up[5m]", '1:3: parse error: unexpected "["'),
        ("rate(up)", '1:5: parse error: unexpected "("'),
        ("1", '1:1: parse error: unexpected number "1"'),
        ("{a", "1:3: parse error: unexpected end of input inside braces"),
    ],
)
def test_wrong_selector_text_is_told_why(text: str, error: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_selector(text)
    assert str(caught.value) == error
