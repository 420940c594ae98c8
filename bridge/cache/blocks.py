"""Samples of one selector in one piece of time, never changed; encoded, unless they are few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.cache.chunks import Chunks, no_chunks, offsets_of, whole
from bridge.cache.native import NativeChunks
from bridge.cache.plain import Plain, as_chunks, few
from bridge.cache.policy import Moment
from bridge.cache.traces import Trace
from bridge.model.histogram import HistogramColumns
from bridge.model.samples import Columns, concatenate
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# What Python needs for a block's objects, arrays' own headers included.
_OVERHEAD: Final = 1500
_NEVER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Block:
    """Every sample that a store had for a selector in a `window` when it was `read`.

    Up to `settled` and `sealed` (ms) the store had settled what it has, or closed it for good.
    `names` are the numbers of its series, in label order; `floats` their floats, `starts` those'
    start timestamps in the place of values, `native` their native histograms, each None if there
    are none; if there are any, floats are encoded. What is outside the window does not count.
    """

    window: Window
    read: Moment
    settled: int
    sealed: int
    names: Int64s
    floats: Chunks | Plain
    starts: Chunks | None = None
    native: NativeChunks | None = None
    samples: int = field(init=False)
    """How many samples are held."""
    trace: Trace = field(init=False, default_factory=Trace, repr=False)
    """Leads to them as long as they are in memory, also once this block is merged with others."""

    def __post_init__(self) -> None:
        self.trace.start(self)
        native = 0 if self.native is None else self.native.chunks.samples
        object.__setattr__(self, "samples", self.floats.samples + native)

    @property
    def empty(self) -> bool:
        """Whether there is no sample."""
        return not self.samples

    @property
    def all_settled(self) -> bool:
        """Whether the store had settled all of it."""
        return self.window.end <= self.settled

    @property
    def all_sealed(self) -> bool:
        """Whether the store had closed all of it."""
        return self.window.end <= self.sealed

    @property
    def nbytes(self) -> int:
        """Bytes of memory that this owns."""
        arrays = sum(
            one.nbytes for one in (self.floats, self.starts, self.native) if one is not None
        )
        return arrays + self.names.nbytes + _OVERHEAD

    @property
    def data_bytes(self) -> int:
        """Bytes of the samples themselves."""
        native = None if self.native is None else self.native.chunks
        held = (self.floats, self.starts, native)
        return sum(one.data_bytes for one in held if one is not None)

    @property
    def plain(self) -> Columns | None:
        """All samples that are held, if they are not encoded."""
        return self.floats.columns if isinstance(self.floats, Plain) else None

    def encoded(self) -> "Block":
        """The same, encoded."""
        return replace(self, floats=as_chunks(self.floats))

    def within(self, window: Window) -> "Block":
        """The same for a smaller window."""
        return replace(self, window=window)


class Rows(NamedTuple):
    """Rows that have samples, and these, as a Block holds them."""

    names: Int64s
    floats: Chunks | Plain
    starts: Chunks | None = None
    native: NativeChunks | None = None

    @staticmethod
    def of(names: Int64s, columns: Columns) -> "Rows":
        """The samples of rows under these numbers, encoded."""
        native, starts = columns.histograms, None
        if len(columns.created):
            times, created = columns.timestamps, columns.created.view(np.float64)
            starts = Chunks.of(Columns.frozen(columns.offsets, times, created))
        return Rows(
            names, Chunks.of(columns), starts, None if native is None else NativeChunks.of(native)
        )

    @staticmethod
    def joined(pieces: Sequence["Rows"]) -> "Rows":
        """The rows of all pieces, one behind the other."""
        if len(pieces) == 1:
            return pieces[0]
        names = whole([piece.names for piece in pieces])
        names.flags.writeable = False
        plain = [piece.floats.columns for piece in pieces if isinstance(piece.floats, Plain)]
        if len(plain) == len(pieces) and _fits(columns := concatenate(plain)):
            return Rows(names, Plain(columns))
        rows = [len(piece.names) for piece in pieces]
        starts = [piece.starts or no_chunks(len(piece.names)) for piece in pieces]
        started = any(piece.starts is not None for piece in pieces)
        return Rows(
            names,
            Chunks.joined([as_chunks(piece.floats) for piece in pieces]),
            Chunks.joined(starts) if started else None,
            NativeChunks.joined([piece.native for piece in pieces], rows),
        )


def encoded(
    parts: Iterable[tuple[Int64s, Columns]], windows: Sequence[Window], young: int = _NEVER
) -> list[Rows]:
    """For each window the rows that have samples in it, and these.

    `parts` are rows' numbers, in label order, and their samples. What a window that ends at `young`
    (ms) or later holds will soon be merged with what comes next, or be read anew: if it is few it
    is not encoded yet.
    """
    pieces: list[list[Rows]] = [[] for _ in windows]
    for numbers, columns in parts:
        for index, window in enumerate(windows):
            kept, within = sliced(columns, window)
            # All of a read's blocks, and those of the next one, mostly share their numbers.
            names = numbers if len(kept) == len(numbers) else numbers[kept]
            names.flags.writeable = False
            as_read = window.end >= young and _fits(within)
            rows = Rows(names, Plain(within)) if as_read else Rows.of(names, within)
            pieces[index].append(rows)
    return [Rows.joined(held) for held in pieces]


def _fits(columns: Columns) -> bool:
    """Whether samples may stay plain."""
    alone = columns.histograms is None and not len(columns.created)
    return alone and few(len(columns.timestamps), len(columns))


def sliced(columns: Columns, window: Window) -> tuple[Int64s, Columns]:
    """The rows that have samples in a window, and these samples."""
    lows, highs = np.empty(len(columns), np.int64), np.empty(len(columns), np.int64)
    kernels.spans(columns.offsets, columns.timestamps, window.start, window.end, lows, highs)
    native, held = inside(columns.histograms, window), highs > lows
    if native is not None:
        held |= np.diff(native.offsets) > 0
        native = replace(native, offsets=np.append(0, native.offsets[1:][held]))
    kept = np.flatnonzero(held)
    lows, highs = lows[kept], highs[kept]
    offsets = offsets_of(highs - lows)
    timestamps, bits = _placed(columns, columns.values.view(np.int64), lows, highs, offsets)
    created = columns.created
    if len(created):
        created = _placed(columns, created, lows, highs, offsets)[1]
    return kept, Columns.frozen(offsets, timestamps, bits.view(np.float64), native, created)


def inside(native: HistogramColumns | None, window: Window) -> HistogramColumns | None:
    """The histograms in a window; None if there are none."""
    if native is None:
        return None
    held = (native.timestamps >= window.start) & (native.timestamps <= window.end)
    if not held.any():
        return None
    return native if held.all() else native.where(held)


def _placed(
    columns: Columns, column: Int64s, lows: Int64s, highs: Int64s, offsets: Int64s
) -> tuple[Int64s, Int64s]:
    """Spans of samples as rows: their times and what a column has of them."""
    timestamps, placed = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.int64)
    rows, ends = np.arange(len(lows)), offsets[:-1].copy()
    kernels.place_spans(columns.timestamps, column, lows, highs, rows, ends, timestamps, placed)
    return timestamps, placed
