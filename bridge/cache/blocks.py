"""Samples of one selector in one piece of time, encoded, never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.cache.policy import Moment
from bridge.chunkenc import xor
from bridge.chunkenc.bits import PADDING, Bytes
from bridge.model.samples import Columns
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# What Python needs for a block's objects, arrays' own headers included.
_OVERHEAD: Final = 1500


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """XOR chunks of rows of samples.

    Row r has the chunks `chunks[r]` to `chunks[r+1]`. Chunk c has `counts[c]` samples from
    `oldest[c]` to `newest[c]` (ms) and ends in the bytes `data` at `ends[c]`, where the next one
    begins. All int64, read-only; `data` is uint8, padded, and owns its bytes.
    """

    chunks: Int64s
    ends: Int64s
    oldest: Int64s
    newest: Int64s
    counts: Int64s
    data: Bytes

    def __len__(self) -> int:
        return len(self.chunks) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.chunks, self.ends, self.oldest, self.newest, self.counts, self.data)
        return sum(array.nbytes for array in arrays)

    @staticmethod
    def of(columns: Columns) -> "Chunks":
        """The same samples encoded."""
        sizes = np.diff(columns.offsets)
        pieces = -(-sizes // xor.SAMPLES_PER_CHUNK)
        chunks = _offsets(pieces)
        starts = np.repeat(columns.offsets[:-1], pieces)
        within = np.arange(len(starts)) - np.repeat(chunks[:-1], pieces)
        bounds = np.append(starts + within * xor.SAMPLES_PER_CHUNK, columns.offsets[-1])
        room = xor.encoded_room(len(columns.timestamps), len(starts))
        out, ends = np.zeros(room, np.uint8), np.zeros(len(starts), np.int64)
        xor.encode(columns.timestamps, columns.values.view(np.int64), bounds, out, ends)
        used = int(ends[-1]) if len(ends) else 0
        oldest, newest = columns.timestamps[bounds[:-1]], columns.timestamps[bounds[1:] - 1]
        data = np.concatenate([out[:used], np.zeros(PADDING, np.uint8)])
        return _frozen(Chunks(chunks, ends, oldest, newest, np.diff(bounds), data))

    @staticmethod
    def joined(pieces: Sequence["Chunks"]) -> "Chunks":
        """The rows of all pieces, one behind the other."""
        if len(pieces) == 1:
            return pieces[0]
        used = [len(piece.data) - PADDING for piece in pieces]
        places = np.cumsum([0, *used]).tolist()
        data = [piece.data[:size] for piece, size in zip(pieces, used, strict=True)]
        made = Chunks(
            _offsets(_whole([np.diff(piece.chunks) for piece in pieces])),
            _whole([piece.ends + at for piece, at in zip(pieces, places, strict=False)]),
            _whole([piece.oldest for piece in pieces]),
            _whole([piece.newest for piece in pieces]),
            _whole([piece.counts for piece in pieces]),
            np.concatenate([*data, np.zeros(PADDING, np.uint8)]),
        )
        return _frozen(made)

    def counted(self, window: Window) -> Int64s:
        """How many samples each row has in a window."""
        found = np.empty(len(self), np.int64)
        room = np.empty(xor.SAMPLES_PER_CHUNK + 1, np.int64)
        kernels.count_chunks(
            self.data,
            self.chunks,
            self.ends,
            self.oldest,
            self.newest,
            self.counts,
            window.start,
            window.end,
            room,
            np.empty_like(room),
            found,
        )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Every sample that a store had for a selector in a `window` when it was `read`.

    Up to `settled` and `sealed` (ms) the store had settled what it has, or closed it for good.
    `names` are the numbers of its series, in label order; `chunks` their samples, of which those
    outside the window do not count.
    """

    window: Window
    read: Moment
    settled: int
    sealed: int
    names: Int64s
    chunks: Chunks

    @property
    def empty(self) -> bool:
        """Whether there is no sample."""
        return not len(self.chunks.ends)

    @property
    def all_settled(self) -> bool:
        """Whether the store had settled all of it."""
        return self.window.end <= self.settled

    @property
    def all_sealed(self) -> bool:
        """Whether the store had closed all of it."""
        return self.window.end <= self.sealed

    @property
    def samples(self) -> int:
        """How many samples are held."""
        return int(self.chunks.counts.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of memory that this owns."""
        return self.chunks.nbytes + self.names.nbytes + _OVERHEAD

    def within(self, window: Window) -> "Block":
        """The same for a smaller window."""
        return replace(self, window=window)


def encoded(
    parts: Iterable[tuple[Int64s, Columns]], windows: Sequence[Window]
) -> list[tuple[Int64s, Chunks]]:
    """For each window the rows that have samples in it, and these.

    `parts` are rows' numbers, in label order, and their samples.
    """
    names: list[list[Int64s]] = [[] for _ in windows]
    chunks: list[list[Chunks]] = [[] for _ in windows]
    for numbers, columns in parts:
        for index, window in enumerate(windows):
            kept, inside = sliced(columns, window)
            names[index].append(numbers[kept])
            chunks[index].append(Chunks.of(inside))
    return [
        (_frozen_array(_whole(numbers)), Chunks.joined(pieces))
        for numbers, pieces in zip(names, chunks, strict=True)
    ]


def sliced(columns: Columns, window: Window) -> tuple[Int64s, Columns]:
    """The rows that have samples in a window, and these samples."""
    lows, highs = np.empty(len(columns), np.int64), np.empty(len(columns), np.int64)
    kernels.spans(columns.offsets, columns.timestamps, window.start, window.end, lows, highs)
    kept = np.flatnonzero(highs > lows)
    lows, highs = lows[kept], highs[kept]
    offsets = _offsets(highs - lows)
    timestamps, bits = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.int64)
    held = columns.values.view(np.int64)
    rows, ends = np.arange(len(kept)), offsets[:-1].copy()
    kernels.place_spans(columns.timestamps, held, lows, highs, rows, ends, timestamps, bits)
    return kept, Columns.frozen(offsets, timestamps, bits.view(np.float64))


def _offsets(sizes: Int64s) -> Int64s:
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def _whole(arrays: Sequence[Int64s]) -> Int64s:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def _frozen(chunks: Chunks) -> Chunks:
    for array in (
        chunks.chunks,
        chunks.ends,
        chunks.oldest,
        chunks.newest,
        chunks.counts,
        chunks.data,
    ):
        _frozen_array(array)
    return chunks


def _frozen_array(array: Int64s | Bytes) -> "Int64s":
    array.flags.writeable = False
    return array  # type: ignore[return-value]
