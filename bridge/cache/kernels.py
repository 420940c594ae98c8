"""Rows of samples out of chunks and columns, counted and copied to where they belong."""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int64

from bridge.chunkenc.bits import Bytes
from bridge.chunkenc.xor import _decode
from bridge.kernel import i8_in, i8_out, inlined, kernel, u1_in

Int64s = npt.NDArray[np.int64]

# Of chunks: data, rows, ends, oldest, newest.
_CHUNKS: Final = (u1_in, i8_in, i8_in, i8_in, i8_in)


@inlined
def _lower(timestamps: Int64s, low: int, high: int, time: int) -> int:
    """The first sample between two places that is not before a time."""
    while low < high:
        middle = (low + high) >> 1
        if timestamps[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _likely(timestamps: Int64s, low: int, high: int, time: int, at: int) -> int:
    """The same, looked for `at` a place first: series are mostly scraped at the same times."""
    if at < low or at > high:
        return _lower(timestamps, low, high, time)
    if at > low and timestamps[at - 1] >= time:
        return _lower(timestamps, low, at - 1, time)
    if at < high and timestamps[at] < time:
        return _lower(timestamps, at + 1, high, time)
    return at


@inlined
def _copy(source: Int64s, out: Int64s) -> None:
    """Copies one column; by itself and from its start, so that several are moved at a time."""
    for sample in range(len(source)):
        out[sample] = source[sample]


@inlined
def _span(
    timestamps: Int64s, first: int, stop: int, start: int, end: int, before: int, upto: int
) -> tuple[int, int]:
    """The samples of a row from `start` to `end`, counted from its `first`.

    Looked for first where the row before had its own, `before` and `upto`.
    """
    low = _likely(timestamps, first, stop, start, first + before)
    high = _likely(timestamps, low, stop, end + 1, first + upto)
    return low - first, high - first


@kernel(i8_in, i8_in, int64, int64, i8_out, i8_out)
def spans(
    offsets: Int64s, timestamps: Int64s, start: int, end: int, lows: Int64s, highs: Int64s
) -> None:
    """Where each row's samples from `start` to `end` (ms) begin and stop."""
    low, high = 0, 0
    for row in range(len(offsets) - 1):
        first, stop = offsets[row], offsets[row + 1]
        low, high = _span(timestamps, first, stop, start, end, low, high)
        lows[row], highs[row] = first + low, first + high


@kernel(i8_in, i8_in, i8_in, int64, int64, i8_out, i8_out)
def spans_of(
    offsets: Int64s,
    timestamps: Int64s,
    rows: Int64s,
    start: int,
    end: int,
    lows: Int64s,
    highs: Int64s,
) -> None:
    """The same of some rows."""
    low, high = 0, 0
    for index in range(len(rows)):
        first, stop = offsets[rows[index]], offsets[rows[index] + 1]
        low, high = _span(timestamps, first, stop, start, end, low, high)
        lows[index], highs[index] = first + low, first + high


@kernel(i8_in, i8_in, i8_in, i8_in, i8_in, i8_out, i8_out, i8_out)
def place_spans(
    timestamps: Int64s,
    bits: Int64s,
    lows: Int64s,
    highs: Int64s,
    rows: Int64s,
    ends: Int64s,
    out_timestamps: Int64s,
    out_bits: Int64s,
) -> None:
    """Copies spans of samples behind what the rows they belong to hold already.

    `rows` names each span's row, or -1; `ends` says where each row ends and is moved on.
    """
    for span in range(len(rows)):
        row = rows[span]
        if row < 0:
            continue
        at, low = ends[row], lows[span]
        count = highs[span] - low
        _copy(timestamps[low : low + count], out_timestamps[at : at + count])
        _copy(bits[low : low + count], out_bits[at : at + count])
        ends[row] = at + count


@kernel(i8_in, i8_in, i8_in, i8_in, i8_in, int64, int64)
def most_samples(
    rows: Int64s,
    chunks: Int64s,
    oldest: Int64s,
    newest: Int64s,
    counts: Int64s,
    start: int,
    end: int,
) -> int:
    """How many samples the chunks of some rows have that touch the time from `start` to `end`."""
    total = 0
    for row in rows:
        for chunk in range(chunks[row], chunks[row + 1]):
            if newest[chunk] >= start and oldest[chunk] <= end:
                total += counts[chunk]
    return total


@kernel(*_CHUNKS, int64, int64, i8_in, i8_out, i8_out, i8_out)
def decode_rows(
    data: Bytes,
    chunks: Int64s,
    ends: Int64s,
    oldest: Int64s,
    newest: Int64s,
    start: int,
    end: int,
    rows: Int64s,
    offsets: Int64s,
    timestamps: Int64s,
    bits: Int64s,
) -> int:
    """Decodes some rows' samples from `start` to `end` (ms), one row behind the other.

    `timestamps` and `bits` have room for `most_samples` and one more. Returns how many there are.
    """
    at = 0
    for index in range(len(rows)):
        offsets[index] = at
        row = rows[index]
        for chunk in range(chunks[row], chunks[row + 1]):
            if newest[chunk] < start or oldest[chunk] > end:
                continue
            low = ends[chunk - 1] if chunk else 0
            at = _decode(data, low, ends[chunk], start, end, end, timestamps, bits, at)[2]
    offsets[len(rows)] = at
    return at


@kernel(i8_in, i8_in, i8_out)
def filled(names: Int64s, counts: Int64s, offsets: Int64s) -> bool:
    """Whether no row is left out or empty; where each begins, and where the last one ends."""
    at = 0
    for row in range(len(counts)):
        if names[row] < 0 or not counts[row]:
            return False
        offsets[row] = at
        at += counts[row]
    offsets[len(counts)] = at
    return True


@kernel(i8_in, i8_in, i8_out)
def add_counts(names: Int64s, counts: Int64s, total: Int64s) -> None:
    """Adds each row's count to that of its number, -1 for none."""
    for row in range(len(names)):
        if names[row] >= 0:
            total[names[row]] += counts[row]


@kernel(i8_in, i8_in, i8_in, i8_out, i8_out, i8_out, i8_out)
def arrange(
    order: Int64s,
    floats: Int64s,
    native: Int64s,
    rows: Int64s,
    places: Int64s,
    offsets: Int64s,
    of_native: Int64s,
) -> int:
    """The numbers in this order that have samples: how many, which, and where they begin.

    `places` says of each number which row it is, or -1, and holds one place more.
    """
    count = 0
    offsets[0] = of_native[0] = 0
    places[len(places) - 1] = -1
    for number in order:
        places[number] = -1
        if floats[number] + native[number] > 0:
            places[number] = count
            rows[count] = number
            offsets[count + 1] = offsets[count] + floats[number]
            of_native[count + 1] = of_native[count] + native[number]
            count += 1
    return count


@kernel(*_CHUNKS, i8_in, int64, int64, i8_out, i8_out, i8_out)
def count_chunks(
    data: Bytes,
    chunks: Int64s,
    ends: Int64s,
    oldest: Int64s,
    newest: Int64s,
    counts: Int64s,
    start: int,
    end: int,
    timestamps: Int64s,
    bits: Int64s,
    found: Int64s,
) -> None:
    """Writes how many samples from `start` to `end` (ms) each row has.

    Row r has the chunks chunks[r] to chunks[r+1]; `timestamps` and `bits` have room for a chunk.
    """
    for row in range(len(chunks) - 1):
        total = 0
        for chunk in range(chunks[row], chunks[row + 1]):
            if newest[chunk] < start or oldest[chunk] > end:
                continue
            if start <= oldest[chunk] and newest[chunk] <= end:
                total += counts[chunk]
                continue
            low = ends[chunk - 1] if chunk else 0
            total += _decode(data, low, ends[chunk], start, end, end, timestamps, bits, 0)[2]
        found[row] = total


@kernel(*_CHUNKS, int64, int64, int64, i8_in, i8_out, i8_out, i8_out, i8_out, i8_out)
def place_chunks(
    data: Bytes,
    chunks: Int64s,
    ends: Int64s,
    oldest: Int64s,
    newest: Int64s,
    first: int,
    start: int,
    end: int,
    rows: Int64s,
    row_ends: Int64s,
    timestamps: Int64s,
    bits: Int64s,
    out_timestamps: Int64s,
    out_bits: Int64s,
) -> None:
    """Decodes samples from `start` to `end` (ms) behind what the rows they belong to hold already.

    `rows` names the rows of the series from `first` on, or -1; `row_ends` says where each row ends
    and is moved on. `timestamps` and `bits` have room for a chunk.
    """
    for index in range(len(rows)):
        row = rows[index]
        if row < 0:
            continue
        at = row_ends[row]
        for chunk in range(chunks[first + index], chunks[first + index + 1]):
            if newest[chunk] < start or oldest[chunk] > end:
                continue
            low = ends[chunk - 1] if chunk else 0
            if start <= oldest[chunk] and newest[chunk] <= end:
                at = _decode(data, low, ends[chunk], start, end, end, out_timestamps, out_bits, at)[
                    2
                ]
                continue
            # Here: `_decode` writes behind what it keeps, where the next row may stand already.
            count = _decode(data, low, ends[chunk], start, end, end, timestamps, bits, 0)[2]
            for sample in range(count):
                out_timestamps[at], out_bits[at] = timestamps[sample], bits[sample]
                at += 1
        row_ends[row] = at
