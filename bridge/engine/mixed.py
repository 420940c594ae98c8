"""Ranges in which native histograms lie beside floats: which hold what, and what to say of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from bridge.engine.extended import Smoothed
from bridge.engine.function import CallSite, OfMetric, metrics
from bridge.model.annotations import (
    Annotations,
    colliding_resets,
    mixed_in_range,
    mixed_schemas,
    not_counter,
    not_gauge,
    reconciled_buckets,
)
from bridge.model.histogram import HistogramCells, HistogramColumns, Histograms
from bridge.model.histogram_layout import Arrays
from bridge.model.histogram_rate import (
    MIXED,
    NOT_COUNTER,
    NOT_GAUGE,
    RECONCILED_ADDITION,
    RECONCILED_SUBTRACTION,
    START_OVERLAP,
)
from bridge.model.histogram_sums import RECONCILED_AGGREGATION, SAW_NO_RESET, SAW_RESET
from bridge.model.posrange import PosRange
from bridge.model.samples import Columns, Int64s
from bridge.model.vectors import Bools, HistogramWindows, Matrix, Windows

_OF_RATES: Final[Mapping[int, OfMetric]] = {
    MIXED: mixed_schemas,
    NOT_COUNTER: not_counter,
    NOT_GAUGE: not_gauge,
    RECONCILED_ADDITION: lambda metric, pos: reconciled_buckets("addition", pos),
    RECONCILED_SUBTRACTION: lambda metric, pos: reconciled_buckets("subtraction", pos),
}


def numbers(windows: Windows) -> Int64s:
    """How many samples of either kind each window holds; int64 [S, T]."""
    floats: Int64s = windows.hi - windows.lo
    native = windows.histograms
    return floats if native is None else floats + (native.hi - native.lo)


def unmixed(site: CallSite, windows: Windows) -> tuple[Windows, HistogramWindows | None]:
    """The windows of floats and those of histograms; where one has both it is empty instead.

    That is warned of.
    """
    native = windows.histograms
    if native is None:
        return windows, None
    mixed = (windows.hi > windows.lo) & (native.hi > native.lo)
    site.note_metrics(windows, mixed, mixed_in_range)
    floats = replace(windows, hi=np.where(mixed, windows.lo, windows.hi), histograms=None)
    return floats, replace(native, hi=np.where(mixed, native.lo, native.hi))


def cells_of(shape: tuple[int, ...], index: Int64s, arrays: Arrays) -> HistogramCells:
    """What a kernel gave: `index` int64 [S * T] into a new table."""
    return HistogramCells(index.reshape(shape), Histograms.frozen(arrays))


def note_sums(site: CallSite, windows: Windows, notes: Int64s) -> None:
    """What sums over windows have to report; `notes` int64 [S * T]."""
    found = notes.reshape(windows.lo.shape)
    mixed = (found & MIXED) != 0
    site.note_metrics(windows, mixed, mixed_schemas)
    found = np.where(mixed, 0, found)
    if (found & RECONCILED_AGGREGATION).any():
        site.annotations.add(reconciled_buckets("aggregation", site.position(0)))
    if ((found & (SAW_RESET | SAW_NO_RESET)) == (SAW_RESET | SAW_NO_RESET)).any():
        site.annotations.add(colliding_resets("aggregation", site.position(0)))


def note_rates(site: CallSite, windows: Windows, notes: Int64s) -> None:
    """What rates and differences have to report; `notes` int64 [S * T]."""
    found = notes.reshape(windows.lo.shape)
    for bit, of_metric in _OF_RATES.items():
        if (found & bit).any():
            site.note_metrics(windows, (found & bit) != 0, of_metric)
    site.note_overlaps(windows, (found & START_OVERLAP) != 0)


def note_smoothed(smoothed: Smoothed, pos: PosRange, annotations: Annotations) -> None:
    """What an interpolated instant vector has to report."""
    labels = smoothed.matrix.labels
    found = [(smoothed.notes & bit != 0, of_metric) for bit, of_metric in _OF_RATES.items()]
    for where, of_metric in [(smoothed.mixed, mixed_in_range), *found]:
        for name in metrics(labels, where):
            annotations.add(of_metric(name, pos))


def is_histogram_at(windows: Windows, *, last: bool) -> Bools:
    """Whether the last, or first, sample of each window is a histogram; bool [S, T]."""
    native = windows.histograms
    assert native is not None
    empty = windows.hi == windows.lo
    if last:
        floats = _times(windows.columns, windows.hi - 1)
        earlier = _times(native.columns, native.hi - 1) < floats
    else:
        earlier = _times(windows.columns, windows.lo) < _times(native.columns, native.lo)
    found: Bools = (native.hi > native.lo) & (empty | ~earlier)
    return found


def last_pairs(windows: Windows) -> tuple[Bools, Bools]:
    """Whether the last two samples of each window are floats, or histograms; bool [S, T] each."""
    native = windows.histograms
    assert native is not None
    floats, histograms = windows.hi - windows.lo, native.hi - native.lo
    of_floats = floats >= 2
    of_floats &= (histograms == 0) | (
        _times(native.columns, native.hi - 1) < _times(windows.columns, windows.hi - 2)
    )
    of_histograms = histograms >= 2
    of_histograms &= (floats == 0) | (
        _times(windows.columns, windows.hi - 1) < _times(native.columns, native.hi - 2)
    )
    return of_floats, of_histograms


def _times(columns: Columns | HistogramColumns, at: Int64s) -> Int64s:
    """The times of samples; anything where there is no such sample."""
    times: Int64s = np.append(columns.timestamps, 0)[np.clip(at, 0, len(columns.timestamps))]
    return times


def one_line(windows: Windows) -> tuple[Windows, Int64s]:
    """All samples of either kind in order of time, and where each came from.

    The windows' values mean nothing. Of the sources int64 [N] those less than the number of floats
    are floats, the others histograms.
    """
    native, floats = windows.histograms, windows.columns
    assert native is not None
    other = native.columns
    owners = np.concatenate(list(_owners(floats, other)))
    times = np.concatenate((floats.timestamps, other.timestamps))
    order = np.lexsort((times, owners))
    offsets = floats.offsets + other.offsets
    columns = Columns.frozen(offsets, times[order], np.zeros(len(order)))
    lo, hi = windows.lo + native.lo, windows.hi + native.hi
    return replace(windows, columns=columns, lo=lo, hi=hi, histograms=None), order


def _owners(*columns: Columns | HistogramColumns) -> Iterator[Int64s]:
    for one in columns:
        yield np.repeat(np.arange(len(one)), np.diff(one.offsets))


def with_cells(floats: Matrix, cells: HistogramCells) -> Matrix:
    """A matrix of floats and, elsewhere, histograms."""
    return replace(floats, histograms=cells)
