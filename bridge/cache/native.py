"""Native histograms of rows of samples, encoded, with the hints that chunks cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.cache.chunks import Chunks, frozen, no_chunks, offsets_of
from bridge.chunkenc import histogram
from bridge.chunkenc.bits import PADDING
from bridge.chunkenc.histogram_chunks import Manner, in_chunks
from bridge.model.histogram import HistogramColumns, Histograms
from bridge.model.starts import NO_STARTS
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

# As many as Prometheus puts into a chunk of floats: little more than asked for is ever decoded.
_MANNER: Final = Manner(limit=120, beside=True)


@dataclass(frozen=True, slots=True, eq=False)
class NativeChunks:
    """Chunks of native histograms; all int64 [C], read-only.

    Chunk c is of encoding `encodings[c]`; the hint of its first sample is `firsts[c]`, that of the
    others `others[c]`, staleness markers excepted.
    """

    chunks: Chunks
    encodings: Int64s
    firsts: Int64s
    others: Int64s

    def __len__(self) -> int:
        return len(self.chunks)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.chunks.nbytes + 3 * self.encodings.nbytes

    @staticmethod
    def of(native: HistogramColumns) -> "NativeChunks":
        """The same samples encoded."""
        made = in_chunks(native, _MANNER)
        chunks = Chunks(
            chunks=made.chunks,
            ends=np.cumsum([len(one) for one in made.data], dtype=np.int64),
            oldest=native.timestamps[made.bounds[:-1]],
            newest=native.timestamps[made.bounds[1:] - 1],
            counts=np.diff(made.bounds),
            data=np.frombuffer(b"".join(made.data) + bytes(PADDING), np.uint8).copy(),
        )
        return NativeChunks.frozen(chunks, made.encodings, made.firsts, made.others)

    @staticmethod
    def frozen(chunks: Chunks, encodings: Int64s, firsts: Int64s, others: Int64s) -> "NativeChunks":
        """Chunks over these arrays, which become read-only."""
        for array in (encodings, firsts, others):
            array.flags.writeable = False
        return NativeChunks(frozen(chunks), encodings, firsts, others)

    @staticmethod
    def joined(
        pieces: Sequence["NativeChunks | None"], rows: Sequence[int]
    ) -> "NativeChunks | None":
        """The rows of all pieces, of `rows` each, one behind the other; None if none has any."""
        if all(piece is None for piece in pieces):
            return None
        given = zip(pieces, rows, strict=True)
        held = [_none(size) if piece is None else piece for piece, size in given]
        return NativeChunks.frozen(
            Chunks.joined([piece.chunks for piece in held]),
            np.concatenate([piece.encodings for piece in held]),
            np.concatenate([piece.firsts for piece in held]),
            np.concatenate([piece.others for piece in held]),
        )

    def counted(self, window: Window) -> Int64s:
        """How many samples each row has in a window."""
        chunks = self.chunks
        inside = (chunks.oldest >= window.start) & (chunks.newest <= window.end)
        apart = (chunks.newest < window.start) | (chunks.oldest > window.end)
        counts = np.where(inside, chunks.counts, 0)
        cut = np.flatnonzero(~inside & ~apart)
        if len(cut):
            counts[cut] = np.diff(self._decoded(cut, window)[0])
        before = offsets_of(counts)
        return np.diff(before[chunks.chunks])

    def columns(self, first: int, stop: int, window: Window) -> HistogramColumns:
        """The samples of rows `first` to `stop` in a window."""
        chunks = self.chunks
        low, high = int(chunks.chunks[first]), int(chunks.chunks[stop])
        which = np.arange(low, high)
        offsets, found = self._decoded(which, window)
        sizes = np.diff(offsets)
        starts = offsets[:-1][sizes > 0]
        hints = np.repeat(self.others[which], sizes)
        begins = found.timestamps[starts] == chunks.oldest[which][sizes > 0]
        hints[starts[begins]] = self.firsts[which][sizes > 0][begins]
        table = Histograms.frozen(found.table)
        return HistogramColumns(
            offsets[chunks.chunks[first : stop + 1] - low],
            found.timestamps,
            found.created if found.created.any() else NO_STARTS,
            table.with_hints(np.where(table.stale, table.hint, hints)),
        )

    def sound(self) -> bool:
        """Whether all chunks hold the samples that they are said to."""
        every = np.arange(len(self.encodings))
        chunks = self.chunks
        ever = Window(-(2**63), 2**63 - 1)
        offsets = np.zeros(len(every) + 1, np.int64)
        found = self._raw(every, ever, offsets)
        if found.bad >= 0 or not np.array_equal(np.diff(offsets), chunks.counts):
            return False
        times = found.timestamps
        rising = np.diff(times) > 0
        rising[offsets[1:-1] - 1] = True
        firsts, lasts = times[offsets[:-1]], times[offsets[1:] - 1]
        return (
            bool(rising.all())
            and chunks.rises()
            and np.array_equal(firsts, chunks.oldest)
            and np.array_equal(lasts, chunks.newest)
        )

    def _decoded(self, which: Int64s, window: Window) -> tuple[Int64s, histogram.Decoded]:
        """Some chunks' samples in a window, and where each chunk's begin."""
        offsets = np.zeros(len(which) + 1, np.int64)
        found = self._raw(which, window, offsets)
        assert found.bad < 0
        return offsets, found

    def _raw(self, which: Int64s, window: Window, offsets: Int64s) -> histogram.Decoded:
        starts = np.append(0, self.chunks.ends)[which]
        sizes = self.chunks.ends[which] - starts
        rows = np.arange(len(which))
        return histogram.decode(
            self.chunks.data,
            starts,
            sizes,
            self.encodings[which],
            rows,
            window.start,
            window.end,
            offsets,
        )


def _none(rows: int) -> NativeChunks:
    """Rows without histograms."""
    none = np.empty(0, np.int64)
    return NativeChunks(no_chunks(rows), none, none, none)
