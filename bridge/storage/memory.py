"""A store that lives in this process: series from literals, growing if asked to."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from bridge.model.errors import BadData
from bridge.model.histogram import Histograms
from bridge.model.labels import Labels, LabelTable, Matcher, matches_all
from bridge.model.samples import Columns, SeriesBlock
from bridge.model.starts import NO_STARTS
from bridge.storage.allowance import allow
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from bridge.storage.series import Series, columns_of

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Literal = tuple[Labels, Sequence[int] | Int64s, Sequence[float] | Float64s]


class MemoryStore:
    """Series in memory, found by their label values.

    `series` are labels, times (ms, rising strictly) and values; more can be appended at any time.
    """

    def __init__(self, series: Iterable[Literal] = (), name: str = "memory") -> None:
        self._name = name
        self._series: dict[Labels, Series] = {}
        self._sorted: list[Labels] | None = None
        self._postings: dict[str, dict[str, set[Labels]]] = {}
        for labels, timestamps, values in series:
            self.append(labels, timestamps, values)

    def append(
        self,
        labels: Labels,
        timestamps: Sequence[int] | Int64s,
        values: Sequence[float] | Float64s,
        created: Sequence[int] | Int64s = (),
    ) -> None:
        """Adds samples to a series, which starts with them if it is new.

        `created` are their start timestamps, ms, 0 if unknown; or none.

        Raises BadData if the lengths differ, or times do not rise or are not newer than those held.
        """
        times = np.asarray(timestamps, np.int64)
        numbers = np.asarray(values, np.float64)
        if times.shape != numbers.shape or times.ndim != 1:
            raise BadData(f"{labels}: {len(times)} times for {len(numbers)} values")
        self._ready(labels, times).floats.append(times, numbers, _starts(created))

    def append_histograms(
        self,
        labels: Labels,
        timestamps: Sequence[int] | Int64s,
        histograms: Histograms,
        created: Sequence[int] | Int64s = (),
    ) -> None:
        """Adds native histograms to a series, as `append` adds floats.

        They are given back as a TSDB would: see `bridge.storage.played`.
        """
        times = np.asarray(timestamps, np.int64)
        if len(times) != len(histograms):
            raise BadData(f"{labels}: {len(times)} times for {len(histograms)} histograms")
        self._ready(labels, times).histograms().append(times, histograms, _starts(created))

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The matching series and their samples; raises TooManySamples, LimitExceeded."""
        found = self._matching(select.matchers)
        pieces = [self._series[labels].within(select.start, select.end) for labels in found]
        sizes = [piece.samples for piece in pieces]
        held = [piece for piece, size in zip(pieces, sizes, strict=True) if size]
        table = LabelTable(labels for labels, size in zip(found, sizes, strict=True) if size)
        if select.purpose is Purpose.SERIES:
            return Selection(SeriesBlock.of(table, _no_samples(len(table))), (), 0, (self._name,))
        allow(sum(sizes), options)
        block = SeriesBlock.of(table, columns_of(held))
        return Selection(block, (), 0, (self._name,))

    def _ready(self, labels: Labels, times: Int64s) -> Series:
        """The series, to which samples of these times may be added; raises BadData."""
        held = self._series.get(labels)
        newest = None if held is None else held.newest
        late = len(times) and newest is not None and times[0] <= newest
        if late or not bool((times[1:] > times[:-1]).all()):
            raise BadData(f"{labels}: times must rise")
        return self._added(labels) if held is None else held

    def _added(self, labels: Labels) -> Series:
        made = self._series[labels] = Series()
        self._sorted = None
        for name, value in labels.pairs:
            self._postings.setdefault(name, {}).setdefault(value, set()).add(labels)
        return made

    def _matching(self, matchers: tuple[Matcher, ...]) -> list[Labels]:
        """The series that satisfy all matchers, in label order."""
        candidates: set[Labels] | None = None
        rest: list[Matcher] = []
        for matcher in matchers:
            if matcher.matches(""):
                rest.append(matcher)
                continue
            found = self._having(matcher)
            candidates = found if candidates is None else candidates & found
        if candidates is None:
            return [labels for labels in self._in_order() if matches_all(rest, labels)]
        kept = [labels for labels in candidates if matches_all(rest, labels)]
        return sorted(kept, key=lambda labels: labels.pairs)

    def _having(self, matcher: Matcher) -> set[Labels]:
        """The series that have the matcher's label with a value that matches."""
        values = self._postings.get(matcher.name, {})
        return set().union(*(held for value, held in values.items() if matcher.matches(value)))

    def _in_order(self) -> list[Labels]:
        if self._sorted is None:
            self._sorted = sorted(self._series, key=lambda labels: labels.pairs)
        return self._sorted


def _starts(created: Sequence[int] | Int64s) -> Int64s:
    """Start timestamps; none where none is known."""
    made = np.asarray(created, np.int64)
    return made if made.any() else NO_STARTS


def _no_samples(rows: int) -> Columns:
    return Columns.frozen(
        np.zeros(rows + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
    )
