"""One series that grows: floats, and native histograms as a TSDB gives them back."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from bridge.model.arrays import Float64s, Int64s
from bridge.model.histogram import EMPTY, HistogramColumns, Histograms, concatenate, stacked_rows
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS, stacked_starts, starts_of
from bridge.storage.played import played

_Number = TypeVar("_Number", np.int64, np.float64)

_FIRST_ROOM: Final = 16


class Floats:
    """The floats of a series: arrays with room behind its samples."""

    __slots__ = ("count", "created", "timestamps", "values")

    def __init__(self) -> None:
        self.count = 0
        self.timestamps: Int64s = np.empty(0, np.int64)
        self.values: Float64s = np.empty(0, np.float64)
        self.created: Int64s = NO_STARTS

    def append(self, timestamps: Int64s, values: Float64s, created: Int64s) -> None:
        """Adds samples behind those held."""
        count = self.count + len(timestamps)
        if count > len(self.timestamps):
            room = max(count, 2 * len(self.timestamps), _FIRST_ROOM)
            self.timestamps = _grown(self.timestamps[: self.count], room)
            self.values = _grown(self.values[: self.count], room)
        held = self.timestamps[: self.count]
        self.created = stacked_starts([(self.created, held), (created, timestamps)])
        self.timestamps[self.count : count] = timestamps
        self.values[self.count : count] = values
        self.count = count

    def within(self, start: int, end: int) -> slice:
        """The samples from `start` to `end`, ms, both inclusive."""
        return _within(self.timestamps[: self.count], start, end)


class Native:
    """The native histograms of a series, given back as a TSDB does; `floats` stand between them."""

    __slots__ = ("_created", "_floats", "_stored", "_table", "_timestamps")

    def __init__(self, floats: Floats) -> None:
        self._floats = floats
        self._timestamps: Int64s = np.empty(0, np.int64)
        self._created: Int64s = NO_STARTS
        self._table = EMPTY
        self._stored: HistogramColumns | None = None

    def append(self, timestamps: Int64s, table: Histograms, created: Int64s) -> None:
        """Adds samples behind those held."""
        self._created = stacked_starts([(self._created, self._timestamps), (created, timestamps)])
        self._timestamps = np.concatenate([self._timestamps, timestamps])
        self._table = concatenate([self._table, table]) if len(self._table) else table
        self._stored = None

    @property
    def newest(self) -> int | None:
        """The time of the last sample."""
        return int(self._timestamps[-1]) if len(self._timestamps) else None

    def within(self, start: int, end: int) -> slice:
        """The samples from `start` to `end`, ms, both inclusive."""
        return _within(self._timestamps, start, end)

    def row(self, which: slice) -> HistogramColumns:
        """Some samples, as the one row of columns."""
        if self._stored is None:
            floats = self._floats.timestamps[: self._floats.count]
            before = np.searchsorted(floats, self._timestamps)
            table = played(self._table, np.diff(before, prepend=before[:1]) > 0)
            whole = np.array([0, len(table)])
            self._stored = HistogramColumns(whole, self._timestamps, self._created, table)
        held = self._stored
        return HistogramColumns(
            np.array([0, which.stop - which.start]),
            held.timestamps[which],
            starts_of(held.created, which),
            held.table.part(which),
        )


class Piece(NamedTuple):
    """Samples of one series within a time."""

    floats: Floats
    of_floats: slice
    native: Native | None
    of_native: slice

    @property
    def samples(self) -> int:
        """How many there are."""
        native = self.of_native.stop - self.of_native.start
        return int(self.of_floats.stop - self.of_floats.start + native)


class Series:
    """One series; its samples come in order of time."""

    __slots__ = ("floats", "native")

    def __init__(self) -> None:
        self.floats = Floats()
        self.native: Native | None = None

    @property
    def newest(self) -> int | None:
        """The time of the last sample, ms; None if there is none."""
        times = [self.native.newest] if self.native is not None else []
        if self.floats.count:
            times.append(int(self.floats.timestamps[self.floats.count - 1]))
        return max((time for time in times if time is not None), default=None)

    def histograms(self) -> Native:
        """Where histograms go."""
        if self.native is None:
            self.native = Native(self.floats)
        return self.native

    def within(self, start: int, end: int) -> Piece:
        """The samples from `start` to `end`, ms, both inclusive."""
        native = slice(0, 0) if self.native is None else self.native.within(start, end)
        return Piece(self.floats, self.floats.within(start, end), self.native, native)


def columns_of(pieces: Sequence[Piece]) -> Columns:
    """The samples of each piece as a row."""
    lengths = [piece.of_floats.stop - piece.of_floats.start for piece in pieces]
    timestamps = [piece.floats.timestamps[piece.of_floats] for piece in pieces]
    values = [piece.floats.values[piece.of_floats] for piece in pieces]
    created = [starts_of(piece.floats.created, piece.of_floats) for piece in pieces]
    rows = [
        piece.native.row(piece.of_native)
        if piece.native is not None and piece.of_native.stop > piece.of_native.start
        else None
        for piece in pieces
    ]
    return Columns.frozen(
        np.append(0, np.cumsum(np.array(lengths, np.int64))),
        np.concatenate([np.empty(0, np.int64), *timestamps]),
        np.concatenate([np.empty(0, np.float64), *values]),
        stacked_rows(rows, [1] * len(rows)),
        stacked_starts(zip(created, timestamps, strict=True)),
    )


def _within(times: Int64s, start: int, end: int) -> slice:
    low = int(np.searchsorted(times, start, "left"))
    return slice(low, max(low, int(np.searchsorted(times, end, "right"))))


def _grown(array: npt.NDArray[_Number], room: int) -> npt.NDArray[_Number]:
    grown: npt.NDArray[_Number] = np.empty(room, array.dtype)
    grown[: len(array)] = array
    return grown
