"""One label of all series: who has it, and with which value."""

from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.catalogue.patterns import check_of
from bridge.model.labels import Matcher, MatchType

Ids = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_NONE: Final = np.empty(0, np.int32)
# A text, its place in the table of ids and its pair, beyond its characters.
_TEXT_BYTES: Final = 240


class Column:
    """The values of one label: `rows`, rising, and `values`, ids into `texts`; both int32 [N].

    Additions wait in lists until someone looks.
    """

    __slots__ = ("_new_rows", "_new_values", "_order", "_rows", "_values", "ids", "text_bytes")

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.text_bytes = 0
        self._rows = self._values = _NONE
        self._new_rows: list[int] = []
        self._new_values: list[int] = []
        self._order: tuple[list[str], Ids] = ([], _NONE)

    def add(self, row: int, text: str) -> None:
        """Gives a row, later than all before, its value."""
        known = len(self.ids)
        value = self.ids.setdefault(text, known)
        if value == known:
            self.text_bytes += _TEXT_BYTES + len(text)
        self._new_rows.append(row)
        self._new_values.append(value)

    @property
    def rows(self) -> Ids:
        """The rows that have the label."""
        self._settle()
        return self._rows

    @property
    def values(self) -> Ids:
        """Their values' ids."""
        self._settle()
        return self._values

    def satisfying(self, matcher: Matcher, among: Mask) -> Mask:
        """Which rows [S] of `among` satisfy a matcher; only values that occur there are compared.

        A row without the label counts as empty.
        """
        inside = among[self.rows]
        rows, values = self._rows[inside], self._values[inside]
        found = among.copy() if matcher.matches("") else np.zeros(len(among), np.bool_)
        found[rows] = self._wanted(matcher, values)[values]
        return found

    def sorted_texts(self, among: Mask | None) -> list[str]:
        """The values that rows of `among` have (None: all rows), sorted."""
        texts, order = self._sorted()
        if among is None:
            return list(texts)
        present = np.zeros(len(self.ids), np.bool_)
        present[self.values[among[self.rows]]] = True
        return [texts[place] for place in np.flatnonzero(present[order]).tolist()]

    def kept(self, keep: Mask, places: Ids) -> "Column | None":
        """The column of the rows [S] in `keep`, renumbered by `places`; None if none is left."""
        inside = keep[self.rows]
        if not inside.any():
            return None
        used, values = np.unique(self.values[inside], return_inverse=True)
        texts = list(self.ids)
        column = Column()
        column.ids = {texts[value]: place for place, value in enumerate(used.tolist())}
        column.text_bytes = sum(_TEXT_BYTES + len(text) for text in column.ids)
        column._rows = places[self._rows[inside]]
        column._values = values.astype(np.int32)
        return column

    def _wanted(self, matcher: Matcher, values: Ids) -> Mask:
        """Which of the values' ids satisfy a matcher, as far as they occur in `values`."""
        wanted = np.zeros(len(self.ids), np.bool_)
        if matcher.type is MatchType.EQUAL:
            if (value := self.ids.get(matcher.value)) is not None:
                wanted[value] = True
            return wanted
        occurring = np.zeros(len(self.ids), np.bool_)
        occurring[values] = True
        satisfies = check_of(matcher)
        pairs = zip(self.ids, occurring.tolist(), strict=True)
        wanted[occurring] = [satisfies(text) for text, occurs in pairs if occurs]
        return wanted

    def _settle(self) -> None:
        if self._new_rows:
            self._rows = np.concatenate([self._rows, np.array(self._new_rows, np.int32)])
            self._values = np.concatenate([self._values, np.array(self._new_values, np.int32)])
            self._new_rows, self._new_values = [], []

    def _sorted(self) -> tuple[list[str], Ids]:
        """The texts in order, and their ids in that order."""
        if len(self._order[0]) != len(self.ids):
            texts = sorted(self.ids)
            self._order = texts, np.fromiter(map(self.ids.__getitem__, texts), np.int32, len(texts))
        return self._order
