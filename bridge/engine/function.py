"""A PromQL function as one record, and the decorators that build it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from bridge.engine.query import DEFAULTS, Switches
from bridge.engine.starts import UNKNOWN_STARTS, Starts
from bridge.kernel import WindowKernel
from bridge.model.annotations import (
    Annotation,
    Annotations,
    ignored_in_range,
    overlapping_starts,
)
from bridge.model.errors import ExecutionError
from bridge.model.labels import METRIC_NAME, LabelTable
from bridge.model.posrange import PosRange
from bridge.model.samples import Float64s
from bridge.model.time import Steps
from bridge.model.vectors import Bools, Matrix, Reach, Scalar, Value, Windows
from bridge.promql.ast import (
    NOWHERE,
    Call,
    Expr,
    ParenExpr,
    Signature,
    StepInvariantExpr,
    StringLiteral,
    SubqueryExpr,
    ValueType,
    VectorSelector,
)

SCALAR: Final = ValueType.SCALAR
VECTOR: Final = ValueType.VECTOR
MATRIX: Final = ValueType.MATRIX
STRING: Final = ValueType.STRING

OfMetric = Callable[[str, PosRange], Annotation]


@dataclass(frozen=True, slots=True, eq=False)
class CallSite:
    """Where a function is called: the call itself, the steps, a place for annotations.

    `write` is told how many bytes a label's value takes before it is made; it may refuse.
    """

    call: Call
    steps: Steps
    annotations: Annotations
    write: Callable[[int], None]
    switches: Switches = DEFAULTS

    def argument(self, index: int) -> Expr:
        """An argument's expression, without parentheses."""
        expr = self.call.args[index]
        while isinstance(expr, ParenExpr | StepInvariantExpr):
            expr = expr.expr
        return expr

    def position(self, index: int) -> PosRange:
        """Where annotations about an argument point to.

        A subquery's is the start of the query: Prometheus evaluates it under another node.
        """
        expr = self.argument(index)
        return NOWHERE if isinstance(expr, SubqueryExpr) else expr.pos

    def note_metrics(self, windows: Windows, where: Bools, remark: OfMetric) -> None:
        """A remark on each metric with a row that has anything `where` bool [S, T] is true."""
        for name in metrics(windows.labels, where):
            self.annotations.add(remark(name, self.position(0)))

    def note_overlaps(self, windows: Windows, where: Bools) -> None:
        """Remarks on start timestamps before the sample before, in the windows where that is."""
        for row in np.flatnonzero(where.any(axis=1)).tolist():
            name, count = windows.labels[row].get(METRIC_NAME), int(where[row].sum())
            self.annotations.add(overlapping_starts(name, count, self.position(0)))

    def note_ignored(self, windows: Windows) -> None:
        """Remarks on windows with floats and histograms, for functions that are about floats."""
        native = windows.histograms
        if native is not None:
            mixed = (windows.hi > windows.lo) & (native.hi > native.lo)
            self.note_metrics(windows, mixed, ignored_in_range)

    def starts(self, windows: Windows) -> Starts:
        """The start timestamps that functions of counters look at: none unless switched on."""
        return Starts.of(windows) if self.switches.use_start_timestamps else UNKNOWN_STARTS

    def text(self, index: int) -> str:
        """The value of an argument that is a string literal."""
        expr = self.argument(index)
        assert isinstance(expr, StringLiteral)
        return expr.value


def metrics(labels: LabelTable, where: Bools) -> list[str]:
    """The names of the rows in which anything `where` bool [S, T] is true, in order."""
    rows = np.flatnonzero(where.any(axis=1)).tolist()
    return sorted({labels[row].get(METRIC_NAME) for row in rows})


Apply = Callable[[CallSite, tuple[Value, ...]], Value]
OfSelector = Callable[[CallSite, Windows], Matrix]
Check = Callable[[CallSite], None]
OfLabels = Callable[[Call], VectorSelector]
OfQuery = Callable[[Steps], float]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """Everything about one function.

    `apply` takes the evaluated arguments in order and gives the value, with labels as they came:
    the evaluator drops the metric name (and `__type__`, `__unit__`) unless `keeps_name`, and
    refuses rows with equal labels.
    `row_wise`: row i of the result depends on row i of the one vector or range vector argument
    only, and rows neither appear nor change their order; such calls are evaluated by row ranges.
    `stepwise`: the value at a step depends on what the arguments hold at that step only, as it does
    of itself where the function is `row_wise`.
    `timeless`: the value at a step does not depend on the step's time by itself, so that with `@`
    on every selector one evaluation serves all steps.
    `check` raises what is wrong with the call as it is written, before any argument is evaluated.
    `of_selector` is used instead of `apply` where the argument is a plain selector: it sees the
    selector's lookback windows.
    `of_query` gives the value of a function that is a constant of the whole query, from the query's
    steps, inside subqueries too; a pass puts the number in the call's place.
    `of_labels` makes of a call the selector that its argument of bare label matchers stands for; a
    pass puts it in, and `apply` gets the selector's lookback windows as that argument's value.
    `counts_only`: of the histograms it is given only count and sum matter, or the buckets too; None
    if that is for what is done with its value to say.
    `skims`: of the floats of a window it looks at a few only, however many there are.
    `reaches`: the kinds of extended range selectors that may be its argument.
    """

    signature: Signature
    apply: Apply
    keeps_name: bool = False
    row_wise: bool = False
    timeless: bool = True
    of_selector: OfSelector | None = None
    stepwise: bool = False
    of_query: OfQuery | None = None
    check: Check | None = None
    reaches: frozenset[Reach] = frozenset()
    of_labels: OfLabels | None = None
    counts_only: bool | None = None
    skims: bool = False

    @property
    def name(self) -> str:
        """The function's name in PromQL."""
        return self.signature.name

    @property
    def by_step(self) -> bool:
        """Whether the value at a step depends on nothing that there is at other steps only."""
        of_vectors = VECTOR in self.signature.args or MATRIX in self.signature.args
        return self.row_wise or self.stepwise or not of_vectors


def require_reach(name: str, windows: Windows, functions: Mapping[str, "Function"]) -> None:
    """Raises ExecutionError if windows reach further than the function of that name allows."""
    if windows.reach is None or windows.reach in functions[name].reaches:
        return
    allowed = sorted(name for name, one in functions.items() if windows.reach in one.reaches)
    raise ExecutionError(
        f"{windows.reach} modifier can only be used with: {', '.join(allowed)} - not with {name}"
    )


def function(
    name: str,
    args: tuple[ValueType, ...],
    returns: ValueType = VECTOR,
    *,
    variadic: int = 0,
    experimental: bool = False,
    keeps_name: bool = False,
    row_wise: bool = False,
    timeless: bool = True,
    of_selector: OfSelector | None = None,
    stepwise: bool = False,
    check: Check | None = None,
    reaches: Iterable[Reach] = (),
    labels_argument: int | None = None,
    of_labels: OfLabels | None = None,
    counts_only: bool | None = None,
    skims: bool = False,
) -> Callable[[Apply], Function]:
    """Declares a function that takes evaluated values: the general form."""
    signature = Signature(name, args, returns, variadic, experimental, labels_argument)

    def declare(apply: Apply) -> Function:
        return Function(
            signature,
            apply,
            keeps_name,
            row_wise,
            timeless,
            of_selector,
            stepwise,
            check=check,
            reaches=frozenset(reaches),
            of_labels=of_labels,
            counts_only=counts_only,
            skims=skims,
        )

    return declare


def constant(name: str) -> Callable[[OfQuery], Function]:
    """Declares a scalar that is the same everywhere in a query: `body(steps) -> value`."""

    def declare(body: OfQuery) -> Function:
        def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
            raise AssertionError("constants of the query are folded by a pass")

        signature = Signature(name, (), SCALAR, experimental=True)
        return Function(signature, apply, timeless=False, of_query=body)

    return declare


def elementwise(
    name: str, args: tuple[ValueType, ...] = (VECTOR,), *, variadic: int = 0
) -> Callable[[Callable[..., Float64s]], Function]:
    """Declares a function of each value: `body(values [S, T], *scalars [T]) -> [S, T]`."""

    def declare(body: Callable[..., Float64s]) -> Function:
        def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
            vector = cast("Matrix", values[0])
            scalars = [cast("Scalar", value).values for value in values[1:]]
            with np.errstate(all="ignore"):
                return Matrix(vector.labels, body(vector.values, *scalars), vector.present)

        return function(name, args, variadic=variadic, row_wise=True)(apply)

    return declare


def over_window(
    name: str,
    args: tuple[ValueType, ...] = (MATRIX,),
    *,
    timeless: bool = True,
    experimental: bool = False,
) -> Callable[[WindowKernel], Function]:
    """Declares a function of a window's floats; scalar arguments become the kernel's parameters.

    Histograms beside them are ignored with a remark.
    """

    def declare(kernel: WindowKernel) -> Function:
        def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
            windows = next(value for value in values if isinstance(value, Windows))
            scalars = [value.values for value in values if isinstance(value, Scalar)]
            site.note_ignored(windows)
            return run_over_windows(kernel, windows, scalars)

        return function(name, args, row_wise=True, timeless=timeless, experimental=experimental)(
            apply
        )

    return declare


def run_over_windows(kernel: WindowKernel, windows: Windows, params: list[Float64s]) -> Matrix:
    """The kernel's value of every window; `params` float64 [T] each."""
    columns = windows.columns
    values, present = kernel(
        columns.timestamps,
        columns.values,
        windows.lo,
        windows.hi,
        windows.starts,
        windows.ends,
        windows.times,
        *params,
    )
    return Matrix(windows.labels, values, present)
