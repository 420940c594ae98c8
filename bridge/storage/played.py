"""Native histograms of one series as a TSDB gives them back once it has stored them.

It keeps no hint but that of a gauge. It begins a new chunk at each reset that it sees, among other
causes, so that a chunk's later samples are known to be none; and all samples of a chunk have its
buckets, if need be empty ones. Source: tsdb/head_append.go and tsdb/chunkenc of Prometheus.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.chunkenc.histogram_cuts import cut
from bridge.model.arrays import Int64s
from bridge.model.histogram import EMPTY, Hint, Histograms, concatenate

Bools = npt.NDArray[np.bool_]

# A TSDB ends a chunk by its bytes, soon after 1 KiB; this is what that comes to.
_SAMPLES_PER_CHUNK: Final = 120
_GAUGE_FLAG: Final = 3


def played(table: Histograms, apart: Bools) -> Histograms:
    """The histograms, in their order; where `apart` bool [M] is true a float stood in between."""
    if not len(table):
        return EMPTY
    edges = np.unique([0, *np.flatnonzero(apart).tolist(), len(table)]).tolist()
    return concatenate([_run(table.take(np.arange(*edge))) for edge in pairwise(edges)])


def _run(table: Histograms) -> Histograms:
    """Histograms with no float between them."""
    found = cut(table.arrays, _SAMPLES_PER_CHUNK)
    stored = Histograms.frozen(found.table)
    hints = np.concatenate(list(_hints(found.bounds, found.flags)))
    return stored.with_hints(np.where(stored.stale, Hint.UNKNOWN, hints))


def _hints(bounds: Int64s, flags: Int64s) -> Iterator[Int64s]:
    for (low, high), flag in zip(pairwise(bounds.tolist()), flags.tolist(), strict=True):
        hints = np.full(high - low, Hint.GAUGE if flag == _GAUGE_FLAG else Hint.NOT_RESET, np.int64)
        if flag != _GAUGE_FLAG:
            hints[0] = Hint.UNKNOWN
        yield hints
