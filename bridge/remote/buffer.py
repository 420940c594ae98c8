"""Received bytes, both as Python takes them and as kernels do."""

from collections.abc import Iterable
from dataclasses import dataclass

import cramjam
import numpy as np

from bridge.chunkenc.bits import PADDING, Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """`size` bytes, and `PADDING` zeros behind them, as an array and as a view of it."""

    data: Bytes
    view: memoryview
    size: int

    @staticmethod
    def of(pieces: Iterable[bytes]) -> "Buffer":
        """The pieces joined."""
        return Buffer._over(np.frombuffer(b"".join([*pieces, bytes(PADDING)]), np.uint8))

    @staticmethod
    def decompressed(block: bytes, size: int) -> "Buffer":
        """A snappy block that declares `size` bytes; raises cramjam.DecompressionError."""
        data = np.zeros(size + PADDING, np.uint8)
        cramjam.snappy.decompress_raw_into(block, data.data[:size])
        data.flags.writeable = False
        return Buffer._over(data)

    @staticmethod
    def _over(data: Bytes) -> "Buffer":
        return Buffer(data, data.data, len(data) - PADDING)

    def piece(self, start: int, stop: int) -> bytes:
        """A copy of a range."""
        return self.view[start:stop].tobytes()

    def tail(self, start: int) -> bytes:
        """A copy of all from `start` on."""
        return self.piece(start, self.size)
