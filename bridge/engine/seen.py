"""How many samples selectors and functions were shown, step by step, as Prometheus counts them.

Source: QuerySamples in util/stats/query_stats.go, and where promql/engine.go increments it.
"""

import threading

import numpy as np

from bridge.kernel import i8_in2, i8_out, kernel
from bridge.model.samples import Int64s
from bridge.model.vectors import Matrix, Windows


class Seen:
    """The running counts of one evaluation, shared by its threads: `counts` int64 [T]."""

    __slots__ = ("_lock", "counts")

    def __init__(self, steps: int) -> None:
        self._lock = threading.Lock()
        self.counts: Int64s = np.zeros(steps, np.int64)

    def add(self, counts: Int64s) -> None:
        """Counts samples: int64 [T], or so many at every step."""
        with self._lock:
            self.counts += counts

    @property
    def total(self) -> int:
        """All of them together."""
        return int(self.counts.sum())


def shown(matrix: Matrix) -> Int64s:
    """How many points an instant vector has at each step; a histogram counts by its size."""
    counts: Int64s = matrix.present.sum(axis=0, dtype=np.int64)
    cells = matrix.histograms
    if cells is None:
        return counts
    sizes = np.append(cells.table.size, 0)[cells.index]
    counts += np.where(cells.present, sizes, 0).sum(axis=0)
    return counts


def widths(windows: Windows) -> tuple[Int64s, int]:
    """How many samples the windows of each step hold together, int64 [T], and the widest one."""
    counts = np.zeros(windows.lo.shape[1], np.int64)
    if windows.histograms is None:
        return counts, _widths(windows.lo, windows.hi, counts)
    found = within(windows)
    return found.sum(axis=0), int(found.max()) if found.size else 0


@kernel(i8_in2, i8_in2, i8_out)
def _widths(lo, hi, counts):  # type: ignore[no-untyped-def]
    widest = 0
    for row in range(lo.shape[0]):
        for step in range(lo.shape[1]):
            width = hi[row, step] - lo[row, step]
            counts[step] += width
            widest = max(widest, width)
    return widest


def within(windows: Windows) -> Int64s:
    """How many samples each window holds, histograms counted by their sizes; int64 [S, T]."""
    widths: Int64s = windows.hi - windows.lo
    native = windows.histograms
    if native is None:
        return widths
    before = np.concatenate(([0], np.cumsum(native.columns.table.size)))
    return widths + before[native.hi] - before[native.lo]
