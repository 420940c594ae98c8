"""Rows from several places as one block: labels sorted and distinct, times rising."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import boolean

from bridge.kernel import i8_in, i8_out, inlined, kernel
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import (
    EMPTY_BLOCK,
    Columns,
    DecodedPart,
    SeriesBlock,
    concatenate,
)

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Series as they came: any order of labels, any repetition of them.

    `rising`: whether times are known to rise strictly within each row.
    """

    labels: tuple[Labels, ...]
    columns: Columns
    rising: bool

    @staticmethod
    def of(block: SeriesBlock) -> "list[Rows]":
        """The parts of a block."""
        return [Rows(labels.rows, part.columns(), True) for labels, part in block.row_ranges()]


def merge(pieces: Sequence[Rows], first_wins: bool, keep_empty: bool = False) -> SeriesBlock:
    """One block of all pieces; nothing is copied where they are in order already.

    Series of the same labels become one. Of samples at the same time the one of the first piece
    stays (`first_wins`), or that of the last. Series without samples go unless `keep_empty`.
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
    held = np.diff(piece.columns.offsets) > 0
    if held.all():
        return piece
    labels = tuple(piece.labels[row] for row in np.flatnonzero(held).tolist())
    offsets = np.concatenate([piece.columns.offsets[:1], piece.columns.offsets[1:][held]])
    columns = Columns.frozen(offsets, piece.columns.timestamps, piece.columns.values)
    return Rows(labels, columns, piece.rising)


def _ascending(piece: Rows) -> bool:
    return all(left.pairs < right.pairs for left, right in pairwise(piece.labels))


def _joined(pieces: Sequence[Rows]) -> SeriesBlock | None:
    """The pieces one behind the other, or None if they are not in order.

    The last series of a piece may go on as the first of the next: it becomes a part of its own.
    """
    labels: list[Labels] = []
    runs: list[list[Columns]] = []
    for piece in pieces:
        first, columns = piece.labels[0], piece.columns
        if labels and labels[-1] is first:
            _open_last_row(runs)
            runs[-1].append(columns.rows(0, 1))
            columns = columns.rows(1, len(columns))
            labels += piece.labels[1:]
        elif labels and not labels[-1].pairs < first.pairs:
            return None
        else:
            labels += piece.labels
        if len(columns):
            runs.append([columns])
    if not all(map(_rising, runs)):
        return None
    return SeriesBlock(LabelTable(labels), tuple(DecodedPart(_one_row(run)) for run in runs))


def _open_last_row(runs: list[list[Columns]]) -> None:
    """Makes the last run one of a single row."""
    last = runs[-1][-1]
    if len(last) > 1:
        runs[-1] = [last.rows(0, len(last) - 1)]
        runs.append([last.rows(len(last) - 1, len(last))])


def _rising(run: list[Columns]) -> bool:
    held = [columns.timestamps for columns in run if len(columns.timestamps)]
    return all(left[-1] < right[0] for left, right in pairwise(held))


def _one_row(run: list[Columns]) -> Columns:
    if len(run) == 1:
        return run[0]
    timestamps = np.concatenate([columns.timestamps for columns in run])
    values = np.concatenate([columns.values for columns in run])
    return Columns.frozen(np.array([0, len(timestamps)], np.int64), timestamps, values)


def _sorted(pieces: Sequence[Rows], first_wins: bool) -> SeriesBlock:
    """The general case: rows grouped by labels, their samples sorted, equal times made one."""
    rows = [labels for piece in pieces for labels in piece.labels]
    order = sorted(range(len(rows)), key=lambda row: rows[row].pairs)
    labels = list(dict.fromkeys(rows[row] for row in order))
    numbers = {row: number for number, row in enumerate(labels)}
    groups = np.array([numbers[rows[row]] for row in order], np.int64)
    whole = concatenate([piece.columns for piece in pieces])
    offsets = np.zeros(len(labels) + 1, np.int64)
    timestamps = np.empty(len(whole.timestamps), np.int64)
    bits = np.empty(len(whole.timestamps), np.int64)
    used = _gather(
        whole.offsets,
        whole.timestamps,
        whole.values.view(np.int64),
        np.array(order, np.int64),
        groups,
        first_wins,
        offsets,
        timestamps,
        bits,
    )
    columns = Columns.frozen(offsets, timestamps[:used], bits[:used].view(np.float64))
    return SeriesBlock.of(LabelTable(labels), columns)


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
