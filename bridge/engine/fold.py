"""Aggregations that take one series after the other, as sum and avg do.

Each keeps a few numbers per group and step, and continues them from row range to row range in
series order, so that the answer does not depend on how the rows were cut.
Source: aggregation in promql/engine.go of Prometheus.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from bridge.engine.fold_histograms import FoldedHistograms, Native, Remarks
from bridge.engine.names import dropping_rows, groups_drop_name
from bridge.kernel import Kernel, b1_in2, b1_out, f8_in2, f8_out2, i8_in, i8_out, kernel
from bridge.model.kahan import add, add_to_mean
from bridge.model.labels import Grouping, LabelTable
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Bools, Matrix


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Per group and step, float64 [G, T] each: how many values, and the running numbers."""

    count: Float64s
    value: Float64s
    compensation: Float64s
    mean: Float64s

    @staticmethod
    def of(groups: int, steps: int) -> "State":
        """Nothing seen yet."""
        return State(*np.zeros((4, groups, steps)))


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """How one aggregation takes in rows, and what it makes of the numbers in the end."""

    add: Kernel[Any, None]
    finish: Callable[[State], Float64s]
    histograms: Native = Native.IGNORED


def fold(
    operation: Fold, grouping: Grouping, parts: Iterable[Matrix], remarks: Remarks
) -> Matrix | None:
    """Aggregates row ranges in their order; None if there are none.

    Groups that are present at no step are left out. All parts are slices of one label table, or
    there is one part only.
    """
    labels: LabelTable | None = None
    state: State | None = None
    ids: Int64s
    late: Bools | None = None
    native: FoldedHistograms | None = None
    seen: list[Int64s] = []
    for part in parts:
        whole = part.labels.whole
        groups = whole.grouped(grouping)
        if state is None or labels is None:
            labels, state = groups.labels, State.of(len(groups.labels), part.steps)
        assert groups.labels is labels
        ids = groups.ids[part.labels.start : part.labels.start + len(part)]
        values, present = np.ascontiguousarray(part.values), np.ascontiguousarray(part.present)
        if part.histograms is not None and operation.histograms is Native.COUNTED:
            present = part.occupied
        elif part.histograms is not None:
            native = native or FoldedHistograms(operation.histograms, present.shape, len(labels))
            native.take_in(part, part.histograms, ids, state.count > 0, remarks)
        operation.add(
            values, present, ids, state.count, state.value, state.compensation, state.mean
        )
        dropping = dropping_rows(part, ids, len(labels))
        late = dropping if late is None or dropping is None else late | dropping
        if part.steps == 1:
            seen.append(ids[part.occupied[:, 0]])
    if state is None or labels is None:
        return None
    present, cells = state.count > 0, None
    if native is not None:
        present, cells = native.finished(present, remarks)
    occupied = present if cells is None else present | cells.present
    drop_name = None if late is None else groups_drop_name(late, occupied)
    with np.errstate(all="ignore"):
        result = Matrix(labels, operation.finish(state), present, drop_name, cells)
    return (
        as_seen(result, np.concatenate(seen)).without_empty_rows()
        if seen
        else result.without_empty_rows()
    )


def as_seen(groups: Matrix, ids: Int64s) -> Matrix:
    """The groups in the order in which an instant query meets their samples; `ids` int64 [R]."""
    order = by_first(ids)
    in_order = len(order) == len(groups) and bool((order[1:] > order[:-1]).all())
    return groups if in_order else groups.take(order)


def by_first(ids: Int64s) -> Int64s:
    """The distinct ones of these numbers in the order of their first occurrence."""
    if not len(ids):
        return ids
    met, found = np.zeros(int(ids.max()) + 1, np.bool_), np.empty(len(ids), np.int64)
    return found[: _by_first(ids, met, found)]


@kernel(i8_in, b1_out, i8_out)
def _by_first(ids, met, found):  # type: ignore[no-untyped-def]
    count = 0
    for one in ids:
        if not met[one]:
            met[one] = True
            found[count] = one
            count += 1
    return count


_ARGUMENTS: Final = (f8_in2, b1_in2, i8_in, f8_out2, f8_out2, f8_out2, f8_out2)


@kernel(*_ARGUMENTS)
def _sum(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            if count[group, step] == 0.0:
                value[group, step] = values[row, step]
            else:
                value[group, step], compensation[group, step] = add(
                    values[row, step], value[group, step], compensation[group, step]
                )
            count[group, step] += 1.0


@kernel(*_ARGUMENTS)
def _average(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    """`mean` is 0 while `value` is a sum and 1 once that would overflow and `value` is the mean."""
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            count[group, step] += 1.0
            if count[group, step] == 1.0:
                value[group, step] = values[row, step]
                continue
            value[group, step], compensation[group, step], incremental = add_to_mean(
                values[row, step],
                count[group, step],
                value[group, step],
                compensation[group, step],
                mean[group, step] != 0.0,
            )
            mean[group, step] = 1.0 if incremental else 0.0


@kernel(*_ARGUMENTS)
def _count(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if present[row, step]:
                count[group, step] += 1.0


@kernel(*_ARGUMENTS)
def _min(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            held, new = value[group, step], values[row, step]
            if count[group, step] == 0.0 or held > new or np.isnan(held):
                value[group, step] = new
            count[group, step] += 1.0


@kernel(*_ARGUMENTS)
def _max(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            held, new = value[group, step], values[row, step]
            if count[group, step] == 0.0 or held < new or np.isnan(held):
                value[group, step] = new
            count[group, step] += 1.0


@kernel(*_ARGUMENTS)
def _variance(values, present, ids, count, value, compensation, mean):  # type: ignore[no-untyped-def]
    """Welford's algorithm; a first value that is not finite makes the result NaN."""
    for row in range(values.shape[0]):
        group = ids[row]
        for step in range(values.shape[1]):
            if not present[row, step]:
                continue
            new = values[row, step]
            count[group, step] += 1.0
            if count[group, step] == 1.0:
                mean[group, step] = new
                value[group, step] = 0.0 if np.isfinite(new) else np.nan
                continue
            delta = new - mean[group, step]
            mean[group, step] += delta / count[group, step]
            value[group, step] += delta * (new - mean[group, step])


def _finish_average(state: State) -> Float64s:
    plain = state.value / state.count + state.compensation / state.count
    return np.where(state.mean == 0.0, plain, state.value + state.compensation)


FOLDS: Final[Mapping[str, Fold]] = MappingProxyType(
    {
        "sum": Fold(_sum, lambda state: state.value + state.compensation, Native.SUMMED),
        "avg": Fold(_average, _finish_average, Native.AVERAGED),
        "count": Fold(_count, lambda state: state.count, Native.COUNTED),
        "group": Fold(_count, lambda state: np.ones_like(state.count), Native.COUNTED),
        "min": Fold(_min, lambda state: state.value),
        "max": Fold(_max, lambda state: state.value),
        "stddev": Fold(_variance, lambda state: np.sqrt(state.value / state.count)),
        "stdvar": Fold(_variance, lambda state: state.value / state.count),
    }
)
