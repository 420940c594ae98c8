"""A store that lives in this process: series from literals, growing if asked to."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from bridge.model.errors import BadData
from bridge.model.labels import Labels, LabelTable, Matcher, matches_all
from bridge.model.samples import Columns, SeriesBlock
from bridge.storage.allowance import allow
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Literal = tuple[Labels, Sequence[int] | Int64s, Sequence[float] | Float64s]

_Number = TypeVar("_Number", np.int64, np.float64)

_FIRST_ROOM: Final = 16


class _Series:
    """One series: two arrays with room behind its samples."""

    __slots__ = ("count", "timestamps", "values")

    def __init__(self) -> None:
        self.count = 0
        self.timestamps: Int64s = np.empty(0, np.int64)
        self.values: Float64s = np.empty(0, np.float64)

    def append(self, timestamps: Int64s, values: Float64s) -> None:
        """Adds samples behind those held."""
        count = self.count + len(timestamps)
        if count > len(self.timestamps):
            room = max(count, 2 * len(self.timestamps), _FIRST_ROOM)
            self.timestamps = _grown(self.timestamps[: self.count], room)
            self.values = _grown(self.values[: self.count], room)
        self.timestamps[self.count : count] = timestamps
        self.values[self.count : count] = values
        self.count = count

    def within(self, start: int, end: int) -> slice:
        """The samples from `start` to `end`, ms, both inclusive."""
        held = self.timestamps[: self.count]
        low = int(np.searchsorted(held, start, "left"))
        return slice(low, max(low, int(np.searchsorted(held, end, "right"))))

    @property
    def newest(self) -> int | None:
        """The last sample's time, ms."""
        return int(self.timestamps[self.count - 1]) if self.count else None


class MemoryStore:
    """Series in memory, found by their label values.

    `series` are labels, times (ms, rising strictly) and values; more can be appended at any time.
    """

    def __init__(self, series: Iterable[Literal] = (), name: str = "memory") -> None:
        self._name = name
        self._series: dict[Labels, _Series] = {}
        self._sorted: list[Labels] | None = None
        self._postings: dict[str, dict[str, set[Labels]]] = {}
        for labels, timestamps, values in series:
            self.append(labels, timestamps, values)

    def append(
        self,
        labels: Labels,
        timestamps: Sequence[int] | Int64s,
        values: Sequence[float] | Float64s,
    ) -> None:
        """Adds samples to a series, which starts with them if it is new.

        Raises BadData if the lengths differ, or times do not rise or are not newer than those held.
        """
        times = np.asarray(timestamps, np.int64)
        numbers = np.asarray(values, np.float64)
        if times.shape != numbers.shape or times.ndim != 1:
            raise BadData(f"{labels}: {len(times)} times for {len(numbers)} values")
        held = self._series.get(labels)
        newest = None if held is None else held.newest
        late = len(times) and newest is not None and times[0] <= newest
        if late or not bool((times[1:] > times[:-1]).all()):
            raise BadData(f"{labels}: times must rise")
        if held is None:
            held = self._added(labels)
        held.append(times, numbers)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The matching series and their samples; raises TooManySamples, LimitExceeded."""
        found = self._matching(select.matchers)
        slices = [self._series[labels].within(select.start, select.end) for labels in found]
        lengths = np.array([part.stop - part.start for part in slices], np.int64)
        if select.purpose is Purpose.SERIES:
            table = LabelTable(
                labels for labels, length in zip(found, lengths.tolist(), strict=True) if length
            )
            return Selection(SeriesBlock.of(table, _no_samples(len(table))), (), 0, (self._name,))
        allow(int(lengths.sum()), options)
        held = [
            (labels, part)
            for labels, part in zip(found, slices, strict=True)
            if part.stop > part.start
        ]
        block = SeriesBlock.of(
            LabelTable(labels for labels, _ in held), self._columns(held, lengths[lengths > 0])
        )
        return Selection(block, (), 0, (self._name,))

    def _added(self, labels: Labels) -> _Series:
        made = self._series[labels] = _Series()
        self._sorted = None
        for name, value in labels.pairs:
            self._postings.setdefault(name, {}).setdefault(value, set()).add(labels)
        return made

    def _columns(self, held: list[tuple[Labels, slice]], lengths: Int64s) -> Columns:
        offsets = np.zeros(len(held) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        pieces = [(self._series[labels], part) for labels, part in held]
        timestamps = np.concatenate(
            [np.empty(0, np.int64), *(series.timestamps[part] for series, part in pieces)]
        )
        values = np.concatenate(
            [np.empty(0, np.float64), *(series.values[part] for series, part in pieces)]
        )
        return Columns.frozen(offsets, timestamps, values)

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


def _grown(array: npt.NDArray[_Number], room: int) -> npt.NDArray[_Number]:
    grown: npt.NDArray[_Number] = np.empty(room, array.dtype)
    grown[: len(array)] = array
    return grown


def _no_samples(rows: int) -> Columns:
    return Columns.frozen(
        np.zeros(rows + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
    )
