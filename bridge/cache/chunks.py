"""Samples of rows as XOR chunks, as Prometheus keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.chunkenc import xor
from bridge.chunkenc.bits import PADDING, Bytes
from bridge.model.samples import Columns
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]


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
        chunks = offsets_of(pieces)
        starts = np.repeat(columns.offsets[:-1], pieces)
        within = np.arange(len(starts)) - np.repeat(chunks[:-1], pieces)
        bounds = np.append(starts + within * xor.SAMPLES_PER_CHUNK, columns.offsets[-1])
        room = xor.encoded_room(len(columns.timestamps), len(starts))
        out, ends = np.zeros(room, np.uint8), np.zeros(len(starts), np.int64)
        xor.encode(columns.timestamps, columns.values.view(np.int64), bounds, out, ends)
        used = int(ends[-1]) if len(ends) else 0
        oldest, newest = columns.timestamps[bounds[:-1]], columns.timestamps[bounds[1:] - 1]
        data = np.concatenate([out[:used], np.zeros(PADDING, np.uint8)])
        return frozen(Chunks(chunks, ends, oldest, newest, np.diff(bounds), data))

    @staticmethod
    def joined(pieces: Sequence["Chunks"]) -> "Chunks":
        """The rows of all pieces, one behind the other."""
        if len(pieces) == 1:
            return pieces[0]
        used = [len(piece.data) - PADDING for piece in pieces]
        places = np.cumsum([0, *used]).tolist()
        data = [piece.data[:size] for piece, size in zip(pieces, used, strict=True)]
        made = Chunks(
            offsets_of(whole([np.diff(piece.chunks) for piece in pieces])),
            whole([piece.ends + at for piece, at in zip(pieces, places, strict=False)]),
            whole([piece.oldest for piece in pieces]),
            whole([piece.newest for piece in pieces]),
            whole([piece.counts for piece in pieces]),
            np.concatenate([*data, np.zeros(PADDING, np.uint8)]),
        )
        return frozen(made)

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


def frozen(chunks: Chunks) -> Chunks:
    """The same chunks, whose arrays become read-only."""
    for array in (
        chunks.chunks,
        chunks.ends,
        chunks.oldest,
        chunks.newest,
        chunks.counts,
        chunks.data,
    ):
        array.flags.writeable = False
    return chunks


def offsets_of(sizes: Int64s) -> Int64s:
    """Where each of so many begins, and where the last one ends."""
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def whole(arrays: Sequence[Int64s]) -> Int64s:
    """Arrays one behind the other."""
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def no_chunks(rows: int) -> Chunks:
    """So many rows without samples."""
    none = np.empty(0, np.int64)
    data = np.zeros(PADDING, np.uint8)
    return frozen(Chunks(np.zeros(rows + 1, np.int64), none, none, none, none, data))
