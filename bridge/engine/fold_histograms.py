"""What aggregations make of native histograms: sums, means, or only a remark.

Source: aggregation in promql/engine.go of Prometheus.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bridge.model.annotations import (
    Annotations,
    colliding_resets,
    ignored_in_aggregation,
    mixed_in_aggregation,
    mixed_schemas,
    reconciled_buckets,
)
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram import EMPTY, HistogramCells, Histograms
from bridge.model.histogram_layout import SCHEMA
from bridge.model.histogram_sums import (
    MIXED,
    RECONCILED_AGGREGATION,
    SAW_NO_RESET,
    SAW_RESET,
    finish_folds,
    fold_rows,
)
from bridge.model.labels import METRIC_NAME
from bridge.model.samples import Int64s
from bridge.model.vectors import Bools, Matrix
from bridge.promql.ast import AggregateExpr


class Native(StrEnum):
    """What an aggregation does with histograms."""

    SUMMED = "summed"
    AVERAGED = "averaged"
    COUNTED = "counted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, eq=False)
class Remarks:
    """The aggregation that remarks are about, and where they go."""

    expr: AggregateExpr
    annotations: Annotations

    def ignored(self) -> None:
        """A histogram was ignored."""
        self.annotations.add(ignored_in_aggregation(self.expr.op, self.expr.expr.pos))


class FoldedHistograms:
    """Per group and step the sum, or mean, of the histograms so far; `shape` is of any part."""

    __slots__ = ("_beside", "_counts", "_index", "_kind", "_lost", "_notes", "_shape", "_totals")

    def __init__(self, kind: Native, shape: tuple[int, ...], groups: int) -> None:
        self._kind = kind
        self._shape = (groups, shape[1])
        size = groups * shape[1]
        self._totals = self._lost = EMPTY.arrays
        self._index = np.full(size, -1, np.int64)
        self._counts = np.zeros(size, np.int64)
        self._notes = np.zeros(size, np.int64)
        self._beside = np.zeros(self._shape, np.bool_)

    def take_in(
        self, part: Matrix, cells: HistogramCells, ids: Int64s, floats: Bools, remarks: Remarks
    ) -> None:
        """Adds the histograms of a row range whose rows belong to the groups `ids`.

        `floats` bool [G, T]: where groups had floats before. Histograms of a group that a float
        came first of are not looked at: it has no result.
        """
        if self._kind is Native.IGNORED:
            if cells.present.any():
                remarks.ignored()
            return
        passed_over = self._float_first(part, cells, ids, floats)[ids] & cells.present
        np.logical_or.at(self._beside, ids, passed_over)
        cells = cells.where(~passed_over)
        before = (self._notes & MIXED) != 0
        totals, lost = fold_rows(
            cells.table.arrays,
            np.ascontiguousarray(cells.index),
            np.ascontiguousarray(ids),
            self._totals,
            self._lost,
            self._kind is Native.AVERAGED,
            self._index,
            self._counts,
            self._notes,
        )
        self._totals = Histograms.frozen(totals).arrays
        self._lost = Histograms.frozen(lost).arrays
        mixed = (((self._notes & MIXED) != 0) & ~before).reshape(self._shape)
        if mixed.any():
            self._note_mixed(part, cells, ids, mixed, remarks)

    def _float_first(
        self, part: Matrix, cells: HistogramCells, ids: Int64s, floats: Bools
    ) -> Bools:
        """The groups, bool [G, T], whose first sample is a float."""
        opened = (self._counts > 0).reshape(self._shape)
        if not part.present.any():
            return floats & ~opened
        first = [np.full(self._shape, len(part)) for _ in range(2)]
        numbers = np.arange(len(part))[:, None]
        for firsts, present in zip(first, (part.present, cells.present), strict=True):
            np.minimum.at(firsts, ids, np.where(present, numbers, len(part)))
        found: Bools = ~opened & (floats | (first[0] < first[1]))
        return found

    def _note_mixed(
        self, part: Matrix, cells: HistogramCells, ids: Int64s, mixed: Bools, remarks: Remarks
    ) -> None:
        """A remark on each metric that was the first in its group to have buckets of another kind.

        With it the group ends: the totals still have the kind of what came before.
        """
        custom = np.append(cells.table.schema == CUSTOM_SCHEMA, False)[cells.index]
        schemas = self._totals.rows[self._index, SCHEMA].reshape(self._shape)
        others = cells.present & mixed[ids] & (custom != (schemas == CUSTOM_SCHEMA)[ids])
        left = mixed.copy()
        for row in np.flatnonzero(others.any(axis=1)).tolist():
            found = others[row] & left[ids[row]]
            left[ids[row]] &= ~found
            if found.any():
                name = part.labels[row].get(METRIC_NAME)
                remarks.annotations.add(mixed_schemas(name, remarks.expr.expr.pos))

    def finished(self, floats: Bools, remarks: Remarks) -> tuple[Bools, HistogramCells | None]:
        """Where the result is a float, `floats` being where groups have some, and the histograms.

        Where a group has both there is neither.
        """
        if self._kind is Native.IGNORED:
            return floats, None
        pos = remarks.expr.expr.pos
        histograms = (self._counts > 0).reshape(self._shape) | self._beside
        both = histograms & floats
        if both.any():
            remarks.annotations.add(mixed_in_aggregation(pos))
        if (self._notes & RECONCILED_AGGREGATION).any():
            remarks.annotations.add(reconciled_buckets("aggregation", pos))
        saw = SAW_RESET | SAW_NO_RESET
        collided = ((self._notes & saw) == saw) & ((self._notes & MIXED) == 0) & ~both.ravel()
        if collided.any():
            remarks.annotations.add(colliding_resets("aggregation", pos))
        mean = self._kind is Native.AVERAGED
        table = finish_folds(self._totals, self._lost, mean, self._index, self._counts, self._notes)
        cells = HistogramCells(self._index.reshape(self._shape), Histograms.frozen(table))
        return floats & ~both, cells.where(~both)
