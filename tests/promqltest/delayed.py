"""Which cases can tell whether metric names are removed at once or, as the scripts expect, late.

The engine removes them at once, which is Prometheus' default.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from bridge.engine.function import Function
from bridge.engine.functions import FUNCTIONS
from bridge.engine.operators import ARITHMETIC
from bridge.model.labels import METADATA_LABELS, METRIC_NAME, Labels, matches_all
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorSelector,
    children,
    value_type,
)
from tests.promqltest.script import Eval

REASON: Final = "delayed name removal"
_FUNCTIONS: Final[dict[str, Function]] = dict(FUNCTIONS)


def tells(case: Eval, expr: Expr, held: Iterable[Labels]) -> bool:
    """Whether late removal can give another result or another annotation.

    It can where something that looks at labels stands over something that removes names, and the
    query speaks of names, or the series below differ in nothing else, or have types and units.
    And a function of an instant vector knows whose name to put into a warning.
    """
    if any(" for metric name " in (one.message or "") for one in case.expectations):
        return not any(isinstance(node, MatrixSelector) for node in _nodes(expr))
    below = list(_removed_early(expr, looked_at=False))
    if not below:
        return False
    return METRIC_NAME in case.text or any(_differ_in_names(node, held) for node in below)


def _removed_early(expr: Expr, *, looked_at: bool) -> Iterator[Expr]:
    """The nodes that remove names while something above them looks at labels."""
    if looked_at and _removes(expr):
        yield expr
    looks = looked_at or _looks(expr)
    for child in children(expr):
        yield from _removed_early(child, looked_at=looks)


def _removes(expr: Expr) -> bool:
    if value_type(expr) is not ValueType.VECTOR:
        return False
    match expr:
        case Call():
            return not _FUNCTIONS[expr.func].keeps_name
        case UnaryExpr(op=op):
            return op == "-"
        case BinaryExpr():
            return expr.op in ARITHMETIC or expr.return_bool
        case _:
            return False


def _looks(expr: Expr) -> bool:
    return not isinstance(expr, ParenExpr | SubqueryExpr | MatrixSelector | VectorSelector)


def _differ_in_names(expr: Expr, held: Iterable[Labels]) -> bool:
    seen = [
        labels
        for labels in held
        if any(
            isinstance(node, VectorSelector) and matches_all(node.matchers, labels)
            for node in _named(expr)
        )
    ]
    bare = {labels.drop(METADATA_LABELS) for labels in seen}
    typed = any(labels.get("__type__") or labels.get("__unit__") for labels in seen)
    return typed or len(bare) < len(set(seen))


def _named(expr: Expr) -> Iterator[Expr]:
    """The nodes whose names reach the expression: an aggregation by other labels ends them."""
    yield expr
    for child in children(expr):
        if not isinstance(child, AggregateExpr) or child.without:
            yield from _named(child)


def _nodes(expr: Expr) -> Iterator[Expr]:
    yield expr
    for child in children(expr):
        yield from _nodes(child)
