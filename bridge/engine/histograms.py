"""Native histograms in matrices and windows: one operation over all cells."""

from dataclasses import replace

import numpy as np

from bridge.model.histogram import HistogramCells, HistogramColumns, Histograms
from bridge.model.histogram_neighbours import running_hints
from bridge.model.histogram_operators import products


def negated(cells: HistogramCells) -> HistogramCells:
    """The cells times -1."""
    rows = cells.rows()
    table = products(cells.table.arrays, rows, np.full(len(rows), -1.0), False)
    return HistogramCells.filled(cells.present, Histograms.frozen(table))


def counts_only(columns: HistogramColumns, start: int) -> HistogramColumns:
    """The histograms from `start` ms on without buckets; resets are found out while they are there.

    Source: promql/histogram_stats_iterator.go of Prometheus.
    """
    seen = columns.where(columns.timestamps >= start)
    hints = np.empty(len(seen.timestamps), np.int64)
    running_hints(seen.table.arrays, seen.offsets, hints)
    return replace(seen, table=seen.table.without_buckets().with_hints(hints))
