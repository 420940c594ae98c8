"""How many series and values each name has: a view that remote read does not offer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bridge.catalogue.column import Column
from bridge.catalogue.learned import Learned
from bridge.catalogue.presence import HOUR
from bridge.model.labels import METRIC_NAME

Counts = list[tuple[str, int]]


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
        values_by_label=_highest(columns, lambda column: len(column.ids), limit),
        bytes_by_label=_highest(columns, _bytes, limit),
        series_by_pair=sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit],
    )


def _highest(columns: dict[str, Column], measure: Callable[[Column], int], limit: int) -> Counts:
    counts = [(name, measure(column)) for name, column in columns.items()]
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:limit]


def _bytes(column: Column) -> int:
    """The UTF-8 bytes of a label's values, each as often as there are series with it."""
    lengths = [len(text.encode("utf-8", "surrogateescape")) for text in column.ids]
    return int(np.array(lengths, np.int64)[column.values].sum())


def _top(column: Column, limit: int, prefix: str = "") -> Iterator[tuple[str, int]]:
    """The values that most series have, and how many series that are."""
    counts = np.bincount(column.values, minlength=len(column.ids))
    texts = list(column.ids)
    most = np.lexsort((np.arange(len(counts)), -counts))[:limit]
    yield from ((prefix + texts[value], int(counts[value])) for value in most.tolist())
