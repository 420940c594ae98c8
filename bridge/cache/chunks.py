"""Samples of rows as XOR chunks, as Prometheus keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.cache import kernels
from bridge.chunkenc import xor
from bridge.chunkenc.bits import PADDING, Bytes
from bridge.model.samples import Columns
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# How many chunks are looked at together: what they hold fits a processor's cache.
_AT_ONCE: Final = 512
_EVER: Final = (-(2**63), 2**63 - 1)


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

    @property
    def data_bytes(self) -> int:
        """Bytes of the encoded samples."""
        return self.data.nbytes

    @property
    def samples(self) -> int:
        """How many samples."""
        return int(self.counts.sum())

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

    def most(self, rows: Int64s, window: Window) -> int:
        """How many samples some rows may have in a window, found without decoding."""
        return kernels.most_samples(
            rows, self.chunks, self.oldest, self.newest, self.counts, window.start, window.end
        )

    def decoded(self, rows: Int64s, window: Window, most: int) -> Columns:
        """The samples of some rows in a window, which are `most` at most."""
        offsets = np.empty(len(rows) + 1, np.int64)
        timestamps, bits = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
        count = kernels.decode_rows(
            self.data,
            self.chunks,
            self.ends,
            self.oldest,
            self.newest,
            window.start,
            window.end,
            rows,
            offsets,
            timestamps,
            bits,
        )
        return Columns.frozen(offsets, timestamps[:count], bits[:count].view(np.float64))

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

    def sound(self) -> bool:
        """Whether all chunks hold the samples that they are said to, rising within each row."""
        starts = np.append(0, self.ends)[:-1]
        sizes = self.ends - starts
        counts, firsts = np.empty_like(starts), np.empty_like(starts)
        return (
            xor.inspect(self.data, starts, sizes, counts, firsts) < 0
            and np.array_equal(counts, self.counts)
            and bool(((counts > 0) & (counts <= xor.SAMPLES_PER_CHUNK)).all())
            and self.rises()
            and all(
                self._holds(slice(low, low + _AT_ONCE), starts, sizes)
                for low in range(0, len(starts), _AT_ONCE)
            )
        )

    def rises(self) -> bool:
        """Whether within each row every chunk begins behind the one before."""
        behind = self.oldest[1:] > self.newest[:-1]
        behind[self.chunks[(self.chunks > 0) & (self.chunks < len(self.ends))] - 1] = True
        return bool(behind.all())

    def _holds(self, which: slice, starts: Int64s, sizes: Int64s) -> bool:
        counts = self.counts[which]
        offsets, room = np.zeros(len(counts) + 1, np.int64), int(counts.sum()) + 1
        times, bits = np.empty(room, np.int64), np.empty(room, np.int64)
        rows = np.arange(len(counts))
        bad, disorder = xor.decode(
            self.data, starts[which], sizes[which], rows, *_EVER, offsets, times, bits
        )
        return (
            bad < 0
            and not disorder
            and np.array_equal(times[offsets[:-1]], self.oldest[which])
            and np.array_equal(times[offsets[1:] - 1], self.newest[which])
        )


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
