"""A native histogram as prometheus.Histogram, the message of remote write 1.0."""

from bridge.model.histogram import Histogram
from tests.oracle.protobuf import double, doubles, field, whole, zigzag, zigzags

_Spans = tuple[tuple[int, int], ...]


def histogram_message(one: Histogram, time: int) -> bytes:
    """The bytes: of integers if all counts are, else of floats; `time` is ms."""
    counts = (one.count, one.zero_count, *one.positive, *one.negative)
    integers = all(value.is_integer() and value >= 0 for value in counts)
    parts = [
        whole(1, int(one.count)) if integers else double(2, one.count),
        double(3, one.sum),
        zigzag(4, one.schema),
        double(5, one.zero_threshold),
        whole(6, int(one.zero_count)) if integers else double(7, one.zero_count),
        *(field(8, _span(*span)) for span in one.negative_spans),
        zigzags(9, _deltas(one.negative)) if integers else doubles(10, one.negative),
        *(field(11, _span(*span)) for span in one.positive_spans),
        zigzags(12, _deltas(one.positive)) if integers else doubles(13, one.positive),
        whole(14, int(one.hint)),
        whole(15, time),
        doubles(16, one.bounds),
    ]
    return b"".join(parts)


def _span(offset: int, length: int) -> bytes:
    return zigzag(1, offset) + whole(2, length)


def _deltas(counts: tuple[float, ...]) -> list[int]:
    before = (0.0, *counts)
    return [int(count - last) for count, last in zip(counts, before, strict=False)]
