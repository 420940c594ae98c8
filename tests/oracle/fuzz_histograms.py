"""Native histograms for fuzzed expressions: few series, each awkward in its own way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bridge.model.histogram import Hint, Histogram
from tests.oracle.series import MINUTE, STALE, NativeData, SeriesData, Times

_BOUNDS: Final = (0.1, 0.5, 1.0, 2.5, 10.0)
_CUSTOM: Final = -53
_INTERVAL: Final = 15_000

Rows = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Shape = Callable[[Sequence[float]], Histogram]
Pieces = Iterator[SeriesData | NativeData]


def native_series(start: int, end: int) -> Pieces:
    """All of them, between two times in ms."""
    random = np.random.default_rng(5)
    times = np.arange(start, end, _INTERVAL, dtype=np.int64)
    yield from _counters(random, times + 3_000)
    yield from _custom(random, times + 7_000)
    yield from _gauges(random, times)
    yield from _mixed(random, times + 11_000)


def _counters(random: np.random.Generator, times: Times) -> Pieces:
    """With resets, a finer layout from some minute on, negative buckets, counts that are shares."""
    for job in ("api", "web"):
        plain = _cumulated(_observed(random, times), times, (17.0, 71.3))
        yield _native("size", {"job": job, "instance": "a"}, times, plain, _exponential(2))
        rows = _cumulated(_observed(random, times), times, ())
        coarse, fine = _exponential(0), _exponential(1)
        shapes = [coarse if minute < 60 else fine for minute in _minutes(times)]
        whole = [shape(row) for shape, row in zip(shapes, rows.tolist(), strict=True)]
        yield _with_hole("size", {"job": job, "instance": "b"}, times, whole, 50, 58)
    both = _cumulated(_observed(random, times), times, (33.0,))
    yield _native("size", {"job": "api", "instance": "c"}, times, both, _two_sided)
    shares = _cumulated(_observed(random, times) * 0.37, times, (90.0,))
    yield _native("size", {"job": "web", "instance": "c"}, times, shares, _exponential(1))


def _custom(random: np.random.Generator, times: Times) -> Pieces:
    for instance, resets in {"a": (40.0,), "b": ()}.items():
        rows = _cumulated(_observed(random, times), times, resets)
        yield _native("wait", {"job": "api", "instance": instance}, times, rows, _with_bounds)


def _gauges(random: np.random.Generator, times: Times) -> Pieces:
    for instance in "ab":
        rows = 10.0 + _observed(random, times)
        made = [replace(_exponential(1)(row), hint=Hint.GAUGE) for row in rows.tolist()]
        yield NativeData({"__name__": "queue", "instance": instance}, times, made)


def _mixed(random: np.random.Generator, times: Times) -> Pieces:
    """Every few minutes floats after histograms, or custom buckets after exponential ones."""
    rows = _cumulated(_observed(random, times), times, ())
    for kind, every in {"floats": 10, "schemas": 7}.items():
        labels = {"__name__": "mixed", "job": "api", "kind": kind}
        turns = (_minutes(times) // every % 2).astype(np.int64)
        for piece in np.split(np.arange(len(times)), np.flatnonzero(np.diff(turns)) + 1):
            own = times[piece]
            if turns[piece[0]] == 0:
                yield _native("mixed", labels, own, rows[piece], _exponential(0))
            elif kind == "floats":
                yield SeriesData(labels, own, rows[piece].sum(axis=1))
            else:
                yield _native("mixed", labels, own, rows[piece], _with_bounds)


def _observed(random: np.random.Generator, times: Times) -> Rows:
    """How many observations fell into each of six buckets between two scrapes."""
    shares = [0.3, 0.25, 0.2, 0.15, 0.0, 0.1]
    made: Rows = random.multinomial(random.integers(0, 40, len(times)), shares).astype(np.float64)
    return made


def _cumulated(rows: Rows, times: Times, resets: Sequence[float]) -> Rows:
    """Counters of the observations that start anew at some minutes."""
    total = np.cumsum(rows, axis=0)
    for minute in resets:
        at = int(np.searchsorted(_minutes(times), minute))
        total[at:] -= total[at] - rows[at]
    return total


def _minutes(times: Times) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    result: np.ndarray[tuple[int], np.dtype[np.float64]] = (times - times[0]) / MINUTE
    return result


def _native(
    name: str, labels: Mapping[str, str], times: Times, rows: Rows, shape: Shape
) -> NativeData:
    return NativeData({"__name__": name, **labels}, times, [shape(row) for row in rows.tolist()])


def _with_hole(
    name: str,
    labels: Mapping[str, str],
    times: Times,
    whole: Sequence[Histogram],
    since: float,
    until: float,
) -> NativeData:
    """The series with a hole between two minutes, which begins with a marker."""
    minutes = _minutes(times)
    first = int(np.searchsorted(minutes, since))
    kept = [n for n, minute in enumerate(minutes.tolist()) if not since <= minute < until]
    kept = sorted([*kept, first])
    marked = [Histogram(sum=float(STALE)) if n == first else whole[n] for n in kept]
    return NativeData({"__name__": name, **labels}, times[kept], marked)


def _exponential(schema: int) -> Shape:
    """Six buckets in two spans and a zero bucket."""

    def shape(counts: Sequence[float]) -> Histogram:
        zeros, *rest = counts
        return Histogram(
            schema=schema,
            count=sum(counts),
            sum=round(sum(counts) * 0.7, 3),
            zero_count=zeros,
            zero_threshold=0.001,
            positive_spans=((-1, 3), (2, 2)),
            positive=tuple(rest),
        )

    return shape


def _two_sided(counts: Sequence[float]) -> Histogram:
    zeros, *rest = counts
    return Histogram(
        schema=1,
        count=sum(counts),
        sum=round(sum(counts) * -0.2, 3),
        zero_count=zeros,
        zero_threshold=0.01,
        positive_spans=((0, 2),),
        positive=tuple(rest[:2]),
        negative_spans=((1, 1), (1, 2)),
        negative=tuple(rest[2:]),
    )


def _with_bounds(counts: Sequence[float]) -> Histogram:
    return Histogram(
        schema=_CUSTOM,
        count=sum(counts),
        sum=round(sum(counts) * 1.3, 3),
        positive_spans=((0, 6),),
        positive=tuple(counts),
        bounds=_BOUNDS,
    )
