"""Whether the steps of a query know nothing of each other, so that one may be kept without them."""

from collections.abc import Mapping
from typing import Final

from bridge.engine.function import Function
from bridge.engine.query import Switches
from bridge.model.labels import METRIC_NAME, MatchType
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
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
    ValueType,
    VectorSelector,
    children,
    value_type,
)

# What these make of a group is the same in whatever order its series come.
_ORDERLESS: Final = frozenset({"count", "group", "count_values", "limit_ratio"})

Functions = Mapping[str, Function]


def separable(expr: Expr, functions: Functions, switches: Switches) -> bool:
    """Whether each step of a rewritten tree has the same value, to the bit, in any range of steps.

    Two things tie steps together. Prometheus looks at all steps of a series for rows that came to
    have the same labels; that cannot be where every selector names its metric and nothing changes
    other labels. And floats are added up in the order of rows: those of selectors are in label
    order whatever rows there are, but groups are in the order in which they are met.
    """
    changed = switches.delayed_name_removal or switches.type_and_unit_labels
    return not (changed or switches.use_start_timestamps) and _separable(expr, functions)


def _separable(expr: Expr, functions: Functions) -> bool:
    match expr:
        case VectorSelector():
            return _plain(expr)
        case SubqueryExpr() | DurationExpr():
            return False
        case StepInvariantExpr():
            return _reads_nothing(expr)
        case Call():
            fits = functions[expr.func].by_step
        case BinaryExpr():
            fits = expr.matching is None or expr.matching.fill_lhs is expr.matching.fill_rhs is None
        case AggregateExpr():
            fits = expr.op in _ORDERLESS or _in_label_order(expr.expr, functions)
        case MatrixSelector() | NumberLiteral() | ParenExpr() | StringLiteral() | UnaryExpr():
            fits = True
    return fits and all(_separable(child, functions) for child in children(expr))


def _plain(selector: VectorSelector) -> bool:
    """Whether a selector moves with the steps, sees what Prometheus 2 did, and names its metric."""
    still = selector.timestamp is not None or selector.bound is not None
    named = any(
        one.name == METRIC_NAME and one.type is MatchType.EQUAL for one in selector.matchers
    )
    return named and not (still or selector.anchored or selector.smoothed)


def _reads_nothing(expr: Expr) -> bool:
    return not isinstance(expr, VectorSelector) and all(map(_reads_nothing, children(expr)))


def _in_label_order(expr: Expr, functions: Functions) -> bool:
    """Whether a value's rows are those of one selector, in its order."""
    match expr:
        case VectorSelector() | MatrixSelector():
            return True
        case ParenExpr() | UnaryExpr():
            return _in_label_order(expr.expr, functions)
        case Call():
            rows = [one for one in expr.args if value_type(one) is not ValueType.SCALAR]
            one_of_each = functions[expr.func].row_wise and len(rows) == 1
            return one_of_each and _in_label_order(rows[0], functions)
        case BinaryExpr():
            vectors = [one for one in children(expr) if value_type(one) is ValueType.VECTOR]
            return len(vectors) == 1 and _in_label_order(vectors[0], functions)
        case _:
            return False
