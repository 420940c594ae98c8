"""How many series and values each name has: a view that remote read does not offer."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

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


def cardinality(parts: Sequence[Learned], limit: int) -> Cardinality:
    """The counts of everything that is known, `limit` of each kind.

    A series counts once for each part that has it, a value once for all.
    """
    names = sorted({name for one in parts for name in one.index.names()})
    counts = {name: _counts(name, parts) for name in names}
    held = [one.presence for one in parts if len(one.index)]
    pairs = (pair for name, one in counts.items() for pair in _top(one, limit, f"{name}="))
    return Cardinality(
        series=sum(len(one.index) for one in parts),
        label_pairs=sum(map(len, counts.values())),
        start=min((int(one.first.min()) * HOUR for one in held), default=0),
        end=max((int(one.last.max()) * HOUR + HOUR - 1 for one in held), default=0),
        series_by_metric=list(_top(counts.get(METRIC_NAME, {}), limit)),
        values_by_label=_highest({name: len(one) for name, one in counts.items()}, limit),
        bytes_by_label=_highest({name: _bytes(name, one) for name, one in counts.items()}, limit),
        series_by_pair=sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit],
    )


def _counts(name: str, parts: Sequence[Learned]) -> dict[str, int]:
    """How many series have each value of a label, in order of the values' arrival."""
    found: Counter[str] = Counter()
    for one in parts:
        column = one.index.column(name)
        if column is not None:
            counts = np.bincount(column.values, minlength=len(column.ids)).tolist()
            found.update(dict(zip(column.ids, counts, strict=True)))
    return found


def _highest(counts: dict[str, int], limit: int) -> Counts:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _bytes(name: str, counts: dict[str, int]) -> int:
    """The bytes that the label takes in all series, as Prometheus' own label sets hold it.

    Source: SizeOfLabels in model/labels/labels_stringlabels.go of Prometheus.
    """
    own = _size(name)
    return sum((own + _size(text)) * count for text, count in counts.items())


def _size(text: str) -> int:
    """A text with its length in front."""
    length = len(text.encode("utf-8", "surrogateescape"))
    return length + (1 if length < _LONG else 4)


def _top(counts: dict[str, int], limit: int, prefix: str = "") -> Iterator[tuple[str, int]]:
    """The values that most series have, and how many series that are."""
    most = heapq.nsmallest(limit, enumerate(counts.items()), key=lambda one: (-one[1][1], one[0]))
    yield from ((prefix + text, count) for _, (text, count) in most)
