"""Which series there are, and which of them match: label sets turned into columns."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

import numpy as np

from bridge.catalogue.column import Column, Ids, Mask
from bridge.model.labels import Labels, Matcher, MatchType

# A label set, its tuple, its place in the table of ids, its presence; and each of its labels.
_ROW_BYTES: Final = 450
_LABEL_BYTES: Final = 16


class Index:
    """Label sets in rows, in order of their arrival, found by matchers.

    Label sets are interned and the index holds them, so that a set is known by its identity.
    """

    def __init__(self) -> None:
        self.rows: list[Labels] = []
        self._places: dict[int, int] = {}
        self._columns: dict[str, Column] = {}
        self._labels = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes of memory held, about."""
        texts = sum(column.text_bytes for column in self._columns.values())
        return len(self.rows) * _ROW_BYTES + self._labels * _LABEL_BYTES + texts

    def add(self, labels: Labels) -> int:
        """The row of a label set, which may be new."""
        labels = Labels.of_sorted(labels.pairs)
        row = self._places.setdefault(id(labels), len(self.rows))
        if row == len(self.rows):
            self.rows.append(labels)
            self._labels += len(labels.pairs)
            for name, value in labels.pairs:
                column = self._columns.get(name)
                if column is None:
                    column = self._columns[name] = Column()
                column.add(row, value)
        return row

    def places(self, rows: Sequence[Labels]) -> Ids:
        """The row of each label set, -1 for those that are new."""
        known = map(self._places.get, map(id, rows), repeat(-1))
        return np.fromiter(known, np.int32, len(rows))

    def matching(self, matchers: Iterable[Matcher], among: Mask) -> Mask:
        """Which rows [S] of `among` satisfy all matchers."""
        for matcher in sorted(matchers, key=lambda one: one.type is not MatchType.EQUAL):
            column = self._columns.get(matcher.name)
            if column is not None:
                among = column.satisfying(matcher, among)
            elif not matcher.matches(""):
                return np.zeros(len(among), np.bool_)
        return among

    def names(self, among: Mask | None = None) -> list[str]:
        """The label names that rows of `among` have (None: all rows), sorted."""
        if among is None:
            return sorted(self._columns)
        return sorted(name for name, column in self._columns.items() if among[column.rows].any())

    def values(self, name: str, among: Mask | None = None) -> list[str]:
        """The values of a label that rows of `among` have (None: all rows), sorted."""
        column = self._columns.get(name)
        return [] if column is None else column.sorted_texts(among)

    def series(self, among: Mask) -> list[Labels]:
        """The label sets of `among`, in label order."""
        return sorted(self.rows[row] for row in np.flatnonzero(among).tolist())

    def column(self, name: str) -> Column | None:
        """One label of all rows."""
        return self._columns.get(name)

    def compact(self, keep: Mask) -> None:
        """Forgets all rows but those in `keep`, which are renumbered in their order."""
        places = (np.cumsum(keep, dtype=np.int32) - 1).astype(np.int32)
        self.rows = [self.rows[row] for row in np.flatnonzero(keep).tolist()]
        self._places = {id(labels): row for row, labels in enumerate(self.rows)}
        kept = {name: column.kept(keep, places) for name, column in self._columns.items()}
        self._columns = {name: column for name, column in kept.items() if column is not None}
        self._labels = sum(len(column.rows) for column in self._columns.values())
