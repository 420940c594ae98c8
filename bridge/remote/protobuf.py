"""The protobuf wire format inside kernels: varints and fields of padded byte arrays.

An index of -1 stands for malformed bytes. Reads may go `PADDING` bytes past the end before that
shows.
"""

from typing import Final

import numpy as np

from bridge.chunkenc.bits import Bytes, little_endian, signed, trailing_zeros
from bridge.kernel import inlined

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
FIXED32: Final = 5

_CONTINUE: Final = 0x8080808080808080


@inlined
def varint(data: Bytes, index: int, end: int) -> tuple[int, int]:
    """The varint at `index`, as the int64 of its bits, and the index behind it, at most `end`."""
    word = little_endian(data, index)
    stops = ~word & np.uint64(_CONTINUE)
    if stops == 0:
        return _long_varint(data, index, end)
    behind = index + ((trailing_zeros(stops) + 1) >> 3)
    # The bits up to the first byte without continuation bit, seven of each, pushed together.
    word &= stops ^ (stops - np.uint64(1))
    low, high = word & np.uint64(0x007F007F007F007F), word & np.uint64(0x7F007F007F007F00)
    word = low | (high >> np.uint64(1))
    low, high = word & np.uint64(0x00003FFF00003FFF), word & np.uint64(0x3FFF00003FFF0000)
    word = low | (high >> np.uint64(2))
    low, high = word & np.uint64(0x000000000FFFFFFF), word & np.uint64(0x0FFFFFFF00000000)
    value = signed(low | (high >> np.uint64(4)))
    return value, behind if behind <= end else -1


@inlined
def _long_varint(data: Bytes, index: int, end: int) -> tuple[int, int]:
    value = np.uint64(0)
    for length in range(10):
        value |= np.uint64(data[index + length] & 0x7F) << np.uint64(7 * length)
        if data[index + length] < 0x80:
            behind = index + length + 1
            return signed(value), behind if behind <= end else -1
    return 0, -1


@inlined
def field(data: Bytes, index: int, end: int) -> tuple[int, int, int, int]:
    """The field at `index`: its tag, where its content starts and stops, and a varint's value.

    The content of a LENGTH field is its bytes; a stop of -1 says that it does not fit in `end`.
    """
    tag, start = varint(data, index, end)
    if start < 0:
        return 0, 0, -1, 0
    kind = tag & 7
    if kind == LENGTH:
        size, start = varint(data, start, end)
        fits = start >= 0 and 0 <= size <= end - start
        return tag, start, start + size if fits else -1, 0
    if kind == VARINT:
        value, stop = varint(data, start, end)
        return tag, start, stop, value
    if kind not in (FIXED64, FIXED32):
        return tag, start, -1, 0
    stop = start + (8 if kind == FIXED64 else 4)
    return tag, start, stop if stop <= end else -1, 0
