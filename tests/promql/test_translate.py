"""`parse_query` answers with Prometheus' keys and values."""

from typing import Any

import pytest

from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.translate import to_json
from tests.promql.signatures import SIGNATURES

TIMES: dict[str, Any] = {"offset": 0, "offsetExpr": None, "timestamp": None, "startOrEnd": None}
SELECTOR: dict[str, Any] = {
    "type": "vectorSelector",
    "name": "a",
    "matchers": [{"name": "__name__", "value": "a", "type": "="}],
    "anchored": False,
    "smoothed": False,
    **TIMES,
}


def translated(query: str) -> dict[str, object]:
    return to_json(parse(query, SIGNATURES, Features(True, True, True, True)), SIGNATURES)


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a", SELECTOR),
        ("a smoothed @ end()", {**SELECTOR, "smoothed": True, "startOrEnd": "end"}),
        ("a offset -1m @ 2", {**SELECTOR, "offset": -60_000, "timestamp": 2000}),
        ("a[5m]", {**SELECTOR, "type": "matrixSelector", "range": 300_000, "rangeExpr": None}),
        ("1e21", {"type": "numberLiteral", "val": "1000000000000000000000"}),
        ("5m", {"type": "numberLiteral", "val": "300"}),
        ("'x'", {"type": "stringLiteral", "val": "x"}),
        ("(a)", {"type": "parenExpr", "expr": SELECTOR}),
        ("-a", {"type": "unaryExpr", "op": "-", "expr": SELECTOR}),
        (
            "a[1h:]",
            {"type": "subquery", "expr": SELECTOR, "range": 3_600_000, "rangeExpr": None}
            | {"step": 0, "stepExpr": None, **TIMES},
        ),
        (
            "topk without (x) (2, a)",
            {"type": "aggregation", "op": "topk", "expr": SELECTOR, "without": True}
            | {"param": {"type": "numberLiteral", "val": "2"}, "grouping": ["x"]},
        ),
        (
            "a > bool on (x) fill_left (1) a",
            {"type": "binaryExpr", "op": ">", "lhs": SELECTOR, "rhs": SELECTOR, "bool": True}
            | {
                "matching": {
                    "card": "one-to-one",
                    "labels": ["x"],
                    "on": True,
                    "include": [],
                    "fillValues": {"lhs": 1.0, "rhs": None},
                }
            },
        ),
        (
            "round(a)",
            {
                "type": "call",
                "func": {
                    "name": "round",
                    "argTypes": ["vector", "scalar"],
                    "variadic": 1,
                    "returnType": "vector",
                },
                "args": [SELECTOR],
            },
        ),
        (
            "a offset (step() + 1m)",
            {
                **SELECTOR,
                "offsetExpr": {
                    "type": "durationExpr",
                    "op": "+",
                    "lhs": {
                        "type": "durationExpr",
                        "op": "step",
                        "lhs": None,
                        "rhs": None,
                        "wrapped": False,
                    },
                    "rhs": {"type": "numberLiteral", "val": "60", "duration": True},
                    "wrapped": True,
                },
            },
        ),
    ],
)
def test_tree_becomes_the_json_of_prometheus(query: str, tree: dict[str, object]) -> None:
    assert translated(query) == tree


def test_scalar_side_has_no_matching() -> None:
    assert translated("a + 1")["matching"] is None
