"""How the time of a query grows with series and with samples, beside Prometheus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import Contestant, measure, measure_moving
from benchmarks.sides import BEFORE, COLD, WARM, Say
from benchmarks.workload import END, INTERVAL, Workload
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.prometheus import PrometheusOptions, prometheus

_DAY = 86_400_000
_SERIES = (1_000, 3_000, 10_000, 30_000)
_INSTANT = 100_000
_DAYS = (1, 3, 10, 30)
_LONG = 100  # series of 30 days


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds of each contestant at each size: `sizes` of what `unit` says."""

    title: str
    unit: str
    sizes: Sequence[int]
    seconds: Mapping[str, Sequence[float]]


def curves(folder: Path, rounds: int, say: Say) -> tuple[Curve, ...]:
    """Series of an hour, up to 30,000; a moment, up to 100,000 series; up to 30 days of some."""
    with prometheus(folder / "growing") as store:
        for series in _SERIES:
            write_prometheus(store.url, counters(f"h{series}", series, 3_600_000))
        write_prometheus(store.url, counters(f"h{_INSTANT}", _INSTANT, 600_000))
        say("wrote series of an hour")
        config = reading(f"{store.url}/api/v1/read")
        with (
            prometheus(folder / "growing-before", PrometheusOptions(config)) as before,
            prombridge(folder / "growing-after", config) as after,
        ):
            by_series = [Workload(f"sum(rate(h{one}[5m]))", 0.5) for one in _SERIES]
            moment = [Workload(f"sum(h{one})", 0, 15) for one in (*_SERIES, _INSTANT)]
            made = [
                _Wanted("`sum(rate(x[5m]))` over 30 min, step 30 s", "series", _SERIES, by_series),
                _Wanted("`sum(x)` at one moment", "series", (*_SERIES, _INSTANT), moment),
            ]
            first = [one.measured(before.url, after.url, rounds, say) for one in made]
    with prometheus(folder / "long") as store:
        write_prometheus(store.url, counters("d", _LONG, _DAYS[-1] * _DAY))
        say("wrote 30 days")
        config = reading(f"{store.url}/api/v1/read")
        with (
            prometheus(folder / "long-before", PrometheusOptions(config)) as before,
            prombridge(folder / "long-after", config) as after,
        ):
            windows = [Workload("sum(rate(d[1h]))", days * 24 - 1, 3600) for days in _DAYS]
            sizes = [days * _LONG * _DAY // INTERVAL for days in _DAYS]
            long = _Wanted(
                f"`sum(rate(x[1h]))` of {_LONG} series, step 1 h", "samples", sizes, windows
            )
            return (*first, long.measured(before.url, after.url, rounds, say))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A curve that is to be measured."""

    title: str
    unit: str
    sizes: Sequence[int]
    workloads: Sequence[Workload]

    def measured(self, before: str, after: str, rounds: int, say: Say) -> Curve:
        """The medians of pairs, without a cache and over windows that move."""
        old = Contestant(BEFORE, before, {})
        cold, warm = Contestant(COLD, after, {"nocache": "1"}), Contestant(WARM, after, {})
        seconds: dict[str, list[float]] = {BEFORE: [], COLD: [], WARM: []}
        for workload in self.workloads:
            row = measure(old, cold, workload, rounds, say)
            moved = measure_moving(old, warm, workload, rounds, say)
            for name, each in ((BEFORE, row.before), (COLD, row.after), (WARM, moved.after)):
                seconds[name].append(float(np.median(each)))
        return Curve(self.title, self.unit, self.sizes, seconds)


def counters(name: str, series: int, length: int) -> Dataset:
    """So many counters up to the end of the yardstick's data, all scraped at the same times."""
    times = np.arange(END - length, END + 1, INTERVAL, dtype=np.int64)
    risen = np.random.default_rng(2).poisson(12, len(times)).cumsum().astype(np.float64)
    made = (
        SeriesData({"__name__": name, "pod": f"pod-{number:06d}"}, times, risen + number)
        for number in range(series)
    )
    return Dataset(tuple(made), END - length, END)
