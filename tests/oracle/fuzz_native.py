"""What Prometheus 3.5 did otherwise with native histograms: translations, as for `differences`."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np

from bridge.engine.function import CallSite, Function
from bridge.engine.functions import FUNCTIONS
from bridge.model.histogram import Histograms
from bridge.model.histogram_operators import products
from bridge.model.samples import Float64s
from bridge.model.time import go_seconds
from bridge.model.vectors import HistogramWindows, Matrix, Value, Windows
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    SubqueryExpr,
    UnaryExpr,
    children,
)
from tests.oracle.fuzz_replies import numbers_of
from tests.oracle.fuzz_translations import Case

_SUMS: Final = frozenset({"sum", "avg", "sum_over_time", "avg_over_time"})
_RATES: Final = frozenset({"rate", "increase"})
_NEAR: Final = 1e-9
_NOT_GAUGE: Final = "this native histogram metric is not a gauge"
_NOT_COUNTER: Final = "this native histogram metric is not a counter"


def rounded(case: Case) -> Case:
    """Where histograms were added up, or a factor is ours by another way, rounding shows."""
    if not _adds(case.expr) or case.theirs.error or case.ours.error:
        return case
    theirs, ours = (json.loads(one.data) for one in (case.theirs, case.ours))
    same = all(_alike(one, other) for one, other in _pairs(theirs, ours))
    return replace(case, ours=replace(case.ours, data=case.theirs.data)) if same else case


def unnoticed_mix(case: Case) -> Case:
    """Where only counts and sums were wanted 3.5 did not see that buckets are of two kinds."""
    ours, theirs = (any(map(_MIX.search, one.annotations)) for one in (case.ours, case.theirs))
    unseen = ours and not theirs and _only_counts(case.expr)
    return replace(case, ours=case.theirs) if unseen else case


def negated(case: Case) -> Case:
    """What was subtracted or has another sign was no gauge yet: 3.5 takes it for a counter."""
    theirs, ours = case.theirs.annotations, case.ours.annotations
    taken = {note for note in theirs - ours if _NOT_GAUGE in note}
    given = {note for note in ours - theirs if _NOT_COUNTER in note}
    if not (taken or given) or not _negates(case.expr):
        return case
    return replace(
        case,
        theirs=replace(case.theirs, annotations=theirs - taken),
        ours=replace(case.ours, annotations=ours - given),
    )


def _negates(expr: Expr | None) -> bool:
    match expr:
        case None:
            return False
        case UnaryExpr(op="-") | BinaryExpr(op="-" | "*" | "/"):
            return True
        case _:
            return any(map(_negates, children(expr)))


def in_subqueries(case: Case) -> Case:
    """Histograms in the points of a subquery shared memory with others: only floats count."""
    if not _has_subquery(case.expr) or case.theirs.error or case.ours.error:
        return case
    theirs, ours = (_floats(json.loads(one.data)) for one in (case.theirs, case.ours))
    if theirs != ours or b'"histogram' not in case.theirs.data + case.ours.data:
        return case
    return replace(case, ours=replace(case.ours, data=case.theirs.data))


def _has_subquery(expr: Expr | None) -> bool:
    if expr is None:
        return False
    return isinstance(expr, SubqueryExpr) or any(map(_has_subquery, children(expr)))


def _floats(data: Any) -> Any:
    """An answer without the values of histograms."""
    if not isinstance(data["result"], list):
        return data
    rows = [row for row in _sorted(data["result"]) if isinstance(row, dict)]
    return [{**row, "histogram": None, "histograms": None} for row in rows] or data


_MIX: Final = re.compile(r"mix of histograms with exponential and custom buckets")
_COUNTS: Final = frozenset({"histogram_count", "histogram_sum", "histogram_avg"})


def _only_counts(expr: Expr | None) -> bool:
    if expr is None:
        return False
    here = isinstance(expr, Call) and expr.func in _COUNTS
    return here or any(map(_only_counts, children(expr)))


def _adds(expr: Expr | None) -> bool:
    match expr:
        case None:
            return False
        case Call(func=name) | AggregateExpr(op=name) if name in _SUMS | _RATES:
            return True
        case _:
            return any(map(_adds, children(expr)))


def _pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The leaves of two trees side by side; two trees of other shapes as they are."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _pairs(one[key], other[key])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(_sorted(one), _sorted(other), strict=True):
            yield from _pairs(left, right)
    else:
        yield one, other


def _sorted(items: list[Any]) -> list[Any]:
    """Rows by their labels, anything else as it is."""
    if items and isinstance(items[0], dict) and "metric" in items[0]:
        return sorted(items, key=lambda row: json.dumps(row["metric"], sort_keys=True))
    return items


def _alike(one: Any, other: Any) -> bool:
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    left, right = numbers_of(one), numbers_of(other)
    if left is None or right is None or len(left) != len(right):
        return False
    return all(np.isclose(left, right, rtol=_NEAR, atol=_NEAR, equal_nan=True).tolist())


def unlimited(name: str) -> Function:
    """`rate` or `increase` whose extrapolation does not stop where a histogram's count is zero."""
    newer = FUNCTIONS[name]

    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        made, windows = cast("Matrix", newer.apply(site, values)), cast("Windows", values[0])
        cells, native = made.histograms, windows.histograms
        if cells is None or native is None or not cells.present.any():
            return made
        seconds = go_seconds(windows.range) if name == "rate" else 1.0
        counts = np.where(cells.present, np.append(cells.table.count, 0.0)[cells.index], 0.0)
        factors = _longer(windows, native, counts * seconds)[cells.present]
        table = products(cells.table.arrays, cells.rows(), factors, False)
        longer = type(cells).filled(cells.present, Histograms.frozen(table))
        return replace(made, histograms=longer)

    return replace(newer, apply=apply)


def _longer(windows: Windows, native: HistogramWindows, counts: Float64s) -> Float64s:
    """By how much more 3.5 extrapolated; `counts` float64 [S, T] of the increases as they are."""
    times, first, last = native.columns.timestamps, native.lo, np.maximum(native.hi - 1, native.lo)
    times, held = np.append(times, 0), np.append(native.columns.table.count, 0.0)[first]
    with np.errstate(all="ignore"):
        sampled = (times[last] - times[first]) / 1000.0
        average = sampled / (last - first)
        before = (times[first] - windows.starts) / 1000.0
        after = (windows.ends - times[last]) / 1000.0
        before = np.where(before >= average * 1.1, average / 2.0, before)
        after = np.where(after >= average * 1.1, average / 2.0, after)
        gained = (counts - held) / (1.0 + after / sampled)
        to_zero = sampled * held / gained
        limited = (gained > 0.0) & (held >= 0.0) & (to_zero < before)
        factors = (sampled + before + after) / (sampled + to_zero + after)
    return np.where(limited, factors, 1.0)
