"""The data and the queries of the yardstick: many counters, and what dashboards ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tests.oracle.series import Dataset, SeriesData

END = 1_767_614_400_000  # 2026-01-05T12:00:00Z
INTERVAL = 15_000  # ms between two scrapes
_CONTAINERS = 3
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Workload:
    """One range query of the table, over the last `hours` of the data."""

    expr: str
    hours: float = 2
    step: int = 30
    gzip: bool = False
    back: int = 0  # steps by which the window ends before `end`
    end: int = END // 1000  # seconds

    @property
    def name(self) -> str:
        """The query and what is special about it."""
        minutes = round(self.hours % 1 * 60)
        window = f"{int(self.hours)}h{f'{minutes}m' if minutes else ''}/{self.step}s"
        return f"`{self.expr}` {window}{', gzip' if self.gzip else ''}"

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters of `query_range`."""
        end = self.end - self.back * self.step
        start = end - self.hours * 3600
        times = {"start": f"{start:.3f}", "end": str(end), "step": str(self.step)}
        return {"query": self.expr, **times}

    def moved_back(self, steps: int) -> "Workload":
        """The same query over a window that ends so many steps before the data do."""
        return replace(self, back=steps)


def workloads(hours: float) -> tuple[Workload, ...]:
    """The queries; the last but one covers all the data, less one window at its start."""
    return (
        Workload("x"),
        Workload("x", gzip=True),
        Workload("sum(x)"),
        Workload("rate(x[5m])"),
        Workload("sum(rate(x[5m]))"),
        Workload("sum by (pod) (rate(x[5m]))"),
        Workload("sum(rate(x[1h]))"),
        Workload("sum(sum_over_time(x[1h]))"),
        Workload("sum(max_over_time(x[1h]))"),
        Workload("sum(quantile_over_time(0.9, x[1h]))", step=60),
        Workload("sum(rate(x[5m]))", hours=hours - 1 / 12, step=15),
        Workload("rate(x[5m]) / rate(x[5m])"),
    )


def counters(series: int, hours: float, end: int = END) -> Dataset:
    """`series` counters named x up to `end` (ms), three containers a pod.

    Each pod is scraped at its own phase.
    """
    random = np.random.default_rng(1)
    start = end - round(hours * _HOUR)
    pods = -(-series // _CONTAINERS)
    phases = random.integers(0, INTERVAL, pods)
    made = (
        _counter(random, number, int(phases[number // _CONTAINERS]), start, end)
        for number in range(series)
    )
    return Dataset(tuple(made), start, end)


def _counter(
    random: np.random.Generator, number: int, phase: int, start: int, end: int
) -> SeriesData:
    pod, container = divmod(number, _CONTAINERS)
    times = np.arange(start + phase, end + 1, INTERVAL, dtype=np.int64)
    values = np.cumsum(random.poisson(10 + 5 * container, len(times))).astype(np.float64)
    labels = {"__name__": "x", "pod": f"pod-{pod:05d}", "container": f"c{container}"}
    return SeriesData(labels, times, values)
