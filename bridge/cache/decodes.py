"""Blocks that are asked for again and again, kept decoded: copying costs a tenth of decoding."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

import numpy as np

from bridge.cache.blocks import Block
from bridge.cache.intervals import common
from bridge.cache.plain import Plain
from bridge.model.samples import Columns
from bridge.model.time import Window

# Bytes of a sample that is decoded.
_SAMPLE: Final = 16
# The share of all that one block may take.
_SHARE: Final = 8
# What was not used for so long, ms, makes room for others.
_IDLE: Final = 5 * 60_000


@dataclass(slots=True, eq=False)
class _Kept:
    """A block's floats, and when they were asked for last (ms)."""

    columns: Columns
    used: int


class Decodes:
    """The floats of whole blocks, in `max_bytes` at most; threads may share it.

    A block is decoded as a whole when most of it is asked for the second time. What is in use stays
    although others are wanted too: those of a dashboard that does not fit would else push each
    other out in turn. `clock` gives ms.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], int]) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._held: dict[Block, _Kept] = {}
        self._asked: WeakSet[Block] = WeakSet()
        self._lock = threading.Lock()
        self.nbytes = 0

    def find(self, block: Block, window: Window, rows: int) -> Columns | None:
        """All floats of a block that is asked for a window of so many rows; None if not kept."""
        floats, kept, now = block.floats, self._held.get(block), self._clock()
        if kept is not None:
            kept.used = now
            return kept.columns
        with self._lock:
            again = block in self._asked
            self._asked.add(block)
        if isinstance(floats, Plain) or not again or not self._worth(block, window, rows):
            return None
        made = floats.decoded(np.arange(len(floats)), block.window, block.samples)
        with self._lock:
            if block in self._asked and self._made_room(block.samples * _SAMPLE, now):
                self._let_go(block)
                self.nbytes += block.samples * _SAMPLE
                self._held[block] = _Kept(made, now)
        return made

    def drop(self, block: Block) -> None:
        """Forgets a block."""
        with self._lock:
            self._asked.discard(block)
            self._let_go(block)

    def shrink(self) -> bool:
        """Forgets what was not used for longest; False if there is nothing."""
        with self._lock:
            oldest = min(self._held, key=lambda block: self._held[block].used, default=None)
            if oldest is None:
                return False
            self._let_go(oldest)
            return True

    def _worth(self, block: Block, window: Window, rows: int) -> bool:
        """Whether most of a block is wanted, and it is not too large."""
        inside = common(block.window, window)
        plain = block.native is None and block.starts is None
        most = (
            inside is not None
            and 2 * (inside.end - inside.start) >= block.window.end - block.window.start
            and 2 * rows >= len(block.names)
        )
        return plain and most and block.samples * _SAMPLE * _SHARE <= self._max_bytes

    def _made_room(self, size: int, now: int) -> bool:
        """Whether there is room, once what is out of use has gone."""
        if self.nbytes + size > self._max_bytes:
            for block in [one for one, kept in self._held.items() if now - kept.used > _IDLE]:
                self._let_go(block)
        return self.nbytes + size <= self._max_bytes

    def _let_go(self, block: Block) -> None:
        if self._held.pop(block, None) is not None:
            self.nbytes -= block.samples * _SAMPLE
