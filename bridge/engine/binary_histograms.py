"""Binary operators where one operand or both are native histograms.

Source: vectorElemBinop in promql/engine.go of Prometheus.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from bridge.engine.operators import TRIMS
from bridge.model.annotations import (
    Annotation,
    Annotations,
    colliding_resets,
    incompatible_layout,
    incompatible_types,
    reconciled_buckets,
)
from bridge.model.histogram import EMPTY, HistogramCells, Histograms, concatenate
from bridge.model.histogram_math import COLLISION, MIXED_SCHEMAS, RECONCILED
from bridge.model.histogram_operators import equals, products, quotients, sums, trims
from bridge.model.posrange import PosRange
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Bools

_OPERATIONS: Final = MappingProxyType({"+": "addition", "-": "subtraction"})


_FLOAT: Final = np.int64(-1)


class Remark(IntEnum):
    """What there is to say of a pair; all but the last take it out of the result."""

    NONE = 0
    FLOATS = 1
    FLOAT_HISTOGRAM = 2
    HISTOGRAM_FLOAT = 3
    HISTOGRAMS = 4
    LAYOUT = 5
    COLLIDING = 6
    RECONCILED = 7


_TEXTS: Final[Mapping[Remark, Callable[[str, PosRange], Annotation]]] = MappingProxyType(
    {
        Remark.FLOATS: lambda op, pos: incompatible_types("float", op, "float", pos),
        Remark.FLOAT_HISTOGRAM: lambda op, pos: incompatible_types("float", op, "histogram", pos),
        Remark.HISTOGRAM_FLOAT: lambda op, pos: incompatible_types("histogram", op, "float", pos),
        Remark.HISTOGRAMS: lambda op, pos: incompatible_types("histogram", op, "histogram", pos),
        Remark.LAYOUT: incompatible_layout,
        Remark.COLLIDING: lambda op, pos: colliding_resets(_OPERATIONS[op], pos),
        Remark.RECONCILED: lambda op, pos: reconciled_buckets(_OPERATIONS[op], pos),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """One side, pair by pair: a histogram where `index` int64 [P, T] is not negative, or a float.

    `index` points into the table; `values` float64 [P, T].
    """

    values: Float64s
    index: Int64s
    table: Histograms

    @staticmethod
    def of(values: Float64s, cells: HistogramCells | None) -> "Operand":
        """A side of these floats and, where there are some, histograms."""
        if cells is None:
            # One number stands for all: of two sides the indices took as much memory as the floats.
            return Operand(values, np.broadcast_to(_FLOAT, values.shape), EMPTY)
        return Operand(values, cells.index, cells.table)


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """What became of all pairs with a histogram, and what there is to say of each pair.

    `floats`: where both sides are floats and the operator takes them. `both`: where both were
    histograms that could be compared; those that fit are in `cells`. Bool [P, T] each; `remarks`
    int64 [P, T].
    """

    floats: Bools
    both: Bools
    cells: HistogramCells
    remarks: Int64s

    @property
    def dropped(self) -> Bools:
        """The pairs that are not in the result because of what their sides are."""
        lost: Bools = (self.remarks != Remark.NONE) & (self.remarks != Remark.RECONCILED)
        return lost


def combined(op: str, left: Operand, right: Operand, present: Bools) -> Combined:
    """The operator between all pairs that are `present` bool [P, T]."""
    lefts, rights = present & (left.index >= 0), present & (right.index >= 0)
    floats, both = present & ~lefts & ~rights, lefts & rights
    before, behind = rights & ~lefts, lefts & ~rights
    remarks = np.zeros(present.shape, np.int64)
    pieces: list[tuple[Bools, Histograms]] = []
    if op in ("+", "-"):
        pieces.append(_summed(op, left, right, both, remarks))
    elif op in ("==", "!="):
        pieces.append(_compared(op, left, right, both))
    else:
        remarks[both] = Remark.HISTOGRAMS
    if op == "*":
        pieces += [_scaled(left, right, behind), _scaled(right, left, before)]
        behind = before = np.zeros_like(both)
    elif op == "/":
        table = quotients(left.table.arrays, left.index[behind], right.values[behind])
        pieces.append((behind, Histograms.frozen(table)))
        behind = np.zeros_like(both)
    elif op in TRIMS:
        table = trims(left.table.arrays, left.index[behind], right.values[behind], op == "</")
        pieces.append((behind, Histograms.frozen(table)))
        behind = np.zeros_like(both)
        remarks[floats] = Remark.FLOATS
        floats = np.zeros_like(both)
    remarks[before] = Remark.FLOAT_HISTOGRAM
    remarks[behind] = Remark.HISTOGRAM_FLOAT
    return Combined(floats, both, _joined(pieces, present.shape), remarks)


def _scaled(one: Operand, other: Operand, where: Bools) -> tuple[Bools, Histograms]:
    table = products(one.table.arrays, one.index[where], other.values[where], True)
    return where, Histograms.frozen(table)


def _summed(
    op: str, left: Operand, right: Operand, where: Bools, remarks: Int64s
) -> tuple[Bools, Histograms]:
    i, j = left.index[where], right.index[where]
    notes = np.zeros(len(i), np.int64)
    table = sums(left.table.arrays, i, right.table.arrays, j, op == "-", notes)
    found = np.where(notes & RECONCILED, int(Remark.RECONCILED), int(Remark.NONE))
    found[(notes & COLLISION) != 0] = Remark.COLLIDING
    found[(notes & MIXED_SCHEMAS) != 0] = Remark.LAYOUT
    remarks[where] = found
    good = (found == Remark.NONE) | (found == Remark.RECONCILED)
    kept = where.copy()
    kept[where] = good
    return kept, Histograms.frozen(table).take(np.flatnonzero(good))


def _compared(op: str, left: Operand, right: Operand, where: Bools) -> tuple[Bools, Histograms]:
    i, j = left.index[where], right.index[where]
    same = np.empty(len(i), np.bool_)
    equals(left.table.arrays, i, right.table.arrays, j, same)
    good = same if op == "==" else ~same
    kept = where.copy()
    kept[where] = good
    return kept, left.table.take(i[good])


def _joined(pieces: list[tuple[Bools, Histograms]], shape: tuple[int, ...]) -> HistogramCells:
    index, before = np.full(shape, -1, np.int64), 0
    for where, table in pieces:
        index[where] = np.arange(before, before + len(table))
        before += len(table)
    return HistogramCells(index, concatenate([table for _, table in pieces]))


def note_last(remarks: Int64s, op: str, pos: PosRange, annotations: Annotations) -> None:
    """Of each step's remarks int64 [P, T] the last: Prometheus remembers no more."""
    if not remarks.any():
        return
    upward = remarks[::-1]
    last = upward[(upward != 0).argmax(axis=0), np.arange(remarks.shape[1])]
    for remark in np.unique(last[last != 0]).tolist():
        annotations.add(_TEXTS[Remark(remark)](op, pos))
