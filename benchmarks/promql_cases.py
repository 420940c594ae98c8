"""The data and the queries of Prometheus' own benchmark of range queries, but for smoothed ones.

Source: setupRangeQueryTestData, rangeQueryCases and BenchmarkNativeHistograms in
promql/bench_test.go of Prometheus.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.model.histogram import Histogram
from tests.oracle.series import Dataset, NativeData, SeriesData

BASE: Final = 1_767_600_000_000  # ms; where Prometheus' data begin at 0
INTERVAL: Final = 10_000  # ms
INTERVALS: Final = 18_640
_SPARSE: Final = 372
_LES: Final = (*map(str, range(10)), "+Inf")
_NATIVE_INTERVAL: Final = 15_000

_USUAL: Final = """a_X
rate(a_X[1m])
double_exponential_smoothing(a_X[1d], 0.3, 0.3)
changes(a_X[1d])
rate(a_X[1d])
absent_over_time(a_X[1d])
-a_X
a_X - b_X
a_X and b_X{l=~'.*[0-4]$'}
a_X or b_X{l=~'.*[0-4]$'}
a_X unless b_X{l=~'.*[0-4]$'}
a_X and b_X{l='notfound'}
abs(a_X)
label_replace(a_X, 'l2', '$1', 'l', '(.*)')
label_join(a_X, 'l2', '-', 'l', 'l')
sum(a_X)
avg(a_X)
sum without (l)(h_X)
sum without (le)(h_X)
sum by (l)(h_X)
sum by (le)(h_X)
topk(1, a_X)
topk(5, a_X)
limitk(1, a_X)
limitk(5, a_X)
limit_ratio(0.1, a_X)
limit_ratio(0.5, a_X)
limit_ratio(-0.5, a_X)
rate(a_X[1m]) + rate(b_X[1m])
sum without (l)(rate(a_X[1m]))
sum without (l)(rate(a_X[1m])) / sum without (l)(rate(b_X[1m]))
histogram_quantile(0.9, rate(h_X[5m]))
a_X + on(l) group_right a_one
timestamp(a_X)"""
_LONG: Final = ("rate(a_X[1m])", "rate(sparse[1m])", "a_X - b_X")
_NATIVE: Final = (
    "sum(native)",
    "sum(rate(native[2m]))",
    "sum(rate(native[20m]))",
    "histogram_count(sum(rate(native[2m])))",
    "histogram_count(sum(rate(native[20m])))",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One range query of so many steps; `series`: how many it is about."""

    expr: str
    steps: int
    series: int
    intervals: int
    step: int = INTERVAL
    gzip: bool = False

    @property
    def name(self) -> str:
        """The query and its steps."""
        return f"`{self.expr.replace('|', '')}` {self.steps}"

    @property
    def big(self) -> bool:
        """Whether it must be as fast as Prometheus; the others only fast enough."""
        return self.series >= 100 and self.steps >= 100

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters of `query_range`."""
        end = BASE + self.intervals * INTERVAL
        start = end - self.steps * self.step
        times = {"start": start, "end": end, "step": self.step}
        return {"query": self.expr} | {name: f"{ms / 1000:.3f}" for name, ms in times.items()}


def cases(intervals: int) -> tuple[Case, ...]:
    """All queries, over data of so many intervals."""
    return tuple(_cases(intervals))


def _cases(intervals: int) -> Iterator[Case]:
    sizes = {"one": 1, "hundred": 100}
    for template in _USUAL.splitlines():
        for size, series in sizes.items():
            for steps in (1, 1000):
                yield Case(template.replace("X", size), steps, series, intervals)
    for size, series in sizes.items():
        yield Case(f"count_values('value', h_{size})", 100, 11 * series, intervals)
        for template in _LONG:
            yield Case(template.replace("X", size), 10_000, series, intervals)
    yield Case('count({__name__!=""})', 1, 1443, intervals)
    yield Case('count({__name__!="",l=""})', 1, 13, intervals)
    for expr in _NATIVE:
        yield Case(expr, 240, 300, intervals, 30_000)


def data(intervals: int, native: int) -> Dataset:
    """The 1443 regular series, the sparse ones, and so many series of native histograms."""
    times = BASE + INTERVAL * np.arange(intervals, dtype=np.int64)
    names = list(_names())
    series = [
        SeriesData(labels, times, np.arange(intervals, dtype=np.float64) + number / len(names))
        for number, labels in enumerate(names)
    ]
    for begin in range(0, intervals, _SPARSE):
        own = times[begin : begin + _SPARSE]
        values = np.arange(begin, begin + len(own), dtype=np.float64) / len(names)
        labels = {"__name__": "sparse", "l": str(begin // _SPARSE)}
        series.append(SeriesData(labels, own, values))
    end = BASE + intervals * INTERVAL
    histograms = tuple(_native(number, end) for number in range(native))
    return Dataset(tuple(series), BASE, end, histograms)


def _names() -> Iterator[Mapping[str, str]]:
    for size, count in {"one": 0, "ten": 10, "hundred": 100}.items():
        for label in map(str, range(count)) if count else [None]:
            more = {} if label is None else {"l": label}
            yield {"__name__": f"a_{size}", **more}
            yield {"__name__": f"b_{size}", **more}
            for le in _LES:
                yield {"__name__": f"h_{size}", **more, "le": le}


def _native(number: int, end: int) -> NativeData:
    """Two and a half hours of a growing histogram, as GenerateTestHistogram makes them."""
    times = np.arange(end - 9_000_000, end, _NATIVE_INTERVAL, dtype=np.int64)
    made = [_histogram(row) for row in range(len(times))]
    return NativeData({"__name__": "native", "l": str(number)}, times, made)


def _histogram(row: int) -> Histogram:
    counts = tuple(float(row + extra) for extra in (1, 2, 1, 1))
    return Histogram(
        schema=1,
        count=12.0 + row * 9,
        sum=18.4 * (row + 1),
        zero_count=2.0 + row,
        zero_threshold=0.001,
        positive_spans=((0, 2), (1, 2)),
        positive=counts,
        negative_spans=((0, 2), (1, 2)),
        negative=counts,
    )
