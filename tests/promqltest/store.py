"""What a script has loaded, given back as a TSDB would: see `bridge.storage.played`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from bridge.model.histogram import Histogram, Histograms
from bridge.model.labels import Labels
from bridge.storage.interface import ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.promqltest.sequence import STALE, Native, SeriesLine

Item = float | Histogram


@dataclass(slots=True)
class _Series:
    """One series: its items by time, and what start timestamps they have."""

    items: dict[int, Item] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def runs(self) -> Iterator[tuple[list[int], list[Item]]]:
        """Times and items in order, floats and histograms apart."""
        ordered = sorted(self.items.items(), key=lambda item: item[0])
        for _, run in groupby(ordered, lambda item: isinstance(item[1], Histogram)):
            times, items = zip(*run, strict=True)
            yield list(times), list(items)

    def created(self, times: Sequence[int]) -> list[int]:
        """The start timestamps of samples, 0 where there is none."""
        return [self.starts.get(time, 0) for time in times]


class ScriptStore:
    """Series by label set; a Querier."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Series] = {}
        self._stored: MemoryStore | None = None

    @property
    def has_starts(self) -> bool:
        """Whether any sample has a start timestamp."""
        return any(series.starts for series in self._series.values())

    @property
    def has_histograms(self) -> bool:
        """Whether there are native histograms."""
        held = (item for series in self._series.values() for item in series.items.values())
        return any(isinstance(item, Histogram) for item in held)

    def add(self, line: SeriesLine, gap: int) -> None:
        """Adds a series' items, `gap` ms apart; a stale marker after a histogram is one too."""
        self._stored = None
        series = self._series.setdefault(line.labels, _Series())
        held = series.items
        last: Item | None = None
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
        if self._stored is None:
            self._stored = self._appended()
        return await self._stored.select(select, options)

    def _appended(self) -> MemoryStore:
        store = MemoryStore()
        for labels, series in self._series.items():
            for times, items in series.runs():
                created = series.created(times)
                native = [item for item in items if isinstance(item, Histogram)]
                if native:
                    store.append_histograms(labels, times, Histograms.of(native), created)
                else:
                    floats = [item for item in items if isinstance(item, float)]
                    store.append(labels, times, floats, created)
        return store
