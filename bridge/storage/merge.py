"""Rows from several places as one block: labels sorted and distinct, times rising."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from numba import boolean

from bridge.kernel import b1_in, b1_out, i8_in, i8_out, inlined, kernel, rare_kernel
from bridge.model.histogram import Hint, HistogramColumns
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import (
    EMPTY_BLOCK,
    Columns,
    DecodedPart,
    Part,
    SeriesBlock,
    concatenate,
)
from bridge.model.starts import stacked_starts, starts_of

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Rows whose order is remembered: at most so many, of so many reads.
_FEW: Final = 1 << 8
_REMEMBERED: Final = 1 << 10


class Divisible(Part, Protocol):
    """A part of which a range of rows is a part as well."""

    @property
    def ends(self) -> tuple[int, int] | None:
        """The times of the first row's first and the last row's last float, ms, if there are."""

    def between(self, start: int, stop: int) -> "Divisible":
        """A range of rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Series as they came: any order of labels, any repetition of them.

    `rising`: whether times are known to rise strictly within each row, those of floats, those of
    histograms, and no time is of both. What is held packed is floats, some in each row.
    """

    labels: tuple[Labels, ...]
    held: Columns | Divisible
    rising: bool

    @property
    def columns(self) -> Columns:
        """The samples."""
        return self.held if isinstance(self.held, Columns) else self.held.columns()

    @property
    def native(self) -> bool:
        """Whether there are native histograms."""
        return isinstance(self.held, Columns) and self.held.histograms is not None

    @staticmethod
    def of(block: SeriesBlock) -> "list[Rows]":
        """The parts of a block."""
        return [Rows(labels.rows, part.columns(), True) for labels, part in block.row_ranges()]


def merge(pieces: Sequence[Rows], first_wins: bool, keep_empty: bool = False) -> SeriesBlock:
    """One block of all pieces; nothing is copied where they are in order already.

    Series of the same labels become one. Of samples at the same time the one of the first piece
    stays (`first_wins`), or that of the last; a float before a histogram. Series without samples go
    unless `keep_empty`.
    """
    if not keep_empty:
        pieces = [_without_empty(piece) for piece in pieces]
    pieces = [piece for piece in pieces if piece.labels]
    if not pieces:
        return EMPTY_BLOCK
    if all(piece.rising for piece in pieces) and all(map(_ascending, pieces)):
        joined = _joined(pieces)
        if joined is not None:
            return joined
    return _sorted(pieces, first_wins)


def _without_empty(piece: Rows) -> Rows:
    columns = piece.held
    if not isinstance(columns, Columns):
        return piece
    native = columns.histograms
    held = np.diff(columns.offsets) > 0
    if native is not None:
        held |= np.diff(native.offsets) > 0
    if held.all():
        return piece
    labels = tuple(piece.labels[row] for row in np.flatnonzero(held).tolist())
    offsets = _without(columns.offsets, held)
    if native is not None:
        native = replace(native, offsets=_without(native.offsets, held))
    kept = Columns.frozen(offsets, columns.timestamps, columns.values, native, columns.created)
    return Rows(labels, kept, piece.rising)


def _without(offsets: Int64s, held: Bools) -> Int64s:
    """The offsets without the rows, all empty, that are not held."""
    return np.concatenate([offsets[:1], offsets[1:][held]])


def _ascending(piece: Rows) -> bool:
    return all(left.pairs < right.pairs for left, right in pairwise(piece.labels))


def _joined(pieces: Sequence[Rows]) -> SeriesBlock | None:
    """The pieces one behind the other, or None if they are not in order.

    The last series of a piece may go on as the first of the next: it becomes a part of its own,
    unless there are histograms, about whose neighbours more is to be said.
    """
    labels: list[Labels] = []
    native = any(piece.native for piece in pieces)
    runs: list[list[Divisible]] = []
    for piece in pieces:
        first, held = piece.labels[0], piece.held
        rows = DecodedPart(held) if isinstance(held, Columns) else held
        if labels and labels[-1] is first and not native:
            _open_last_row(runs)
            runs[-1].append(rows.between(0, 1))
            rows = rows.between(1, rows.series)
            labels += piece.labels[1:]
        elif labels and not labels[-1].pairs < first.pairs:
            return None
        else:
            labels += piece.labels
        if rows.series:
            runs.append([rows])
    if not all(map(_rising, runs)):
        return None
    return SeriesBlock(LabelTable(labels), tuple(map(_one_row, runs)))


def _open_last_row(runs: list[list[Divisible]]) -> None:
    """Makes the last run one of a single row."""
    last = runs[-1][-1]
    if last.series > 1:
        runs[-1] = [last.between(0, last.series - 1)]
        runs.append([last.between(last.series - 1, last.series)])


def _rising(run: list[Divisible]) -> bool:
    ends = [ends for part in run if (ends := part.ends)] if len(run) > 1 else []
    return all(left[1] < right[0] for left, right in pairwise(ends))


def _one_row(run: list[Divisible]) -> Part:
    if len(run) == 1:
        return run[0]
    row = _LongRow(tuple(run))
    decoded = all(isinstance(part, DecodedPart) for part in run)
    return DecodedPart(row.columns()) if decoded else row


@dataclass(frozen=True, slots=True, eq=False)
class _LongRow:
    """One row whose samples are those of several parts of one row each, one after the other."""

    parts: tuple[Part, ...]

    @property
    def series(self) -> int:
        return 1

    @property
    def samples(self) -> int:
        return sum(part.samples for part in self.parts)

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    @property
    def has_histograms(self) -> bool:
        return any(part.has_histograms for part in self.parts)

    def columns(self) -> Columns:
        run = [part.columns() for part in self.parts]
        timestamps = np.concatenate([columns.timestamps for columns in run])
        values = np.concatenate([columns.values for columns in run])
        offsets = np.array([0, len(timestamps)], np.int64)
        created = stacked_starts((columns.created, columns.timestamps) for columns in run)
        return Columns.frozen(offsets, timestamps, values, created=created)


def _sorted(pieces: Sequence[Rows], first_wins: bool) -> SeriesBlock:
    """The general case: rows grouped by labels, their samples sorted, equal times made one."""
    rows = tuple([labels for piece in pieces for labels in piece.labels])
    order = _known_order(rows) if len(rows) <= _FEW else _order(rows)
    whole = concatenate([piece.columns for piece in pieces])
    grouping = _Grouping(order.rows, order.groups, len(order.labels), first_wins)
    return SeriesBlock.of(LabelTable(order.labels), _grouped(whole, grouping))


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Distinct `labels` in order; row rows[i] is of labels[groups[i]]."""

    labels: tuple[Labels, ...]
    rows: Int64s
    groups: Int64s


def _order(rows: tuple[Labels, ...]) -> _Order:
    order = sorted(range(len(rows)), key=lambda row: rows[row].pairs)
    labels = tuple(dict.fromkeys(rows[row] for row in order))
    numbers = {row: number for number, row in enumerate(labels)}
    groups = np.array([numbers[rows[row]] for row in order], np.int64)
    made = _Order(labels, np.array(order, np.int64), groups)
    for column in (made.rows, made.groups):
        column.flags.writeable = False
    return made


# A store that sends its series in no order sends them in the same one again.
_known_order: Final = lru_cache(maxsize=_REMEMBERED)(_order)


def _grouped(whole: Columns, grouping: "_Grouping") -> Columns:
    """The columns of the new rows."""
    if whole.histograms is None and not len(whole.created):
        bits = whole.values.view(np.int64)
        offsets, times, bits = grouping.gathered(whole.offsets, whole.timestamps, bits)
        return Columns.frozen(offsets, times, bits.view(np.float64))
    every = np.arange(len(whole.timestamps))
    offsets, times, taken = grouping.gathered(whole.offsets, whole.timestamps, every)
    columns = Columns.frozen(
        offsets, times, whole.values[taken], created=starts_of(whole.created, taken)
    )
    if whole.histograms is None:
        return columns
    origins = np.searchsorted(whole.offsets, taken, "right")
    return _with_merged(columns, origins, whole.histograms, grouping)


@dataclass(frozen=True, slots=True, eq=False)
class _Grouping:
    """Which rows make which: row order[i] belongs to row groups[i], of `rows` in all."""

    order: Int64s
    groups: Int64s
    rows: int
    first_wins: bool

    def gathered(
        self, offsets: Int64s, timestamps: Int64s, bits: Int64s
    ) -> tuple[Int64s, Int64s, Int64s]:
        """Offsets, times and bits of the new rows."""
        made = np.zeros(self.rows + 1, np.int64)
        times, values = np.empty(len(timestamps), np.int64), np.empty(len(timestamps), np.int64)
        order, groups = self.order, self.groups
        used = _gather(
            offsets, timestamps, bits, order, groups, self.first_wins, made, times, values
        )
        return made, times[:used], values[:used]


def _with_merged(
    columns: Columns, origins: Int64s, native: HistogramColumns, grouping: _Grouping
) -> Columns:
    """New rows of floats, that came from the old rows `origins`, with those of histograms.

    Where the sample before came from another row nothing is known about counter resets. Source:
    chainSampleIterator in storage/merge.go of Prometheus.
    """
    every = np.arange(len(native.timestamps))
    offsets, times, taken = grouping.gathered(native.offsets, native.timestamps, every)
    table = native.table.take(taken)
    kept, follows = np.empty(len(taken), np.bool_), np.empty(len(taken), np.bool_)
    own = np.searchsorted(native.offsets, taken, "right")
    joint = np.bincount(grouping.groups, minlength=grouping.rows) > 1
    floats = (columns.offsets, columns.timestamps, origins)
    _interleave(*floats, offsets, times, own, taken, joint, kept, follows)
    unsure = ~follows & (table.hint != Hint.GAUGE)
    table = table.with_hints(np.where(unsure, Hint.UNKNOWN, table.hint))
    merged = HistogramColumns(offsets, times, starts_of(native.created, taken), table).where(kept)
    held = merged if len(merged.timestamps) else None
    return Columns.frozen(
        columns.offsets, columns.timestamps, columns.values, held, columns.created
    )


@rare_kernel(i8_in, i8_in, i8_in, i8_in, i8_in, i8_in, i8_in, b1_in, b1_out, b1_out)
def _interleave(
    offsets: Int64s,
    timestamps: Int64s,
    origins: Int64s,
    native: Int64s,
    native_times: Int64s,
    native_origins: Int64s,
    taken: Int64s,
    joint: Bools,
    kept: Bools,
    follows: Bools,
) -> None:
    """Which histograms stay, those without a float of their time, and which of them follow one.

    That is: whether the sample before, of either kind, came from the same row, in this order. In
    a row that is not of several (`joint`) the first one follows what lies before all of them.
    """
    for row in range(len(offsets) - 1):
        at, end, before, last = offsets[row], offsets[row + 1], -1, -1
        for sample in range(native[row], native[row + 1]):
            while at < end and timestamps[at] < native_times[sample]:
                before = origins[at]
                at += 1
            kept[sample] = at == end or timestamps[at] != native_times[sample]
            fresh = before < 0 and not joint[row]
            follows[sample] = (before == native_origins[sample] or fresh) and taken[sample] > last
            if kept[sample]:
                before, last = native_origins[sample], taken[sample]


@kernel(i8_in, i8_in, i8_in, i8_in, i8_in, boolean, i8_out, i8_out, i8_out)
def _gather(
    offsets: Int64s,
    timestamps: Int64s,
    bits: Int64s,
    order: Int64s,
    groups: Int64s,
    first_wins: bool,
    out_offsets: Int64s,
    out_timestamps: Int64s,
    out_bits: Int64s,
) -> int:
    """Copies the rows in `order` to the rows that `groups` names; returns how many samples stay."""
    at = 0
    for place in range(len(order)):
        begin = out_offsets[groups[place]] if place and groups[place] == groups[place - 1] else at
        out_offsets[groups[place]] = begin
        for sample in range(offsets[order[place]], offsets[order[place] + 1]):
            out_timestamps[at], out_bits[at] = timestamps[sample], bits[sample]
            at += 1
        if place + 1 == len(order) or groups[place + 1] != groups[place]:
            at = _tidy(out_timestamps, out_bits, begin, at, first_wins)
            out_offsets[groups[place] + 1] = at
    return at


@inlined
def _tidy(timestamps: Int64s, bits: Int64s, begin: int, end: int, first_wins: bool) -> int:
    """Sorts a row in place, if it must be, and makes equal times one; returns its new end."""
    rising = True
    for at in range(begin + 1, end):
        rising &= timestamps[at - 1] < timestamps[at]
    if rising:
        return end
    order = np.argsort(timestamps[begin:end], kind="mergesort")
    times, values = timestamps[begin:end][order], bits[begin:end][order]
    out = begin
    for at in range(len(times)):
        again = at > 0 and times[at] == times[at - 1]
        if again and first_wins:
            continue
        out -= int(again)
        timestamps[out], bits[out] = times[at], values[at]
        out += 1
    return out
