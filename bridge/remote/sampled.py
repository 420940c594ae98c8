"""An answer of type SAMPLES: one snappy block, or plain protobuf, decoded when it is whole."""

from dataclasses import dataclass, field
from typing import Final

import cramjam
import numpy as np
import numpy.typing as npt

from bridge.model.histogram import LEAST_SIZE, HistogramColumns, Histograms
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS
from bridge.remote import histograms, samples
from bridge.remote.answer import BadAnswer, Keep, NotSampleable, TooLarge
from bridge.remote.buffer import Buffer
from bridge.remote.forms import Sent
from bridge.remote.rows import rows_of
from bridge.storage.merge import Rows

Int64s = npt.NDArray[np.int64]

# A snappy copy of 3 bytes stands for 64 at most: no real body grows more than this.
_SNAPPY_RATIO: Final = 32
_UNBOUNDED: Final = 1 << 62


@dataclass(slots=True)
class SampledAnswer:
    """Collects the body; `limit` is the longest one allowed once it is decompressed, in bytes.

    `may_be_empty`: no body at all is an answer without series.
    """

    keep: Keep
    limit: int
    may_be_empty: bool = False
    needed: int = _UNBOUNDED
    _pieces: list[bytes] = field(default_factory=list)

    def feed(self, pieces: list[bytes]) -> None:
        """Keeps the bytes."""
        self._pieces += pieces

    def finish(self) -> list[Rows]:
        """The rows; raises TooLarge."""
        body = b"".join(self._pieces)
        if not body and self.may_be_empty:
            return []
        if not body:
            raise BadAnswer("the body is empty")
        # Stores do not always say rightly whether their body is compressed.
        buffer = self._decompressed(body) or Buffer.of([body])
        found = samples.survey(buffer)
        if found is None:
            raise BadAnswer("the body is no ReadResponse, snappy or not", body)
        return [_decoded(buffer, found, self.keep)]

    def _decompressed(self, body: bytes) -> Buffer | None:
        """The body of a snappy block; None if it is none."""
        try:
            size = cramjam.snappy.decompress_raw_len(body)
            if size > len(body) * _SNAPPY_RATIO:
                raise BadAnswer(f"the snappy body declares {size} bytes, but has {len(body)}")
            if size > self.limit:
                raise TooLarge(size)
            return Buffer.decompressed(body, size)
        except cramjam.DecompressionError:
            return None


def _decoded(buffer: Buffer, found: samples.Survey, keep: Keep) -> Rows:
    """The series that a read keeps, with their samples in its range."""
    spans = zip(found.labels_from.tolist(), found.labels_to.tolist(), strict=True)
    all_labels = keep.series(buffer.piece(start, stop) for start, stop in spans)
    kept = np.array([one is not None for one in all_labels], np.bool_)
    labels: tuple[Labels, ...] = tuple(one for one in all_labels if one is not None)
    starts, stops = found.starts[kept], found.stops[kept]
    columns, orderly = _floats(buffer, starts, stops, int(found.samples[kept].sum()), keep)
    expected = int(found.histograms[kept].sum())
    keep.show(labels, columns.offsets, columns.timestamps)
    native = _histograms(buffer, starts, stops, expected, keep) if expected else None
    if native is not None:
        keep.show(labels, native.offsets, native.timestamps)
    return rows_of(labels, columns, native, orderly)


def _floats(
    buffer: Buffer, starts: Int64s, stops: Int64s, count: int, keep: Keep
) -> tuple[Columns, bool]:
    """The floats of time series, and whether their times rise."""
    keep.spend(count)
    offsets = np.zeros(len(starts) + 1, np.int64)
    timestamps, bits = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    start, end = keep.select.start, keep.select.end
    bad, disorder = samples.decode(
        buffer.data, starts, stops, start, end, offsets, timestamps, bits
    )
    if bad >= 0:
        raise BadAnswer("a sample is malformed")
    used = int(offsets[-1])
    keep.held += used
    keep.sent = Sent(len(starts), used, doubtful=not bits[:used].all())
    values = bits[:used].view(np.float64)
    return Columns.frozen(offsets, timestamps[:used], values), not disorder


def _histograms(
    buffer: Buffer, starts: Int64s, stops: Int64s, count: int, keep: Keep
) -> HistogramColumns:
    """The native histograms of time series; raises NotSampleable if they lack bounds."""
    keep.spend(count * LEAST_SIZE)
    offsets = np.zeros(len(starts) + 1, np.int64)
    start, end = keep.select.start, keep.select.end
    found = histograms.decode(buffer.data, starts, stops, start, end, offsets)
    if found.bad >= 0 and found.fault == histograms.FEW_BOUNDS:
        raise NotSampleable(histograms.FAULTS[found.fault])
    if found.bad >= 0:
        raise BadAnswer(histograms.FAULTS[found.fault])
    table = Histograms.frozen(found.table)
    size = int(table.size.sum())
    keep.spend(size)
    keep.held += size
    keep.sent.doubtful = True
    return HistogramColumns(offsets, found.timestamps, NO_STARTS, table)
