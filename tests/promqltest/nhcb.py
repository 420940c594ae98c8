"""Classic histograms as native ones with custom buckets, as `load_with_nhcb` makes them.

Source of the rules: util/convertnhcb of Prometheus.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bridge.model.histogram import Histogram
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.time import parse_float
from tests.promqltest.sequence import Gap, Item, Native, ScriptError, SeriesLine

_CUSTOM_SCHEMA: Final = -53


@dataclass(slots=True)
class _Classic:
    """A classic histogram at one step."""

    buckets: dict[float, float] = field(default_factory=dict)
    count: float | None = None
    sum: float = 0.0

    def native(self) -> Histogram:
        """The same with custom buckets; raises ScriptError if counts fall."""
        cumulative = sorted(self.buckets.items())
        count = self.count
        if count is None:
            count = cumulative[-1][1] if cumulative else 0.0
        if not cumulative or cumulative[-1][0] != math.inf:
            cumulative.append((math.inf, count))
        counts, before = [], 0.0
        for _, value in cumulative:
            if value < before:
                raise ScriptError("counts of a classic histogram fall")
            counts.append(value - before)
            before = value
        if before != count:
            raise ScriptError("counts of a classic histogram do not fit")
        return Histogram(
            schema=_CUSTOM_SCHEMA,
            count=count,
            sum=self.sum,
            positive_spans=((0, len(counts)),),
            positive=tuple(counts),
            bounds=tuple(bound for bound, _ in cumulative[:-1]),
        )


def native_series(series: Iterable[SeriesLine]) -> Iterator[SeriesLine]:
    """The native histograms of all classic ones among the series."""
    found: dict[Labels, dict[int, _Classic]] = {}
    for one in series:
        name = one.labels.get(METRIC_NAME)
        kind = next((end for end in ("_bucket", "_count", "_sum") if name.endswith(end)), None)
        if kind is None:
            continue
        base = one.labels.with_label(METRIC_NAME, name.removesuffix(kind))
        if kind == "_bucket":
            base = base.drop(frozenset({"le"}))
        steps = found.setdefault(base, {})
        for step, item in enumerate(one.items):
            if isinstance(item, float):
                _put(steps.setdefault(step, _Classic()), kind, one.labels.get("le"), item)
    for labels, steps in found.items():
        items: list[Item] = [Gap.OMITTED] * (max(steps, default=-1) + 1)
        for step, classic in steps.items():
            items[step] = Native(classic.native(), hinted=False)
        yield SeriesLine(labels, tuple(items))


def _put(classic: _Classic, kind: str, bound: str, value: float) -> None:
    if kind == "_count":
        classic.count = value
    elif kind == "_sum":
        classic.sum = value
    else:
        try:
            upper = parse_float(bound)
        except ValueError:
            return
        if not math.isnan(upper):
            classic.buckets[upper] = value
