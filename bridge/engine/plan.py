"""What a query needs before it can be evaluated: its rewritten tree and its reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.engine.windows import seen_by
from bridge.model.labels import Matcher
from bridge.model.samples import SeriesBlock
from bridge.model.time import Steps, Window, in_64_bits
from bridge.promql.ast import (
    AggregateExpr,
    Expr,
    MatrixSelector,
    StepInvariantExpr,
    SubqueryExpr,
    VectorSelector,
    children,
)
from bridge.storage.interface import Select


@dataclass(frozen=True, slots=True)
class Timing:
    """What decides the windows of selectors: lookback and the default subquery step, ms."""

    lookback: int
    resolution: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A query's rewritten tree and the reads that it needs, none of them overlapping another."""

    expr: Expr
    selects: tuple[Select, ...]
    timing: Timing


class Reads:
    """The answers of a plan's reads, found again by matchers and window.

    `parted` tells whether any of them came in several parts.
    """

    __slots__ = ("_held", "parted")

    def __init__(self, answers: Iterable[tuple[Select, SeriesBlock]]) -> None:
        self._held: dict[tuple[Matcher, ...], list[tuple[Window, SeriesBlock]]] = {}
        for select, block in answers:
            window = Window(select.start, select.end)
            self._held.setdefault(select.matchers, []).append((window, block))
        blocks = (block for held in self._held.values() for _, block in held)
        self.parted = any(len(block.parts) > 1 for block in blocks)

    def find(self, selector: VectorSelector, window: Window) -> SeriesBlock:
        """The block that holds all samples of this selector in this window."""
        for held, block in self._held[canonical(selector)]:
            if held.start <= window.start and window.end <= held.end:
                return block
        raise AssertionError(f"{selector} was planned without {window}")


@dataclass(frozen=True, slots=True)
class Outline:
    """What a rewritten tree reads, whatever its steps are.

    Of each selector the windows, from so long after the first step to so long after the last, ms.
    """

    needs: tuple[tuple[tuple[Matcher, ...], tuple[Window, ...]], ...]
    timing: Timing

    @staticmethod
    def of(expr: Expr, timing: Timing) -> "Outline | None":
        """That of a tree; None if a part of it is evaluated at other steps than the query's."""
        if not _moves(expr):
            return None
        needs = _by_matchers(_needs(expr, Steps.at(0), timing)).items()
        return Outline(tuple((matchers, tuple(windows)) for matchers, windows in needs), timing)

    def plan(self, expr: Expr, steps: Steps) -> Plan:
        """The reads of the tree at these steps, which are one at least."""
        first, last = steps.start, steps.last
        return _planned(
            expr,
            (
                (matchers, [Window(first + one.start, last + one.end) for one in windows])
                for matchers, windows in self.needs
            ),
            self.timing,
        )


def _moves(expr: Expr) -> bool:
    """Whether all windows move with the steps."""
    still = isinstance(expr, SubqueryExpr | StepInvariantExpr) or (
        isinstance(expr, VectorSelector) and expr.timestamp is not None
    )
    return not still and all(map(_moves, children(expr)))


def plan(expr: Expr, steps: Steps, timing: Timing) -> Plan:
    """The reads of a rewritten tree."""
    return _planned(expr, _by_matchers(_needs(expr, steps, timing)).items(), timing)


def _by_matchers(
    needs: Iterable[tuple[VectorSelector, Window]],
) -> dict[tuple[Matcher, ...], list[Window]]:
    found: dict[tuple[Matcher, ...], list[Window]] = {}
    for selector, window in needs:
        found.setdefault(canonical(selector), []).append(window)
    return found


def _planned(
    expr: Expr, needs: Iterable[tuple[tuple[Matcher, ...], list[Window]]], timing: Timing
) -> Plan:
    selects = tuple(
        Select(matchers, window.start, window.end)
        for matchers, windows in needs
        for window in (_joined(windows) if len(windows) > 1 else windows)
    )
    return Plan(expr, selects, timing)


def canonical(selector: VectorSelector) -> tuple[Matcher, ...]:
    """The matchers of a selector, each once and in one order: equal selections are one read."""
    return tuple(sorted(set(selector.matchers)))


def subquery_steps(expr: SubqueryExpr, steps: Steps, resolution: int) -> Steps:
    """The steps at which a subquery evaluates its inner expression.

    They are multiples of its step, after the first window's start and up to the last window's end.
    Source: subqueryTimeRange in promql/engine.go of Prometheus; its division truncates.
    """
    first, last = steps.start, steps.last
    if expr.timestamp is not None:
        first = last = expr.timestamp
    interval = expr.step or resolution
    edge = in_64_bits(first - expr.offset - expr.range)
    start = abs(edge) // interval * interval * (1 if edge >= 0 else -1)
    return Steps(
        start + interval if start <= edge else start, in_64_bits(last - expr.offset), interval
    )


def _needs(expr: Expr, steps: Steps, timing: Timing) -> Iterator[tuple[VectorSelector, Window]]:
    if len(steps) == 0:
        return
    match expr:
        case VectorSelector():
            yield expr, seen_by(expr, steps, timing.lookback).window
        case MatrixSelector():
            yield expr.selector, seen_by(expr, steps, timing.lookback).window
        case SubqueryExpr():
            yield from _needs(expr.expr, subquery_steps(expr, steps, timing.resolution), timing)
        case StepInvariantExpr():
            yield from _needs(expr.expr, once(steps), timing)
        case _:
            for child in children(expr):
                yield from _needs(child, steps, timing)


def rows_of_values(planned: Plan, steps: Steps) -> frozenset[Select]:
    """The reads whose every series is a row of some value of all these steps.

    Not those below an aggregation, which may take one row range after the other.
    """
    found = tuple(_rowwise(planned.expr, steps, planned.timing))
    return frozenset(
        select
        for select in planned.selects
        if any(
            canonical(selector) == select.matchers
            and select.start <= window.start
            and window.end <= select.end
            for selector, window in found
        )
    )


def _rowwise(expr: Expr, steps: Steps, timing: Timing) -> Iterator[tuple[VectorSelector, Window]]:
    match expr:
        case VectorSelector() | MatrixSelector():
            yield from _needs(expr, steps, timing)
        case AggregateExpr() | StepInvariantExpr() | SubqueryExpr():
            return
        case _:
            for child in children(expr):
                yield from _rowwise(child, steps, timing)


def once(steps: Steps) -> Steps:
    """The single step that stands for all in a step-invariant expression."""
    return Steps(steps.start, steps.start, steps.interval, steps.instant)


def _joined(windows: list[Window]) -> list[Window]:
    """Windows that overlap become one."""
    joined: list[Window] = []
    for window in sorted(windows, key=lambda one: one.start):
        if joined and joined[-1].overlaps(window):
            joined[-1] = joined[-1].union(window)
        else:
            joined.append(window)
    return joined
