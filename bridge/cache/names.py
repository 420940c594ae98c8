"""The label sets of one selector's series, numbered once, so that blocks join by number."""

import sys
import threading
from collections.abc import Iterable
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from bridge.model.labels import Labels, LabelTable, Matcher, matches_all

Int64s = npt.NDArray[np.int64]

# How many different sets of rows a table is kept for, and how many their numbers elsewhere, and how
# many matchers their numbers.
_TABLES: Final = 8
_RENAMED: Final = 8
_MATCHED: Final = 32
_NONE: Final = np.empty(0, np.int64)
_NONE.flags.writeable = False


class Renamed(NamedTuple):
    """Rows of a selector by the numbers that they have for one that narrows it, or for itself.

    `numbers`: those of all rows, -1 for what is left out; `rows`: which are kept, None for all;
    `kept`: the numbers of these. Two are of the same rows if `kept` is the same array.
    """

    numbers: Int64s
    rows: Int64s | None
    kept: Int64s

    @staticmethod
    def not_at_all(numbers: Int64s) -> "Renamed":
        """Rows of the selector itself."""
        return Renamed(numbers, None, numbers)


class Names:
    """Label sets and their numbers; a number, once given, stays. Threads may share it."""

    def __init__(self) -> None:
        self._labels: list[Labels] = []
        self._numbers: dict[Labels, int] = {}
        self._order: Int64s | None = None
        self._tables: dict[bytes, LabelTable] = {}
        self._matching: dict[tuple[Matcher, ...], tuple[int, Int64s]] = {}
        self._views: WeakKeyDictionary[Names, Int64s] = WeakKeyDictionary()
        self._renamed: LRUCache[int, tuple[Int64s, Renamed]] = LRUCache(_RENAMED)
        self._lock = threading.RLock()
        self._last: tuple[tuple[Labels, ...], Int64s] = ((), _NONE)
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, rows: Iterable[Labels]) -> Int64s:
        """The numbers of these label sets; new ones are given to those not known.

        It is the same array if they are those of the time before, as in a dashboard's refreshes.
        """
        given = tuple(rows)
        with self._lock:
            last, numbers = self._last
            # Labels are interned: to compare them takes a tenth of looking them up.
            if given == last:
                return numbers
            known = len(self._labels)
            numbers = np.array([self._number(labels) for labels in given], np.int64)
            numbers.flags.writeable = False
            if len(self._labels) > known:
                self.nbytes += sum(map(_size, self._labels[known:]))
                self._order = None
            self._last = given, numbers
            return numbers

    def order(self) -> Int64s:
        """All numbers in label order."""
        with self._lock:
            if self._order is None:
                # Mostly sorted runs behind each other, which timsort merges in one pass.
                numbered = [(labels.pairs, at) for at, labels in enumerate(self._labels)]
                self._order = np.array([at for _, at in sorted(numbered)], np.int64)
            return self._order

    def table(self, numbers: Int64s) -> LabelTable:
        """The label sets of these numbers; the same table for the same numbers."""
        key = numbers.tobytes()
        with self._lock:
            held = self._tables.pop(key, None)
            if held is None:
                held = LabelTable(self._labels[number] for number in numbers.tolist())
            while len(self._tables) >= _TABLES:
                del self._tables[next(iter(self._tables))]
            self._tables[key] = held
            return held

    def matching(self, matchers: tuple[Matcher, ...]) -> Int64s:
        """The numbers of the label sets that match; the last few matchers look at new ones only."""
        with self._lock:
            seen, found = self._matching.pop(matchers, (0, _NONE))
            fresh = enumerate(self._labels[seen:], seen)
            more = [at for at, labels in fresh if matches_all(matchers, labels)]
            if more:
                found = np.append(found, np.array(more, np.int64))
            while len(self._matching) >= _MATCHED:
                del self._matching[next(iter(self._matching))]
            self._matching[matchers] = len(self._labels), found
            return found

    def view(self, other: "Names", matchers: tuple[Matcher, ...]) -> Int64s:
        """For each number of `other` the number here, or -1 if the labels fail a matcher.

        The matchers must be the same each time.
        """
        with self._lock:
            seen = self._views.get(other, _NONE)
            if len(seen) == len(other):
                return seen
            fresh = other.labels_from(len(seen))
            numbers = np.full(len(fresh), -1, np.int64)
            wanted = other.matching(matchers) - len(seen)
            wanted = wanted[(wanted >= 0) & (wanted < len(fresh))]
            numbers[wanted] = self.add(fresh[at] for at in wanted.tolist())
            made = self._views[other] = np.concatenate([seen, numbers])
            return made

    def renamed(self, other: "Names", matchers: tuple[Matcher, ...], numbers: Int64s) -> Renamed:
        """Rows of `other` by the numbers here; the same answer for the same array.

        The matchers must be the same each time.
        """
        with self._lock:
            known = self._renamed.get(id(numbers))
            if known is not None and known[0] is numbers:
                return known[1]
            here = self.view(other, matchers)[numbers]
            rows = np.flatnonzero(here >= 0)
            made = Renamed(here, rows, here[rows])
            # What a number means here stays, as the number does.
            self._renamed[id(numbers)] = numbers, made
            return made

    def labels(self, numbers: Int64s) -> list[Labels]:
        """The label sets of these numbers."""
        return [self._labels[number] for number in numbers.tolist()]

    def labels_from(self, number: int) -> list[Labels]:
        """The label sets from a number on."""
        return self._labels[number:]

    def _number(self, labels: Labels) -> int:
        number = self._numbers.get(labels)
        if number is None:
            number = self._numbers[labels] = len(self._labels)
            self._labels.append(labels)
        return number


def _size(labels: Labels) -> int:
    """Bytes of memory of a label set: itself, its tuples and its texts, and its places here."""
    getsizeof = sys.getsizeof
    texts = sum(getsizeof(pair) + getsizeof(pair[1]) for pair in labels.pairs)
    return getsizeof(labels) + getsizeof(labels.pairs) + texts + 250
