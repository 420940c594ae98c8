"""No text makes the parser overflow, hang or answer with anything but a tree or a ParseError."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.errors import ParseError
from bridge.promql.ast import value_type
from bridge.promql.cursor import MAX_HEIGHT
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.pretty import prettified
from bridge.promql.printer import to_text
from bridge.promql.selectors import parse_selector
from bridge.promql.translate import to_json
from tests.promql.signatures import SIGNATURES

ALL = Features(True, True, True, True)

NESTED: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "calls": lambda n: "abs(" * n + "x" + ")" * n,
    "aggregations": lambda n: "sum by (a) (" * n + "x" + ")" * n,
    "parameters": lambda n: "topk(scalar(" * (n // 2) + "x" + "), x)" * (n // 2),
    "signs": lambda n: "-" * n + "x",
    "left operands": lambda n: "x" + " or x" * n,
    "right operands": lambda n: "x" + "^x" * n,
    "subqueries": lambda n: "sum_over_time(" * (n // 2) + "x" + "[5m:])" * (n // 2),
    "durations": lambda n: "x[" + "5m*" * n + "5m]",
    "duration parentheses": lambda n: "x[" + "(" * n + "5m" + ")" * n + "]",
}


@pytest.mark.parametrize("shape", NESTED)
def test_tree_of_the_greatest_height_can_be_walked(shape: str) -> None:
    query = NESTED[shape](MAX_HEIGHT - 3)
    tree = parse(query, SIGNATURES, ALL)
    assert value_type(tree) is value_type(parse(query, SIGNATURES, ALL))
    for text in (query, to_text(tree), prettified(tree)):
        assert same(parse(text, SIGNATURES, ALL), tree)
    assert to_json(tree, SIGNATURES)


def same(one: object, other: object) -> bool:
    """Whether two trees are equal, however high they are: `==` of Python 3.12 gives up on these."""
    rest = [(one, other)]
    while rest:
        one, other = rest.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, tuple) and isinstance(other, tuple):
            if len(one) != len(other):
                return False
            rest.extend(zip(one, other, strict=True))
        elif is_dataclass(one):
            names = (field.name for field in fields(one) if field.compare)
            rest.extend((getattr(one, name), getattr(other, name)) for name in names)
        elif one != other:
            return False
    return True


def test_trees_are_the_same_in_all_parts_or_not_at_all() -> None:
    trees = [parse(text, SIGNATURES, ALL) for text in ("x", "y", "-x", "abs(x)", 'x{a="b"}', "1")]
    for one, other in product(trees, trees):
        assert same(one, other) is (one == other)


def test_labels_of_a_matching_cost_what_they_are_many() -> None:
    on, more = (",".join(f"{name}{number}" for number in range(50_000)) for name in "ab")
    tree = parse(f"x + on({on}) group_left({more}) y", SIGNATURES, ALL)
    assert parse(to_text(tree), SIGNATURES, ALL) == tree


@pytest.mark.parametrize("shape", NESTED)
@pytest.mark.parametrize("times", [600, 20_000])
def test_deeper_text_is_refused_in_words(shape: str, times: int) -> None:
    with pytest.raises(ParseError, match="nested deeper") as caught:
        parse(NESTED[shape](times), SIGNATURES, ALL)
    assert "nested deeper than 500 levels" in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "{" + 'a="b",' * 100_000 + "}",
        'x{a=~"' + "a|" * 100_000 + '"}',
        "sum by (" + "a," * 100_000 + ") (x)",
        'label_join(x, "a"' + ', "b"' * 100_000 + ")",
        '"' + "\\x41" * 200_000 + '"',
        "'" + "é" * 400_000 + "'",
        "x # " + "y" * 1_000_000,
        "x" * 1_000_000,
        "0." + "1" * 1_000_000,
    ],
    ids=lambda query: query[:12],
)
def test_long_flat_text_is_parsed(query: str) -> None:
    parse(query, SIGNATURES, ALL)


@pytest.mark.parametrize(
    "query",
    [
        "1" * 1_000_000,
        "1" * 1_000_000 + "s",
        "1" + "0" * 60 + "_\udcff",
        "0" * 60 + "_\udcff",
        "x[" + "1h" * 300_000 + "]",
        "x," * 300_000,
        "\udcff" * 9,
    ],
    ids=lambda query: query[:4].encode("ascii", "replace").decode(),
)
def test_long_wrong_text_gets_an_error(query: str) -> None:
    with pytest.raises(ParseError):
        parse(query, SIGNATURES, ALL)


FRAGMENTS = (
    "( ) [ ] { } , + - * / % ^ == != < > =~ !~ = ! @ : ; ~ # ` ' \" \\ . _ $ "
    "foo sum by on (a) 5m 1.5 0x 1e 5mm NaN inf offset start() step() step bool group_left fill( "
    "[5m] [5m:] @5 a:b and or anchored max_of( min_of(1,2) rate( topk(1, "
    '{a="b"} "x"= é \udcff \u2028 \ufffd \\x41 1_0 017 0d'
)


def answered(query: str) -> bool:
    """Whether a query has a tree (that can be written down) or else an error within the text."""
    try:
        tree = parse(query, SIGNATURES, ALL)
    except ParseError as error:
        return 0 <= error.pos.start <= len(query.encode("utf-8", "surrogateescape"))
    return prettified(tree) != "" and to_json(tree, SIGNATURES) != {}


@given(st.lists(st.sampled_from(FRAGMENTS.split(" ")), max_size=15), st.sampled_from(["", " "]))
def test_any_text_gets_a_tree_or_a_parse_error(fragments: list[str], space: str) -> None:
    assert answered(space.join(fragments))


@given(st.text(max_size=30))
def test_any_selector_text_gets_matchers_or_a_parse_error(text: str) -> None:
    for selector in (text, f"x{{{text}}}", f"{{a='{text}'}}"):
        with suppress(ParseError):
            assert isinstance(parse_selector(selector), tuple)
