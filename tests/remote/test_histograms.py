"""Native histograms of SAMPLES bodies: protobuf messages to tables, and what is refused."""

import struct
from collections.abc import Iterable

import numpy as np
import pytest

from bridge.chunkenc.bits import PADDING
from bridge.model.histogram import Hint, Histogram, Histograms
from bridge.remote import histograms

EVER = (-(2**63), 2**63 - 1)


def varint(number: int) -> bytes:
    word, out = number & (2**64 - 1), b""
    while word >= 0x80:
        word, out = word >> 7, out + bytes([word & 0x7F | 0x80])
    return out + bytes([word])


def signed(number: int) -> bytes:
    return varint((number << 1) ^ (number >> 63))


def doubles(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}d", *numbers)


def field(number: int, content: bytes, kind: int = 0) -> bytes:
    size = varint(len(content)) if kind == 2 else b""
    return varint(number << 3 | kind) + size + content


def span(offset: int, length: int) -> bytes:
    return field(1, signed(offset)) + field(2, varint(length))


def decoded(messages: Iterable[bytes]) -> histograms.Decoded:
    """One time series of these messages, with a label in front of them."""
    body = field(1, b"label", 2) + b"".join(field(4, message, 2) for message in messages)
    data = np.frombuffer(body + bytes(PADDING), np.uint8)
    ends = np.array([0]), np.array([len(body)])
    return histograms.decode(data, *ends, *EVER, np.zeros(2, np.int64))


INTEGERS = (
    field(1, varint(6))
    + field(3, doubles(2.5), 1)
    + field(4, signed(2))
    + field(5, doubles(0.001), 1)
    + field(6, varint(1))
    + field(8, span(-2, 1), 2)
    + field(9, signed(2), 2)
    + field(11, span(1, 2), 2)
    + field(12, signed(1))
    + field(12, signed(1))
    + field(14, varint(2))
    + field(15, varint(1000))
)
FLOATS = (
    field(2, doubles(3.5), 1)
    + field(4, signed(-53))
    + field(11, span(0, 1), 2)
    + field(11, span(1, 1), 2)
    + field(13, doubles(1.5, 2.0), 2)
    + field(15, varint(2000))
    + field(16, doubles(0.5, 1.0), 2)
)


def test_integer_and_float_histograms_are_read() -> None:
    found = decoded([INTEGERS, FLOATS])
    assert (found.bad, found.disorder, found.timestamps.tolist()) == (-1, 0, [1000, 2000])
    table = Histograms.frozen(found.table)
    assert table.literal(0) == Histogram(
        schema=2,
        count=6.0,
        sum=2.5,
        zero_count=1.0,
        zero_threshold=0.001,
        positive_spans=((1, 2),),
        positive=(1.0, 2.0),
        negative_spans=((-2, 1),),
        negative=(2.0,),
        hint=Hint.NOT_RESET,
    )
    assert table.literal(1) == Histogram(
        schema=-53,
        count=3.5,
        positive_spans=((0, 1), (1, 1)),
        positive=(1.5, 2.0),
        bounds=(0.5, 1.0),
    )


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (INTEGERS[:-1], "malformed"),
        (INTEGERS + field(4, signed(70)), "unknown schema"),
        (INTEGERS + field(4, signed(-7)), "invalid schema"),
        (INTEGERS + field(12, signed(1)), "different number of buckets"),
        (INTEGERS + field(11, span(-9, 1), 2), "span whose offset is negative"),
        (INTEGERS + field(11, span(1, 2**40), 2), "different number of buckets"),
        (FLOATS + field(16, doubles(0.7), 2), "strictly increasing"),
        (FLOATS + field(11, span(3, 1), 2) + field(13, doubles(1.0), 2), "too few"),
        (FLOATS + field(7, doubles(1.0), 1), "neither a zero bucket"),
    ],
)
def test_what_prometheus_refuses_is_refused(message: bytes, fault: str) -> None:
    found = decoded([INTEGERS, message])
    assert found.bad == 0
    assert fault in histograms.FAULTS[found.fault]


def test_counts_are_taken_as_they_come() -> None:
    found = decoded([INTEGERS + field(1, varint(7)), FLOATS + field(2, doubles(-1.0), 1)])
    assert found.bad == -1
    assert Histograms.frozen(found.table).count.tolist() == [7.0, -1.0]


def test_times_that_do_not_rise_are_seen() -> None:
    assert decoded([FLOATS, INTEGERS]).disorder == 1
