"""What may stand behind an operand (offset, @, brackets, anchored) or a binary operator."""

import math
from dataclasses import dataclass, replace
from typing import Final

from bridge.model.posrange import PosRange
from bridge.promql.ast import (
    Bound,
    Cardinality,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    SubqueryExpr,
    VectorMatching,
    VectorSelector,
)
from bridge.promql.cursor import Cursor
from bridge.promql.durations import (
    RANGE,
    STEP,
    Duration,
    number_literal,
    offset_duration,
    positive_duration,
)
from bridge.promql.features import Features
from bridge.promql.numbers import milliseconds
from bridge.promql.selectors import label_list
from bridge.promql.tokens import DURATION, NUMBER, OPERAND_STARTS

_Selector = VectorSelector | MatrixSelector | SubqueryExpr
_AFTER_SELECTOR: Final = (
    "modifier must be preceded by an instant vector selector or range vector selector or a subquery"
)
_OPENERS: Final = frozenset({"offset", "@", "[", "anchored", "smoothed"})


def modified(cursor: Cursor, expr: Expr, features: Features) -> Expr:
    """The operand with all modifiers that follow it."""
    while cursor.kind in _OPENERS:
        match cursor.kind:
            case "offset":
                expr = _offset(cursor, expr, features)
            case "@":
                expr = _at(cursor, expr)
            case "[":
                expr = _bracket(cursor, expr, features)
            case _:
                expr = _extended(cursor, expr, features)
    return expr


def _literal_and_expr(duration: Duration) -> tuple[int, DurationExpr | None]:
    if isinstance(duration, NumberLiteral):
        return milliseconds(duration.value), None
    return 0, duration


def _times(expr: _Selector) -> VectorSelector | SubqueryExpr:
    """The node that holds offset and `@` of a selector."""
    return expr.selector if isinstance(expr, MatrixSelector) else expr


def _retimed(expr: _Selector, times: VectorSelector | SubqueryExpr, end: int) -> _Selector:
    pos = PosRange(expr.pos.start, end)
    if isinstance(expr, MatrixSelector):
        assert isinstance(times, VectorSelector)
        return replace(expr, selector=times, pos=pos)
    return replace(times, pos=pos)


def _offset(cursor: Cursor, expr: Expr, features: Features) -> Expr:
    cursor.advance()
    literal, arithmetic = _literal_and_expr(offset_duration(cursor, features))
    if not isinstance(expr, _Selector):
        raise cursor.error_at(f"offset {_AFTER_SELECTOR}", expr.pos)
    times = _times(expr)
    if times.offset or times.offset_expr:
        raise cursor.error_at("offset may not be set multiple times", expr.pos)
    return _retimed(expr, replace(times, offset=literal, offset_expr=arithmetic), cursor.end)


def _at(cursor: Cursor, expr: Expr) -> Expr:
    cursor.advance()
    bound, seconds = None, 0.0
    if cursor.kind in ("start", "end"):
        bound = Bound(cursor.advance().kind)
        cursor.expect("(", "@", "timestamp")
        cursor.expect(")", "@", "timestamp")
    else:
        seconds = _signed_number(cursor)
        _check_timestamp(cursor, expr, seconds)
    if not isinstance(expr, _Selector):
        raise cursor.error_at(f"@ {_AFTER_SELECTOR}", expr.pos)
    times = _times(expr)
    if times.timestamp is not None or times.bound:
        raise cursor.error_at("@ <timestamp> may not be set multiple times", expr.pos)
    timestamp = None if bound else _timestamp(seconds)
    return _retimed(expr, replace(times, timestamp=timestamp, bound=bound), cursor.end)


def _signed_number(cursor: Cursor) -> float:
    sign = cursor.advance().kind if cursor.kind in ("+", "-") else "+"
    if cursor.kind not in (NUMBER, DURATION):
        raise cursor.unexpected("@", "timestamp")
    value = number_literal(cursor).value
    return -value if sign == "-" else value


def _check_timestamp(cursor: Cursor, expr: Expr, seconds: float) -> None:
    if math.isfinite(seconds) and abs(seconds) < 2.0**63:
        return
    shown = f"{seconds:.6f}"
    if not math.isfinite(seconds):
        shown = "NaN" if math.isnan(seconds) else f"{'+' if seconds > 0 else '-'}Inf"
    raise cursor.error_at(f"timestamp out of bounds for @ modifier: {shown}", expr.pos)


def _timestamp(seconds: float) -> int:
    """Seconds to ms, half away from zero; beyond 64 bits what amd64 makes of it."""
    scaled = abs(seconds * 1000)
    whole = math.floor(scaled)
    whole += scaled - whole >= 0.5
    rounded = whole if seconds >= 0 else -whole
    return rounded if -(2**63) <= rounded < 2**63 else -(2**63)


def _bracket(cursor: Cursor, expr: Expr, features: Features) -> Expr:
    start = cursor.advance().start
    range_, range_expr = _literal_and_expr(positive_duration(cursor, features, RANGE))
    if cursor.kind == "]":
        end = cursor.token.end
        selector = _rangeable(cursor, expr, PosRange(start, end))
        cursor.advance()
        pos = PosRange(expr.pos.start, end)
        return MatrixSelector(selector, range_, range_expr, pos=pos)
    cursor.expect(":", "subquery or range", '":" or "]"')
    step, step_expr = 0, None
    if cursor.kind != "]":
        step, step_expr = _literal_and_expr(positive_duration(cursor, features, STEP))
    cursor.expect("]", "subquery selector", '"]"')
    pos = PosRange(expr.pos.start, cursor.end)
    return SubqueryExpr(expr, range_, step, range_expr=range_expr, step_expr=step_expr, pos=pos)


def _rangeable(cursor: Cursor, expr: Expr, bracket: PosRange) -> VectorSelector:
    if not isinstance(expr, VectorSelector):
        raise cursor.error_at("ranges only allowed for vector selectors", bracket)
    if expr.offset or expr.offset_expr:
        raise cursor.error_at("no offset modifiers allowed before range", bracket)
    if expr.timestamp is not None or expr.bound:
        raise cursor.error_at("no @ modifiers allowed before range", bracket)
    return expr


def _extended(cursor: Cursor, expr: Expr, features: Features) -> Expr:
    """`anchored` or `smoothed`; they do not count into the node's position."""
    word = cursor.advance().kind
    if not features.extended_range_selectors:
        raise cursor.error_at(f"{word} modifier is experimental and not enabled", expr.pos)
    if isinstance(expr, SubqueryExpr):
        raise cursor.error_at(f"{word} modifier is not supported for subqueries", expr.pos)
    if not isinstance(expr, VectorSelector | MatrixSelector):
        raise cursor.error_at(f"{word} modifier not implemented", expr.pos)
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if selector.smoothed if word == "anchored" else selector.anchored:
        text = "anchored and smoothed modifiers cannot be used together"
        raise cursor.error_at(text, expr.pos)
    anchored = selector.anchored or word == "anchored"
    selector = replace(selector, anchored=anchored, smoothed=selector.smoothed or not anchored)
    return replace(expr, selector=selector) if isinstance(expr, MatrixSelector) else selector


@dataclass(frozen=True, slots=True)
class OperatorModifiers:
    """What stands between a binary operator and its right operand."""

    return_bool: bool
    matching: VectorMatching


_PLAIN: Final = OperatorModifiers(False, VectorMatching(Cardinality.ONE_TO_ONE))
_OPERATOR_MODIFIERS: Final = frozenset(
    {"bool", "on", "ignoring", "fill", "fill_left", "fill_right"}
)


def operator_modifiers(cursor: Cursor) -> OperatorModifiers:
    """`bool`, `on` or `ignoring` with a group side, and fill values; each may be absent."""
    if cursor.kind not in _OPERATOR_MODIFIERS:
        return _PLAIN
    return_bool = cursor.kind == "bool"
    if return_bool:
        cursor.advance()
    matching = _PLAIN.matching
    if cursor.kind in ("on", "ignoring"):
        matching = _grouped_matching(cursor)
    if cursor.kind in ("fill", "fill_left", "fill_right"):
        matching = _filled(cursor, matching)
    return OperatorModifiers(return_bool, matching)


def _grouped_matching(cursor: Cursor) -> VectorMatching:
    on = cursor.advance().kind == "on"
    labels = label_list(cursor)
    if cursor.kind not in ("group_left", "group_right"):
        return VectorMatching(Cardinality.ONE_TO_ONE, labels, on)
    many_left = cursor.advance().kind == "group_left"
    card = Cardinality.MANY_TO_ONE if many_left else Cardinality.ONE_TO_MANY
    include = () if cursor.kind in OPERAND_STARTS - {"("} else label_list(cursor)
    return VectorMatching(card, labels, on, include)


def _filled(cursor: Cursor, matching: VectorMatching) -> VectorMatching:
    first = cursor.advance().kind
    value = _fill_value(cursor)
    if first == "fill":
        return replace(matching, fill_lhs=value, fill_rhs=value)
    other: float | None = None
    if cursor.kind == ("fill_right" if first == "fill_left" else "fill_left"):
        cursor.advance()
        other = _fill_value(cursor)
    lhs, rhs = (value, other) if first == "fill_left" else (other, value)
    return replace(matching, fill_lhs=lhs, fill_rhs=rhs)


def _fill_value(cursor: Cursor) -> float:
    cursor.expect("(")
    sign = cursor.advance().kind if cursor.kind in ("+", "-") else "+"
    if cursor.kind not in (NUMBER, DURATION):
        raise cursor.unexpected()
    value = number_literal(cursor).value
    cursor.expect(")")
    return -value if sign == "-" else value
