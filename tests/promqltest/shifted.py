"""The same instant query in other forms that must give the same: with `@`, at other times."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bridge.promql.ast import (
    Call,
    Expr,
    SubqueryExpr,
    VectorSelector,
    children,
    rewrite,
)
from bridge.promql.printer import to_text
from tests.promqltest.script import Eval

# Functions whose value depends on the evaluation time even over samples that `@` fixes.
# Source: AtModifierUnsafeFunctions in promql/functions.go of Prometheus.
UNSAFE: Final = frozenset(
    {
        "days_in_month",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "hour",
        "minute",
        "month",
        "year",
        "predict_linear",
        "time",
        "timestamp",
        "start",
        "end",
        "step",
        "range",
    }
)
_QUERY_CONTEXT: Final = re.compile(r"(start|end|range|step)\(\)")


def at_forms(case: Eval, expr: Expr) -> Iterator[tuple[str, int]]:
    """The query with `@` on every selector, and the times at which to evaluate it."""
    if _names(expr) & UNSAFE:
        return
    time = case.steps.start
    text = to_text(pinned(expr, time))
    for at in (-10 * time, 0, time // 5, time, 10 * time) if time else (-1000, 0, 1000):
        yield text, at


def has_range_form(case: Eval, text: str) -> bool:
    """Whether the query over a range has the same value in the middle."""
    return not (case.range_vector or case.string is not None or _QUERY_CONTEXT.search(text))


def pinned(expr: Expr, time: int) -> Expr:
    """Every selector and subquery fixed to a time, but for what is fixed already."""
    if isinstance(expr, VectorSelector):
        return expr if expr.timestamp is not None else replace(expr, timestamp=time, bound=None)
    if isinstance(expr, SubqueryExpr):
        return expr if expr.timestamp is not None else replace(expr, timestamp=time, bound=None)
    return rewrite(expr, lambda child: pinned(child, time))


def _names(expr: Expr) -> set[str]:
    named = {expr.func} if isinstance(expr, Call) else set[str]()
    return named.union(*map(_names, children(expr)))
