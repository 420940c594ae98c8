"""When metric names go: at once, or with delayed name removal when evaluation ends.

Source: DropName and cleanupMetricLabels in promql/engine.go of Prometheus.
"""

from dataclasses import replace

import numpy as np

from bridge.engine.matching import present_groups
from bridge.engine.merge import SAME_LABELS, merge_equal_labels
from bridge.model.errors import ExecutionError
from bridge.model.histogram import HistogramColumns
from bridge.model.labels import METADATA_LABELS, Labels, LabelTable
from bridge.model.samples import Columns, Int64s
from bridge.model.starts import NO_STARTS
from bridge.model.vectors import Bools, HistogramWindows, Matrix, Value, Windows


def nameless(matrix: Matrix, *, delayed: bool) -> Matrix:
    """The matrix without its names, type and unit; they stay until the end if `delayed`."""
    if delayed:
        return replace(matrix, drop_name=np.ones(len(matrix), np.bool_))
    return matrix.relabelled(matrix.labels.without(METADATA_LABELS))


def settled(value: Value) -> Value:
    """A query's value after delayed removal; what then has the same labels is one row.

    Raises ExecutionError where two such rows have something at the same time.
    """
    match value:
        case Matrix():
            labels = _without_dropped(value.labels, value.drop_name)
            return merge_equal_labels(replace(value, labels=labels, drop_name=None))
        case Windows():
            labels = _without_dropped(value.labels, value.drop_name)
            named = replace(value, labels=labels, drop_name=None)
            return named if labels.distinct() else _merged(named)
        case _:
            return value


def groups_drop_name(late: Bools, present: Bools) -> Bools:
    """Which groups' names are to go, bool [G]: the last step at which a group is present tells.

    `late` bool [G, T]: whether a row whose name is to go is among those of a group.
    """
    last = present.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
    found: Bools = late[np.arange(len(late)), last]
    return found


def dropping_rows(matrix: Matrix, ids: Int64s, groups: int) -> Bools | None:
    """Whether a row whose name is to go is present in each group; bool [G, T]."""
    if matrix.drop_name is None:
        return None
    return present_groups(matrix.occupied & matrix.drop_name[:, None], ids, groups)


def _without_dropped(labels: LabelTable, drop_name: Bools | None) -> LabelTable:
    if drop_name is None or not drop_name.any():
        return labels
    bare = labels.without(METADATA_LABELS)
    if drop_name.all():
        return bare
    rows = zip(labels, bare, drop_name.tolist(), strict=True)
    return LabelTable(short if dropped else whole for whole, short, dropped in rows)


def _merged(windows: Windows) -> Windows:
    """Of one step: the rows of equal labels as one, their samples in order of time."""
    numbers: dict[Labels, int] = {}
    rows = np.array([numbers.setdefault(row, len(numbers)) for row in windows.labels], np.int64)
    floats, native = windows.columns, windows.histograms
    at, owners = _by_owner(windows, floats.timestamps, rows)
    columns = Columns.frozen(
        _offsets(owners, len(numbers)), floats.timestamps[at], floats.values[at]
    )
    keys = [_keys(owners, columns.timestamps)]
    if native is not None:
        at, owners = _by_owner(native, native.columns.timestamps, rows)
        offsets, times = _offsets(owners, len(numbers)), native.columns.timestamps[at]
        kept = HistogramColumns(offsets, times, NO_STARTS, native.columns.table.take(at))
        native = HistogramWindows(kept, offsets[:-1, None], offsets[1:, None])
        keys.append(_keys(owners, times))
    every = np.concatenate(keys)
    if len(np.unique(every, axis=0)) < len(every):
        raise ExecutionError(SAME_LABELS)
    lo, hi = columns.offsets[:-1, None], columns.offsets[1:, None]
    labels = LabelTable(numbers)
    return replace(windows, labels=labels, columns=columns, lo=lo, hi=hi, histograms=native)


def _by_owner(
    windows: Windows | HistogramWindows, timestamps: Int64s, rows: Int64s
) -> tuple[Int64s, Int64s]:
    """The samples seen, ordered by their new row and time, and those rows; int64 [N] each."""
    lo, hi = windows.lo[:, 0], windows.hi[:, 0]
    at = np.concatenate([np.arange(*pair) for pair in zip(lo, hi, strict=True)])
    owners = np.repeat(rows, hi - lo)
    order = np.lexsort((timestamps[at], owners))
    return at[order], owners[order]


def _offsets(owners: Int64s, rows: int) -> Int64s:
    return np.searchsorted(owners, np.arange(rows + 1))


def _keys(owners: Int64s, times: Int64s) -> Int64s:
    return np.stack((owners, times), axis=1)
