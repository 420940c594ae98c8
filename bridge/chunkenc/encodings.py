"""The chunk encodings by number, as in prompb.Chunk, and what their headers say."""

from typing import Final

import numpy as np

from bridge.chunkenc.bits import Bytes
from bridge.chunkenc.histogram import (
    FLOAT_HISTOGRAM,
    FLOAT_HISTOGRAM_ST,
    HEADER_BYTES,
    HISTOGRAM,
    HISTOGRAM_ST,
)
from bridge.model.arrays import Int64s

XOR: Final = 1
XOR2: Final = 4

NATIVE: Final = (HISTOGRAM, FLOAT_HISTOGRAM, HISTOGRAM_ST, FLOAT_HISTOGRAM_ST)
"""Those of native histograms."""
STARTED: Final = (HISTOGRAM_ST, FLOAT_HISTOGRAM_ST)
KNOWN: Final = (XOR, XOR2, *NATIVE)

_COUNT_BITS: Final = 0x3FFF


def declared_counts(data: Bytes, starts: Int64s, sizes: Int64s, encodings: Int64s) -> Int64s | None:
    """How many samples chunks with a header of three bytes say they have; None if one has none.

    Chunk c is data[starts[c] : starts[c] + sizes[c]]. Nothing here says whether it is true.
    """
    if bool((sizes < HEADER_BYTES).any()):
        return None
    counts: Int64s = data[starts].astype(np.int64) << 8 | data[starts + 1]
    return np.where(np.isin(encodings, STARTED), counts & _COUNT_BITS, counts)
