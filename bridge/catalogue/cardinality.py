"""How many series and values each name has: a view that remote read does not offer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.catalogue.column import Column
from bridge.catalogue.learned import Learned
from bridge.catalogue.presence import HOUR
from bridge.model.labels import METRIC_NAME

Counts = list[tuple[str, int]]

# A text from this length on has its length in more than one byte.
_LONG: Final = 255


@dataclass(frozen=True, slots=True)
class Cardinality:
    """Counts, the highest first; `start` and `end` are ms, the hours of the data inclusive."""

    series: int
    label_pairs: int
    start: int
    end: int
    series_by_metric: Counts
    values_by_label: Counts
    bytes_by_label: Counts
    series_by_pair: Counts


def cardinality(learned: Learned, limit: int) -> Cardinality:
    """The counts of everything that is known, `limit` of each kind."""
    index, presence = learned.index, learned.presence
    columns = {name: column for name in index.names() if (column := index.column(name)) is not None}
    some = len(index) > 0
    metrics = columns.get(METRIC_NAME)
    pairs = (pair for name, column in columns.items() for pair in _top(column, limit, f"{name}="))
    return Cardinality(
        series=len(index),
        label_pairs=sum(len(column.ids) for column in columns.values()),
        start=int(presence.first.min()) * HOUR if some else 0,
        end=int(presence.last.max()) * HOUR + HOUR - 1 if some else 0,
        series_by_metric=list(_top(metrics, limit)) if metrics else [],
        values_by_label=_highest({name: len(one.ids) for name, one in columns.items()}, limit),
        bytes_by_label=_highest({name: _bytes(name, one) for name, one in columns.items()}, limit),
        series_by_pair=sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit],
    )


def _highest(counts: dict[str, int], limit: int) -> Counts:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _bytes(name: str, column: Column) -> int:
    """The bytes that the label takes in all series, as Prometheus' own label sets hold it.

    Source: SizeOfLabels in model/labels/labels_stringlabels.go of Prometheus.
    """
    own = _size(name)
    sizes = np.array([own + _size(text) for text in column.ids], np.int64)
    return int(sizes[column.values].sum())


def _size(text: str) -> int:
    """A text with its length in front."""
    length = len(text.encode("utf-8", "surrogateescape"))
    return length + (1 if length < _LONG else 4)


def _top(column: Column, limit: int, prefix: str = "") -> Iterator[tuple[str, int]]:
    """The values that most series have, and how many series that are."""
    counts = np.bincount(column.values, minlength=len(column.ids))
    texts = list(column.ids)
    most = np.lexsort((np.arange(len(counts)), -counts))[:limit]
    yield from ((prefix + texts[value], int(counts[value])) for value in most.tolist())
