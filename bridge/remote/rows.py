"""Floats and native histograms of the same rows, decoded apart, put together."""

import numpy as np
import numpy.typing as npt

from bridge.model.histogram import HistogramColumns
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.storage.merge import Rows

Int64s = npt.NDArray[np.int64]


def rows_of(
    labels: tuple[Labels, ...], columns: Columns, native: HistogramColumns | None, orderly: bool
) -> Rows:
    """Rows of floats, whose times rise if `orderly`, and of histograms in any order."""
    if native is None or not len(native.timestamps):
        return Rows(labels, columns, orderly)
    both = (np.diff(columns.offsets) > 0) & (np.diff(native.offsets) > 0)
    orderly = orderly and not both.any() and rising(native.offsets, native.timestamps)
    whole = Columns.frozen(
        columns.offsets, columns.timestamps, columns.values, native, columns.created
    )
    return Rows(labels, whole, orderly)


def rising(offsets: Int64s, timestamps: Int64s) -> bool:
    """Whether times rise strictly within each row."""
    rises = np.diff(timestamps) > 0
    firsts = offsets[1:-1]
    rises[firsts[(firsts > 0) & (firsts < len(timestamps))] - 1] = True
    return bool(rises.all())
