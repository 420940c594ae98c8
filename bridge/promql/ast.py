"""The nodes of a PromQL expression, under Prometheus' names.

Nodes are frozen and hashable; where they stand in the text (`pos`) does not count for equality.
Times and durations are ms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bridge.model.labels import Matcher
from bridge.model.posrange import PosRange

NOWHERE = PosRange(0, 0)


class ValueType(StrEnum):
    """What an expression evaluates to; the values are Prometheus' raw type names."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"

    @property
    def documented(self) -> str:
        """The name as error texts show it."""
        return {"vector": "instant vector", "matrix": "range vector"}.get(self.value, self.value)


class Cardinality(StrEnum):
    """How many series of one side match how many of the other."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


class Bound(StrEnum):
    """`@ start()` or `@ end()`."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class AggregateExpr:
    """`sum by (grouping) (param, expr)`."""

    op: str
    expr: "Expr"
    param: "Expr | None" = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """How the two sides of a binary operation find each other."""

    card: Cardinality
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_lhs: float | None = None
    fill_rhs: float | None = None


@dataclass(frozen=True, slots=True)
class BinaryExpr:
    """`lhs op rhs`; `matching` is None unless both sides are instant vectors.

    `returns` is what it evaluates to: known to each operator of a long chain without a walk.
    """

    op: str
    lhs: "Expr"
    rhs: "Expr"
    return_bool: bool = False
    matching: VectorMatching | None = None
    returns: ValueType = field(init=False, compare=False, repr=False)
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        sides = {value_type(self.lhs), value_type(self.rhs)}
        returns = ValueType.SCALAR if sides == {ValueType.SCALAR} else ValueType.VECTOR
        object.__setattr__(self, "returns", returns)


@dataclass(frozen=True, slots=True)
class Call:
    """`func(args)`; `returns` is the function's return type."""

    func: str
    args: tuple["Expr", ...]
    returns: ValueType
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


class Preprocessor(StrEnum):
    """The words that stand in durations for the query's step and range, and choose of two."""

    STEP = "step"
    RANGE = "range"
    MIN_OF = "min_of"
    MAX_OF = "max_of"


@dataclass(frozen=True, slots=True)
class DurationExpr:
    """Arithmetic inside a duration; `op` is an operator or a Preprocessor."""

    op: str
    lhs: "DurationExpr | NumberLiteral | None"
    rhs: "DurationExpr | NumberLiteral | None"
    wrapped: bool = False
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """`name{matchers}` with its modifiers; a bare name's `__name__` matcher stands last.

    `timestamp` is the `@` time; `bound` is `@ start()` or `@ end()`.
    """

    name: str
    matchers: tuple[Matcher, ...]
    offset: int = 0
    offset_expr: DurationExpr | None = None
    timestamp: int | None = None
    bound: Bound | None = None
    anchored: bool = False
    smoothed: bool = False
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """`selector[range]`; offset and `@` stand in the selector."""

    selector: VectorSelector
    range: int
    range_expr: DurationExpr | None = None
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class SubqueryExpr:
    """`expr[range:step]`; a step of 0 stands for the default resolution."""

    expr: "Expr"
    range: int
    step: int = 0
    offset: int = 0
    timestamp: int | None = None
    bound: Bound | None = None
    range_expr: DurationExpr | None = None
    step_expr: DurationExpr | None = None
    offset_expr: DurationExpr | None = None
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number; `duration` if it was written as one (`5m` is 300)."""

    value: float
    duration: bool = False
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StringLiteral:
    """A string."""

    value: str
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ParenExpr:
    """`(expr)`."""

    expr: "Expr"
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class UnaryExpr:
    """`+expr` or `-expr`."""

    op: str
    expr: "Expr"
    pos: PosRange = field(default=NOWHERE, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StepInvariantExpr:
    """An expression with one value for all steps; made by the planner, never by the parser."""

    expr: "Expr"

    @property
    def pos(self) -> PosRange:
        """Where the inner expression stands."""
        return self.expr.pos


Expr = (
    AggregateExpr
    | BinaryExpr
    | Call
    | DurationExpr
    | MatrixSelector
    | NumberLiteral
    | ParenExpr
    | StepInvariantExpr
    | StringLiteral
    | SubqueryExpr
    | UnaryExpr
    | VectorSelector
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the checker must know of a function.

    `variadic`: 0 for exactly `args`; n > 0 for up to n repeats of the last one, which may be absent
    too; -1 for any number of repeats. So `round(v, to=1)` is (VECTOR, SCALAR) with variadic 1.
    `labels_argument`: the index of an argument that is bare label matchers (`info` has one).
    """

    name: str
    args: tuple[ValueType, ...]
    returns: ValueType
    variadic: int = 0
    experimental: bool = False
    labels_argument: int | None = None


def value_type(expr: "Expr") -> ValueType:
    """What an expression evaluates to."""
    match expr:
        case AggregateExpr() | VectorSelector():
            return ValueType.VECTOR
        case MatrixSelector() | SubqueryExpr():
            return ValueType.MATRIX
        case NumberLiteral() | DurationExpr():
            return ValueType.SCALAR
        case StringLiteral():
            return ValueType.STRING
        case BinaryExpr() | Call():
            return expr.returns
        case ParenExpr() | UnaryExpr() | StepInvariantExpr():
            return value_type(expr.expr)


def children(expr: "Expr") -> tuple["Expr", ...]:
    """The expressions directly inside one, in the order of the text."""
    match expr:
        case AggregateExpr():
            return (expr.expr,) if expr.param is None else (expr.param, expr.expr)
        case BinaryExpr():
            return (expr.lhs, expr.rhs)
        case Call():
            return expr.args
        case MatrixSelector():
            return (expr.selector,)
        case ParenExpr() | StepInvariantExpr() | SubqueryExpr() | UnaryExpr():
            return (expr.expr,)
        case DurationExpr() | NumberLiteral() | StringLiteral() | VectorSelector():
            return ()


def rewrite(expr: "Expr", inner: Callable[["Expr"], "Expr"]) -> "Expr":
    """The same node over rewritten children."""
    match expr:
        case AggregateExpr():
            param = None if expr.param is None else inner(expr.param)
            return replace(expr, expr=inner(expr.expr), param=param)
        case BinaryExpr():
            return replace(expr, lhs=inner(expr.lhs), rhs=inner(expr.rhs))
        case Call():
            return replace(expr, args=tuple(inner(arg) for arg in expr.args))
        case MatrixSelector():
            selector = inner(expr.selector)
            assert isinstance(selector, VectorSelector)
            return replace(expr, selector=selector)
        case ParenExpr() | StepInvariantExpr() | SubqueryExpr() | UnaryExpr():
            return replace(expr, expr=inner(expr.expr))
        case DurationExpr() | NumberLiteral() | StringLiteral() | VectorSelector():
            return expr
