"""Native histograms in matrices and windows: one operation over all cells."""

import numpy as np

from bridge.model.histogram import HistogramCells, Histograms
from bridge.model.histogram_operators import products


def negated(cells: HistogramCells) -> HistogramCells:
    """The cells times -1."""
    rows = cells.rows()
    table = products(cells.table.arrays, rows, np.full(len(rows), -1.0), False)
    return HistogramCells.filled(cells.present, Histograms.frozen(table))
