"""Blocks to the body of a sampled answer: the other direction of `sampled`."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.chunkenc.bits import Bytes
from bridge.kernel import i8_in, i8_out, kernel, u1_out
from bridge.model.samples import Columns, SeriesBlock
from bridge.remote.histograms_encode import histogram_fields
from bridge.remote.messages import message, raw_labels
from bridge.remote.varints import put_uvarint

Int64s = npt.NDArray[np.int64]

_RESULT: Final = b"\x0a"
_TIME_SERIES: Final = b"\x0a"
# Tag and length of a sample, tag and value, tag and at most ten bytes of time.
_SAMPLE_BYTES: Final = 2 + 9 + 11


def sampled(blocks: Sequence[SeriesBlock], integers: bool) -> bytes:
    """A sampled answer's ReadResponse: one result for each block.

    `integers`: counts of native histograms that are whole numbers are written as integers.
    """
    return b"".join(message(_RESULT, b"".join(_time_series(block, integers))) for block in blocks)


def _time_series(block: SeriesBlock, integers: bool) -> Iterator[bytes]:
    for labels, part in block.row_ranges():
        columns = part.columns()
        fields = _fields(columns)
        native = columns.histograms
        if native is not None:
            of_histograms = histogram_fields(native, integers)
            fields = [left + right for left, right in zip(fields, of_histograms, strict=True)]
        for one, samples in zip(labels, fields, strict=True):
            yield message(_TIME_SERIES, raw_labels(one) + samples)


def _fields(columns: Columns) -> list[bytes]:
    """Each row's floats, as fields of a TimeSeries."""
    out = np.empty(len(columns.timestamps) * _SAMPLE_BYTES, np.uint8)
    ends = np.zeros(len(columns), np.int64)
    _samples(columns.offsets, columns.timestamps, columns.values.view(np.int64), out, ends)
    whole = out[: ends[-1] if len(ends) else 0].tobytes()
    starts = [0, *ends[:-1].tolist()]
    return [whole[low:high] for low, high in zip(starts, ends.tolist(), strict=False)]


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
            index = put_uvarint(out, index + 12, np.uint64(timestamps[sample]))
            out[begin + 1] = index - begin - 2
        ends[row] = index
