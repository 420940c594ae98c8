"""Types: which trees mean something; errors in the words and the order of Prometheus."""

from collections.abc import Mapping
from dataclasses import replace
from operator import is_
from typing import Final

from bridge.model.errors import ParseError
from bridge.model.labels import METRIC_NAME, quoted
from bridge.model.posrange import PosRange
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
    Signature,
    StepInvariantExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorMatching,
    VectorSelector,
    value_type,
)
from bridge.promql.tokens import COMPARISONS, SET_OPERATORS

_SCALAR_OR_VECTOR: Final = (ValueType.SCALAR, ValueType.VECTOR)
_MANY_SIDED: Final = (Cardinality.ONE_TO_MANY, Cardinality.MANY_TO_ONE)

# A node as it is to be evaluated and what it evaluates to.
_Typed = tuple[Expr, ValueType]


def checked(expr: Expr, query: str, signatures: Mapping[str, Signature]) -> Expr:
    """The tree with the matching of each binary operation settled; raises ParseError.

    Source: checkAST of promql/parser/parse.go.
    """
    return _Checker(query, signatures).visit(expr)[0]


class _Checker:
    """One check of one query; two Python frames a level of the tree."""

    def __init__(self, query: str, signatures: Mapping[str, Signature]) -> None:
        self.query = query
        self.signatures = signatures

    def error(self, message: str, pos: PosRange) -> ParseError:
        return ParseError(message, pos, self.query)

    def visit(self, expr: Expr) -> _Typed:
        match expr:
            case AggregateExpr():
                return self._aggregate(expr), ValueType.VECTOR
            case BinaryExpr():
                return self._binary(expr)
            case Call():
                return self._call(expr), expr.returns
            case ParenExpr():
                inner, kind = self.visit(expr.expr)
                return expr if inner is expr.expr else replace(expr, expr=inner), kind
            case UnaryExpr():
                return self._unary(expr)
            case SubqueryExpr():
                return self._subquery(expr), ValueType.MATRIX
            case MatrixSelector():
                self._selector(expr.selector)
                return expr, ValueType.MATRIX
            case VectorSelector():
                self._selector(expr)
                return expr, ValueType.VECTOR
            case StringLiteral():
                return expr, ValueType.STRING
            case NumberLiteral() | DurationExpr() | StepInvariantExpr():
                return expr, value_type(expr)

    def _expect(self, expr: Expr, typed: _Typed, wanted: ValueType, context: str) -> Expr:
        settled, kind = typed
        if kind is not wanted:
            text = f"expected type {wanted.documented} in {context}, got {kind.documented}"
            raise self.error(text, expr.pos)
        return settled

    def _aggregate(self, expr: AggregateExpr) -> AggregateExpr:
        context = "aggregation expression"
        inner = self._expect(expr.expr, self.visit(expr.expr), ValueType.VECTOR, context)
        param = expr.param
        if param is not None:
            wanted = ValueType.STRING if expr.op == "count_values" else ValueType.SCALAR
            param = self._expect(param, self.visit(param), wanted, "aggregation parameter")
        if inner is expr.expr and param is expr.param:
            return expr
        return replace(expr, expr=inner, param=param)

    def _unary(self, expr: UnaryExpr) -> _Typed:
        inner, kind = self.visit(expr.expr)
        if kind not in _SCALAR_OR_VECTOR:
            text = (
                "unary expression only allowed on expressions of type scalar or instant vector, "
                f'got "{kind.documented}"'
            )
            raise self.error(text, expr.pos)
        return expr if inner is expr.expr else replace(expr, expr=inner), kind

    def _subquery(self, expr: SubqueryExpr) -> SubqueryExpr:
        inner, kind = self.visit(expr.expr)
        if kind is not ValueType.VECTOR:
            text = f"subquery is only allowed on instant vector, got {kind} instead"
            raise self.error(text, expr.pos)
        return expr if inner is expr.expr else replace(expr, expr=inner)

    def _selector(self, expr: VectorSelector) -> None:
        if expr.name:
            for matcher in expr.matchers[:-1]:
                if matcher.name == METRIC_NAME:
                    names = f"{quoted(expr.name)} or {quoted(matcher.value)}"
                    raise self.error(f"metric name must not be set twice: {names}", expr.pos)
        elif all(matcher.matches("") for matcher in expr.matchers):
            text = "vector selector must contain at least one non-empty matcher"
            raise self.error(text, expr.pos)

    def _binary(self, expr: BinaryExpr) -> _Typed:
        lhs, left = self.visit(expr.lhs)
        rhs, right = self.visit(expr.rhs)
        scalars = left is right is ValueType.SCALAR
        self._check_operator(expr, scalars)
        for side, kind in ((expr.lhs, left), (expr.rhs, right)):
            if kind not in _SCALAR_OR_VECTOR:
                text = "binary expression must contain only scalar and instant vector types"
                raise self.error(text, side.pos)
        vectors = left is right is ValueType.VECTOR
        matching = expr.matching
        assert matching is not None
        settled = self._vector_matching(expr, matching) if vectors else None
        if not vectors:
            self._check_scalar_matching(expr, matching)
        if lhs is not expr.lhs or rhs is not expr.rhs or settled is not matching:
            expr = replace(expr, lhs=lhs, rhs=rhs, matching=settled)
        return expr, ValueType.SCALAR if scalars else ValueType.VECTOR

    def _check_operator(self, expr: BinaryExpr, scalars: bool) -> None:
        comparison = expr.op in COMPARISONS
        if expr.return_bool and not comparison:
            text = "bool modifier can only be used on comparison operators"
            raise self.error(text, self._operator(expr))
        if comparison and not expr.return_bool and scalars:
            text = "comparisons between scalars must use BOOL modifier"
            raise self.error(text, self._operator(expr))
        matching = expr.matching
        assert matching is not None
        if not matching.on:
            return
        included = frozenset(matching.include)
        for label in matching.labels:
            if label in included:
                text = f"label {quoted(label)} must not occur in ON and GROUP clause at once"
                raise self.error(text, self._operator(expr))

    def _operator(self, expr: BinaryExpr) -> PosRange:
        """Where the operator and its modifiers stand; Prometheus' end lies on the last byte."""
        text = self.query.encode("utf-8", "surrogateescape")
        start, end = expr.lhs.pos.end, expr.rhs.pos.start - 1
        while text[start : start + 1] in (b" ", b"\t", b"\n", b"\r"):
            start += 1
        while text[end : end + 1] in (b" ", b"\t", b"\n", b"\r"):
            end -= 1
        return PosRange(start, end)

    def _check_scalar_matching(self, expr: BinaryExpr, matching: VectorMatching) -> None:
        if matching.labels:
            text = "vector matching only allowed between instant vectors"
            raise self.error(text, expr.pos)
        if matching.fill_lhs is not None or matching.fill_rhs is not None:
            text = "filling in missing series only allowed between instant vectors"
            raise self.error(text, expr.pos)
        if expr.op in SET_OPERATORS:
            text = f'set operator "{expr.op}" not allowed in binary scalar expression'
            raise self.error(text, expr.pos)

    def _vector_matching(self, expr: BinaryExpr, matching: VectorMatching) -> VectorMatching:
        """The matching between two vectors; set operators match many to many."""
        if expr.op not in SET_OPERATORS:
            return matching
        if matching.card in _MANY_SIDED:
            raise self.error(f'no grouping allowed for "{expr.op}" operation', expr.pos)
        if matching.fill_lhs is not None or matching.fill_rhs is not None:
            text = "filling in missing series not allowed for set operators"
            raise self.error(text, expr.pos)
        return replace(matching, card=Cardinality.MANY_TO_MANY)

    def _call(self, expr: Call) -> Call:
        signature = self.signatures[expr.func]
        self._check_arity(expr, signature)
        labels = signature.labels_argument
        if labels is not None and len(expr.args) > labels:
            self._check_labels_argument(expr, expr.args[labels])
        context, last = f'call to function "{expr.func}"', len(signature.args) - 1
        args: list[Expr] = []
        for index, arg in enumerate(expr.args):
            if index != labels:
                wanted = signature.args[min(index, last)]
                args.append(self._expect(arg, self.visit(arg), wanted, context))
            else:
                args.append(arg)
        same = all(map(is_, args, expr.args))
        return expr if same else replace(expr, args=tuple(args))

    def _check_arity(self, expr: Call, signature: Signature) -> None:
        given, wanted = len(expr.args), len(signature.args)
        bound = ""
        if signature.variadic == 0:
            bound = "" if given == wanted else "expected"
        elif given < wanted - 1:
            bound, wanted = "expected at least", wanted - 1
        elif 0 < signature.variadic < given - (wanted - 1):
            bound, wanted = "expected at most", wanted - 1 + signature.variadic
        if bound:
            text = f'{bound} {wanted} argument(s) in call to "{expr.func}", got {given}'
            raise self.error(text, expr.pos)

    def _check_labels_argument(self, expr: Call, arg: Expr) -> None:
        """An argument of bare label matchers may select everything but must not name a metric."""
        if not isinstance(arg, VectorSelector):
            kind = value_type(arg)
            if kind is not ValueType.VECTOR:
                wanted = f'{ValueType.VECTOR.documented} in call to function "{expr.func}"'
                raise self.error(f"expected type {wanted}, got {kind.documented}", expr.pos)
            raise self.error("expected label selectors only", arg.pos)
        if arg.name:
            text = "expected label selectors only, got vector selector instead"
            raise self.error(text, arg.pos)
