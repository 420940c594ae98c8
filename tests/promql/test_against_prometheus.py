"""A real Prometheus formats, translates and refuses queries as the bridge does."""

import re
from collections.abc import Iterator
from random import Random

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from bridge.model.errors import ParseError
from bridge.promql.ast import Expr
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.pretty import prettified
from bridge.promql.printer import to_text
from bridge.promql.translate import to_json
from tests.promql.generators import expressions, vocabulary
from tests.promql.signatures import SIGNATURES
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

# The oldest Prometheus that serves as the oracle is 3.5: what is newer stays out of the queries.
OLD = Features(duration_expressions=False)
KNOWN = {name: made for name, made in SIGNATURES.items() if name != "first_over_time"}
LATER_KEYS = {"anchored", "smoothed", "fillValues", "offsetExpr", "rangeExpr", "stepExpr"}
# 3.5 forgets an empty `ignoring ()` before a group side when it prints.
LATER_WORDS = re.compile(
    r"\b(step|range|max_of|min_of|fill\w*|anchored|smoothed)\b|[<>]/|ignoring \( ?\) group_"
)
LATER_TEXTS = {
    'number, duration, step(), range(), or "]"': 'number or duration or "]"',
    "number, duration, step(), or range()": "number or duration",
    "subquery or range selector": "subquery selector",
}
# Texts of 3.5 alone: of a panic, of a letter in brackets, of a range behind `@ start()`.
OLDER_TEXTS = ("unexpected error", "unexpected colon", "@ <timestamp> may not be set", "<Item")
WORDS = "( ) [ ] { } , + == bool on by (a) 5m ' \" @ offset sum # =~ ! é : 5mm [5m] ^ = inf"


@pytest.fixture(scope="module")
def oracle(prometheus_server: PrometheusFactory) -> Iterator[httpx.Client]:
    server = prometheus_server(PrometheusOptions())
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def queries() -> list[str]:
    texts: list[str] = []

    @seed(5)
    @settings(
        max_examples=300,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(expressions(vocabulary(KNOWN, OLD)))
    def collect(expr: Expr) -> None:
        texts.append(to_text(expr))

    collect()
    return [text for text in texts if not LATER_WORDS.search(text)]


def ask(oracle: httpx.Client, path: str, query: str) -> tuple[str, object]:
    """`data` or `error` and what stands under it."""
    answer = oracle.post(path, data={"query": query}).json()
    key = "data" if answer["status"] == "success" else "error"
    return key, answer[key]


def without(tree: object, keys: set[str]) -> object:
    if isinstance(tree, dict):
        return {key: without(value, keys) for key, value in tree.items() if key not in keys}
    return [without(value, keys) for value in tree] if isinstance(tree, list) else tree


def test_formatted_queries_are_equal(oracle: httpx.Client, queries: list[str]) -> None:
    for query in queries:
        formatted = prettified(parse(query, SIGNATURES))
        assert ask(oracle, "/api/v1/format_query", query) == ("data", formatted)


def test_translated_queries_are_equal(oracle: httpx.Client, queries: list[str]) -> None:
    for query in queries:
        _, theirs = ask(oracle, "/api/v1/parse_query", query)
        ours = to_json(parse(query, SIGNATURES), SIGNATURES)
        assert without(ours, LATER_KEYS) == without(theirs, LATER_KEYS)


def damaged(query: str, chance: Random) -> str:
    """The query with something cut out, doubled or put in."""
    start = chance.randrange(len(query) + 1)
    end = start + chance.randrange(1, 6)
    word = chance.choice(WORDS.split(" "))
    other = chance.choice(["", f" {word} ", query[start:end] * 2])
    return query[:start] + other + query[end:]


def aged(text: str) -> str:
    """An error text in the words of 3.5."""
    for later, older in LATER_TEXTS.items():
        text = text.replace(later, older)
    return text


def answered(query: str) -> tuple[str, object]:
    try:
        tree = parse(query, SIGNATURES)
    except ParseError as error:
        return "error", aged(f'invalid parameter "query": {error}')
    return "data", prettified(tree)


def test_damaged_queries_get_equal_errors(oracle: httpx.Client, queries: list[str]) -> None:
    chance = Random(7)
    compared = 0
    for query in queries * 3:
        wrong = damaged(query, chance)
        key, theirs = ask(oracle, "/api/v1/format_query", wrong)
        text = str(theirs)
        if LATER_WORDS.search(wrong) or any(older in text for older in OLDER_TEXTS):
            continue
        assert answered(wrong) == (key, aged(text) if key == "error" else theirs), wrong
        compared += 1
    assert compared > len(queries) * 2
