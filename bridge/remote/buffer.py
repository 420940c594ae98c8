"""Received bytes, both as Python takes them and as kernels do."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bridge.chunkenc.bits import PADDING, Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """`size` bytes and `PADDING` zeros behind them: `text` and `data` are the same memory."""

    text: bytes
    data: Bytes
    size: int

    @staticmethod
    def of(pieces: Iterable[bytes]) -> "Buffer":
        """The pieces joined."""
        text = b"".join([*pieces, bytes(PADDING)])
        return Buffer(text, np.frombuffer(text, np.uint8), len(text) - PADDING)

    def tail(self, start: int) -> bytes:
        """The bytes from `start` on."""
        return self.text[start : self.size]
