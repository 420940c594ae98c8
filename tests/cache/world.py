"""A store whose past is on record, a clock that is told the time, and what a cache may answer."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from bridge.cache.observed import Gone, TierValue, Unobserved
from bridge.cache.policy import Moment
from bridge.cache.settings import CacheSettings
from bridge.model.arrays import STALE_NAN_BITS, Int64s
from bridge.model.errors import StoreError, StoreFault
from bridge.model.histogram import Hint, Histogram, HistogramColumns, Histograms
from bridge.model.labels import Labels, LabelTable, Matcher, MatchType, matches_all
from bridge.model.samples import Columns, SeriesBlock
from bridge.model.starts import NO_STARTS
from bridge.model.time import Window
from bridge.storage.interface import CacheUse, ReadOptions, Select, Selection

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_767_614_400_000  # 2026-01-05T12:00:00Z

Point = tuple[Labels, int]
# A float as its bits; a native histogram as NATIVE and its number among those below.
Samples = dict[Point, int]

NATIVE = 1 << 64
_SPANS = ((0, 2), (1, 1))
HISTOGRAMS = (
    Histogram(3, 6.0, 5.5, 1.0, 0.001, _SPANS, (2.0, 1.0, 2.0)),
    Histogram(3, 9.0, 7.5, 1.0, 0.001, _SPANS, (3.0, 2.0, 3.0)),
    Histogram(3, 4.5, -1.0, 0.5, 0.001, _SPANS, (1.0, 0.5, 2.5)),
    Histogram(3, 6.0, 5.5, 1.0, 0.001, _SPANS, (2.0, 1.0, 2.0), hint=Hint.GAUGE),
    Histogram(
        -53, 5.0, 3.25, positive_spans=((0, 3),), positive=(2.0, 1.0, 2.0), bounds=(0.1, 2.0)
    ),
    Histogram(sum=float(np.int64(STALE_NAN_BITS).view(np.float64))),
)
_STALE = len(HISTOGRAMS) - 1
_NUMBERS = {one: number for number, one in enumerate(HISTOGRAMS)}


def disjoint(windows: Sequence[Window]) -> bool:
    """Whether windows are in order and share no millisecond."""
    return all(left.end < right.start for left, right in pairwise(windows))


class Clock:
    """Both clocks; `wall` may be set to anything."""

    def __init__(self, wall: int = START) -> None:
        self.wall = wall
        self.steady = 1_000_000

    def __call__(self) -> Moment:
        return Moment(self.wall, self.steady)

    def advance(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.steady += milliseconds


class Noted(Unobserved):
    """Counts what a cache tells."""

    def __init__(self) -> None:
        self.uses: Counter[CacheUse] = Counter()
        self.gone: Counter[Gone] = Counter()
        self.values: Counter[TierValue] = Counter()
        self.gaps: list[tuple[int, int]] = []
        self.joined = 0
        self.refused = 0

    def cache_used(self, store: str, use: CacheUse) -> None:
        self.uses[use] += 1

    def gap_read(self, store: str, milliseconds: int, received_bytes: int) -> None:
        self.gaps.append((milliseconds, received_bytes))

    def read_joined(self, store: str) -> None:
        self.joined += 1

    def block_gone(self, why: Gone) -> None:
        self.gone[why] += 1

    def blocks_refused(self) -> None:
        self.refused += 1

    def tier_value(self, tier: str, what: TierValue) -> None:
        self.values[what] += 1


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One read that the store answered well: when it began, and all that it answered."""

    began: Moment
    select: Select
    samples: Samples
    purges: list[tuple[tuple[Matcher, ...], Window]] = field(default_factory=list)

    def tells(self, labels: Labels, time: int) -> bool:
        inside = self.select.start <= time <= self.select.end
        return (
            inside
            and matches_all(self.select.matchers, labels)
            and not any(
                window.start <= time <= window.end and matches_all(conditions, labels)
                for conditions, window in self.purges
            )
        )


@dataclass
class LoggedStore:
    """Samples by series and time, as bits; every read is remembered with what it saw.

    `behind`: its clock is so many ms behind ours; without, it does not tell its own.
    `failing`, `warning`: the next reads fail, or answer half and say so. `gate`: reads take their
    snapshot, then wait for it.
    """

    clock: Clock
    data: dict[Labels, dict[int, int]] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    asked: list[Select] = field(default_factory=list)
    behind: int | None = None
    failing: int = 0
    warning: int = 0
    gate: asyncio.Event | None = None

    def put(self, labels: Labels, points: Mapping[int, float]) -> None:
        held = self.data.setdefault(labels, {})
        held.update({time: bits(value) for time, value in points.items()})

    def put_native(self, labels: Labels, points: Mapping[int, int]) -> None:
        """Puts histograms, by their number."""
        held = self.data.setdefault(labels, {})
        held.update({time: NATIVE + number for time, number in points.items()})

    def delete(self, matchers: tuple[Matcher, ...], window: Window) -> None:
        for labels, held in self.data.items():
            if matches_all(matchers, labels):
                for time in [t for t in held if window.start <= t <= window.end]:
                    del held[time]

    def purged(self, matchers: tuple[Matcher, ...], window: Window) -> None:
        """From now on nobody may be told what reads so far saw of this."""
        for reading in self.readings:
            reading.purges.append((matchers, window))

    def truth(self, select: Select) -> Samples:
        return {
            (labels, time): value
            for labels, held in self.data.items()
            if matches_all(select.matchers, labels)
            for time, value in held.items()
            if select.start <= time <= select.end
        }

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked.append(select)
        began, samples = self.clock(), self.truth(select)
        if self.gate:
            await self.gate.wait()
        if self.failing:
            self.failing -= 1
            raise StoreError("the store is ill", StoreFault("logged", select.start, select.end))
        if self.warning:
            self.warning -= 1
            half = dict(list(samples.items())[::2])
            return Selection(block(half), ("half of it is missing",), 10, ("logged",))
        self.readings.append(Reading(began, select, samples))
        clock = None if self.behind is None else began.wall - self.behind
        return Selection(block(samples), (), 10 * len(samples), ("logged",), clock=clock)


def bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def block(samples: Samples) -> SeriesBlock:
    """A block of these samples, in parts of two rows."""
    rows: dict[Labels, list[int]] = {}
    for labels, time in samples:
        rows.setdefault(labels, []).append(time)
    ordered = sorted(rows, key=lambda labels: labels.pairs)
    pieces = [ordered[at : at + 2] for at in range(0, len(ordered), 2)]
    parts = tuple(
        part
        for piece in pieces
        for part in SeriesBlock.of(LabelTable(piece), _columns(piece, rows, samples)).parts
    )
    return SeriesBlock(LabelTable(ordered), parts)


def _columns(ordered: list[Labels], rows: dict[Labels, list[int]], samples: Samples) -> Columns:
    held = [[(time, samples[one, time]) for time in sorted(rows[one])] for one in ordered]
    floats, natives = (
        [[pair for pair in row if (pair[1] >= NATIVE) is native] for row in held]
        for native in (False, True)
    )
    offsets, times, values = _flat(floats)
    places, at, numbers = _flat(natives)
    histograms = None
    if numbers:
        table = Histograms.of(HISTOGRAMS[number - NATIVE] for number in numbers)
        histograms = HistogramColumns(places, at, NO_STARTS, table)
    bits_of = np.array(values, np.int64).view(np.float64)
    return Columns.frozen(offsets, times, bits_of, histograms)


def _flat(rows: list[list[tuple[int, int]]]) -> tuple[Int64s, Int64s, list[int]]:
    """Where each row ends, all times, all samples."""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    times = np.array([time for row in rows for time, _ in row], np.int64)
    return offsets, times, [held for row in rows for _, held in row]


def contents(block: SeriesBlock) -> Samples:
    """All samples of a block; fails if its rows or times are not in order."""
    rows = block.labels.rows
    assert list(rows) == sorted(set(rows), key=lambda labels: labels.pairs)
    found: Samples = {}
    for labels, part in block.row_ranges():
        columns = part.columns()
        values = columns.values.view(np.int64).tolist()
        assert len(columns) == part.series == len(labels)
        assert len(columns.timestamps) == columns.offsets[-1]
        native = _natives(columns.histograms, len(labels))
        held = _by_row(columns.offsets, columns.timestamps, values)
        for one, floats, histograms in zip(labels, held, native, strict=True):
            assert floats or histograms, "a row without samples"
            assert not floats.keys() & histograms.keys()
            found.update({(one, time): held for time, held in (floats | histograms).items()})
    return found


def _natives(columns: HistogramColumns | None, rows: int) -> list[dict[int, int]]:
    if columns is None:
        return [{}] * rows
    stale = columns.table.stale
    numbers = [
        NATIVE + (_STALE if stale[at] else _NUMBERS[_plain(columns.table.literal(at))])
        for at in range(len(columns.table))
    ]
    return _by_row(columns.offsets, columns.timestamps, numbers)


def _plain(histogram: Histogram) -> Histogram:
    """Without what the histogram before it tells."""
    gauge = histogram.hint is Hint.GAUGE
    return histogram if gauge else replace(histogram, hint=Hint.UNKNOWN)


def _by_row(offsets: Int64s, timestamps: Int64s, held: list[int]) -> list[dict[int, int]]:
    times = timestamps.tolist()
    found = []
    for low, high in pairwise(offsets.tolist()):
        assert times[low:high] == sorted(set(times[low:high]))
        found.append(dict(zip(times[low:high], held[low:high], strict=True)))
    return found


def unexplained(
    answer: Samples,
    truth: Samples,
    readings: Iterable[Reading],
    asked: tuple[Moment, bool],
    settings: CacheSettings,
    *,
    outlived: bool = False,
) -> list[str]:
    """The differences between an answer and the truth that no read excuses which may still count.

    A read excuses what it saw itself, of the times for which `counts` holds; `asked` is the moment
    of the question and whether it was for fresh data only; `outlived`: another process may have
    read, of which only the wall clock tells when.
    """
    faults = []
    readings = list(readings)
    for point in answer.keys() | truth.keys():
        labels, time = point
        if answer.get(point) == truth.get(point):
            continue
        told = [reading for reading in readings if reading.tells(labels, time)]
        counted = [one for one in told if counts(one, time, *asked, settings, outlived)]
        if not any(one.samples.get(point) == answer.get(point) for one in counted):
            faults.append(f"{labels} at {time}: {answer.get(point)}, not {truth.get(point)}")
    return faults


def counts(
    reading: Reading,
    time: int,
    now: Moment,
    fresh: bool,
    settings: CacheSettings,
    outlived: bool = False,
) -> bool:
    """Whether an answer may rest on what a read saw at a time: the rules, said once more."""
    began = reading.began
    if began.steady >= now.steady:
        return True
    age = max(now.wall - began.wall, now.steady - began.steady)
    if now.wall < began.wall:
        return False
    told = now.wall - began.wall if outlived else age
    # By a clock that was set back since, samples seemed older than they were.
    ahead = max(began.lead - now.lead, 0)
    closed = time < began.wall - (0 if outlived else ahead) - settings.out_of_order_window
    if fresh:
        return closed and told <= settings.sealed_ttl
    if age <= settings.burst:
        return True
    if closed and told <= settings.sealed_ttl and (reading.samples or age <= settings.young_ttl):
        return True
    return time <= began.wall - ahead - settings.freshness and age <= settings.young_ttl


def matchers(**equal: str) -> tuple[Matcher, ...]:
    pairs = sorted(equal.items())
    return tuple(Matcher(name.replace("name", "__name__"), MatchType.EQUAL, v) for name, v in pairs)


def select(conditions: tuple[Matcher, ...], start: int, end: int) -> Select:
    return Select(conditions, start, end)


def widened(settings: CacheSettings, **changes: int) -> CacheSettings:
    return replace(settings, **changes)  # type: ignore[arg-type]
