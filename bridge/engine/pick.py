"""Aggregations that compare or choose the rows of a group: topk, limitk, quantile and the like.

Source: aggregationK in promql/engine.go and quantile in promql/quantile.go of Prometheus.
"""

from typing import Final

import numpy as np
from numba import boolean

from bridge.engine.fold import as_seen, by_first
from bridge.engine.names import dropping_rows, groups_drop_name
from bridge.kernel import (
    b1_in,
    b1_in2,
    b1_out2,
    f8_in,
    f8_in2,
    f8_out2,
    i8_in,
    i8_out,
    i8_out2,
    inlined,
    kernel,
)
from bridge.model.annotations import go_general
from bridge.model.errors import ExecutionError
from bridge.model.label_hash import label_hashes
from bridge.model.labels import Groups
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Bools, Matrix

# What Go compares with: the smallest int64, and the largest float64 below 2^63.
_MIN_INT64: Final = -9223372036854775808.0
_MAX_INT64: Final = 9223372036854774784.0
# The greatest uint64 as a float64.
_HASHES: Final = 2.0**64


def checked_k(k: Float64s) -> Int64s | None:
    """How many rows to keep at each step, or None if none at any; raises ExecutionError."""
    lowest, highest = float(np.min(k)), float(np.max(k))
    if highest < 1:
        return None
    if np.isnan(k).any():
        raise ExecutionError("Parameter value is NaN")
    if lowest <= _MIN_INT64:
        raise ExecutionError(f"Scalar value {go_general(lowest)} underflows int64")
    if highest >= _MAX_INT64:
        raise ExecutionError(f"Scalar value {go_general(highest)} overflows int64")
    return np.maximum(k, 0).astype(np.int64)


def extremes(matrix: Matrix, groups: Groups, k: Int64s, *, largest: bool) -> Matrix:
    """The k largest or smallest values of each group, at one step in their order, else masked."""
    ranks = np.empty(matrix.values.shape, np.int64)
    _extremes(
        np.ascontiguousarray(matrix.values),
        np.ascontiguousarray(matrix.present),
        groups.ids,
        k,
        largest,
        ranks,
    )
    if matrix.steps > 1:
        return matrix.masked(ranks >= 0).without_empty_rows()
    return _by_rank(matrix, groups, ranks[:, 0])


def _by_rank(matrix: Matrix, groups: Groups, ranks: Int64s) -> Matrix:
    """Of one step the rows with a rank of 0 or more, group by group; `ranks` int64 [S]."""
    picked = np.flatnonzero(ranks >= 0)
    order = np.lexsort((ranks[picked], _first_seen(matrix, groups)[picked]))
    return matrix.take(picked[order])


def first_rows(matrix: Matrix, groups: Groups, k: Int64s) -> Matrix:
    """The first k rows of each group that are present at a step."""
    kept = np.zeros(matrix.present.shape, np.bool_)
    _first_rows(np.ascontiguousarray(matrix.occupied), groups.ids, k, kept)
    return _chosen(matrix, groups, kept)


def checked_ratio(ratio: Float64s) -> Float64s | None:
    """Which share to keep at each step, in [-1, 1]; None if never any; raises ExecutionError."""
    if not ratio.any():
        return None
    if np.isnan(ratio).any():
        raise ExecutionError("Ratio value is NaN")
    return np.clip(ratio, -1.0, 1.0)


def sampled_rows(matrix: Matrix, groups: Groups, ratio: Float64s) -> Matrix:
    """The rows whose hash lies in the first `ratio` of all hashes, or if negative in the last."""
    offsets = (label_hashes(matrix.labels).astype(np.float64) / _HASHES)[:, None]
    kept = np.where(ratio >= 0.0, offsets < ratio, offsets >= 1.0 + ratio)
    return _chosen(matrix, groups, matrix.occupied & kept)


def _chosen(matrix: Matrix, groups: Groups, kept: Bools) -> Matrix:
    """The rows where `kept` bool [S, T]; at one step in the order of Prometheus' heaps."""
    if matrix.steps > 1:
        return matrix.masked(kept).without_empty_rows()
    ranks = np.full(len(matrix), -1, np.int64)
    # To Prometheus' heap the value of a histogram is 0.
    values = np.where(matrix.present, matrix.values, 0.0)
    _heaped(values, kept[:, 0].copy(), groups.ids, ranks)
    return _by_rank(matrix, groups, ranks)


def quantiles(matrix: Matrix, groups: Groups, q: Float64s) -> Matrix:
    """The quantile q of the values of each group that has any at a step; `q` float64 [T]."""
    shape = (len(groups.labels), matrix.steps)
    values, present = np.empty(shape), np.empty(shape, np.bool_)
    _quantiles(
        np.ascontiguousarray(matrix.values),
        np.ascontiguousarray(matrix.present),
        groups.ids,
        q,
        values,
        present,
    )
    late = dropping_rows(matrix, groups.ids, len(groups.labels))
    drop_name = None if late is None else groups_drop_name(late, present)
    result = Matrix(groups.labels, values, present, drop_name)
    if matrix.steps > 1:
        return result.without_empty_rows()
    return as_seen(result, groups.ids[matrix.present[:, 0]])


def _first_seen(matrix: Matrix, groups: Groups) -> Int64s:
    """For each row the position of its group in the order in which groups are first present."""
    order = by_first(groups.ids[matrix.occupied[:, 0]])
    position = np.zeros(len(groups.labels), np.int64)
    position[order] = np.arange(len(order))
    return position[groups.ids]


@inlined
def _below(values, step, one, other, largest):  # type: ignore[no-untyped-def]
    """Whether row `one` stands nearer to the heap's top, which is the first to be thrown out."""
    if np.isnan(values[one, step]):
        return True
    if largest:
        return bool(values[one, step] < values[other, step])
    return bool(values[one, step] > values[other, step])


@inlined
def _sift_up(values, step, heap, start, at, largest):  # type: ignore[no-untyped-def]
    while at > 0:
        parent = (at - 1) // 2
        if not _below(values, step, heap[start + at], heap[start + parent], largest):
            break
        heap[start + at], heap[start + parent] = heap[start + parent], heap[start + at]
        at = parent


@inlined
def _sift_down(values, step, heap, start, size, largest):  # type: ignore[no-untyped-def]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        right = child + 1
        if right < size and _below(values, step, heap[start + right], heap[start + child], largest):
            child = right
        if not _below(values, step, heap[start + child], heap[start + at], largest):
            break
        heap[start + at], heap[start + child] = heap[start + child], heap[start + at]
        at = child


@inlined
def _sorted_descending(values, step, heap, start, size, largest):  # type: ignore[no-untyped-def]
    """Turns a heap into best first, by insertion as Go's sort does to twelve or fewer."""
    for at in range(1, size):
        back = at
        while back > 0 and _below(
            values, step, heap[start + back - 1], heap[start + back], largest
        ):
            heap[start + back], heap[start + back - 1] = heap[start + back - 1], heap[start + back]
            back -= 1


@inlined
def _group_starts(ids):  # type: ignore[no-untyped-def]
    """Where each group's share of an array as long as the rows begins."""
    groups = 0
    for row in range(len(ids)):
        groups = max(groups, ids[row] + 1)
    starts = np.zeros(groups + 1, np.int64)
    for row in range(len(ids)):
        starts[ids[row] + 1] += 1
    for group in range(groups):
        starts[group + 1] += starts[group]
    return starts


@kernel(f8_in2, b1_in2, i8_in, i8_in, boolean, i8_out2)
def _extremes(values, present, ids, k, largest, ranks):  # type: ignore[no-untyped-def]
    starts = _group_starts(ids)
    heap = np.empty(len(ids), np.int64)
    sizes = np.zeros(len(starts) - 1, np.int64)
    ranks[:] = -1
    for step in range(values.shape[1]):
        sizes[:] = 0
        if k[step] < 1:
            continue
        for row in range(values.shape[0]):
            if not present[row, step]:
                continue
            group = ids[row]
            start, size = starts[group], sizes[group]
            if size < k[step]:
                heap[start + size] = row
                _sift_up(values, step, heap, start, size, largest)
                sizes[group] += 1
                continue
            top, new = values[heap[start], step], values[row, step]
            better = top < new if largest else top > new
            if better or (np.isnan(top) and not np.isnan(new)):
                heap[start] = row
                _sift_down(values, step, heap, start, size, largest)
        for group in range(len(sizes)):
            if values.shape[1] == 1:
                _sorted_descending(values, step, heap, starts[group], sizes[group], largest)
            for rank in range(sizes[group]):
                ranks[heap[starts[group] + rank], step] = rank


@kernel(b1_in2, i8_in, i8_in, b1_out2)
def _first_rows(present, ids, k, kept):  # type: ignore[no-untyped-def]
    sizes = np.zeros(len(ids), np.int64)
    for step in range(present.shape[1]):
        sizes[:] = 0
        for row in range(present.shape[0]):
            if present[row, step] and sizes[ids[row]] < k[step]:
                sizes[ids[row]] += 1
                kept[row, step] = True


@kernel(f8_in2, b1_in, i8_in, i8_out)
def _heaped(values, kept, ids, ranks):  # type: ignore[no-untyped-def]
    """The place of each row that is kept in its group's heap, rows put in one after the other."""
    starts = _group_starts(ids)
    heap = np.empty(len(ids), np.int64)
    sizes = np.zeros(len(ids), np.int64)
    for row in range(len(ids)):
        if kept[row]:
            group = ids[row]
            heap[starts[group] + sizes[group]] = row
            _sift_up(values, 0, heap, starts[group], sizes[group], True)
            sizes[group] += 1
    for group in range(len(starts) - 1):
        for rank in range(sizes[group]):
            ranks[heap[starts[group] + rank]] = rank


@inlined
def sorted_quantile(q, values):  # type: ignore[no-untyped-def]
    """The quantile q of values sorted with NaN first: the two nearest ranks, weighted."""
    n = len(values)
    if n == 0 or np.isnan(q):
        return np.nan
    if q < 0.0:
        return -np.inf
    if q > 1.0:
        return np.inf
    rank = q * (n - 1.0)
    lower = max(0.0, np.floor(rank))
    upper = min(n - 1.0, lower + 1.0)
    weight = rank - np.floor(rank)
    return values[int(lower)] * (1.0 - weight) + values[int(upper)] * weight


@inlined
def _sorted_nan_first(values):  # type: ignore[no-untyped-def]
    """Sorted ascending; numpy puts NaN last, Prometheus first."""
    ordered = np.sort(values)
    missing = 0
    while missing < len(ordered) and np.isnan(ordered[len(ordered) - 1 - missing]):
        missing += 1
    return np.roll(ordered, missing)


@kernel(f8_in2, b1_in2, i8_in, f8_in, f8_out2, b1_out2)
def _quantiles(values, present, ids, q, out, out_present):  # type: ignore[no-untyped-def]
    starts = _group_starts(ids)
    gathered = np.empty(len(ids))
    sizes = np.zeros(len(starts) - 1, np.int64)
    for step in range(values.shape[1]):
        sizes[:] = 0
        for row in range(values.shape[0]):
            if present[row, step]:
                group = ids[row]
                gathered[starts[group] + sizes[group]] = values[row, step]
                sizes[group] += 1
        for group in range(len(sizes)):
            found = gathered[starts[group] : starts[group] + sizes[group]]
            out_present[group, step] = len(found) > 0
            out[group, step] = sorted_quantile(q[step], _sorted_nan_first(found))
