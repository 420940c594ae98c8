"""Rewrites of a tree before it is evaluated; PASSES is their order."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bridge.engine.durations import milliseconds
from bridge.engine.function import Function
from bridge.model.time import MAX_TIME, MIN_TIME, Steps
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Bound,
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
    VectorSelector,
    rewrite,
)


class Setting:
    """What a rewrite may depend on: the query's steps and the functions there are.

    `timeless`: no rewrite has asked for the steps so far, so what was made holds for all steps.
    """

    __slots__ = ("_steps", "functions", "timeless")

    def __init__(self, steps: Steps, functions: Mapping[str, Function]) -> None:
        self._steps = steps
        self.functions = functions
        self.timeless = True

    @property
    def steps(self) -> Steps:
        """The query's steps."""
        self.timeless = False
        return self._steps


Pass = Callable[[Expr, Setting], Expr]


def fold_constants(expr: Expr, setting: Setting) -> Expr:
    """Calls whose value belongs to the query as a whole become numbers.

    Source: foldQueryContextFunctions in promql/engine.go of Prometheus.
    """
    expr = rewrite(expr, lambda child: fold_constants(child, setting))
    if not isinstance(expr, Call):
        return expr
    of_query = setting.functions[expr.func].of_query
    return expr if of_query is None else NumberLiteral(of_query(setting.steps), pos=expr.pos)


def resolve_durations(expr: Expr, setting: Setting) -> Expr:
    """Durations written as arithmetic become ms.

    Source: promql/durations.go of Prometheus.
    """
    expr = rewrite(expr, lambda child: resolve_durations(child, setting))
    match expr:
        case VectorSelector(offset_expr=DurationExpr() as offset):
            return replace(expr, offset=milliseconds(offset, setting.steps, signed=True))
        case MatrixSelector(range_expr=DurationExpr() as length):
            return replace(expr, range=milliseconds(length, setting.steps))
        case SubqueryExpr():
            return _resolve_subquery(expr, setting)
        case _:
            return expr


def _resolve_subquery(expr: SubqueryExpr, setting: Setting) -> SubqueryExpr:
    if expr.range_expr is not None:
        expr = replace(expr, range=milliseconds(expr.range_expr, setting.steps))
    if expr.step_expr is not None:
        expr = replace(expr, step=milliseconds(expr.step_expr, setting.steps))
    if expr.offset_expr is not None:
        expr = replace(expr, offset=milliseconds(expr.offset_expr, setting.steps, signed=True))
    return expr


def resolve_bounds(expr: Expr, setting: Setting) -> Expr:
    """`@ start()` and `@ end()` become the query's own times, inside subqueries too.

    Other times become such as a query may have: no store has samples further away, and a window
    there would leave 64 bits.
    """
    expr = rewrite(expr, lambda child: resolve_bounds(child, setting))
    if not isinstance(expr, VectorSelector | SubqueryExpr):
        return expr
    if expr.bound is not None:
        at = setting.steps.start if expr.bound is Bound.START else setting.steps.end
        return replace(expr, timestamp=at, bound=None)
    if expr.timestamp is None or MIN_TIME <= expr.timestamp <= MAX_TIME:
        return expr
    return replace(expr, timestamp=min(max(expr.timestamp, MIN_TIME), MAX_TIME))


def select_by_labels(expr: Expr, setting: Setting) -> Expr:
    """Bare label matchers as an argument become the selector that they stand for."""
    expr = rewrite(expr, lambda child: select_by_labels(child, setting))
    if not isinstance(expr, Call):
        return expr
    function = setting.functions[expr.func]
    if function.of_labels is None:
        return expr
    before = expr.args[: function.signature.labels_argument]
    return replace(expr, args=(*before, function.of_labels(expr)))


def unwrap_parens(expr: Expr, setting: Setting) -> Expr:
    """Parentheses go: whether an argument is a selector must not depend on them."""
    expr = rewrite(expr, lambda child: unwrap_parens(child, setting))
    return expr.expr if isinstance(expr, ParenExpr) else expr


def hoist_invariants(expr: Expr, setting: Setting) -> Expr:
    """The largest parts whose value is the same at every step are evaluated once.

    Source: preprocessExprHelper in promql/engine.go of Prometheus.
    """
    expr, invariant = _hoisted(expr, setting)
    return _wrap(expr) if invariant else expr


def _hoisted(expr: Expr, setting: Setting) -> tuple[Expr, bool]:
    """The expression with its invariant parts wrapped, and whether it is invariant as a whole."""
    match expr:
        case NumberLiteral() | StringLiteral() | DurationExpr() | StepInvariantExpr():
            return expr, True
        case VectorSelector():
            return expr, expr.timestamp is not None
        case MatrixSelector():
            return expr, expr.selector.timestamp is not None
        case SubqueryExpr():
            inner, invariant = _hoisted(expr.expr, setting)
            body = _wrap(inner) if invariant else inner
            return replace(expr, expr=body), expr.timestamp is not None
        case ParenExpr() | UnaryExpr():
            inner, invariant = _hoisted(expr.expr, setting)
            return replace(expr, expr=inner), invariant
        case AggregateExpr():
            inner, invariant = _hoisted(expr.expr, setting)
            return replace(expr, expr=inner), invariant
        case BinaryExpr() | Call():
            return _hoisted_operands(expr, setting)


def _hoisted_operands(expr: BinaryExpr | Call, setting: Setting) -> tuple[Expr, bool]:
    operands = expr.args if isinstance(expr, Call) else (expr.lhs, expr.rhs)
    hoisted = [_hoisted(operand, setting) for operand in operands]
    invariant = all(one for _, one in hoisted) and _timeless(expr, setting)
    parts = tuple(_wrap(inner) if one and not invariant else inner for inner, one in hoisted)
    if isinstance(expr, Call):
        return replace(expr, args=parts), invariant
    return replace(expr, lhs=parts[0], rhs=parts[1]), invariant


def _timeless(expr: BinaryExpr | Call, setting: Setting) -> bool:
    if isinstance(expr, BinaryExpr):
        return True
    function = setting.functions[expr.func]
    of_selector = function.of_selector is not None and isinstance(expr.args[0], VectorSelector)
    return function.timeless or of_selector


def _wrap(expr: Expr) -> Expr:
    """Range vectors and strings need no wrapping, literals gain nothing from it."""
    plain = MatrixSelector | SubqueryExpr | StringLiteral | NumberLiteral | StepInvariantExpr
    return expr if isinstance(expr, plain) else StepInvariantExpr(expr)


PASSES: tuple[Pass, ...] = (
    fold_constants,
    resolve_durations,
    resolve_bounds,
    unwrap_parens,
    select_by_labels,
    hoist_invariants,
)


def rewritten(expr: Expr, setting: Setting) -> Expr:
    """The tree as it is evaluated."""
    for one in PASSES:
        expr = one(expr, setting)
    return expr
