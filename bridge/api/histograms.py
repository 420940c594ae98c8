"""Native histograms as JSON: points, and the rows that have them besides floats.

A point is `[time,{"count":"…","sum":"…","buckets":[[rule,"lower","upper","count"],…]}],`. Source:
MarshalHistogram in util/jsonutil of Prometheus.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from bridge.api.numbers import TIME_LENGTH, VALUE_LENGTH, put_time, put_value
from bridge.api.words import BLOCK, Bytes
from bridge.kernel import i8_in, i8_in2, i8_out, inlined, rare_kernel, u1_out
from bridge.model.histogram import HistogramCells, Histograms
from bridge.model.histogram_buckets import populated
from bridge.model.histogram_layout import SIDE, SIZE
from bridge.model.samples import Float64s, Int64s

_COUNT: Final = np.frombuffer(b',{"count":"', np.uint8)
_SUM: Final = np.frombuffer(b'","sum":"', np.uint8)
_BUCKETS: Final = np.frombuffer(b'"buckets":[', np.uint8)
_POINT_LENGTH: Final = TIME_LENGTH + 2 * VALUE_LENGTH + 48
_BUCKET_LENGTH: Final = 3 * VALUE_LENGTH + 16


def points(table: Histograms, rows: Int64s, times: Int64s) -> list[bytes]:
    """The points of these rows of a table, at `times` int64 ms; each ends with a comma."""
    found = populated(table.arrays, rows, False)
    room = len(rows) * _POINT_LENGTH + len(found.rules) * _BUCKET_LENGTH + BLOCK
    out, ends = np.empty(room, np.uint8), np.empty(len(rows), np.int64)
    facts = np.stack([_bits(table.count[rows]), _bits(table.sum[rows])])
    buckets = np.stack(
        [found.rules, _bits(found.lower), _bits(found.upper), _bits(found.counts)], axis=1
    )
    _write_points(times, facts, found.offsets, buckets, out, ends)
    return [out[low:high].tobytes() for low, high in pairwise([0, *ends.tolist()])]


def most_bytes(cells: HistogramCells) -> Int64s:
    """The most bytes that the histograms of each row of a matrix may take; int64 [S]."""
    held = cells.table.arrays.rows
    buckets = held[:, SIZE] + held[:, SIZE + SIDE] + 1
    # The last of them stands for cells without a histogram.
    longest = np.append(_POINT_LENGTH + buckets * _BUCKET_LENGTH, 0)
    taken: Int64s = longest[cells.index].sum(axis=1)
    return taken


def with_histograms(labels: bytes, floats: bytes, held: Sequence[bytes], many: bool) -> bytes:
    """A row with these points.

    `labels` are a JSON object; `floats` is the row as it is without histograms, empty if it has no
    floats. With `many` false the row has one point alone.
    """
    if not held:
        return floats
    joined = b"".join(held)[:-1]
    listed = b',"histograms":[' + joined + b"]" if many else b',"histogram":' + joined
    return (floats[:-2] if floats else b'{"metric":' + labels) + listed + b"},"


def _bits(values: Float64s) -> Int64s:
    return np.ascontiguousarray(values).view(np.int64)


@rare_kernel(i8_in, i8_in2, i8_in, i8_in2, u1_out, i8_out)
def _write_points(
    times: Int64s, facts: Int64s, offsets: Int64s, buckets: Int64s, out: Bytes, ends: Int64s
) -> None:
    """Writes points one after the other; `ends` says where each ends.

    `facts` int64 [2, M] are the bits of counts and sums; point i has the buckets offsets[i] to
    offsets[i+1], each a rule and the bits of lower bound, upper bound and count.
    """
    at = 0
    for i in range(len(times)):
        out[at] = 91
        at = _put_text(out, put_time(out, at + 1, times[i]), _COUNT)
        at = put_value(out, at, np.uint64(facts[0, i]))
        at = put_value(out, _put_text(out, at, _SUM), np.uint64(facts[1, i]))
        out[at] = 34
        at += 1
        if offsets[i] < offsets[i + 1]:
            out[at] = 44
            at = _put_text(out, at + 1, _BUCKETS)
            for bucket in range(offsets[i], offsets[i + 1]):
                at = _put_bucket(out, at, buckets, bucket)
            out[at - 1] = 93
        out[at], out[at + 1], out[at + 2] = 125, 93, 44
        at += 3
        ends[i] = at


@inlined
def _put_bucket(out: Bytes, at: int, buckets: Int64s, bucket: int) -> int:
    """Writes `[rule,"lower","upper","count"],`."""
    out[at], out[at + 1] = 91, 48 + buckets[bucket, 0]
    at += 2
    for column in range(1, 4):
        out[at], out[at + 1] = 44, 34
        at = put_value(out, at + 2, np.uint64(buckets[bucket, column]))
        out[at] = 34
        at += 1
    out[at], out[at + 1] = 93, 44
    return at + 2


@inlined
def _put_text(out: Bytes, at: int, text: Bytes) -> int:
    for index in range(len(text)):
        out[at + index] = text[index]
    return at + len(text)
