"""The label names and values that reads have brought so far, bounded."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.model.labels import Labels
from bridge.storage.interface import Querier, ReadOptions, Select, Selection


@dataclass(frozen=True, slots=True)
class SeenLimits:
    """How much is remembered; what comes later is left out.

    `sets_per_read`: label sets newly noted from one read, so that a read of a million series does
    not hold up everything else; the rest is noted by the next one.
    """

    names: int = 10_000
    values_per_name: int = 40_000
    values: int = 1_000_000
    sets: int = 200_000
    sets_per_read: int = 20_000


class SeenLabels:
    """A Querier around a Querier that notes the labels of the series passing through."""

    def __init__(self, querier: Querier, limits: SeenLimits | None = None) -> None:
        self._querier = querier
        self._limits = limits or SeenLimits()
        self._values: dict[str, dict[str, None]] = {}
        self._count = 0
        self._noted: set[Labels] = set()

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The inner Querier's answer, noted."""
        selection = await self._querier.select(select, options)
        self._note(selection.block.labels.rows)
        return selection

    def names(self) -> list[str]:
        """The label names seen, sorted."""
        return sorted(self._values)

    def values(self, name: str) -> list[str]:
        """The values seen of one label, sorted."""
        return sorted(self._values.get(name, ()))

    def _note(self, rows: Iterable[Labels]) -> None:
        fresh = list(set(rows) - self._noted)[: self._limits.sets_per_read]
        if len(self._noted) + len(fresh) > self._limits.sets:
            self._noted.clear()
        self._noted.update(fresh)
        for labels in fresh:
            for name, value in labels.pairs:
                self._add(name, value)

    def _add(self, name: str, value: str) -> None:
        held = self._values.get(name)
        if held is None:
            if len(self._values) >= self._limits.names:
                return
            held = self._values[name] = {}
        room = len(held) < self._limits.values_per_name and self._count < self._limits.values
        if room and value not in held:
            held[value] = None
            self._count += 1
