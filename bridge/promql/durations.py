"""Durations: literals and arithmetic in brackets and behind `offset`."""

from dataclasses import replace
from typing import Final, NamedTuple

from bridge.model.posrange import PosRange
from bridge.promql.ast import DurationExpr, NumberLiteral
from bridge.promql.cursor import MAX_HEIGHT, Cursor
from bridge.promql.features import Features
from bridge.promql.numbers import duration_value, number_value, out_of_range
from bridge.promql.tokens import DURATION, NUMBER, Token

Duration = DurationExpr | NumberLiteral

_PRECEDENCE: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_POWER: Final = _PRECEDENCE["^"]
_EXPECTED: Final = "number, duration, step(), or range()"


class Place(NamedTuple):
    """Where a duration stands, as error texts name it, and what may stand there."""

    context: str
    expected: str


RANGE: Final = Place("subquery or range selector", _EXPECTED)
STEP: Final = Place("subquery selector", 'number, duration, step(), range(), or "]"')
OFFSET: Final = Place("offset", _EXPECTED)


def number_literal(cursor: Cursor) -> NumberLiteral:
    """The NUMBER or DURATION here."""
    token = cursor.token
    is_duration = token.kind == DURATION
    try:
        value = duration_value(token.text) if is_duration else number_value(token.text)
    except ValueError as bad:
        text = str(bad) if is_duration else f"error parsing number: {bad}"
        raise cursor.error(text, token.start, token.end) from None
    cursor.advance()
    return NumberLiteral(value, is_duration, pos=PosRange(token.start, token.end))


def positive_duration(cursor: Cursor, features: Features, place: Place) -> Duration:
    """A duration in brackets; a literal must be above 0."""
    parsed = _Durations(cursor, features, place).binary(0)
    if isinstance(parsed, NumberLiteral) and parsed.value <= 0:
        cursor.look()
        raise cursor.error_at("duration must be greater than 0", parsed.pos)
    return parsed


def offset_duration(cursor: Cursor, features: Features) -> Duration:
    """A duration behind `offset`: one term, or arithmetic that starts with `(` or two signs."""
    return _Durations(cursor, features, OFFSET).offset()


def _signed(literal: NumberLiteral, sign: Token) -> NumberLiteral:
    value = -literal.value if sign.kind == "-" else literal.value
    return replace(literal, value=value, pos=PosRange(sign.start, literal.pos.end))


class _Durations:
    """The grammar of durations at one place of a query."""

    def __init__(self, cursor: Cursor, features: Features, place: Place) -> None:
        self.cursor = cursor
        self.features = features
        self.place = place
        self.depth = 0

    def offset(self) -> Duration:
        first = self.cursor.kind
        if first == "(":
            return self.binary(0)
        if first not in _PRECEDENCE:
            return self._term()
        sign = self._sign()
        if self.cursor.kind in ("+", "-"):
            return self._rest(self._unary(sign, self.binary(_POWER)), 0)
        if self.cursor.kind == "(":
            return self._negated(sign, _wrapped(self._parenthesis_inside(), None))
        term = self._term(sign)
        if isinstance(term, NumberLiteral):
            return term
        return DurationExpr(sign.kind, None, term, pos=PosRange(sign.start, term.pos.end))

    def binary(self, binding: int) -> Duration:
        """An expression of the operators that bind tighter than `binding`, or as tight if `^`."""
        self.depth += 1
        if self.depth > MAX_HEIGHT:
            raise self.cursor.too_deep(self.cursor.token.start, self.cursor.token.end)
        left = self._rest(self._operand(), binding)
        self.depth -= 1
        return left

    def _rest(self, left: Duration, binding: int) -> Duration:
        cursor = self.cursor
        while True:
            precedence = _PRECEDENCE.get(cursor.kind, 0)
            if precedence <= binding and not precedence == binding == _POWER:
                return left
            if precedence == 0:
                return left
            operator = cursor.advance()
            right = self.binary(precedence)
            cursor.look()
            left = self._combined(operator, left, right)

    def _combined(self, operator: Token, left: Duration, right: Duration) -> Duration:
        self._experimental(left.pos)
        if operator.kind in "/%" and isinstance(right, NumberLiteral) and right.value == 0:
            what = "division" if operator.kind == "/" else "modulo"
            raise self.cursor.error(f"{what} by zero", operator.start, operator.end)
        return DurationExpr(operator.kind, left, right, pos=PosRange(left.pos.start, right.pos.end))

    def _operand(self) -> Duration:
        if self.cursor.kind in ("+", "-"):
            sign = self._sign()
            return self._unary(sign, self.binary(_POWER))
        if self.cursor.kind == "(":
            start = self.cursor.token.start
            inner = self._parenthesis_inside()
            self._experimental(inner.pos)
            return _wrapped(inner, start)
        return self._term()

    def _sign(self) -> Token:
        if self.cursor.kind not in ("+", "-"):
            raise self._unexpected()
        return self.cursor.advance()

    def _unary(self, sign: Token, operand: Duration) -> Duration:
        if isinstance(operand, DurationExpr):
            return self._negated(sign, operand)
        literal = _signed(operand, sign)
        if out_of_range(literal.value):
            self.cursor.look()
            raise self.cursor.error("duration out of range", sign.start, sign.end)
        return literal

    def _negated(self, sign: Token, operand: DurationExpr) -> DurationExpr:
        if sign.kind == "+":
            return operand
        return DurationExpr("-", None, operand, pos=PosRange(sign.start, operand.pos.end))

    def _parenthesis_inside(self) -> Duration:
        self.cursor.advance()
        inner = self.binary(0)
        self._expect(")")
        return inner

    def _term(self, sign: Token | None = None) -> Duration:
        """A literal (with the sign, if one stands before it) or one of the four functions."""
        if self.cursor.kind in (NUMBER, DURATION):
            return self._literal(sign)
        if self.cursor.kind in ("step", "range"):
            word = self.cursor.advance()
            self._expect("(")
            self._expect(")")
            pos = PosRange(word.start, self.cursor.end)
            self._experimental(pos)
            return DurationExpr(word.kind, None, None, pos=pos)
        if self.cursor.kind in ("max_of", "min_of"):
            return self._extremum()
        raise self._unexpected()

    def _literal(self, sign: Token | None) -> NumberLiteral:
        literal = number_literal(self.cursor)
        pos = literal.pos
        if sign is not None:
            literal, pos = _signed(literal, sign), PosRange(sign.start, sign.end)
        if out_of_range(literal.value):
            raise self.cursor.error_at("duration out of range", pos)
        return literal

    def _extremum(self) -> DurationExpr:
        word = self.cursor.advance()
        self._expect("(")
        left = self.binary(0)
        self._expect(",")
        right = self.binary(0)
        self._expect(")")
        # Prometheus places it where its arguments stand.
        pos = PosRange(left.pos.start, right.pos.end)
        self._experimental(pos)
        return DurationExpr(word.kind, left, right, pos=pos)

    def _expect(self, kind: str) -> None:
        self.cursor.expect(kind, *self.place)

    def _unexpected(self) -> Exception:
        return self.cursor.unexpected(*self.place)

    def _experimental(self, pos: PosRange) -> None:
        if not self.features.duration_expressions:
            raise self.cursor.error_at("experimental duration expression is not enabled", pos)


def _wrapped(inner: Duration, start: int | None) -> DurationExpr:
    """The parenthesised duration; a bare number is wrapped in a unary plus, as in Prometheus."""
    if isinstance(inner, DurationExpr):
        return replace(inner, wrapped=True)
    pos = inner.pos if start is None else PosRange(start, inner.pos.end)
    return DurationExpr("+", None, inner, wrapped=True, pos=pos)
