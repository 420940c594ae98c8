"""An expression as the JSON that parse_query shows.

Source of the shape: web/api/v1/translate_ast.go of Prometheus.
"""

import math
from typing import Any, assert_never

from bridge.engine.functions import FUNCTIONS
from bridge.model.annotations import go_general
from bridge.model.labels import Matcher
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Bound,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StepInvariantExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatching,
    VectorSelector,
)
from bridge.promql.printer import float_text

Tree = dict[str, Any]


def tree(expr: Expr) -> Tree:
    """The tree of an expression: dicts, lists, texts and numbers."""
    match expr:
        case AggregateExpr():
            return _aggregation(expr)
        case BinaryExpr():
            return _binary(expr)
        case Call():
            return _call(expr)
        case MatrixSelector():
            span = {"range": expr.range, "rangeExpr": _duration(expr.range_expr)}
            return _selector(expr.selector) | span | {"type": "matrixSelector"}
        case VectorSelector():
            return _selector(expr)
        case SubqueryExpr():
            return _subquery(expr)
        case DurationExpr():
            return _duration_expr(expr)
        case NumberLiteral():
            return {"type": "numberLiteral", "val": float_text(expr.value)}
        case StringLiteral():
            return {"type": "stringLiteral", "val": expr.value}
        case ParenExpr():
            return {"type": "parenExpr", "expr": tree(expr.expr)}
        case UnaryExpr():
            return {"type": "unaryExpr", "op": expr.op, "expr": tree(expr.expr)}
        case StepInvariantExpr():
            return tree(expr.expr)
        case _:
            assert_never(expr)


def _aggregation(expr: AggregateExpr) -> Tree:
    return {
        "type": "aggregation",
        "op": expr.op,
        "expr": tree(expr.expr),
        "param": None if expr.param is None else tree(expr.param),
        "grouping": list(expr.grouping),
        "without": expr.without,
    }


def _binary(expr: BinaryExpr) -> Tree:
    return {
        "type": "binaryExpr",
        "op": expr.op,
        "lhs": tree(expr.lhs),
        "rhs": tree(expr.rhs),
        "matching": None if expr.matching is None else _matching(expr.matching),
        "bool": expr.return_bool,
    }


def _matching(matching: VectorMatching) -> Tree:
    return {
        "card": matching.card.value,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": _fill(matching.fill_lhs), "rhs": _fill(matching.fill_rhs)},
    }


def _fill(value: float | None) -> float | str | None:
    # JSON has no number for NaN and the infinities.
    return value if value is None or math.isfinite(value) else go_general(value)


def _call(call: Call) -> Tree:
    signature = FUNCTIONS[call.func].signature
    return {
        "type": "call",
        "func": {
            "name": signature.name,
            "argTypes": [kind.value for kind in signature.args],
            "variadic": signature.variadic,
            "returnType": signature.returns.value,
        },
        "args": [tree(arg) for arg in call.args],
    }


def _selector(selector: VectorSelector) -> Tree:
    return {
        "type": "vectorSelector",
        "name": selector.name,
        "offset": selector.offset,
        "offsetExpr": _duration(selector.offset_expr),
        "matchers": [_matcher(matcher) for matcher in selector.matchers],
        "timestamp": selector.timestamp,
        "startOrEnd": _bound(selector.bound),
        "anchored": selector.anchored,
        "smoothed": selector.smoothed,
    }


def _matcher(matcher: Matcher) -> Tree:
    return {"name": matcher.name, "value": matcher.value, "type": matcher.type.value}


def _bound(bound: Bound | None) -> str | None:
    return None if bound is None else bound.value


def _subquery(expr: SubqueryExpr) -> Tree:
    return {
        "type": "subquery",
        "expr": tree(expr.expr),
        "range": expr.range,
        "rangeExpr": _duration(expr.range_expr),
        "offset": expr.offset,
        "offsetExpr": _duration(expr.offset_expr),
        "step": expr.step,
        "stepExpr": _duration(expr.step_expr),
        "timestamp": expr.timestamp,
        "startOrEnd": _bound(expr.bound),
    }


def _duration(expr: DurationExpr | NumberLiteral | None) -> Tree | None:
    match expr:
        case None:
            return None
        case DurationExpr():
            return _duration_expr(expr)
        case NumberLiteral():
            return tree(expr) | {"duration": expr.duration}


def _duration_expr(expr: DurationExpr) -> Tree:
    return {
        "type": "durationExpr",
        "op": expr.op,
        "lhs": _duration(expr.lhs),
        "rhs": _duration(expr.rhs),
        "wrapped": expr.wrapped,
    }
