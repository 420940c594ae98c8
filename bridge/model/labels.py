"""Label sets, matchers and groupings: identity, order, keep and drop."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar, cast, overload
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
import re2

from bridge.model.errors import BadData
from bridge.model.patterns import compiled, in_words_of_go, only_in_re2

METRIC_NAME: Final = "__name__"
METADATA_LABELS: Final = frozenset({METRIC_NAME, "__type__", "__unit__"})

_PLAIN_NAME: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")

# How much is remembered that was derived of a label set, and of a table of them: a dashboard groups
# the same series in many ways.
_DERIVED: Final = 8
_TABLES_DERIVED: Final = 64

Pairs = tuple[tuple[str, str], ...]
_T = TypeVar("_T")


class Labels:
    """An interned label set: equal sets are one object for as long as something holds it.

    `pairs` is sorted by name and has no empty values. Order is Prometheus' `labels.Compare`:
    byte-wise over name, value, name, value…, a shorter prefix first; code-point order of `str`
    is byte order of UTF-8. Bytes that are not UTF-8 are kept as surrogate escapes. What `keep` and
    `drop` gave last is remembered, for a refresh asks the same of the same series.
    """

    __slots__ = ("__weakref__", "_derived", "_hash", "pairs")

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._hash = hash(pairs)
        self._derived: dict[tuple[bool, frozenset[str]], Labels] | None = None

    @staticmethod
    def of(labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> "Labels":
        """The label set of these pairs, in any order; empty values count as absent."""
        items = labels.items() if isinstance(labels, Mapping) else labels
        return Labels.of_sorted(tuple(sorted(pair for pair in items if pair[1])))

    @staticmethod
    def of_sorted(pairs: Pairs) -> "Labels":
        """The label set of pairs that are sorted by name and have no empty values already."""
        held = _INTERNED.get(pairs)
        if held is not None:
            return held
        return _INTERNED.setdefault(pairs, Labels(pairs))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Labels) and self.pairs == other.pairs)

    def __lt__(self, other: "Labels") -> bool:
        return self.pairs < other.pairs

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{_name(name)}={quoted(value)}" for name, value in self.pairs) + "}"

    def get(self, name: str) -> str:
        """The value of a label, empty when absent."""
        for held, value in self.pairs:
            if held == name:
                return value
        return ""

    def keep(self, names: frozenset[str]) -> "Labels":
        """Only these labels."""
        return self._remembered(names, kept=True)

    def drop(self, names: frozenset[str]) -> "Labels":
        """All but these labels."""
        return self._remembered(names, kept=False)

    def _remembered(self, names: frozenset[str], *, kept: bool) -> "Labels":
        held = self._derived
        found = held.get((kept, names)) if held else None
        if found is not None:
            return found
        made = Labels.of_sorted(tuple(pair for pair in self.pairs if (pair[0] in names) is kept))
        if held is None or len(held) >= _DERIVED:
            self._derived = held = {}
        held[kept, names] = made
        return made

    def with_label(self, name: str, value: str) -> "Labels":
        """The same set with one label set, or removed when the value is empty."""
        rest = [pair for pair in self.pairs if pair[0] != name]
        return Labels.of([*rest, (name, value)])


_INTERNED: WeakValueDictionary[Pairs, Labels] = WeakValueDictionary()
EMPTY_LABELS: Final = Labels.of_sorted(())


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which labels make a group: those named (`by`, `on`), or all others (`without`, `ignoring`).

    `without` and `ignoring` always leave out the metric name as well.
    """

    names: tuple[str, ...]
    without: bool

    def of(self, labels: Labels) -> Labels:
        """The group's label set for one series."""
        return self.rule()(labels)

    def rule(self) -> Callable[[Labels], Labels]:
        """The same as a function, for many series."""
        if self.without:
            left_out = frozenset((*self.names, METRIC_NAME))
            return lambda labels: labels.drop(left_out)
        kept = frozenset(self.names)
        return lambda labels: labels.keep(kept)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A partition of rows: `ids` int64 [S] gives each row's group, `labels` the groups' label sets.

    Groups are numbered in order of their first row.
    """

    ids: npt.NDArray[np.int64]
    labels: "LabelTable"


class LabelTable(Sequence[Labels]):
    """The label sets of a block's or matrix' rows; what was derived from them is remembered.

    A slice of a table derives through the table it is a slice of, so that row ranges evaluated
    apart share their groups and their relabelled rows.
    """

    __slots__ = ("_making", "_memo", "_rows", "_whole", "start")

    start: int

    def __init__(self, rows: Iterable[Labels] | None) -> None:
        """A table of these rows; None if a subclass makes them when they are asked for."""
        self._rows = None if rows is None else tuple(rows)
        self.start = 0
        self._whole: LabelTable | None = None
        self._memo: dict[object, object] = {}
        self._making = threading.RLock()

    @property
    def rows(self) -> tuple[Labels, ...]:
        """All label sets."""
        held = self._rows
        if held is None:
            held = self._rows = self._made()
        return held

    def _made(self) -> tuple[Labels, ...]:
        raise NotImplementedError

    @property
    def whole(self) -> "LabelTable":
        """The table that this is a slice of, from its row `start` on; else the table itself."""
        return self._whole or self

    @overload
    def __getitem__(self, index: int) -> Labels: ...
    @overload
    def __getitem__(self, index: slice) -> "LabelTable": ...
    def __getitem__(self, index: int | slice) -> "Labels | LabelTable":
        if isinstance(index, int):
            return self.rows[index]
        start, stop, step = index.indices(len(self.rows))
        if step != 1 or (start == 0 and stop >= len(self.rows)):
            return self if step == 1 else LabelTable(self.rows[index])
        part = LabelTable(self.rows[start:stop])
        part._whole, part.start = self.whole, self.start + start
        return part

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Labels]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"LabelTable({list(self.rows)!r})"

    def take(self, rows: npt.NDArray[np.int64]) -> "LabelTable":
        """The rows of these indices, in their order."""
        return LabelTable(self.rows[row] for row in rows.tolist())

    def order(self) -> npt.NDArray[np.int64]:
        """Row indices in label order (`labels.Compare`); remembered."""
        return self.remembered("order", lambda: _ordered(self.rows))

    def in_order(self) -> bool:
        """Whether the rows are in label order; remembered."""
        return self.remembered("in order", lambda: bool((np.diff(self.order()) > 0).all()))

    def grouped(self, grouping: Grouping) -> Groups:
        """Rows by group; remembered, since sibling expressions and refreshes ask again."""
        return self.remembered(grouping, lambda: _group(self.rows, grouping))

    def without(self, names: frozenset[str]) -> "LabelTable":
        """The same rows with these labels dropped; remembered."""
        if self._whole is not None:
            return self._whole.without(names)[self.start : self.start + len(self.rows)]
        return self.remembered(names, lambda: LabelTable(row.drop(names) for row in self.rows))

    def mapped(self, key: object, change: Callable[[Labels], Labels]) -> "LabelTable":
        """Every row changed by a function; remembered under `key`, which tells functions apart."""
        if self._whole is not None:
            return self._whole.mapped(key, change)[self.start : self.start + len(self.rows)]
        return self.remembered(key, lambda: LabelTable(map(change, self.rows)))

    def forget(self, key: object) -> None:
        """Lets go of what is remembered under a key, if it is."""
        if self._whole is not None:
            self._whole.forget(key)
        with self._making:
            self._memo.pop(key, None)

    def distinct(self) -> bool:
        """Whether no two rows have the same label set; remembered."""
        return self.remembered("distinct", lambda: len(set(self.rows)) == len(self.rows))

    def distinct_without(self, names: frozenset[str]) -> bool:
        """Whether no two rows have the same label set once these labels are dropped; remembered."""
        return self.remembered(("distinct", names), lambda: self._distinct_without(names))

    def _distinct_without(self, names: frozenset[str]) -> bool:
        dropped = {tuple([pair for pair in row.pairs if pair[0] in names]) for row in self.rows}
        # What all rows lose alike told none of them apart.
        return self.distinct() if len(dropped) <= 1 else self.without(names).distinct()

    def remembered(self, key: object, make: Callable[[], _T]) -> _T:
        """What `make` gives, made once; `key` tells what it is."""
        memo = self._memo
        if key in memo:
            return cast("_T", memo[key])
        # Threads that evaluate row ranges must get the same, and one of them make it.
        with self._making:
            if key in self._memo:
                return cast("_T", self._memo[key])
            made = make()
            if len(self._memo) >= _TABLES_DERIVED:
                # Queries choose the keys. Other threads may look at the old one still.
                self._memo = {}
            self._memo[key] = made
            return made


def _ordered(rows: Sequence[Labels]) -> npt.NDArray[np.int64]:
    order = np.array(sorted(range(len(rows)), key=lambda row: rows[row].pairs), dtype=np.int64)
    order.flags.writeable = False
    return order


def _group(rows: Sequence[Labels], grouping: Grouping) -> Groups:
    numbers: dict[Labels, int] = {EMPTY_LABELS: 0} if rows else {}
    ids = np.zeros(len(rows), np.int64)
    if grouping.names or grouping.without:
        numbers, key = {}, grouping.rule()
        found = (numbers.setdefault(key(row), len(numbers)) for row in rows)
        ids = np.fromiter(found, np.int64, len(rows))
    ids.flags.writeable = False
    return Groups(ids, LabelTable(numbers))


class MatchType(StrEnum):
    """The four ways a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEXP = "=~"
    NOT_REGEXP = "!~"


@dataclass(frozen=True, slots=True, order=True)
class Matcher:
    """One condition on one label; a label that a series lacks counts as empty.

    Regular expressions are RE2, anchored at both ends, and `.` matches a line break.
    """

    name: str
    type: MatchType
    value: str

    @staticmethod
    def checked(name: str, kind: MatchType, value: str) -> "Matcher":
        """A matcher whose regular expression is known to compile; raises BadData with Go's text."""
        if kind in (MatchType.REGEXP, MatchType.NOT_REGEXP):
            _compiled(value)
        return Matcher(name, kind, value)

    def matches(self, value: str) -> bool:
        """Whether a label value satisfies the condition."""
        match self.type:
            case MatchType.EQUAL:
                return value == self.value
            case MatchType.NOT_EQUAL:
                return value != self.value
            case MatchType.REGEXP:
                return _full_match(self.value, value)
            case MatchType.NOT_REGEXP:
                return not _full_match(self.value, value)

    def __str__(self) -> str:
        return f"{self.name}{self.type}{quoted(self.value)}"


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """A PromQL string literal of this text, as Go's strconv.Quote writes it."""
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in text) + '"'


_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def _escaped(char: str) -> str:
    code = ord(char)
    if char.isprintable() and (char == " " or not char.isspace()):
        return char
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> "re2._Regexp[bytes]":
    try:
        # Compiled as it is, not within an anchored group: `a)|(b` is an error.
        found, fault = compiled(pattern), only_in_re2(pattern)
    except re2.error as error:
        raise BadData(f"error parsing regexp: {in_words_of_go(error, pattern)}") from None
    if fault is not None:
        raise BadData(f"error parsing regexp: {fault}")
    return found


@lru_cache(maxsize=1 << 16)
def _full_match(pattern: str, value: str) -> bool:
    regexp = _compiled(pattern)
    return regexp.fullmatch(value.encode("utf-8", "surrogateescape")) is not None


def matches_all(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether a series satisfies every matcher."""
    return all(matcher.matches(labels.get(matcher.name)) for matcher in matchers)
