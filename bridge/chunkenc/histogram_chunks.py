"""Native histograms of many series as chunks that keep their layouts and hints."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.chunkenc.histogram import (
    FLOAT_HISTOGRAM,
    FLOAT_HISTOGRAM_ST,
    GAUGE_HEADER,
    HISTOGRAM,
    HISTOGRAM_ST,
)
from bridge.chunkenc.histogram_encode import encoded
from bridge.chunkenc.histogram_runs import find_runs
from bridge.model.arrays import Int64s
from bridge.model.histogram import Hint, HistogramColumns

Bools = npt.NDArray[np.bool_]

# What the header of a chunk may count, of the encodings that leave it the least room.
MOST_SAMPLES: Final = 16_383
_RESET_HEADER: Final = 2
# By whether counts are whole numbers, and whether there are start timestamps.
_ENCODINGS: Final = np.array([[FLOAT_HISTOGRAM, FLOAT_HISTOGRAM_ST], [HISTOGRAM, HISTOGRAM_ST]])


@dataclass(frozen=True, slots=True, eq=False)
class HistogramChunks:
    """Chunks of rows: row r has the chunks `chunks[r]` to `chunks[r+1]`.

    Chunk c holds the samples `bounds[c]` to `bounds[c+1]`, is of encoding `encodings[c]`, and the
    hint of its first sample is `firsts[c]`, of the others `others[c]`. All int64.
    """

    chunks: Int64s
    bounds: Int64s
    encodings: Int64s
    firsts: Int64s
    others: Int64s
    data: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """How histograms become chunks of at most `limit` samples.

    `beside`: hints are kept beside chunks, so that any may be in one. `whole`: whole counts are
    written as integers. `started`: with start timestamps even where none is known.
    """

    limit: int = MOST_SAMPLES
    beside: bool = False
    whole: bool = True
    started: bool = False


def in_chunks(
    native: HistogramColumns, manner: Manner, apart: Bools | None = None
) -> HistogramChunks:
    """The same samples encoded; where `apart` bool [N] is true a chunk has to begin."""
    count = len(native.timestamps)
    begins, whole = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    find_runs(native.table.arrays, native.offsets, manner.limit, manner.beside, begins, whole)
    if apart is not None:
        begins |= apart
    firsts = np.flatnonzero(begins)
    bounds = np.append(firsts, count)
    created = native.created if len(native.created) else np.zeros(count, np.int64)
    started = _any(created != 0, firsts) | manner.started
    integers = ~_any(~whole, firsts) & manner.whole
    encodings = _ENCODINGS[integers.astype(np.int64), started.astype(np.int64)]
    hints = native.table.hint
    second = np.minimum(firsts + 1, bounds[1:] - 1)
    return HistogramChunks(
        np.searchsorted(firsts, native.offsets),
        bounds,
        encodings,
        hints[firsts],
        hints[second],
        _data(native, created, bounds, encodings),
    )


def _any(which: Bools, firsts: Int64s) -> Bools:
    """Of each chunk whether any of its samples is among these."""
    if not len(firsts):
        return np.zeros(0, np.bool_)
    found: Bools = np.logical_or.reduceat(which, firsts)
    return found


def _data(
    native: HistogramColumns, created: Int64s, bounds: Int64s, encodings: Int64s
) -> tuple[bytes, ...]:
    made = [b""] * len(encodings)
    hints, counts = native.table.hint, np.diff(bounds)
    flags = np.zeros(len(encodings), np.int64)
    flags[hints[bounds[:-1]] == Hint.GAUGE] = GAUGE_HEADER
    flags[hints[bounds[:-1]] == Hint.RESET] = _RESET_HEADER
    for encoding in np.unique(encodings).tolist():
        chunks = np.flatnonzero(encodings == encoding)
        sizes = counts[chunks]
        inside = np.append(0, np.cumsum(sizes))
        rows = np.arange(inside[-1]) + np.repeat(bounds[chunks] - inside[:-1], sizes)
        written = encoded(
            native.table.take(rows),
            native.timestamps[rows],
            created[rows],
            inside,
            encoding,
            flags[chunks],
        )
        for chunk, data in zip(chunks.tolist(), written, strict=True):
            made[chunk] = data
    return tuple(made)
