"""The frames of a streamed answer: where they are, and which series and chunks stand in them.

A frame: payload length (uvarint), CRC32C of the payload (4 bytes, big endian), payload: one
ChunkedReadResponse. Source: storage/remote/chunked.go.
"""

from dataclasses import dataclass
from typing import Final

import google_crc32c
import numpy as np
import numpy.typing as npt
from numba import int64

from bridge.chunkenc.bits import Bytes, big_endian, signed
from bridge.kernel import i8_in2, i8_out2, inlined, kernel, u1_in
from bridge.remote.buffer import Buffer
from bridge.remote.protobuf import LENGTH, VARINT, field, varint

Int64s = npt.NDArray[np.int64]

_SERIES: Final = 1 << 3 | LENGTH
_LABEL: Final = 1 << 3 | LENGTH
_CHUNK: Final = 2 << 3 | LENGTH
_MIN_TIME: Final = 1 << 3 | VARINT
_MAX_TIME: Final = 2 << 3 | VARINT
_ENCODING: Final = 3 << 3 | VARINT
_DATA: Final = 4 << 3 | LENGTH


class BadFrame(ValueError):
    """Bytes that are no frame; `at` says where in the data they start."""

    def __init__(self, message: str, at: int) -> None:
        self.at = at
        super().__init__(message)


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Whole frames of a padded buffer.

    `spans` int64 [3, F]: where each payload starts and stops, and its checksum. `used`: bytes up to
    the end of the last whole frame. `needed`: bytes that the buffer must hold for one frame more.
    """

    spans: Int64s
    used: int
    needed: int


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What stands in frames.

    `series` int64 [3, S]: where its labels start and stop in the buffer, its first chunk. `chunks`
    int64 [5, C]: where its data start, their size, first and last time (ms), encoding.
    """

    series: Int64s
    chunks: Int64s


def scan(buffer: Buffer, limit: int) -> Frames:
    """The whole frames of a buffer, checksums compared; raises BadFrame.

    `limit`: the longest payload allowed, in bytes.
    """
    capacity = buffer.size // 256 + 16
    while True:
        table = np.empty((3, capacity), np.int64)
        count, used, needed = _scan(buffer.data, buffer.size, limit, table)
        if count <= capacity:
            break
        capacity = count
    spans = np.ascontiguousarray(table[:, :count])
    _check(buffer, spans)
    if needed < 0:
        raise BadFrame(f"a frame is longer than chunked_read_limit ({limit} bytes)", used)
    return Frames(spans, used, needed)


def _check(buffer: Buffer, spans: Int64s) -> None:
    behind = 0
    for start, stop, expected in spans.T.tolist():
        if google_crc32c.value(buffer.piece(start, stop)) != expected:
            raise BadFrame("a frame's checksum does not match", behind)
        behind = stop


@kernel(u1_in, int64, int64, i8_out2)
def _scan(data: Bytes, size: int, limit: int, spans: Int64s) -> tuple[int, int, int]:
    """Frame count, end of the last whole frame, bytes needed for one more (-1: over the limit)."""
    count, index = 0, 0
    while True:
        length, start = varint(data, index, size)
        if start < 0:
            return count, index, -1 if size - index >= 10 else size + 1
        if not 0 <= length <= limit:
            return count, index, -1
        start += 4
        if start + length > size:
            return count, index, start + length
        if count < spans.shape[1]:
            spans[0, count] = start
            spans[1, count] = start + length
            spans[2, count] = signed(big_endian(data, start - 4) >> np.uint64(32))
        count += 1
        index = start + length


def contents(buffer: Buffer, frames: Frames) -> Contents:
    """The series and chunks in frames of a buffer; raises BadFrame."""
    most_series, most_chunks = frames.spans.shape[1] + 16, buffer.size // 128 + 16
    while True:
        series = np.empty((3, most_series), np.int64)
        chunks = np.empty((5, most_chunks), np.int64)
        bad, n_series, n_chunks = _contents(buffer.data, frames.spans, series, chunks)
        if bad >= 0:
            raise BadFrame("a frame is no ChunkedReadResponse", bad)
        if n_series <= most_series and n_chunks <= most_chunks:
            return Contents(series[:, :n_series], chunks[:, :n_chunks])
        most_series, most_chunks = n_series, n_chunks


@kernel(u1_in, i8_in2, i8_out2, i8_out2)
def _contents(data: Bytes, spans: Int64s, series: Int64s, chunks: Int64s) -> tuple[int, int, int]:
    """Fills both tables as far as they have room; returns a bad frame's start or -1, and counts."""
    n_series, n_chunks = 0, 0
    for frame in range(spans.shape[1]):
        index, end = spans[0, frame], spans[1, frame]
        while index < end:
            tag, start, stop, _ = field(data, index, end)
            if stop < 0:
                return spans[0, frame], 0, 0
            if tag == _SERIES:
                first = n_chunks
                low, high, n_chunks = _series(data, start, stop, chunks, n_chunks)
                if n_chunks < 0:
                    return spans[0, frame], 0, 0
                if n_series < series.shape[1]:
                    series[0, n_series], series[1, n_series] = low, high
                    series[2, n_series] = first
                n_series += 1
            index = stop
    return -1, n_series, n_chunks


@inlined
def _series(
    data: Bytes, index: int, end: int, chunks: Int64s, n_chunks: int
) -> tuple[int, int, int]:
    """One ChunkedSeries: where its labels start and stop, the chunk count (-1: malformed)."""
    low, high = index, index
    while index < end:
        tag, start, stop, _ = field(data, index, end)
        if stop < 0:
            return 0, 0, -1
        if tag == _LABEL:
            low = index if high == low else low
            high = stop
        elif tag == _CHUNK:
            if not _chunk(data, start, stop, chunks, n_chunks):
                return 0, 0, -1
            n_chunks += 1
        index = stop
    return low, high, n_chunks


@inlined
def _chunk(data: Bytes, index: int, end: int, chunks: Int64s, at: int) -> bool:
    """One Chunk; False if malformed."""
    low, high, oldest, newest, encoding = index, index, 0, 0, 0
    while index < end:
        tag, start, stop, value = field(data, index, end)
        if stop < 0:
            return False
        if tag == _DATA:
            low, high = start, stop
        elif tag == _MIN_TIME:
            oldest = value
        elif tag == _MAX_TIME:
            newest = value
        elif tag == _ENCODING:
            encoding = value
        index = stop
    if at < chunks.shape[1]:
        chunks[0, at], chunks[1, at] = low, high - low
        chunks[2, at], chunks[3, at], chunks[4, at] = oldest, newest, encoding
    return True
