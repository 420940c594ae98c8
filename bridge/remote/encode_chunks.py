"""Blocks to the frames of a streamed answer: the other direction of `streamed`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import google_crc32c
import numpy as np
import numpy.typing as npt

from bridge.chunkenc import encodings, xor, xor2
from bridge.chunkenc.histogram_chunks import Manner, in_chunks
from bridge.model.samples import Columns, SeriesBlock
from bridge.remote.messages import message, raw_labels, uvarint
from bridge.remote.proto.types_pb2 import Chunk

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_CHUNKED_SERIES: Final = b"\x0a"
_CHUNK: Final = b"\x12"
_QUERY_INDEX: Final = b"\x10"


@dataclass(frozen=True, slots=True)
class Encodings:
    """Which encodings answers have, where samples leave a choice.

    `start_timestamps`: those with start timestamps, even where none is known. `integers`: counts of
    native histograms that are whole numbers are written as integers.
    """

    start_timestamps: bool = False
    integers: bool = True


def framed(block: SeriesBlock, query: int, frame_bytes: int, chosen: Encodings) -> Iterator[bytes]:
    """The frames of a streamed answer: each series in one or more, of about `frame_bytes` at most.

    Series without samples have none.
    """
    for labels, part in block.row_ranges():
        chunks = _chunks(part.columns(), chosen)
        for one, row in zip(labels, chunks, strict=True):
            yield from _series_frames(raw_labels(one), row, query, frame_bytes)


def _series_frames(
    labels: bytes, chunks: list[bytes], query: int, frame_bytes: int
) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if len(labels) + size >= frame_bytes:
            yield _frame(labels, held, query)
            held, size = [], 0
    if held:
        yield _frame(labels, held, query)


def _frame(labels: bytes, chunks: list[bytes], query: int) -> bytes:
    payload = message(_CHUNKED_SERIES, labels + b"".join(chunks))
    if query:
        payload += _QUERY_INDEX + uvarint(query)
    checksum: int = google_crc32c.value(payload)
    return uvarint(len(payload)) + checksum.to_bytes(4, "big") + payload


def _chunks(columns: Columns, chosen: Encodings) -> Iterator[list[bytes]]:
    """Each row's chunks, as fields of a ChunkedSeries, in order of time."""
    if columns.histograms is None:
        for row in _of_floats(columns, _runs(columns, None), chosen):
            yield [field for _, field in row]
        return
    floats_apart, apart = _switches(columns)
    floats = _of_floats(columns, _runs(columns, floats_apart), chosen)
    for row, native in zip(floats, _of_histograms(columns, apart, chosen), strict=True):
        yield [field for _, field in sorted(row + native)]


Timed = tuple[int, bytes]


def _of_floats(columns: Columns, runs: Int64s, chosen: Encodings) -> Iterator[list[Timed]]:
    """Each row's chunks of floats, with the times they begin at; `runs` are not to be joined."""
    pieces = -(-np.diff(runs) // xor.SAMPLES_PER_CHUNK)
    bounds = _bounds(runs, pieces)
    started = chosen.start_timestamps or len(columns.created) > 0
    encoding = encodings.XOR2 if started else encodings.XOR
    whole, ends = _encoded(columns, bounds, started)
    oldest = columns.timestamps[bounds[:-1]].tolist()
    newest = columns.timestamps[bounds[1:] - 1].tolist()
    headed, begin = zip(oldest, newest, ends, strict=True), 0
    chunks = np.append(0, np.cumsum(pieces))[np.searchsorted(runs, columns.offsets)]
    for wanted in np.diff(chunks).tolist():
        row: list[Timed] = []
        for low, high, end in islice(headed, wanted):
            row.append((low, _field(low, high, encoding, whole[begin:end])))
            begin = end
        yield row


def _encoded(columns: Columns, bounds: Int64s, started: bool) -> tuple[bytes, list[int]]:
    """All chunks, and where each ends."""
    times, bits, chunks = columns.timestamps, columns.values.view(np.int64), len(bounds) - 1
    ends = np.zeros(chunks, np.int64)
    if started:
        out = np.zeros(xor2.encoded_room(len(times), chunks), np.uint8)
        created = columns.created if len(columns.created) else np.zeros_like(times)
        xor2.encode(times, created, bits, bounds, out, ends)
    else:
        out = np.zeros(xor.encoded_room(len(times), chunks), np.uint8)
        xor.encode(times, bits, bounds, out, ends)
    return out[: ends[-1] if chunks else 0].tobytes(), ends.tolist()


def _of_histograms(columns: Columns, apart: Bools, chosen: Encodings) -> Iterator[list[Timed]]:
    """Each row's chunks of histograms, with the times they begin at."""
    native = columns.histograms
    assert native is not None
    manner = Manner(whole=chosen.integers, started=chosen.start_timestamps)
    made = in_chunks(native, manner, apart)
    oldest = native.timestamps[made.bounds[:-1]].tolist()
    newest = native.timestamps[made.bounds[1:] - 1].tolist()
    facts = zip(oldest, newest, made.encodings.tolist(), made.data, strict=True)
    for wanted in np.diff(made.chunks).tolist():
        yield [(low, _field(low, *others)) for low, *others in islice(facts, wanted)]


def _field(oldest: int, newest: int, encoding: int, data: bytes) -> bytes:
    kind: Chunk.Encoding = encoding  # type: ignore[assignment]
    chunk = Chunk(min_time_ms=oldest, max_time_ms=newest, type=kind, data=data)
    return message(_CHUNK, chunk.SerializeToString())


def _switches(columns: Columns) -> tuple[Bools, Bools]:
    """Which floats come right behind a histogram of their row, and which histograms do a float."""
    native = columns.histograms
    assert native is not None
    rows = np.arange(len(columns))
    row = np.concatenate(
        [np.repeat(rows, np.diff(columns.offsets)), np.repeat(rows, np.diff(native.offsets))]
    )
    floats = len(columns.timestamps)
    order = np.lexsort((np.concatenate([columns.timestamps, native.timestamps]), row))
    is_float = order < floats
    switches = np.zeros(len(order), np.bool_)
    switches[1:] = (is_float[1:] != is_float[:-1]) & (np.diff(row[order]) == 0)
    found = np.empty(len(order), np.bool_)
    found[order] = switches
    return found[:floats], found[floats:]


def _runs(columns: Columns, apart: Bools | None) -> Int64s:
    """Where samples begin that are of one row, and in a row where `apart` is true."""
    if apart is None or not apart.any():
        return columns.offsets
    return np.unique(np.concatenate([columns.offsets, np.flatnonzero(apart)]))


def _bounds(runs: Int64s, pieces: Int64s) -> Int64s:
    """Where chunks start, and where the last one ends."""
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    within = np.arange(len(first)) - first
    starts = np.repeat(runs[:-1], pieces) + within * xor.SAMPLES_PER_CHUNK
    return np.append(starts, runs[-1])
