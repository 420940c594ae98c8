"""Blocks to the bytes of an answer: the other direction of `streamed` and `sampled`."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import google_crc32c
import numpy as np
import numpy.typing as npt

from bridge.chunkenc import xor
from bridge.chunkenc.bits import Bytes
from bridge.kernel import i8_in, i8_out, inlined, kernel, u1_out
from bridge.model.labels import Labels
from bridge.model.samples import Columns, SeriesBlock
from bridge.remote.proto.remote_pb2 import RawLabels
from bridge.remote.proto.types_pb2 import Chunk

Int64s = npt.NDArray[np.int64]

_RESULT: Final = b"\x0a"
_TIME_SERIES: Final = b"\x0a"
_CHUNKED_SERIES: Final = b"\x0a"
_CHUNK: Final = b"\x12"
_QUERY_INDEX: Final = b"\x10"
# Tag and length of a sample, tag and value, tag and at most ten bytes of time.
_SAMPLE_BYTES: Final = 2 + 9 + 11


def framed(block: SeriesBlock, query: int, frame_bytes: int) -> Iterator[bytes]:
    """The frames of a streamed answer: each series in one or more, of about `frame_bytes` at most.

    Series without samples have none.
    """
    for labels, part in block.row_ranges():
        columns = part.columns()
        for one, chunks in zip(labels, _chunks(columns), strict=True):
            yield from _series_frames(_raw(one), chunks, query, frame_bytes)


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
    payload = _message(_CHUNKED_SERIES, labels + b"".join(chunks))
    if query:
        payload += _QUERY_INDEX + uvarint(query)
    checksum: int = google_crc32c.value(payload)
    return uvarint(len(payload)) + checksum.to_bytes(4, "big") + payload


def _chunks(columns: Columns) -> Iterator[list[bytes]]:
    """Each row's chunks, as fields of a ChunkedSeries."""
    counts = np.diff(columns.offsets)
    pieces = -(-counts // xor.SAMPLES_PER_CHUNK)
    bounds = _bounds(columns.offsets, pieces)
    room = xor.encoded_room(len(columns.timestamps), len(bounds) - 1)
    out, ends = np.zeros(room, np.uint8), np.zeros(len(bounds) - 1, np.int64)
    xor.encode(columns.timestamps, columns.values.view(np.int64), bounds, out, ends)
    whole, begin = out[: ends[-1] if len(ends) else 0].tobytes(), 0
    oldest = columns.timestamps[bounds[:-1]].tolist()
    newest = columns.timestamps[bounds[1:] - 1].tolist()
    headed = zip(oldest, newest, ends.tolist(), strict=True)
    for wanted in pieces.tolist():
        row: list[bytes] = []
        for low, high, end in islice(headed, wanted):
            chunk = Chunk(min_time_ms=low, max_time_ms=high, type=Chunk.XOR, data=whole[begin:end])
            row.append(_message(_CHUNK, chunk.SerializeToString()))
            begin = end
        yield row


def _bounds(offsets: Int64s, pieces: Int64s) -> Int64s:
    """Where chunks start, and where the last one ends."""
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    within = np.arange(len(first)) - first
    starts = np.repeat(offsets[:-1], pieces) + within * xor.SAMPLES_PER_CHUNK
    return np.append(starts, offsets[-1])


def sampled(blocks: Sequence[SeriesBlock]) -> bytes:
    """A sampled answer's ReadResponse: one result for each block."""
    return b"".join(_message(_RESULT, b"".join(_time_series(block))) for block in blocks)


def _time_series(block: SeriesBlock) -> Iterator[bytes]:
    for labels, part in block.row_ranges():
        columns = part.columns()
        out = np.empty(len(columns.timestamps) * _SAMPLE_BYTES, np.uint8)
        ends = np.zeros(len(columns), np.int64)
        _samples(columns.offsets, columns.timestamps, columns.values.view(np.int64), out, ends)
        whole, begin = out[: ends[-1] if len(ends) else 0].tobytes(), 0
        for one, end in zip(labels, ends.tolist(), strict=True):
            yield _message(_TIME_SERIES, _raw(one) + whole[begin:end])
            begin = end


@kernel(i8_in, i8_in, i8_in, u1_out, i8_out)
def _samples(offsets: Int64s, timestamps: Int64s, bits: Int64s, out: Bytes, ends: Int64s) -> None:
    """Writes each row's samples as fields of a TimeSeries; `ends` [R] says where each row ends."""
    index = 0
    for row in range(len(ends)):
        for sample in range(offsets[row], offsets[row + 1]):
            begin = index
            out[index], out[index + 2], out[index + 11] = 0x12, 0x09, 0x10
            word = np.uint64(bits[sample])
            for byte in range(8):
                out[index + 3 + byte] = np.uint8(word & np.uint64(0xFF))
                word >>= np.uint64(8)
            index = _put_uvarint(out, index + 12, np.uint64(timestamps[sample]))
            out[begin + 1] = index - begin - 2
        ends[row] = index


@inlined
def _put_uvarint(out: Bytes, index: int, word: np.uint64) -> int:
    while word >= 0x80:
        out[index] = np.uint8((word & np.uint64(0x7F)) | np.uint64(0x80))
        word >>= np.uint64(7)
        index += 1
    out[index] = np.uint8(word)
    return index + 1


def _raw(labels: Labels) -> bytes:
    """A label set as repeated `Label labels = 1`."""
    pairs = [
        RawLabels.RawLabel(name=_utf8(name), value=_utf8(value)) for name, value in labels.pairs
    ]
    return RawLabels(labels=pairs).SerializeToString()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _message(tag: bytes, content: bytes) -> bytes:
    return tag + uvarint(len(content)) + content


def uvarint(number: int) -> bytes:
    """A number from 0 on as protobuf and Go's encoding/binary write it."""
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])
