"""What a script has loaded, as a TSDB would give it back: floats and native histograms."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bridge.model.histogram import Hint, Histogram, HistogramColumns, Histograms, concatenate
from bridge.model.histogram_neighbours import compare
from bridge.model.labels import Labels, LabelTable, matches_all
from bridge.model.samples import Columns, Float64s, Int64s, SeriesBlock
from bridge.model.starts import NO_STARTS
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.promqltest.sequence import STALE, Native, SeriesLine


@dataclass(slots=True)
class _Series:
    """One series: its items by time, and what start timestamps they have."""

    items: dict[int, float | Histogram] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def within(self, start: int, end: int) -> "_Held":
        """The samples from `start` to `end`, ms; hints are what they are in the whole series."""
        times = sorted(self.items)
        floats = [t for t in times if isinstance(self.items[t], float)]
        native = [t for t in times if not isinstance(self.items[t], float)]
        values = [self.items[t] for t in floats]
        literals = [one for t in native if isinstance(one := self.items[t], Histogram)]
        table = Histograms.of(literals)
        hints = _hints(table, _follows(times, native))
        of_floats, of_native = (np.array(one, np.int64) for one in (floats, native))
        shown = (of_floats >= start) & (of_floats <= end)
        rows = np.flatnonzero((of_native >= start) & (of_native <= end))
        return _Held(
            of_floats[shown],
            np.array(values, np.float64)[shown],
            of_native[rows],
            table.with_hints(hints).take(rows),
            self._created(of_floats[shown]),
            self._created(of_native[rows]),
        )

    def _created(self, times: Int64s) -> Int64s:
        return np.array([self.starts.get(time, 0) for time in times.tolist()], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Samples of one series."""

    times: Int64s
    values: Float64s
    native_times: Int64s
    table: Histograms
    created: Int64s
    native_created: Int64s

    def __len__(self) -> int:
        return len(self.times) + len(self.native_times)


def _follows(
    times: Sequence[int], native: Sequence[int]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each histogram comes right after another one, with no float between."""
    before = dict(zip(times[1:], times, strict=False))
    held = set(native)
    return np.array([before.get(time) in held for time in native], np.bool_)


def _hints(table: Histograms, follows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Int64s:
    """The hints that a TSDB gives: of a chunk's first sample none, of later ones "not reset"."""
    count = len(table)
    if not count:
        return np.empty(0, np.int64)
    unknown = table.with_hints(np.full(count, int(Hint.UNKNOWN)))
    resets, changes = np.empty(count, np.bool_), np.empty(count, np.bool_)
    offsets, none = np.array([0, count]), np.empty(0, np.int64)
    compare(unknown.arrays, offsets, np.arange(count), none, resets, changes)
    hints = np.full(count, int(Hint.UNKNOWN))
    literals = [table.literal(row) for row in range(count)]
    stale = table.stale
    for row, one in enumerate(literals):
        if one.hint is Hint.GAUGE:
            hints[row] = Hint.GAUGE
            continue
        before = literals[row - 1] if row else None
        joined = before is not None and follows[row] and one.hint is not Hint.RESET
        joined = joined and before is not None and before.hint is not Hint.GAUGE
        fits = not stale[row - 1] and not resets[row] and _same_kind(one, before)
        if joined and (stale[row] or fits):
            hints[row] = Hint.NOT_RESET
    return hints


def _same_kind(one: Histogram, other: Histogram | None) -> bool:
    return other is not None and (one.schema, one.zero_threshold, one.bounds) == (
        other.schema,
        other.zero_threshold,
        other.bounds,
    )


class ScriptStore:
    """Series by label set; a Querier."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Series] = {}

    def add(self, line: SeriesLine, gap: int) -> None:
        """Adds a series' items, `gap` ms apart; a stale marker after a histogram is one too."""
        series = self._series.setdefault(line.labels, _Series())
        held = series.items
        last: float | Histogram | None = None
        for number, start in enumerate(line.starts):
            if start is not None:
                series.starts[number * gap] = number * gap + start
        for number, item in enumerate(line.items):
            if isinstance(item, Native):
                last = item.value
            elif isinstance(item, float):
                stale = np.array([item, STALE]).view(np.int64)
                marks = bool(stale[0] == stale[1]) and isinstance(last, Histogram)
                last = Histogram(sum=STALE) if marks else item
            else:
                continue
            held[number * gap] = last

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The matching series and their samples."""
        found = {
            labels: series.within(select.start, select.end)
            for labels, series in sorted(self._series.items(), key=lambda one: one[0].pairs)
            if matches_all(select.matchers, labels)
        }
        held = {labels: one for labels, one in found.items() if len(one)}
        block = SeriesBlock.of(LabelTable(held), _columns(list(held.values())))
        return Selection(block, (), 0, ("script",))


def _columns(held: list[_Held]) -> Columns:
    native = HistogramColumns(
        _offsets([len(one.native_times) for one in held]),
        np.concatenate([np.empty(0, np.int64), *(one.native_times for one in held)]),
        _known([one.native_created for one in held]),
        concatenate([one.table for one in held]),
    )
    return Columns.frozen(
        _offsets([len(one.times) for one in held]),
        np.concatenate([np.empty(0, np.int64), *(one.times for one in held)]),
        np.concatenate([np.empty(0), *(one.values for one in held)]),
        native if len(native.timestamps) else None,
        _known([one.created for one in held]),
    )


def _known(starts: list[Int64s]) -> Int64s:
    """All start timestamps, or none where none is known."""
    created = np.concatenate([NO_STARTS, *starts])
    return created if created.any() else NO_STARTS


def _offsets(lengths: list[int]) -> Int64s:
    return np.cumsum([0, *lengths], dtype=np.int64)
