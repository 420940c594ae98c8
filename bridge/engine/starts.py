"""What start timestamps tell of a counter: that it began anew, and when its first value was zero.

Source: isStartTimestampReset, checkStartTimeOverlap in promql/functions.go of Prometheus.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.model.histogram import HistogramColumns
from bridge.model.samples import Columns, Int64s
from bridge.model.starts import NO_STARTS
from bridge.model.vectors import Bools, Windows


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """The start timestamps of a range vector's samples, ms, 0 if unknown; empty if none is known.

    `floats` and `histograms` go with the samples of either kind.
    """

    floats: Int64s
    histograms: Int64s

    @staticmethod
    def of(windows: Windows) -> "Starts":
        """Those of the windows' samples."""
        native = windows.histograms
        created = NO_STARTS if native is None else native.columns.created
        return Starts(windows.columns.created, created)


UNKNOWN_STARTS: Final = Starts(NO_STARTS, NO_STARTS)


def began_anew(columns: Columns | HistogramColumns, created: Int64s) -> Bools:
    """Whether each sample's counter began after the sample before, or at it; bool [N].

    Row borders are not looked at. At the sample before begin those that count anew each time, and
    those of unknown start, which tell so by the start timestamp of the sample before.
    """
    times = columns.timestamps
    found = np.zeros(len(times), np.bool_)
    if len(created) < 2:
        return found
    start, before, earlier = created[1:], times[:-1], created[:-1]
    delta = (start == before) & (earlier != 0) & (earlier < before)
    found[1:] = (start != 0) & (start < times[1:]) & ((start > before) | delta)
    return found


def overlaps(windows: Windows, created: Int64s) -> Bools:
    """Whether each window has a sample whose start lies before the sample before it; bool [S, T].

    Samples of a counter that goes on have the start of the sample before.
    """
    times = windows.columns.timestamps
    if len(created) < 2:
        return np.zeros(windows.lo.shape, np.bool_)
    odd = (created[1:] != 0) & (created[1:] < times[:-1]) & (created[1:] != created[:-1])
    before = np.zeros(len(times) + 1, np.int64)
    np.cumsum(odd, out=before[2:])
    found: Bools = before[windows.hi] > before[np.minimum(windows.lo + 1, windows.hi)]
    return found
