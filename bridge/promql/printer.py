"""A tree as one line of text, as Prometheus writes it."""

import math
import re
from decimal import Decimal
from typing import Final, assert_never

from bridge.model.annotations import go_general
from bridge.model.labels import METRIC_NAME, Matcher, MatchType, quoted
from bridge.model.time import format_duration
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Cardinality,
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

_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def to_text(expr: Expr) -> str:
    """The expression on one line; parsing it again gives an equal tree.

    Only `info(x, {})` comes out as `info(x, )`, as in Prometheus.

    Source: promql/parser/printer.go.
    """
    match expr:
        case AggregateExpr():
            param = "" if expr.param is None else to_text(expr.param) + ", "
            return f"{aggregation_head(expr)}({param}{to_text(expr.expr)})"
        case BinaryExpr():
            return f"{to_text(expr.lhs)} {operator_text(expr)} {to_text(expr.rhs)}"
        case Call():
            return f"{expr.func}({', '.join([to_text(arg) for arg in expr.args])})"
        case SubqueryExpr():
            return to_text(expr.expr) + subquery_text(expr)
        case ParenExpr():
            return f"({to_text(expr.expr)})"
        case UnaryExpr():
            return expr.op + to_text(expr.expr)
        case StepInvariantExpr():
            return to_text(expr.expr)
        case DurationExpr():
            return f"({_duration(expr)})" if expr.wrapped else _duration(expr)
        case VectorSelector():
            return f"{_bare_selector(expr)}{_at(expr)}{_extended(expr)}{_offset(expr)}"
        case MatrixSelector():
            return _matrix_selector(expr)
        case NumberLiteral():
            return _number(expr)
        case StringLiteral():
            return quoted(expr.value)
        case _:
            assert_never(expr)


def float_text(value: float) -> str:
    """A number without exponent in the fewest digits that give it back: Go's FormatFloat 'f'."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def aggregation_head(expr: AggregateExpr) -> str:
    """An aggregation's operator and grouping, up to its parenthesis."""
    if expr.without:
        return f"{expr.op} without ({_labels(expr.grouping)}) "
    return f"{expr.op} by ({_labels(expr.grouping)}) " if expr.grouping else expr.op


def operator_text(expr: BinaryExpr) -> str:
    """A binary operator and its modifiers."""
    matching = "" if expr.matching is None else _matching(expr.matching)
    return f"{expr.op}{' bool' if expr.return_bool else ''}{matching}"


def _matching(matching: VectorMatching) -> str:
    one_sided = matching.card in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
    text = ""
    if matching.labels or matching.on or one_sided:
        text += f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if one_sided:
        side = "left" if matching.card is Cardinality.MANY_TO_ONE else "right"
        text += f" group_{side} ({_labels(matching.include)})"
    lhs, rhs = matching.fill_lhs, matching.fill_rhs
    if lhs is not None and lhs == rhs:
        return f"{text} fill ({go_general(lhs)})"
    text += "" if lhs is None else f" fill_left ({go_general(lhs)})"
    return text + ("" if rhs is None else f" fill_right ({go_general(rhs)})")


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join([label_text(label) for label in labels])


def label_text(name: str) -> str:
    """A label name, quoted where it is not a word."""
    return name if _LEGACY_NAME.fullmatch(name) else quoted(name)


def _bare_selector(expr: VectorSelector) -> str:
    """A selector's name and matchers, sorted as text; the matcher of a bare name is left out."""
    shown = [
        f"{label_text(matcher.name)}{matcher.type}{quoted(matcher.value)}"
        for matcher in expr.matchers
        if not _is_name(matcher, expr.name)
    ]
    return f"{expr.name}{{{','.join(sorted(shown))}}}" if shown else expr.name


def _is_name(matcher: Matcher, name: str) -> bool:
    return (
        matcher.name == METRIC_NAME
        and matcher.type is MatchType.EQUAL
        and matcher.value == name != ""
    )


def _matrix_selector(expr: MatrixSelector) -> str:
    selector = expr.selector
    range_ = _duration_or(expr.range, expr.range_expr)
    tail = f"{_extended(selector)}{_at(selector)}{_offset(selector)}"
    return f"{_bare_selector(selector)}[{range_}]{tail}"


def subquery_text(expr: SubqueryExpr) -> str:
    """What makes a subquery of an expression: brackets, `@` and offset."""
    range_ = _duration_or(expr.range, expr.range_expr)
    step = ""
    if expr.step:
        step = format_duration(expr.step)
    elif expr.step_expr is not None:
        step = to_text(expr.step_expr)
    return f"[{range_}:{step}]{_at(expr)}{_offset(expr)}"


def _duration_or(literal: int, arithmetic: DurationExpr | None) -> str:
    return format_duration(literal) if arithmetic is None else to_text(arithmetic)


def _at(expr: VectorSelector | SubqueryExpr) -> str:
    if expr.timestamp is not None:
        return f" @ {expr.timestamp / 1000:.3f}"
    return f" @ {expr.bound}()" if expr.bound else ""


def _extended(expr: VectorSelector) -> str:
    if expr.anchored:
        return " anchored"
    return " smoothed" if expr.smoothed else ""


def _offset(expr: VectorSelector | SubqueryExpr) -> str:
    if expr.offset_expr is None and not expr.offset:
        return ""
    return f" offset {_duration_or(expr.offset, expr.offset_expr)}"


def _duration(expr: DurationExpr) -> str:
    match expr.op:
        case "step" | "range":
            return f"{expr.op}()"
        case "min_of" | "max_of":
            return f"{expr.op}({_side(expr.lhs)}, {_side(expr.rhs)})"
        case op if expr.lhs is None:
            # A unary plus only marks a parenthesised number.
            return f"{'' if op == '+' else op}{_side(expr.rhs)}"
        case op:
            return f"{_side(expr.lhs)} {op} {_side(expr.rhs)}"


def _side(expr: DurationExpr | NumberLiteral | None) -> str:
    return "" if expr is None else to_text(expr)


def _number(expr: NumberLiteral) -> str:
    if not expr.duration:
        return float_text(expr.value)
    text = format_duration(int(abs(expr.value) * 1e9) // 1_000_000)
    return f"-{text}" if expr.value < 0 else text
