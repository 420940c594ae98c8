"""Scraping: exposed rows become samples, with outages, counter resets and staleness markers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.demo.exposition import (
    Counter,
    Exposition,
    Gauge,
    Histogram,
    Moment,
    Row,
    Writer,
)
from bridge.demo.signals import TICK_MS, TICK_SECONDS, noise
from bridge.model.labels import Labels
from bridge.model.samples import STALE_NAN_BITS, Float64s, Int64s

Bools = npt.NDArray[np.bool_]

STALE: Final = np.uint64(STALE_NAN_BITS).view(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Scrapes:
    """Samples of series scraped together: `timestamps` int64 [T] ms, `values` float64 [S x T]."""

    labels: tuple[Labels, ...]
    timestamps: Int64s
    values: Float64s


@dataclass(frozen=True, slots=True)
class Outage:
    """Scrapes from tick `first` to before `last` failed; after a reboot counters restart."""

    first: int
    last: int
    reboot: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Something to scrape, `offset` ms after each tick; `booted` is the tick of its start."""

    job: str
    instance: str
    offset: int
    booted: int
    exposition: Exposition
    outages: tuple[Outage, ...] = ()


@dataclass(slots=True)
class Scraper:
    """Scrapes one target onwards from tick `next`; remembers where its counters stand."""

    target: Target
    next: int
    _totals: dict[Labels, float] = field(default_factory=dict)

    def due(self, now_ms: int) -> Iterator[Scrapes]:
        """All samples up to `now_ms` (Unix ms, inclusive) that were not given yet."""
        return self.scrape((now_ms - self.target.offset) // TICK_MS + 1)

    def scrape(self, last: int) -> Iterator[Scrapes]:
        """All samples of the ticks up to, but without, `last` that were not given yet."""
        first, self.next = self.next, max(self.next, last)
        for start, stop in self._spans(first, self.next):
            ticks = np.arange(start, stop, dtype=np.int64)
            failed = self._failed(ticks)
            yield self._health(ticks, failed)
            yield self._exposed(ticks, failed)

    def _spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """Ticks cut where a counter restarts."""
        reboots = [o.last for o in self.target.outages if o.reboot and first < o.last < last]
        cuts = [first, *reboots, last]
        return [(start, stop) for start, stop in pairwise(cuts) if start < stop]

    def _failed(self, ticks: Int64s) -> Bools:
        failed = np.zeros(len(ticks), np.bool_)
        for outage in self.target.outages:
            failed |= (ticks >= outage.first) & (ticks < outage.last)
        return failed

    def _booted(self, tick: int) -> int:
        return max(
            [self.target.booted]
            + [o.last for o in self.target.outages if o.reboot and o.last <= tick]
        )

    def _timestamps(self, ticks: Int64s) -> Int64s:
        return ticks * TICK_MS + self.target.offset

    def _health(self, ticks: Int64s, failed: Bools) -> Scrapes:
        """What Prometheus adds about each scrape, whether it succeeds or not."""
        writer = Writer(self.target.job, self.target.instance, len(ticks))
        took = 0.02 + 0.006 * noise(ticks, f"{self.target.instance} scrape")
        rows = (
            writer.gauge("up", np.where(failed, 0.0, 1.0)),
            writer.gauge("scrape_duration_seconds", np.where(failed, 10.0, took)),
        )
        return Scrapes(
            tuple(row.labels for row in rows),
            self._timestamps(ticks),
            np.stack([row.values for row in rows]),
        )

    def _exposed(self, ticks: Int64s, failed: Bools) -> Scrapes:
        moment = Moment(ticks, self._booted(int(ticks[0])))
        rows = [one for row in self.target.exposition(moment) for one in self._shown(row, moment)]
        values = np.stack([values for _, values in rows])
        ends = np.isin(ticks, [outage.first for outage in self.target.outages])
        values[:, ends] = STALE
        kept = ~failed | ends
        return Scrapes(
            tuple(labels for labels, _ in rows), self._timestamps(ticks[kept]), values[:, kept]
        )

    def _shown(self, row: Row, moment: Moment) -> Iterator[tuple[Labels, Float64s]]:
        """The series of a row and their values at each tick."""
        match row:
            case Gauge():
                yield row.labels, row.values
            case Counter():
                yield row.labels, np.floor(self._grown(row, moment) * row.parts) / row.parts
            case Histogram():
                total = np.zeros(len(moment.ticks))
                for labels, rate in zip(row.buckets, row.rates, strict=True):
                    total = total + np.floor(self._grown(Counter(labels, rate, 1.0), moment))
                    yield labels, total
                yield row.count, total

    def _grown(self, row: Counter, moment: Moment) -> Float64s:
        """The counter's exact total at each tick; it goes on from where it stood."""
        grown = row.rate * TICK_SECONDS
        fresh = moment.ticks[0] == moment.booted or row.labels not in self._totals
        if fresh:
            grown[0] = row.rate[0] * (moment.seconds[0] - moment.boot_seconds)
        else:
            grown[0] += self._totals[row.labels]
        totals = np.cumsum(grown)
        self._totals[row.labels] = float(totals[-1])
        return totals
