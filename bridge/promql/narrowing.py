"""A query over fewer series: matchers put into every selector of its tree."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.model.labels import Matcher
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
    VectorSelector,
)


class NotNarrowable(Exception):
    """A query that reads series which no selector of its text names."""


def narrowed(expr: Expr, matchers: Sequence[Matcher], signatures: Mapping[str, Signature]) -> Expr:
    """The same query over the series that satisfy these matchers too.

    Raises NotNarrowable for functions that take bare label matchers, as `info` does: what they read
    stands in no selector, and a matcher more would choose among labels.
    """

    def inner(child: Expr) -> Expr:
        return narrowed(child, matchers, signatures)

    match expr:
        case VectorSelector():
            return replace(expr, matchers=tuple(dict.fromkeys((*matchers, *expr.matchers))))
        case MatrixSelector():
            selector = inner(expr.selector)
            assert isinstance(selector, VectorSelector)
            return replace(expr, selector=selector)
        case AggregateExpr():
            param = None if expr.param is None else inner(expr.param)
            return replace(expr, expr=inner(expr.expr), param=param)
        case BinaryExpr():
            return replace(expr, lhs=inner(expr.lhs), rhs=inner(expr.rhs))
        case Call():
            if signatures[expr.func].labels_argument is not None:
                raise NotNarrowable(expr.func)
            return replace(expr, args=tuple(map(inner, expr.args)))
        case ParenExpr() | StepInvariantExpr() | SubqueryExpr() | UnaryExpr():
            return replace(expr, expr=inner(expr.expr))
        case DurationExpr() | NumberLiteral() | StringLiteral():
            return expr
