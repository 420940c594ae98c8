"""Received bytes, both as Python takes them and as kernels do."""

from collections.abc import Iterable
from dataclasses import dataclass

import cramjam
import numpy as np

from bridge.chunkenc.bits import PADDING, Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """`size` bytes, and `PADDING` zeros behind them, as an array and as what it is made over."""

    data: Bytes
    held: bytes | memoryview
    size: int

    @staticmethod
    def of(pieces: Iterable[bytes]) -> "Buffer":
        """The pieces joined."""
        joined = b"".join([*pieces, bytes(PADDING)])
        return Buffer(np.frombuffer(joined, np.uint8), joined, len(joined) - PADDING)

    @staticmethod
    def decompressed(block: bytes, size: int) -> "Buffer":
        """A snappy block that declares `size` bytes; raises cramjam.DecompressionError."""
        data = np.zeros(size + PADDING, np.uint8)
        cramjam.snappy.decompress_raw_into(block, data.data[:size])
        data.flags.writeable = False
        return Buffer(data, data.data, size)

    def piece(self, start: int, stop: int) -> bytes:
        """A copy of a range."""
        return bytes(self.held[start:stop])

    def tail(self, start: int) -> bytes:
        """A copy of all from `start` on."""
        return self.piece(start, self.size)
