"""Numbers written into a byte array as protobuf has them, by kernels."""

import numpy as np

from bridge.chunkenc.bits import Bytes, unsigned
from bridge.kernel import inlined


@inlined
def put_uvarint(out: Bytes, index: int, word: np.uint64) -> int:
    """A varint of 64 bits from byte `index` on; returns the index behind it."""
    while word >= 0x80:
        out[index] = np.uint8((word & np.uint64(0x7F)) | np.uint64(0x80))
        word >>= np.uint64(7)
        index += 1
    out[index] = np.uint8(word)
    return index + 1


@inlined
def put_zigzag(out: Bytes, index: int, number: int) -> int:
    """A signed number, near zero in few bytes."""
    return put_uvarint(out, index, unsigned((number << 1) ^ (number >> 63)))


@inlined
def put_fixed(out: Bytes, index: int, bits: int) -> int:
    """The eight bytes of a float's bits."""
    word = unsigned(bits)
    for byte in range(8):
        out[index + byte] = np.uint8(word & np.uint64(0xFF))
        word >>= np.uint64(8)
    return index + 8
