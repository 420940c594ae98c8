"""What a target exposes at each scrape, before it is scraped: gauges and the rates of counters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from bridge.demo.signals import TICK_SECONDS
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.samples import Float64s, Int64s

NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Scrapes that follow each other: their ticks since 1970 [T], and the tick of the last boot."""

    ticks: Int64s
    booted: int

    @property
    def seconds(self) -> Float64s:
        """The Unix time of each scrape."""
        return self.ticks.astype(np.float64) * TICK_SECONDS

    @property
    def boot_seconds(self) -> float:
        """The Unix time of the last boot."""
        return self.booted * TICK_SECONDS


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """A series whose values [T] go up and down."""

    labels: Labels
    values: Float64s


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """A series that grows by `rate` [T] a second, shown in whole parts, `parts` to one."""

    labels: Labels
    rate: Float64s
    parts: float


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """The buckets of a classic histogram, by rising bound: `rates` [B x T] of observations in each.

    A bucket's series counts its own observations and those of all buckets before; so no bucket ever
    grows faster than the next.
    """

    buckets: tuple[Labels, ...]
    count: Labels
    rates: Float64s


Row = Gauge | Counter | Histogram
Exposition = Callable[[Moment], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Makes the rows of one target: every row carries its job and instance."""

    job: str
    instance: str
    length: int

    def gauge(
        self, name: str, values: Float64s | float, of: Mapping[str, str] = NO_LABELS
    ) -> Gauge:
        """A gauge of these values, or of one value all the time."""
        return Gauge(self._labels(name, of), self._spread(values))

    def counter(
        self,
        name: str,
        rate: Float64s | float,
        of: Mapping[str, str] = NO_LABELS,
        parts: float = 1.0,
    ) -> Counter:
        """A counter that grows at this rate a second."""
        return Counter(self._labels(name, of), self._spread(rate), parts)

    def histogram(
        self, name: str, bounds: Sequence[str], rates: Float64s, of: Mapping[str, str] = NO_LABELS
    ) -> Histogram:
        """The buckets and the count of a classic histogram."""
        buckets = tuple(self._labels(f"{name}_bucket", {**of, "le": bound}) for bound in bounds)
        return Histogram(buckets, self._labels(f"{name}_count", of), rates)

    def _labels(self, name: str, of: Mapping[str, str]) -> Labels:
        return Labels.of({METRIC_NAME: name, "job": self.job, "instance": self.instance, **of})

    def _spread(self, values: Float64s | float) -> Float64s:
        return np.broadcast_to(np.asarray(values, np.float64), (self.length,))
