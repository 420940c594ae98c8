"""A tree as the JSON that `parse_query` answers."""

from collections.abc import Mapping
from typing import Final, assert_never

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    Signature,
    StepInvariantExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatching,
    VectorSelector,
)
from bridge.promql.printer import float_text

Json = dict[str, object]

_NUMBER: Final = "numberLiteral"


def to_json(expr: Expr, signatures: Mapping[str, Signature]) -> Json:
    """The tree as nested dictionaries of JSON types; Prometheus writes the keys sorted.

    Source: web/api/v1/translate_ast.go.
    """
    match expr:
        case AggregateExpr():
            return _aggregation(expr, signatures)
        case BinaryExpr():
            return _binary(expr, signatures)
        case Call():
            return _call(expr, signatures)
        case MatrixSelector():
            range_ = {"range": expr.range, "rangeExpr": _duration(expr.range_expr)}
            return {"type": "matrixSelector", **range_, **_selector(expr.selector)}
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(expr)}
        case SubqueryExpr():
            return _subquery(expr, signatures)
        case NumberLiteral():
            return {"type": _NUMBER, "val": float_text(expr.value)}
        case StringLiteral():
            return {"type": "stringLiteral", "val": expr.value}
        case ParenExpr():
            return {"type": "parenExpr", "expr": to_json(expr.expr, signatures)}
        case UnaryExpr():
            return {"type": "unaryExpr", "op": expr.op, "expr": to_json(expr.expr, signatures)}
        case StepInvariantExpr():
            return to_json(expr.expr, signatures)
        case DurationExpr():
            return _duration_expr(expr)
        case _:
            assert_never(expr)


def _aggregation(expr: AggregateExpr, signatures: Mapping[str, Signature]) -> Json:
    return {
        "type": "aggregation",
        "op": expr.op,
        "expr": to_json(expr.expr, signatures),
        "param": None if expr.param is None else to_json(expr.param, signatures),
        "grouping": list(expr.grouping),
        "without": expr.without,
    }


def _binary(expr: BinaryExpr, signatures: Mapping[str, Signature]) -> Json:
    return {
        "type": "binaryExpr",
        "op": expr.op,
        "lhs": to_json(expr.lhs, signatures),
        "rhs": to_json(expr.rhs, signatures),
        "matching": None if expr.matching is None else _matching(expr.matching),
        "bool": expr.return_bool,
    }


def _matching(matching: VectorMatching) -> Json:
    return {
        "card": matching.card.value,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": matching.fill_lhs, "rhs": matching.fill_rhs},
    }


def _call(expr: Call, signatures: Mapping[str, Signature]) -> Json:
    signature = signatures[expr.func]
    return {
        "type": "call",
        "func": {
            "name": expr.func,
            "argTypes": [kind.value for kind in signature.args],
            "variadic": signature.variadic,
            "returnType": signature.returns.value,
        },
        "args": [to_json(arg, signatures) for arg in expr.args],
    }


def _subquery(expr: SubqueryExpr, signatures: Mapping[str, Signature]) -> Json:
    return {
        "type": "subquery",
        "expr": to_json(expr.expr, signatures),
        "range": expr.range,
        "rangeExpr": _duration(expr.range_expr),
        "step": expr.step,
        "stepExpr": _duration(expr.step_expr),
        **_times(expr),
    }


def _selector(expr: VectorSelector) -> Json:
    matchers = [
        {"name": matcher.name, "value": matcher.value, "type": matcher.type.value}
        for matcher in expr.matchers
    ]
    extended = {"anchored": expr.anchored, "smoothed": expr.smoothed}
    return {"name": expr.name, "matchers": matchers, **extended, **_times(expr)}


def _times(expr: VectorSelector | SubqueryExpr) -> Json:
    return {
        "offset": expr.offset,
        "offsetExpr": _duration(expr.offset_expr),
        "timestamp": expr.timestamp,
        "startOrEnd": expr.bound.value if expr.bound else None,
    }


def _duration(expr: DurationExpr | NumberLiteral | None) -> Json | None:
    if isinstance(expr, NumberLiteral):
        return {"type": _NUMBER, "val": float_text(expr.value), "duration": expr.duration}
    return None if expr is None else _duration_expr(expr)


def _duration_expr(expr: DurationExpr) -> Json:
    return {
        "type": "durationExpr",
        "op": expr.op,
        "lhs": _duration(expr.lhs),
        "rhs": _duration(expr.rhs),
        "wrapped": expr.wrapped,
    }
