"""An answer of type STREAMED_XOR_CHUNKS: frames in, rows out, batch by batch."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.chunkenc import xor
from bridge.chunkenc.bits import Bytes
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.remote import frames
from bridge.remote.answer import BadAnswer, Keep, NotStreamable
from bridge.remote.buffer import Buffer
from bridge.storage.merge import Rows

Int64s = npt.NDArray[np.int64]

# Wire bytes that make a batch: some 100,000 samples, large enough that what a batch costs vanishes.
_BATCH_BYTES: Final = 1 << 18
_XOR: Final = 1


@dataclass(slots=True)
class StreamedAnswer:
    """Decodes whole frames as they come; `limit` is the longest frame allowed, in bytes."""

    keep: Keep
    limit: int
    needed: int = _BATCH_BYTES
    _rest: bytes = b""
    _rows: list[Rows] = field(default_factory=list)

    def feed(self, pieces: list[bytes]) -> None:
        """Decodes the frames that are whole now."""
        buffer = Buffer.of([self._rest, *pieces])
        try:
            whole = frames.scan(buffer, self.limit)
            inside = frames.contents(buffer, whole)
        except frames.BadFrame as error:
            raise BadAnswer(str(error), buffer.tail(error.at)) from None
        self._rest = buffer.tail(whole.used)
        self.needed = max(whole.needed - buffer.size, _BATCH_BYTES)
        if inside.series.shape[1]:
            self._rows.append(_decoded(buffer, inside, self.keep))

    def finish(self) -> list[Rows]:
        """All rows."""
        if self._rest:
            raise BadAnswer("the last frame is cut off", self._rest)
        return self._rows


def _decoded(buffer: Buffer, inside: frames.Contents, keep: Keep) -> Rows:
    """The series of a batch that a read keeps, with their samples in its range."""
    labels, numbers = _rows(buffer, inside.series, keep)
    rows = np.repeat(numbers, np.diff(inside.series[2], append=inside.chunks.shape[1]))
    kept = rows >= 0
    starts, sizes, oldest, newest, encodings = (row[kept] for row in inside.chunks)
    rows = rows[kept]
    inside_range = (newest >= keep.select.start) & (oldest <= keep.select.end)
    unknown = encodings != _XOR
    if (unknown & inside_range).any():
        raise NotStreamable(f"chunk encoding {encodings[unknown & inside_range][0]}")
    counts, firsts = np.empty_like(starts), np.empty_like(starts)
    if xor.inspect(buffer.data, starts, np.where(unknown, 0, sizes), counts, firsts) >= 0:
        raise BadAnswer("a chunk is too short for its samples")
    # A header that belies its chunk is not believed.
    wanted = ~unknown & (inside_range | (firsts != oldest))
    keep.sent.note(len(labels), sizes, counts, newest - oldest)
    chunks = _Chunks(starts[wanted], sizes[wanted], rows[wanted], int(counts[wanted].sum()))
    return _columns(buffer.data, chunks, labels, keep)


def _rows(buffer: Buffer, series: Int64s, keep: Keep) -> tuple[list[Labels], Int64s]:
    """The distinct kept series in order, and for each series of the frames its row, or -1.

    The same labels in consecutive frames are one row.
    """
    labels: list[Labels] = []
    numbers = np.empty(series.shape[1], np.int64)
    for index, (start, stop) in enumerate(series[:2].T.tolist()):
        one = keep.series(buffer.piece(start, stop))
        if one is not None and (not labels or labels[-1] is not one):
            labels.append(one)
        numbers[index] = -1 if one is None else len(labels) - 1
    return labels, numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Chunks:
    """Chunks to decode, int64 [C]: where they start, their sizes, their rows; and their samples."""

    starts: Int64s
    sizes: Int64s
    rows: Int64s
    samples: int


def _columns(data: Bytes, chunks: _Chunks, labels: list[Labels], keep: Keep) -> Rows:
    keep.spend(chunks.samples)
    offsets = np.zeros(len(labels) + 1, np.int64)
    timestamps = np.empty(chunks.samples + 1, np.int64)
    bits = np.empty(chunks.samples + 1, np.int64)
    start, end = keep.select.start, keep.select.end
    bad, disorder = xor.decode(
        data, chunks.starts, chunks.sizes, chunks.rows, start, end, offsets, timestamps, bits
    )
    if bad >= 0:
        raise BadAnswer("a chunk is not XOR encoded as its header says")
    used = int(offsets[-1])
    keep.held += used
    values = bits[:used].view(np.float64)
    return Rows(tuple(labels), Columns.frozen(offsets, timestamps[:used], values), not disorder)
