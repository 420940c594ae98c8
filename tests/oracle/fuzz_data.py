"""The data that fuzzed expressions run over: few series, all of them awkward."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from bridge.remote.settings import ResponseType
from tests.oracle import datasets
from tests.oracle.fuzz_histograms import native_series
from tests.oracle.series import MINUTE, STALE, Column, Dataset, SeriesData, Times

START: Final = 1_767_600_000_000  # 2026-01-05T08:00:00Z
END: Final = START + 120 * MINUTE
_INTERVAL: Final = 15_000
_BOUNDS: Final = (0.1, 0.5, 1.0, 2.5, 10.0)


def nasty() -> Dataset:
    """Two hours at 15 s: resets, gaps, markers, jitter, NaN, infinities, broken histograms."""
    random = np.random.default_rng(3)
    return born(Dataset(tuple(one for build in _BUILDERS for one in build(random)), START, END))


def native() -> Dataset:
    """Two hours of native histograms, and the counters, gauges and classic ones of `nasty`."""
    random = np.random.default_rng(3)
    floats = [one for build in (_requests, _gauges, _histograms) for one in build(random)]
    return born(Dataset(tuple(floats), START, END, tuple(native_series(START, END))))


def born(data: Dataset) -> Dataset:
    """The data with a staleness marker before each series.

    A store hands series out in the order it met them, and so that is the order of their labels.
    """
    before = data.start - 20 * MINUTE
    every = {tuple(sorted(one.labels.items())) for one in (*data.series, *data.native)}
    markers = [
        SeriesData(dict(one), np.array([before]), np.array([STALE])) for one in sorted(every)
    ]
    return Dataset((*markers, *data.series), before, data.end, data.native)


def _times(random: np.random.Generator, jitter: int = 2_000, interval: int = _INTERVAL) -> Times:
    """Scrape times with a phase of their own, up to `jitter` ms late."""
    phase = int(random.integers(0, interval - jitter))
    exact = np.arange(START + phase, END - jitter, interval, dtype=np.int64)
    times: Times = exact + random.integers(0, jitter + 1, len(exact))
    return times


def _grid() -> Times:
    """Scrape times without phase or jitter: on the edges of windows."""
    return np.arange(START, END, _INTERVAL, dtype=np.int64)


def _minutes(times: Times) -> Column:
    result: Column = (times - START) / MINUTE
    return result


def _series(name: str, labels: Mapping[str, str], times: Times, values: Column) -> SeriesData:
    return SeriesData({"__name__": name, **labels}, times, values)


def _without(series: SeriesData, since: float, until: float, *, marked: bool) -> SeriesData:
    """The series with a hole between two minutes, which begins with a marker if it is `marked`."""
    minutes = _minutes(series.timestamps)
    inside = (minutes >= since) & (minutes < until)
    values = series.values.copy()
    kept = ~inside
    if marked and inside.any():
        first = int(np.argmax(inside))
        values[first], kept[first] = STALE, True
    return SeriesData(series.labels, series.timestamps[kept], values[kept])


def _counter(
    random: np.random.Generator, name: str, labels: Mapping[str, str], resets: Sequence[float]
) -> SeriesData:
    """A counter that starts anew at some minutes; that of instance `b` on the grid."""
    times = _grid() if labels["instance"] == "b" else _times(random)
    total = np.cumsum(np.round(random.gamma(2.0, 3.0, len(times)), 3))
    for minute in resets:
        at = int(np.searchsorted(_minutes(times), minute))
        total[at:] -= total[at] - np.round(random.uniform(0, 5), 1)
    return _series(name, labels, times, np.round(total, 3))


def _requests(random: np.random.Generator) -> Iterator[SeriesData]:
    for job in ("api", "web"):
        for number, instance in enumerate("abc"):
            for code in ("200", "500"):
                resets = [17.0 * (number + 1), 71.3] if code == "200" else [44.4 * number]
                labels = {"job": job, "instance": instance, "code": code}
                made = _counter(random, "requests_total", labels, resets)
                if number == 1:
                    made = _without(made, 50, 58, marked=job == "api")
                yield made
    yield _counter(random, "requests_total", {"job": "api", "instance": "d"}, [])
    sparse = _times(random, jitter=9_000, interval=240_000)
    counts = np.arange(0.0, 7.0 * len(sparse), 7.0)
    yield _series("rare_total", {"job": "api", "instance": "a"}, sparse, counts)


def _gauges(random: np.random.Generator) -> Iterator[SeriesData]:
    for job in ("api", "web"):
        for instance in "abc":
            labels = {"job": job, "instance": instance}
            times = _times(random)
            noise = 5e6 * random.standard_normal(len(times))
            wave = 1e8 + 3e7 * np.sin(_minutes(times) / 11 + ord(instance))
            yield _series("memory_bytes", labels, times, np.round(wave + noise, 1))
            if (job, instance) != ("web", "c"):
                limit = 1.5e8 if instance == "a" else 1.1e8
                yield _series("limit_bytes", labels, times, np.full(len(times), limit))
            flap = (np.sin(_minutes(times) / 5 + ord(job[0])) > -0.8).astype(np.float64)
            yield _series("up", labels, times, flap)
    times = _grid()
    yield _series("temperature", {}, times, np.round(20 + 3 * np.sin(_minutes(times) / 30), 2))


def _information(random: np.random.Generator) -> Iterator[SeriesData]:
    """`build_info` moves from one version to the next, with and without a marker between."""
    for number, instance in enumerate("abc"):
        times = _times(random)
        for version, since, until in (("1.0", 0, 40 + number), ("1.1", 40 + number, 121)):
            labels = {"job": "api", "instance": instance, "version": version}
            whole = _series("build_info", labels, times, np.ones(len(times)))
            before = _without(whole, 0, since, marked=False)
            yield _without(before, until, 121, marked=number != 2)


def _oddities(random: np.random.Generator) -> Iterator[SeriesData]:
    times = _times(random)
    x = _minutes(times)
    for kind, values in {
        "nan": np.where(np.sin(x) > 0.4, np.nan, x),
        "all nan": np.full_like(x, np.nan),
        "inf": np.where(np.sin(x / 3) > 0, np.inf, -x),
        "negative inf": np.where(np.sin(x / 7) > 0.3, -np.inf, x),
        "huge": 1.6e308 * np.cos(x / 20),
        "tiny": 5e-324 * np.round(x),
        "zero": np.where(np.sin(x) > 0, -0.0, 0.0),
        "seconds": 1.7e9 + 86_400.0 * 3 * x,
    }.items():
        yield _series("odd", {"kind": kind}, times, values)
    times = _grid()
    x = _minutes(times)
    for number in range(5):
        level = np.floor((x + 3 * number) / 10) % 3
        yield _series("level", {"n": str(number)}, times, level)
    short = {"kind": "short", "job": "api"}
    yield _without(_series("odd", short, times[:200], x[:200]), 0, 41, marked=False)


def _histograms(random: np.random.Generator) -> Iterator[SeriesData]:
    for instance in "ab":
        times = _times(random)
        shares = random.multinomial(40, [0.3, 0.3, 0.2, 0.1, 0.06, 0.04], len(times))
        counts = np.cumsum(np.cumsum(shares, axis=1), axis=0).astype(np.float64)
        counts[300:] -= counts[300]
        labels = {"job": "api", "instance": instance}
        for column, bound in enumerate([*map(str, _BOUNDS), "+Inf"]):
            at = {**labels, "le": bound}
            yield _series("latency_seconds_bucket", at, times, counts[:, column])
        yield _series("latency_seconds_count", labels, times, counts[:, -1])
        yield _series("latency_seconds_sum", labels, times, np.round(counts[:, -1] * 0.7, 3))


def _broken_histograms(random: np.random.Generator) -> Iterator[SeriesData]:
    """Counts that fall from bucket to bucket, a missing +Inf, bounds that are no numbers."""
    times = _times(random)
    x = _minutes(times)
    falling = {"1": 30 + x, "2": 29 + x, "5": 40 + 2 * x + np.sin(x), "+Inf": 40 + 2 * x}
    for bound, values in falling.items():
        yield _series("broken_bucket", {"kind": "falling", "le": bound}, times, values)
    for bound, factor in {"-1": 1.0, "0": 2.0, "7": 5.0}.items():
        yield _series("broken_bucket", {"kind": "open", "le": bound}, times, factor * x)
    for bound in ("x", "0x10", "1e1"):
        yield _series("broken_bucket", {"kind": "words", "le": bound}, times, x)
    yield _series("broken_bucket", {"kind": "none"}, times, x)
    yield _series("broken_bucket", {"kind": "words", "le": "+Inf"}, times, 2 * x)


_BUILDERS: Final = (
    _requests,
    _gauges,
    _information,
    _oddities,
    _histograms,
    _broken_histograms,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What expressions run over: how to make it, and the times (ms) that its samples lie in.

    `experimental`: whether functions are called that both sides have only behind a flag. `forms`:
    which forms of an answer the oracle is asked for, as a store.
    """

    make: Callable[[], Dataset]
    start: int
    end: int
    experimental: bool = False
    forms: Sequence[ResponseType] = tuple(ResponseType)


GROUNDS: Final[Mapping[str, Ground]] = MappingProxyType(
    {
        "nasty": Ground(nasty, START, END),
        # A Prometheus of 3.5 forgets custom bounds where it answers with samples: #17794.
        "native": Ground(native, START, END, True, (ResponseType.STREAMED,)),
        "everyday": Ground(lambda: born(datasets.everyday()), datasets.START, datasets.END),
    }
)
