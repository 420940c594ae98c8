"""Native histograms, columnar: a table of them, and which cells of a matrix hold one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.model import histogram_layout as layout
from bridge.model.annotations import go_general
from bridge.model.arrays import STALE_NAN_BITS, Float64s, Int64s
from bridge.model.histogram_buckets import populated
from bridge.model.histogram_layout import Arrays
from bridge.model.histogram_neighbours import gather
from bridge.model.histogram_operators import equals
from bridge.model.starts import stacked_starts, starts_of

Bools = npt.NDArray[np.bool_]

# What Prometheus counts for a histogram without buckets, and for a bucket, a span or a bound, in
# bytes; 16 bytes are a sample.
_EMPTY_BYTES: Final = 168 + 8
_ENTRY_BYTES: Final = 8
_SAMPLE_BYTES: Final = 16
LEAST_SIZE: Final = _EMPTY_BYTES // _SAMPLE_BYTES
"""How many samples the smallest histogram counts for."""


class Hint(IntEnum):
    """What is known about a counter reset before a histogram."""

    UNKNOWN = layout.UNKNOWN
    RESET = layout.RESET
    NOT_RESET = layout.NOT_RESET
    GAUGE = layout.GAUGE


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram as a literal; spans are (offset, length) as in Prometheus, counts absolute."""

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_count: float = 0.0
    zero_threshold: float = 0.0
    positive_spans: tuple[tuple[int, int], ...] = ()
    positive: tuple[float, ...] = ()
    negative_spans: tuple[tuple[int, int], ...] = ()
    negative: tuple[float, ...] = ()
    bounds: tuple[float, ...] = ()
    hint: Hint = Hint.UNKNOWN


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket: its bounds, its count, and which of the bounds belong to it.

    `rule` is Prometheus' boundary rule: 0 (lower, upper], 1 [lower, upper), 2 open, 3 closed.
    """

    rule: int
    lower: float
    upper: float
    count: float

    def __str__(self) -> str:
        opening, closing = ("(]", "[)", "()", "[]")[self.rule]
        bounds = f"{go_general(self.lower)},{go_general(self.upper)}"
        return f"{opening}{bounds}{closing}:{go_general(self.count)}"


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """A table of M native histograms; `arrays` is what kernels take, read-only."""

    arrays: Arrays

    @staticmethod
    def frozen(arrays: Arrays) -> "Histograms":
        """A table over these arrays, which become read-only."""
        for array in arrays:
            array.flags.writeable = False
        return Histograms(arrays)

    @staticmethod
    def of(literals: Iterable[Histogram]) -> "Histograms":
        """A table of these histograms."""
        return concatenate([_table_of(one) for one in literals])

    def __len__(self) -> int:
        return len(self.arrays.rows)

    @property
    def schema(self) -> Int64s:
        """Every row's schema."""
        return self.arrays.rows[:, layout.SCHEMA]

    @property
    def hint(self) -> Int64s:
        """Every row's counter reset hint, a `Hint`."""
        return self.arrays.rows[:, layout.HINT]

    @property
    def count(self) -> Float64s:
        """Every row's number of observations."""
        return self.arrays.numbers[:, layout.COUNT]

    @property
    def sum(self) -> Float64s:
        """Every row's sum of observations."""
        return self.arrays.numbers[:, layout.SUM]

    @property
    def stale(self) -> Bools:
        """Which rows are staleness markers."""
        found: Bools = np.ascontiguousarray(self.sum).view(np.int64) == STALE_NAN_BITS
        return found

    @property
    def size(self) -> Int64s:
        """How many samples each row counts for, as Prometheus limits them."""
        rows = self.arrays.rows
        entries = rows[:, layout.SIZE] + rows[:, layout.SIZE + layout.SIDE]
        entries += rows[:, layout.BOUNDS_SIZE] + self._spans(0) + self._spans(1)
        return (_EMPTY_BYTES + _ENTRY_BYTES * entries) // _SAMPLE_BYTES

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the table owns."""
        return sum(array.nbytes for array in self.arrays)

    def take(self, rows: Int64s) -> "Histograms":
        """These rows, in this order; their buckets are shared, not copied."""
        arrays = self.arrays
        return Histograms.frozen(
            arrays._replace(rows=arrays.rows[rows], numbers=arrays.numbers[rows])
        )

    def part(self, rows: slice) -> "Histograms":
        """A range of rows; nothing is copied."""
        arrays = self.arrays
        return Histograms.frozen(
            arrays._replace(rows=arrays.rows[rows], numbers=arrays.numbers[rows])
        )

    def compacted(self) -> "Histograms":
        """The same rows in a table that holds nothing but them."""
        return Histograms.frozen(gather(self.arrays, np.arange(len(self)), len(self.arrays.counts)))

    def with_hints(self, hints: Int64s) -> "Histograms":
        """The same rows with other hints."""
        rows = self.arrays.rows.copy()
        rows[:, layout.HINT] = hints
        return Histograms.frozen(self.arrays._replace(rows=rows))

    def without_buckets(self) -> "Histograms":
        """Only counts, sums, schemas and hints, as `histogram_count` and its like need."""
        rows = np.zeros_like(self.arrays.rows)
        rows[:, : layout.PLACES] = self.arrays.rows[:, : layout.PLACES]
        numbers = self.arrays.numbers.copy()
        numbers[:, : layout.COUNT] = 0.0
        return Histograms.frozen(EMPTY.arrays._replace(rows=rows, numbers=numbers))

    def equal(self, other: "Histograms") -> Bools:
        """Whether each row equals the other table's, bit for bit, layouts included, hints not."""
        every, out = np.arange(len(self)), np.empty(len(self), np.bool_)
        equals(self.arrays, every, other.arrays, every, out)
        return out

    def buckets(self, row: int) -> list[Bucket]:
        """The populated buckets of a row, ascending, as the API shows them."""
        return self._buckets(row, by_schema=False)

    def text(self, row: int) -> str:
        """A row as Prometheus prints it."""
        shown = [f"count:{go_general(float(self.count[row]))}"]
        shown.append(f"sum:{go_general(float(self.sum[row]))}")
        return "{" + ", ".join([*shown, *map(str, self._buckets(row, by_schema=True))]) + "}"

    def literal(self, row: int) -> Histogram:
        """A row as a literal."""
        arrays, line = self.arrays, self.arrays.rows[row]
        spans, counts = [], []
        for side in (0, layout.SIDE):
            at, first, size = line[side + layout.PLACES : side + layout.SIZE + 1]
            spans.append(_spans_of(arrays.places[at : at + size]))
            counts.append(tuple(arrays.counts[first : first + size].tolist()))
        threshold, zeros, count, total = arrays.numbers[row].tolist()
        at, size = line[layout.BOUNDS], line[layout.BOUNDS_SIZE]
        return Histogram(
            schema=int(line[layout.SCHEMA]),
            count=count,
            sum=total,
            zero_count=zeros,
            zero_threshold=threshold,
            positive_spans=spans[0],
            positive=counts[0],
            negative_spans=spans[1],
            negative=counts[1],
            bounds=tuple(arrays.bounds[at : at + size].tolist()),
            hint=Hint(int(line[layout.HINT])),
        )

    def _spans(self, side: int) -> Int64s:
        """How many spans each row has on a side."""
        begins = np.zeros(len(self.arrays.places) + 1, np.int64)
        np.cumsum(self.arrays.places & 1, out=begins[1:])
        at = self.arrays.rows[:, layout.PLACES + layout.SIDE * side]
        size = self.arrays.rows[:, layout.SIZE + layout.SIDE * side]
        spans: Int64s = begins[at + size] - begins[at]
        return spans

    def _buckets(self, row: int, by_schema: bool) -> list[Bucket]:
        found = populated(self.arrays, np.array([row]), by_schema)
        columns = (found.rules, found.lower, found.upper, found.counts)
        return [Bucket(*one) for one in zip(*(column.tolist() for column in columns), strict=True)]


def concatenate(tables: Sequence[Histograms]) -> Histograms:
    """The rows of all tables, one after the other."""
    if len(tables) == 1:
        return tables[0]
    if not tables:
        return EMPTY
    pools = [np.concatenate([one.arrays[pool] for one in tables]) for pool in range(5)]
    lengths = [len(one) for one in tables]
    for pool, columns in _POINTERS:
        before = np.cumsum([0, *(len(one.arrays[pool]) for one in tables[:-1])])
        behind = np.repeat(before, lengths)
        # One column at a time: numpy copies what is chosen by a list of them.
        for column in columns:
            pools[0][:, column] += behind
    return Histograms.frozen(Arrays(*pools))


# Which columns of `rows` point into which pool.
_POINTERS: Final = (
    (2, [layout.PLACES, layout.PLACES + layout.SIDE]),
    (3, [layout.COUNTS, layout.COUNTS + layout.SIDE]),
    (4, [layout.BOUNDS]),
)

EMPTY: Final = Histograms.frozen(
    Arrays(
        np.empty((0, layout.ROW_WIDTH), np.int64),
        np.empty((0, layout.NUMBERS_WIDTH)),
        np.empty(0, np.int64),
        np.empty(0),
        np.empty(0),
    )
)


def _table_of(one: Histogram) -> Histograms:
    positive, negative = _places_of(one.positive_spans), _places_of(one.negative_spans)
    row = [one.schema, one.hint, 0, 0, len(positive), len(positive), len(positive), len(negative)]
    numbers = [one.zero_threshold, one.zero_count, one.count, one.sum]
    return Histograms.frozen(
        Arrays(
            np.array([[*row, 0, len(one.bounds)]], np.int64),
            np.array([numbers], np.float64),
            np.array(positive + negative, np.int64),
            np.array(one.positive + one.negative, np.float64),
            np.array(one.bounds, np.float64),
        )
    )


def _places_of(spans: Iterable[tuple[int, int]]) -> list[int]:
    places, index, opens = [], 0, 1
    for offset, length in spans:
        index += offset
        for _ in range(length):
            places.append(2 * index + opens)
            index, opens = index + 1, 0
        opens = 1
    return places


def _spans_of(places: Int64s) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    behind = 0
    for place in places.tolist():
        if place & 1:
            spans.append(((place >> 1) - behind, 0))
        spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        behind = (place >> 1) + 1
    return tuple(spans)


@dataclass(frozen=True, slots=True, eq=False)
class HistogramColumns:
    """The histogram samples of a range of rows, as `Columns` for floats.

    Row r owns the samples offsets[r] to offsets[r+1] of `timestamps`, ms, strictly rising, and of
    the table. `created` int64: their start timestamps, ms, 0 if unknown; empty if nothing has one.
    """

    offsets: Int64s
    timestamps: Int64s
    created: Int64s
    table: Histograms

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the columns own."""
        arrays = (self.offsets, self.timestamps, self.created)
        return sum(array.nbytes for array in arrays) + self.table.nbytes

    def rows(self, start: int, stop: int) -> "HistogramColumns":
        """A range of rows."""
        lo, hi = int(self.offsets[start]), int(self.offsets[stop])
        return HistogramColumns(
            self.offsets[start : stop + 1] - lo,
            self.timestamps[lo:hi],
            starts_of(self.created, slice(lo, hi)),
            self.table.part(slice(lo, hi)),
        )

    def without_stale(self) -> "HistogramColumns":
        """The columns without staleness markers; the same object if there are none."""
        kept = ~self.table.stale
        return self if kept.all() else self.where(kept)

    def where(self, kept: Bools) -> "HistogramColumns":
        """Of the samples only those where `kept` bool [N] is true."""
        before = np.zeros(len(kept) + 1, np.int64)
        np.cumsum(kept, out=before[1:])
        created = starts_of(self.created, kept)
        table = self.table.take(np.flatnonzero(kept))
        return HistogramColumns(before[self.offsets], self.timestamps[kept], created, table)


def stacked_rows(
    pieces: Sequence[HistogramColumns | None], sizes: Sequence[int]
) -> HistogramColumns | None:
    """The histograms of pieces of `sizes` rows, one piece after the other; None if none has any."""
    held = [piece for piece in pieces if piece is not None]
    if not held:
        return None
    lengths = [
        np.zeros(size, np.int64) if piece is None else np.diff(piece.offsets)
        for piece, size in zip(pieces, sizes, strict=True)
    ]
    offsets = np.zeros(1 + sum(sizes), np.int64)
    np.cumsum(np.concatenate(lengths), out=offsets[1:])
    return HistogramColumns(
        offsets,
        np.concatenate([piece.timestamps for piece in held]),
        stacked_starts((piece.created, piece.timestamps) for piece in held),
        concatenate([piece.table for piece in held]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class HistogramCells:
    """Which cells of a matrix hold a histogram: `index` int64 [S, T] into the table, or -1."""

    index: Int64s
    table: Histograms

    @property
    def present(self) -> Bools:
        """Where there is one, bool [S, T]."""
        return self.index >= 0

    @property
    def points(self) -> int:
        """How many samples all cells together count for, as Prometheus limits them."""
        return int(self.table.size[self.rows()].sum())

    def take(self, rows: Int64s) -> "HistogramCells":
        """These rows of the matrix, in this order."""
        return HistogramCells(self.index[rows], self.table)

    def where(self, kept: Bools) -> "HistogramCells":
        """Only the cells where `kept` bool [S, T] is true."""
        return HistogramCells(np.where(kept, self.index, -1), self.table)

    def repeated(self, steps: int) -> "HistogramCells":
        """The cells of the one step at so many steps."""
        index = np.broadcast_to(self.index, (len(self.index), steps))
        return HistogramCells(np.ascontiguousarray(index), self.table)

    def rows(self) -> Int64s:
        """The table's rows that cells hold, cell by cell in row-major order."""
        return self.index[self.index >= 0]

    @staticmethod
    def filled(present: Bools, table: Histograms) -> "HistogramCells":
        """Cells that hold the table's rows one after the other where `present` is true."""
        index = np.full(present.shape, -1, np.int64)
        index[present] = np.arange(len(table))
        return HistogramCells(index, table)
