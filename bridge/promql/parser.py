"""Text to a checked tree: operator precedence on an explicit stack, so no text is too deep."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.model.posrange import PosRange
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
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from bridge.promql.check import checked
from bridge.promql.cursor import MAX_HEIGHT, Cursor
from bridge.promql.durations import number_literal
from bridge.promql.features import Features
from bridge.promql.modifiers import OperatorModifiers, modified, operator_modifiers
from bridge.promql.selectors import label_list, vector_selector
from bridge.promql.strings import unquoted
from bridge.promql.tokens import (
    AGGREGATORS,
    END,
    EXPERIMENTAL_AGGREGATORS,
    IDENTIFIER,
    METRIC_NAMES,
    OPERAND_STARTS,
    PARAMETRIC_AGGREGATORS,
    PREPROCESSORS,
    Token,
)
from bridge.telemetry.trace import Stage, stage

_PRECEDENCE: Final = {
    **dict.fromkeys(("or",), 1),
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "</", ">/"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_UNARY: Final = _PRECEDENCE["*"]
_POWER: Final = _PRECEDENCE["^"]
_CALLABLE: Final = PREPROCESSORS | {IDENTIFIER}


@dataclass(slots=True)
class _Paren:
    open: Token


@dataclass(slots=True)
class _Unary:
    sign: Token
    precedence: int = _UNARY


@dataclass(slots=True)
class _Binary:
    lhs: Expr
    op: str
    modifiers: OperatorModifiers
    precedence: int


@dataclass(slots=True)
class _Call:
    name: Token
    args: list[Expr] = field(default_factory=list)


@dataclass(slots=True)
class _Aggregate:
    op: Token
    grouping: tuple[str, ...] | None
    without: bool
    args: list[Expr] = field(default_factory=list)


# What is open, from the outermost on; each becomes at least one level of the tree.
_Frame = _Paren | _Unary | _Binary | _Call | _Aggregate


def parse(text: str, signatures: Mapping[str, Signature], features: Features | None = None) -> Expr:
    """The checked tree of a query; raises ParseError with Prometheus' first error.

    A tree is at most MAX_HEIGHT nodes high; a query beyond that is refused.
    Source: promql/parser/generated_parser.y and parse.go.
    """
    with stage(Stage.PARSE):
        cursor = Cursor(text)
        if cursor.kind == END:
            raise cursor.error("no expression found in input", 0, 0)
        expr = _Expression(cursor, signatures, features or Features()).parse()
        if len(cursor.tokens) > MAX_HEIGHT:
            _check_height(cursor, expr)
    with stage(Stage.CHECK):
        return checked(expr, text, signatures)


def _check_height(cursor: Cursor, root: Expr) -> None:
    """Refuses a tree that a recursive walk could not walk; itself a walk level by level."""
    level, height = [root], 0
    while level:
        height += 1
        if height > MAX_HEIGHT:
            raise cursor.too_deep(root.pos.start, root.pos.end)
        level = [child for expr in level for child in _all_children(expr)]


def _all_children(expr: Expr) -> tuple[Expr, ...]:
    """The children and the duration expressions of a node."""
    durations: tuple[Expr | None, ...] = ()
    match expr:
        case DurationExpr():
            durations = (expr.lhs, expr.rhs)
        case VectorSelector():
            durations = (expr.offset_expr,)
        case MatrixSelector():
            durations = (expr.range_expr,)
        case SubqueryExpr():
            durations = (expr.range_expr, expr.step_expr, expr.offset_expr)
        case _:
            pass
    return children(expr) + tuple(part for part in durations if part is not None)


class _Expression:
    """One expression of a query; alternates between expecting an operand and what follows one."""

    def __init__(
        self, cursor: Cursor, signatures: Mapping[str, Signature], features: Features
    ) -> None:
        self.cursor = cursor
        self.signatures = signatures
        self.features = features
        self.stack: list[_Frame] = []

    def parse(self) -> Expr:
        """The expression up to the end of the text, not checked."""
        while True:
            operand = self._operand()
            while operand is not None:
                operand = modified(self.cursor, operand, self.features)
                precedence = _PRECEDENCE.get(self.cursor.kind, 0)
                operand = self._folded(operand, precedence)
                if precedence:
                    self._push_binary(operand, precedence)
                    break
                if not self.stack:
                    return self._end(operand)
                operand = self._closed(operand)

    def _end(self, expr: Expr) -> Expr:
        if self.cursor.kind != END:
            raise self.cursor.unexpected()
        return expr

    def _push(self, frame: _Frame) -> None:
        if len(self.stack) >= MAX_HEIGHT:
            raise self.cursor.too_deep(self.cursor.token.start, self.cursor.token.end)
        self.stack.append(frame)

    def _operand(self) -> Expr | None:
        """A whole operand, or None if one was only opened."""
        cursor = self.cursor
        kind = cursor.kind
        if kind in METRIC_NAMES:
            return self._word()
        match kind:
            case "number" | "duration":
                return number_literal(cursor)
            case "(":
                self._push(_Paren(cursor.advance()))
                return None
            case "+" | "-":
                self._push(_Unary(cursor.advance()))
                return None
            case "{":
                return vector_selector(cursor, None)
            case "string literal":
                token = cursor.advance()
                pos = PosRange(token.start, token.end)
                return StringLiteral(unquoted(token.text), pos=pos)
            case _:
                raise cursor.unexpected()

    def _word(self) -> Expr | None:
        """A metric name, or the start of a call or aggregation."""
        word = self.cursor.advance()
        following = self.cursor.kind
        if word.kind in AGGREGATORS and following in ("(", "by", "without"):
            return self._open_aggregate(word)
        if following == "(" and word.kind in _CALLABLE:
            return self._open_arguments(_Call(word))
        return vector_selector(self.cursor, word)

    def _open_aggregate(self, op: Token) -> Expr | None:
        cursor = self.cursor
        cursor.aggregations += 1
        frame = _Aggregate(op, None, False)
        if cursor.kind != "(":
            frame.without = cursor.advance().kind == "without"
            frame.grouping = label_list(cursor)
        return self._open_arguments(frame)

    def _open_arguments(self, frame: _Call | _Aggregate) -> Expr | None:
        self.cursor.expect("(")
        self._push(frame)
        return self._close_arguments(frame) if self.cursor.kind == ")" else None

    def _folded(self, operand: Expr, precedence: int) -> Expr:
        """The operand with the open operators that bind tighter than the next one."""
        while self.stack:
            top = self.stack[-1]
            if not isinstance(top, _Binary | _Unary) or top.precedence < precedence:
                break
            if top.precedence == precedence == _POWER:
                break
            self.stack.pop()
            operand = self._applied(top, operand)
        return operand

    def _applied(self, frame: _Binary | _Unary, operand: Expr) -> Expr:
        if isinstance(frame, _Binary):
            return self._binary(frame, operand)
        pos = PosRange(frame.sign.start, operand.pos.end)
        if isinstance(operand, NumberLiteral):
            value = -operand.value if frame.sign.kind == "-" else operand.value
            return replace(operand, value=value, pos=pos)
        return UnaryExpr(frame.sign.kind, operand, pos=pos)

    def _binary(self, frame: _Binary, rhs: Expr) -> BinaryExpr:
        matching = frame.modifiers.matching
        pos = PosRange(frame.lhs.pos.start, rhs.pos.end)
        filled = matching.fill_lhs is not None or matching.fill_rhs is not None
        if filled and not self.features.fill_modifiers:
            self.cursor.look()
            text = "binop fill modifiers are experimental and not enabled"
            raise self.cursor.error_at(text, pos)
        return BinaryExpr(frame.op, frame.lhs, rhs, frame.modifiers.return_bool, matching, pos=pos)

    def _push_binary(self, lhs: Expr, precedence: int) -> None:
        op = self.cursor.advance().kind
        self._push(_Binary(lhs, op, operator_modifiers(self.cursor), precedence))

    def _closed(self, operand: Expr) -> Expr | None:
        """What `)` makes of the innermost frame; None if a comma asks for more."""
        cursor, frame = self.cursor, self.stack[-1]
        if isinstance(frame, _Call | _Aggregate):
            if cursor.kind not in (",", ")"):
                raise cursor.unexpected()
            frame.args.append(operand)
            if cursor.kind == ")":
                return self._close_arguments(frame)
            self._next_argument()
            return None
        assert isinstance(frame, _Paren)
        close = cursor.expect(")")
        self.stack.pop()
        return ParenExpr(operand, pos=PosRange(frame.open.start, close.end))

    def _next_argument(self) -> None:
        comma = self.cursor.advance()
        if self.cursor.kind not in OPERAND_STARTS:
            self.cursor.look()
            text = "trailing commas not allowed in function call args"
            raise self.cursor.error(text, comma.start, comma.end)

    def _close_arguments(self, frame: _Call | _Aggregate) -> Expr:
        self.stack.pop()
        self.cursor.advance()
        return self._call(frame) if isinstance(frame, _Call) else self._aggregate(frame)

    def _call(self, frame: _Call) -> Call:
        name = frame.name
        signature = self.signatures.get(name.text)
        if signature is None:
            text = f'unknown function with name "{name.text}"'
            raise self.cursor.error(text, name.start, name.end)
        if signature.experimental and not self.features.experimental_functions:
            text = f'function "{name.text}" is not enabled'
            raise self.cursor.error(text, name.start, name.end)
        pos = PosRange(name.start, self.cursor.end)
        return Call(name.text, tuple(frame.args), signature.returns, pos=pos)

    def _aggregate(self, frame: _Aggregate) -> AggregateExpr:
        cursor, end = self.cursor, self.cursor.end
        if frame.grouping is None and cursor.kind in ("by", "without"):
            frame.without = cursor.advance().kind == "without"
            frame.grouping = label_list(cursor)
            end = cursor.end
        elif frame.grouping is None:
            cursor.look()
        cursor.aggregations -= 1
        pos = PosRange(frame.op.start, end)
        param = self._parameter(frame, pos)
        grouping = frame.grouping or ()
        return AggregateExpr(frame.op.kind, frame.args[-1], param, grouping, frame.without, pos=pos)

    def _parameter(self, frame: _Aggregate, pos: PosRange) -> Expr | None:
        """The parameter of an aggregation whose arguments are right in number."""
        op, args = frame.op.kind, frame.args
        if not args:
            text = "no arguments for aggregate expression provided"
            raise self.cursor.error_at(text, pos)
        if op in EXPERIMENTAL_AGGREGATORS and not self.features.experimental_functions:
            text = (
                f"{op}() is experimental and must be enabled with "
                "--enable-feature=promql-experimental-functions"
            )
            raise self.cursor.error_at(text, pos)
        wanted = 2 if op in PARAMETRIC_AGGREGATORS else 1
        if len(args) != wanted:
            text = (
                "wrong number of arguments for aggregate expression provided, "
                f"expected {wanted}, got {len(args)}"
            )
            raise self.cursor.error_at(text, pos)
        return args[0] if wanted == 2 else None
