"""An answer of type STREAMED_XOR_CHUNKS: frames in, rows out, batch by batch."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.model.labels import Labels
from bridge.remote import frames
from bridge.remote.answer import BadAnswer, Keep
from bridge.remote.buffer import Buffer
from bridge.remote.chunks import Chunks, decoded
from bridge.storage.merge import Rows

Int64s = npt.NDArray[np.int64]

# Wire bytes that make a batch: some 100,000 samples, large enough that what a batch costs vanishes.
_BATCH_BYTES: Final = 1 << 18


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
            self._rows += _decoded(buffer, inside, self.keep)

    def finish(self) -> list[Rows]:
        """All rows."""
        if self._rest:
            raise BadAnswer("the last frame is cut off", self._rest)
        return self._rows


def _decoded(buffer: Buffer, inside: frames.Contents, keep: Keep) -> list[Rows]:
    """The series of a batch that a read keeps, with their samples in its range."""
    labels, numbers = _rows(buffer, inside.series, keep)
    rows = np.repeat(numbers, np.diff(inside.series[2], append=inside.chunks.shape[1]))
    kept = rows >= 0
    chunks = Chunks(rows[kept], *(fact[kept] for fact in inside.chunks))
    return decoded(buffer.data, chunks, tuple(labels), keep)


def _rows(buffer: Buffer, series: Int64s, keep: Keep) -> tuple[list[Labels], Int64s]:
    """The distinct kept series in order, and for each series of the frames its row, or -1.

    The same labels in consecutive frames are one row.
    """
    labels: list[Labels] = []
    numbers: list[int] = []
    last = None
    for one in keep.series(map(buffer.piece, *series[:2].tolist())):
        if one is None:
            numbers.append(-1)
            continue
        if one is not last:
            labels.append(one)
            last = one
        numbers.append(len(labels) - 1)
    return labels, np.array(numbers, np.int64)
