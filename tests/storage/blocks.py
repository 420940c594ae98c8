"""Blocks and rows from plain data, and back."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from bridge.model.labels import Labels
from bridge.model.samples import Columns, SeriesBlock
from bridge.storage.merge import Rows

Points = Sequence[tuple[int, float]]
Plain = dict[Labels, list[tuple[int, float]]]


def labels(**pairs: str) -> Labels:
    """A label set."""
    return Labels.of(pairs)


def rows_of(series: Sequence[tuple[Labels, Points]]) -> Rows:
    """Series as they may come."""
    lengths = [len(points) for _, points in series]
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    times = np.array([time for _, points in series for time, _ in points], np.int64)
    values = np.array([value for _, points in series for _, value in points], np.float64)
    rising = all(
        all(left[0] < right[0] for left, right in pairwise(points)) for _, points in series
    )
    return Rows(tuple(one for one, _ in series), Columns.frozen(offsets, times, values), rising)


def plain(block: SeriesBlock) -> Plain:
    """A block's series in its order, by way of its parts."""
    found: Plain = {}
    for table, part in block.row_ranges():
        columns = part.columns()
        offsets = columns.offsets.tolist()
        points = list(zip(columns.timestamps.tolist(), columns.values.tolist(), strict=True))
        for row, one in enumerate(table):
            found[one] = points[offsets[row] : offsets[row + 1]]
    return found


def literal(series: Mapping[Labels, Points]) -> list[tuple[Labels, list[int], list[float]]]:
    """What a MemoryStore is made of."""
    return [
        (one, [time for time, _ in points], [value for _, value in points])
        for one, points in series.items()
    ]
