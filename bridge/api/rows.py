"""The rows of a vector or matrix as JSON: kernels that write points into a byte array.

A row is `{"metric":` + its labels + `,"values":[` + its points + `]},`, or with `,"value":` and one
point. A row without points is left out.
"""

from typing import Final

import numpy as np
from numba import boolean

from bridge.api.numbers import TIME_LENGTH, VALUE_LENGTH, put_time, put_value
from bridge.api.words import BLOCK, Bytes, copy_block
from bridge.kernel import (
    b1_in2,
    i8_in,
    i8_in2,
    i8_out,
    inlined,
    kernel,
    u1_in,
    u1_out,
)
from bridge.model.samples import Int64s
from bridge.model.vectors import Bools

# `[time,"value"],`.
POINT_LENGTH: Final = TIME_LENGTH + VALUE_LENGTH + 6
# What surrounds labels and points, and what may be overwritten behind a row.
ROW_LENGTH: Final = 64

_METRIC: Final = np.frombuffer(b'{"metric":' + bytes(BLOCK), np.uint8)
_VALUES: Final = np.frombuffer(b',"values":[' + bytes(BLOCK), np.uint8)
_VALUE: Final = np.frombuffer(b',"value":' + bytes(BLOCK), np.uint8)


@inlined
def _open_row(out: Bytes, at: int, heads: Bytes, start: int, end: int, many: bool) -> int:
    """Writes all that comes before the points; `heads[start:end]` are the labels."""
    copy_block(out, at, _METRIC, 0)
    at += 10
    for index in range(start, end, BLOCK):
        copy_block(out, at + index - start, heads, index)
    at += end - start
    if many:
        copy_block(out, at, _VALUES, 0)
        return at + 11
    copy_block(out, at, _VALUE, 0)
    return at + 9


@inlined
def _close_row(out: Bytes, at: int, many: bool) -> int:
    """Closes a row after its last point; the comma behind that point goes."""
    at -= 1
    if many:
        out[at] = 93
        at += 1
    out[at], out[at + 1] = 125, 44
    return at + 2


@inlined
def _put_point(out: Bytes, at: int, bits: int) -> int:
    """Writes `value"],` behind the `[time,"` that stands there already."""
    at = put_value(out, at, np.uint64(bits))
    out[at], out[at + 1], out[at + 2] = 34, 93, 44
    return at + 3


@inlined
def _put_stamp(out: Bytes, at: int, time: int) -> int:
    """Writes `[time,"`."""
    out[at] = 91
    at = put_time(out, at + 1, time)
    out[at], out[at + 1] = 44, 34
    return at + 2


@kernel(i8_in, u1_out, i8_out)
def write_stamps(times: Int64s, stamps: Bytes, lengths: Int64s) -> None:
    """Writes `[time,"` for each time (ms) into its own block of `stamps` [T * BLOCK + BLOCK]."""
    for step in range(len(times)):
        start = step * BLOCK
        lengths[step] = _put_stamp(stamps, start, times[step]) - start


@kernel(u1_out, u1_in, i8_in, u1_in, i8_in, i8_in2, b1_in2, boolean)
def write_matrix(
    out: Bytes,
    heads: Bytes,
    head_ends: Int64s,
    stamps: Bytes,
    stamp_lengths: Int64s,
    bits: Int64s,
    present: Bools,
    many: bool,
) -> int:
    """Writes rows over common steps; returns their length, which includes a last comma.

    `heads` uint8 holds the rows' labels one after the other, row r up to `head_ends[r]`; `stamps`
    and `stamp_lengths` are those of `write_stamps`; `bits` int64 [S, T] are the values' bits.
    """
    at = head_start = 0
    for row in range(bits.shape[0]):
        row_start, head_end = at, head_ends[row]
        at = points_start = _open_row(out, at, heads, head_start, head_end, many)
        head_start = head_end
        before, before_at, before_length = 0, 0, 0
        for step in range(bits.shape[1]):
            if not present[row, step]:
                continue
            copy_block(out, at, stamps, step * BLOCK)
            at += stamp_lengths[step]
            value = bits[row, step]
            if value == before and before_length:
                copy_block(out, at, out, before_at)
                at += before_length
            else:
                before, before_at = value, at
                at = _put_point(out, at, value)
                before_length = at - before_at
        at = row_start if at == points_start else _close_row(out, at, many)
    return at


@kernel(u1_out, u1_in, i8_in, i8_in, i8_in, i8_in, i8_in)
def write_samples(
    out: Bytes,
    heads: Bytes,
    head_ends: Int64s,
    lo: Int64s,
    hi: Int64s,
    times: Int64s,
    bits: Int64s,
) -> int:
    """Writes rows of raw samples: row r has those with indices `lo[r]` to `hi[r]` (exclusive).

    `times` int64 ms and `bits` int64 hold all samples; the rest is as in `write_matrix`.
    """
    at = head_start = 0
    for row in range(len(lo)):
        row_start, head_end = at, head_ends[row]
        at = points_start = _open_row(out, at, heads, head_start, head_end, True)
        head_start = head_end
        for index in range(lo[row], hi[row]):
            at = _put_stamp(out, at, times[index])
            at = _put_point(out, at, bits[index])
        at = row_start if at == points_start else _close_row(out, at, True)
    return at
