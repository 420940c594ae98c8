"""The body of a SAMPLES answer: straight from protobuf bytes to columns.

A ReadResponse holds results, each of them time series, each of them labels, samples, exemplars,
which are passed over, and native histograms, which are only counted here: see `histograms`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int64

from bridge.chunkenc.bits import Bytes, little_endian, signed
from bridge.kernel import i8_in, i8_out, i8_out2, inlined, kernel, u1_in
from bridge.remote.buffer import Buffer
from bridge.remote.protobuf import FIXED64, LENGTH, VARINT, field, varint

Int64s = npt.NDArray[np.int64]

_RESULT: Final = 1 << 3 | LENGTH
_TIME_SERIES: Final = 1 << 3 | LENGTH
_LABEL: Final = 1 << 3 | LENGTH
_SAMPLE: Final = 2 << 3 | LENGTH
_HISTOGRAM: Final = 4 << 3 | LENGTH
_VALUE: Final = 1 << 3 | FIXED64
_TIMESTAMP: Final = 2 << 3 | VARINT
# Series that there is room for, however few the bytes: for more they are surveyed twice.
_SMALL: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """The time series of a body, int64 [S] each.

    Where each starts and stops in the data, where its labels do, how many samples and native
    histograms it has.
    """

    starts: Int64s
    stops: Int64s
    labels_from: Int64s
    labels_to: Int64s
    samples: Int64s
    histograms: Int64s


def survey(buffer: Buffer) -> Survey | None:
    """The time series in a buffer; None if it is no ReadResponse."""
    capacity = buffer.size // 512 + _SMALL
    while True:
        table = np.empty((6, capacity), np.int64)
        count = _survey(buffer.data, buffer.size, table)
        if count < 0:
            return None
        if count <= capacity:
            return Survey(*(np.ascontiguousarray(row[:count]) for row in table))
        capacity = count


@kernel(u1_in, int64, i8_out2)
def _survey(data: Bytes, size: int, table: Int64s) -> int:
    """Fills the table as far as it has room; returns how many series there are, -1 if malformed."""
    count, index = 0, 0
    while index < size:
        tag, start, stop, _ = field(data, index, size)
        if stop < 0:
            return -1
        inner = start if tag == _RESULT else stop
        while inner < stop:
            tag, low, high, _ = field(data, inner, stop)
            if high < 0:
                return -1
            if tag == _TIME_SERIES:
                if not _series(data, low, high, table, count):
                    return -1
                count += 1
            inner = high
        index = stop
    return count


@inlined
def _series(data: Bytes, index: int, end: int, table: Int64s, at: int) -> bool:
    """One TimeSeries; False if malformed."""
    begin, low, high, samples, histograms = index, index, index, 0, 0
    while index < end:
        if data[index] == _SAMPLE and data[index + 1] <= end - index - 2 and data[index + 1] < 0x80:
            # Nearly all fields are this one: what `field` would find, in a step.
            samples += 1
            index += 2 + int(data[index + 1])
            continue
        tag, _, stop, _ = field(data, index, end)
        if stop < 0:
            return False
        if tag == _SAMPLE:
            samples += 1
        elif tag == _HISTOGRAM:
            histograms += 1
        elif tag == _LABEL:
            low = index if high == low else low
            high = stop
        index = stop
    if at < table.shape[1]:
        table[0, at], table[1, at] = begin, end
        table[2, at], table[3, at] = low, high
        table[4, at], table[5, at] = samples, histograms
    return True


@kernel(u1_in, i8_in, i8_in, int64, int64, i8_out, i8_out, i8_out)
def decode(
    data: Bytes,
    starts: Int64s,
    stops: Int64s,
    start: int,
    end: int,
    offsets: Int64s,
    timestamps: Int64s,
    bits: Int64s,
) -> tuple[int, int]:
    """Decodes time series to the columns of rows, keeping the samples from `start` to `end` (ms).

    `offsets` [S+1] is written; `timestamps` and `bits` (the values' bits) have room for all samples
    and one more. Returns the first malformed series, or -1; and whether a row's times fail to rise
    strictly (1) or not (0).
    """
    at, disorder = 0, False
    for row in range(len(starts)):
        offsets[row] = at
        index, high, first, last = starts[row], stops[row], True, 0
        while index < high:
            time, value, stop = _usual(data, index, high)
            if stop < 0:
                tag, low, stop, _ = field(data, index, high)
                if stop < 0:
                    return row, 0
                index = stop
                if tag != _SAMPLE:
                    continue
                time, value, sound = _sample(data, low, stop)
                if not sound:
                    return row, 0
            disorder |= not first and time <= last
            first, last = False, time
            timestamps[at], bits[at] = time, value
            at += int(start <= time <= end)
            index = stop
    offsets[len(starts)] = at
    return -1, int(disorder)


@inlined
def _usual(data: Bytes, index: int, end: int) -> tuple[int, int, int]:
    """A Sample field as every store writes it: time, bits, its end; -1 if it looks otherwise."""
    if data[index] != _SAMPLE or data[index + 2] != _VALUE or data[index + 11] != _TIMESTAMP:
        return 0, 0, -1
    time, stop = varint(data, index + 12, end)
    sound = data[index + 1] < 0x80 and stop == index + 2 + int(data[index + 1])
    return time, signed(little_endian(data, index + 3)), stop if sound else -1


@inlined
def _sample(data: Bytes, index: int, end: int) -> tuple[int, int, bool]:
    """One Sample: time, bits of the value, whether it is well-formed."""
    time, value = 0, 0
    while index < end:
        tag, start, stop, number = field(data, index, end)
        if stop < 0:
            return 0, 0, False
        if tag == _VALUE:
            value = signed(little_endian(data, start))
        elif tag == _TIMESTAMP:
            time = number
        index = stop
    return time, value, True
