"""Generated series as columns: targets that are scraped, restart, vanish and come back."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bridge.model.histogram import Histogram

Column = NDArray[np.float64]
Times = NDArray[np.int64]
Mask = NDArray[np.bool_]

STALE = np.uint64(0x7FF0000000000002).view(np.float64)  # the exact bits of a staleness marker
MINUTE = 60_000  # ms


@dataclass(frozen=True, slots=True, eq=False)
class SeriesData:
    """One series: its labels with `__name__`, timestamps (ms, ascending) and values, alike long."""

    labels: Mapping[str, str]
    timestamps: Times
    values: Column


@dataclass(frozen=True, slots=True, eq=False)
class NativeData:
    """Native histograms of one series: labels and times as in SeriesData, with histograms."""

    labels: Mapping[str, str]
    timestamps: Times
    histograms: Sequence[Histogram]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Series, and the time (ms, both inclusive) they lie in.

    `native` are series with native histograms; one may stand there in several pieces, of floats and
    of histograms, in their order.
    """

    series: tuple[SeriesData, ...]
    start: int
    end: int
    native: tuple[SeriesData | NativeData, ...] = ()

    @property
    def samples(self) -> int:
        """The number of samples, staleness markers included."""
        return sum(len(one.timestamps) for one in (*self.series, *self.native))

    def finite(self) -> "Dataset":
        """The same without NaN, infinities, markers and native histograms; empty series go."""
        kept = (_finite(one) for one in self.series)
        return Dataset(tuple(one for one in kept if len(one.values)), self.start, self.end)


def _finite(series: SeriesData) -> SeriesData:
    kept = np.isfinite(series.values)
    return SeriesData(series.labels, series.timestamps[kept], series.values[kept])


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes since the data set's start: [since, until)."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Scrape:
    """When and how regularly targets are scraped (ms)."""

    start: int
    end: int
    interval: int = 15_000
    jitter: int = 4

    def times(self, seed: str) -> Times:
        """Scrape times of one target: its own phase, a few ms of jitter."""
        random = _random(seed)
        phase = int(random.integers(0, self.interval))
        exact = np.arange(self.start + phase, self.end + 1, self.interval, dtype=np.int64)
        late: Times = random.integers(0, self.jitter + 1, len(exact))
        times: Times = np.minimum(exact + late, self.end)
        return times


@dataclass(slots=True, eq=False)
class Target:
    """One scraped process; each method adds series of it.

    `down`: it did not answer: `up` is 0, the other series end with a marker, counters start anew.
    `lost`: nothing was stored at all, not even markers.
    """

    scrape: Scrape
    labels: Mapping[str, str]
    down: Sequence[Span] = ()
    lost: Sequence[Span] = ()
    series: list[SeriesData] = field(default_factory=list)
    _times: Times = field(init=False)
    _up: Mask = field(init=False)

    def __post_init__(self) -> None:
        times = self.scrape.times(repr(sorted(self.labels.items())))
        up = ~self._inside(times, self.down)
        self._times, self._up = times, up
        self.add("up", {}, up.astype(np.float64), always=True)

    @property
    def minutes(self) -> Column:
        """The scrape times as minutes since the start."""
        return (self._times - self.scrape.start) / MINUTE

    def add(
        self,
        name: str,
        labels: Mapping[str, str],
        values: Column,
        alive: Span | None = None,
        always: bool = False,
    ) -> None:
        """Adds a series from one value a scrape; outside `alive` and while down it is absent."""
        seen = np.ones(len(self._times), dtype=np.bool_) if always else self._up
        if alive is not None:
            seen = seen & self._inside(self._times, [alive])
        marked = np.where(seen, values, STALE)
        first_absent = ~seen & np.concatenate(([False], seen[:-1]))
        stored = (seen | first_absent) & ~self._inside(self._times, self.lost)
        full = {"__name__": name, **self.labels, **labels}
        self.series.append(SeriesData(full, self._times[stored], marked[stored]))

    def gauge(
        self,
        name: str,
        labels: Mapping[str, str],
        level: float,
        swing: float = 0.0,
        noise: float = 0.0,
        digits: int = 6,
        alive: Span | None = None,
    ) -> None:
        """A level that swings over the hours and is noisy, rounded to `digits`."""
        random = _random(repr((name, *self.labels.items(), *labels.items())))
        phase = float(random.uniform(0, 2 * np.pi))
        wave = np.sin(self.minutes / 47.0 + phase)
        values = level + swing * wave + noise * random.standard_normal(len(self._times))
        self.add(name, labels, np.round(values, digits), alive)

    def counter(
        self,
        name: str,
        labels: Mapping[str, str],
        per_second: float,
        whole: bool = False,
        alive: Span | None = None,
    ) -> None:
        """A counter whose increments vary; it starts anew after each time the target was down."""
        random = _random(repr((name, *self.labels.items(), *labels.items())))
        expected = per_second * self.scrape.interval / 1000
        count = len(self._times)
        if whole:
            steps = random.poisson(expected, count).astype(np.float64)
        else:
            steps = np.round(random.gamma(4.0, expected / 4.0, count), 2)
        offset = float(random.integers(0, 100_000))
        self.add(name, labels, self._cumulated(steps, offset), alive)

    def histogram(
        self,
        name: str,
        labels: Mapping[str, str],
        bounds: Sequence[float],
        per_second: float,
        median: float,
    ) -> None:
        """A classic histogram of log-normal observations: buckets, sum and count."""
        random = _random(repr((name, *self.labels.items(), *labels.items())))
        observed = random.poisson(per_second * self.scrape.interval / 1000, len(self._times))
        shares = np.diff(_lognormal_cdf(np.array([0.0, *bounds, np.inf]), median))
        per_bucket = random.multinomial(observed, shares)
        cumulative = np.cumsum(per_bucket, axis=1).astype(np.float64)
        middles = np.array([*bounds, 2 * bounds[-1]])
        for column, bound in enumerate([*map(_le, bounds), "+Inf"]):
            counts = self._cumulated(cumulative[:, column], 0.0)
            self.add(f"{name}_bucket", {**labels, "le": bound}, counts)
        self.add(f"{name}_count", labels, self._cumulated(cumulative[:, -1], 0.0))
        sums = np.round(per_bucket @ middles * 0.8, 6)
        self.add(f"{name}_sum", labels, self._cumulated(sums, 0.0))

    def info(self, name: str, labels: Mapping[str, str], alive: Span | None = None) -> None:
        """A series that is 1 and says everything in its labels."""
        self.add(name, labels, np.ones(len(self._times)), alive)

    def started(self, name: str) -> None:
        """The time (seconds) the process started: it changes after each time it was down."""
        starts = np.maximum.accumulate(np.where(self._returns(), self._times, 0))
        first = self.scrape.start - 86_400_000
        self.add(name, {}, np.maximum(starts, first) / 1000)

    def _cumulated(self, steps: Column, offset: float) -> Column:
        """The running sum, at zero again where the target returns."""
        total = offset + np.cumsum(steps)
        base = np.maximum.accumulate(np.where(self._returns(), total, 0.0))
        result: Column = np.round(total - base, 6)
        return result

    def _returns(self) -> Mask:
        result: Mask = self._up & np.concatenate(([False], ~self._up[:-1]))
        return result

    def _inside(self, times: Times, spans: Sequence[Span]) -> Mask:
        minutes = (times - self.scrape.start) / MINUTE
        inside = np.zeros(len(times), dtype=np.bool_)
        for span in spans:
            inside |= (minutes >= span.since) & (minutes < span.until)
        return inside


def _random(seed: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(seed.encode()))


def _lognormal_cdf(bounds: Column, median: float) -> Column:
    """A logistic stand-in for the log-normal distribution: no special function is needed."""
    with np.errstate(divide="ignore"):
        result: Column = 1 / (1 + np.exp(-np.log(bounds / median) * 1.7))
    return result


def _le(bound: float) -> str:
    return f"{bound:g}"
