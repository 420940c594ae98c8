"""Smaller expressions that may show the same difference: parts of it, and it without a part."""

from collections.abc import Iterator
from dataclasses import replace

from bridge.model.labels import METRIC_NAME
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    children,
    value_type,
)


def smaller(expr: Expr) -> Iterator[Expr]:
    """Expressions with less in them, the smallest first; each of a type of its own."""
    yield from sorted(_parts(expr), key=_size)
    yield from _without_parts(expr)


def _parts(expr: Expr) -> Iterator[Expr]:
    for child in children(expr):
        yield child
        yield from _parts(child)


def _size(expr: Expr) -> int:
    return 1 + sum(map(_size, children(expr)))


def _without_parts(expr: Expr) -> Iterator[Expr]:
    """The expression with one node simpler or replaced by what it stands on."""
    yield from _plainer(expr)
    match expr:
        case AggregateExpr():
            yield from (replace(expr, expr=one) for one in _lesser(expr.expr))
        case BinaryExpr():
            yield from (replace(expr, lhs=one) for one in _lesser(expr.lhs))
            yield from (replace(expr, rhs=one) for one in _lesser(expr.rhs))
        case Call():
            for at, argument in enumerate(expr.args):
                rest = expr.args[at + 1 :]
                yield from (
                    replace(expr, args=(*expr.args[:at], one, *rest)) for one in _lesser(argument)
                )
        case MatrixSelector():
            for one in _plainer(expr.selector):
                if isinstance(one, VectorSelector):
                    yield replace(expr, selector=one)
        case ParenExpr() | SubqueryExpr() | UnaryExpr():
            yield from (replace(expr, expr=one) for one in _lesser(expr.expr))
        case _:
            pass


def _lesser(expr: Expr) -> Iterator[Expr]:
    """What may stand in the expression's place."""
    kind = value_type(expr)
    for part in sorted(_parts(expr), key=_size):
        # What a matrix selector is made of is no expression by itself.
        if value_type(part) is kind and not isinstance(expr, MatrixSelector):
            yield part
    yield from _without_parts(expr)


def _plainer(expr: Expr) -> Iterator[Expr]:
    match expr:
        case VectorSelector():
            for matcher in expr.matchers:
                if not expr.name or matcher.name != METRIC_NAME:
                    kept = tuple(one for one in expr.matchers if one is not matcher)
                    yield replace(expr, matchers=kept)
            yield from _unmoved(expr)
        case SubqueryExpr():
            yield from _unmoved(expr)
        case AggregateExpr() if expr.grouping or expr.without:
            yield replace(expr, grouping=(), without=False)
        case BinaryExpr() if expr.return_bool:
            yield replace(expr, return_bool=False)


def _unmoved(expr: VectorSelector | SubqueryExpr) -> Iterator[Expr]:
    if expr.offset:
        yield replace(expr, offset=0)
    if expr.timestamp is not None or expr.bound is not None:
        yield replace(expr, timestamp=None, bound=None)
