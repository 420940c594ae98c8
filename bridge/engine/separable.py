"""Whether the steps of a query know nothing of each other, so that one may be kept without them."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import partial
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

# What these choose of a group decides about the order of their rows, step by step.
_PICKS: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio", "quantile", "count_values"})

Functions = Mapping[str, Function]


class Separable(Enum):
    """When each step has the same value, to the bit, in any range of steps.

    ALIKE: in ranges that have the same rows, in the same order, in every operand.
    """

    NEVER = auto()
    ALIKE = auto()
    ALWAYS = auto()


def separable(expr: Expr, functions: Functions, switches: Switches) -> Separable:
    """When the steps of a rewritten tree can be taken apart.

    Two things tie steps together. Prometheus looks at all steps of a series for rows that came to
    have the same labels; that cannot be where every selector names its metric and nothing changes
    other labels. And floats are added up in the order of rows: those of selectors are in label
    order whatever rows there are, but groups are in the order in which they are met.
    """
    changed = switches.delayed_name_removal or switches.type_and_unit_labels
    if changed or switches.use_start_timestamps or not _separable(expr, functions):
        return Separable.NEVER
    ordered = _any_group(expr, partial(_is_ordered, functions=functions))
    return Separable.ALIKE if ordered else Separable.ALWAYS


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
            fits = not _is_ordered(expr, functions) or not _any_group(expr.expr, _is_pick)
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


def _any_group(expr: Expr, sought: Callable[[AggregateExpr], bool]) -> bool:
    """Whether any aggregation of a tree is one that is sought."""
    found = isinstance(expr, AggregateExpr) and sought(expr)
    return found or any(_any_group(child, sought) for child in children(expr))


def _is_ordered(expr: AggregateExpr, functions: Functions) -> bool:
    """Whether an aggregation's values follow from the order of rows that may come in any."""
    return expr.op not in _ORDERLESS and not _in_label_order(expr.expr, functions)


def _is_pick(expr: AggregateExpr) -> bool:
    return expr.op in _PICKS


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
