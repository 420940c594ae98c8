"""Answers written with the protobuf runtime, independently of the product's own encoder."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import google_crc32c
import numpy as np
import snappy

from bridge.remote.proto.remote_pb2 import ChunkedReadResponse, QueryResult, ReadResponse
from bridge.remote.proto.types_pb2 import Chunk, ChunkedSeries, Label, Sample, TimeSeries
from tests.chunkenc.test_xor import Row, encoded

Point = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Wire:
    """A series as a store sends it: label pairs in any order, points in any order."""

    labels: Sequence[tuple[str, str]]
    points: Sequence[Point]


def wire(labels: Mapping[str, str], *points: Point) -> Wire:
    """A series."""
    return Wire(tuple(labels.items()), points)


def bits_of(value: float) -> int:
    """The bits of a float64 as int64."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def float_of(bits: int) -> float:
    """The float64 of these bits."""
    return float(np.int64(bits).view(np.float64))


def sampled_body(series: Iterable[Wire], compressed: bool = True) -> bytes:
    """The body of a SAMPLES answer."""
    result = QueryResult(
        timeseries=[
            TimeSeries(
                labels=_labels(one),
                samples=[Sample(timestamp=time, value=value) for time, value in one.points],
            )
            for one in series
        ]
    )
    plain = ReadResponse(results=[result]).SerializeToString()
    return bytes(snappy.compress(plain)) if compressed else plain


def chunk_of(points: Sequence[Point], encoding: Chunk.Encoding = Chunk.XOR) -> Chunk:
    """A chunk of these points, header included."""
    times = [time for time, _ in points]
    (data,) = encoded([Row(times, [bits_of(value) for _, value in points])])
    return Chunk(min_time_ms=times[0], max_time_ms=times[-1], type=encoding, data=data)


def frame_of(one: Wire, chunks: Sequence[Chunk]) -> bytes:
    """One frame."""
    series = ChunkedSeries(labels=_labels(one), chunks=chunks)
    return frame(ChunkedReadResponse(chunked_series=[series]).SerializeToString())


def frame(payload: bytes) -> bytes:
    """A frame around any payload."""
    return length(len(payload)) + struct.pack(">I", google_crc32c.value(payload)) + payload


def length(number: int) -> bytes:
    """A uvarint."""
    head = b""
    while number > 127:
        head += bytes([number & 127 | 128])
        number >>= 7
    return head + bytes([number])


def streamed_body(series: Iterable[Wire], per_chunk: int = 120, per_frame: int = 1000) -> bytes:
    """The body of a STREAMED answer: so many points in a chunk, so many chunks in a frame."""
    body = b""
    for one in series:
        chunks = [
            chunk_of(one.points[at : at + per_chunk]) for at in range(0, len(one.points), per_chunk)
        ]
        for at in range(0, len(chunks), per_frame):
            body += frame_of(one, chunks[at : at + per_frame])
    return body


def _labels(one: Wire) -> list[Label]:
    return [Label(name=name, value=value) for name, value in one.labels]
