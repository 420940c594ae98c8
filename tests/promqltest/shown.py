"""A native histogram as the API's JSON shows it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.model.histogram import Histogram, Histograms
from bridge.model.histogram_operators import products


@dataclass(frozen=True, slots=True)
class Shown:
    """Count, sum, and the populated buckets: boundary rule, bounds, count."""

    count: float
    sum: float
    buckets: tuple[tuple[int, float, float, float], ...]

    @staticmethod
    def parsed(value: Any) -> "Shown":
        """That of JSON."""
        buckets = tuple((rule, *map(float, numbers)) for rule, *numbers in value.get("buckets", ()))
        return Shown(float(value["count"]), float(value["sum"]), buckets)

    @staticmethod
    def of(one: Histogram) -> "Shown":
        """That of a histogram."""
        every = np.zeros(1, np.int64)
        compact = products(Histograms.of([one]).arrays, every, np.ones(1), True)
        buckets = Histograms.frozen(compact).buckets(0)
        return Shown(
            one.count,
            one.sum,
            tuple((each.rule, each.lower, each.upper, each.count) for each in buckets),
        )

    @property
    def exact(self) -> tuple[tuple[int, float, float], ...]:
        """What has no rounding: which buckets there are."""
        return tuple(bucket[:3] for bucket in self.buckets)

    @property
    def numbers(self) -> tuple[float, ...]:
        """All counts and the sum."""
        return (self.count, self.sum, *(bucket[3] for bucket in self.buckets))
