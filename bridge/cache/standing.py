"""How long what was answered from memory would be answered again: while its blocks stand."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.cache.blocks import Block
from bridge.cache.memory import Memory
from bridge.cache.pieces import Piece
from bridge.cache.purges import Purges
from bridge.model.time import Window


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Vouches for an answer put together of blocks; it keeps none of them in memory."""

    memory: Memory
    purges: Purges
    parts: tuple[tuple[weakref.ref[Block], Window], ...]

    @staticmethod
    def of(pieces: Sequence[Piece], memory: Memory, purges: Purges) -> "Standing":
        """What vouches for these pieces, which come from blocks alone."""
        blocks = [(piece.source, piece.window) for piece in pieces]
        parts = [(weakref.ref(one), window) for one, window in blocks if isinstance(one, Block)]
        return Standing(memory, purges, tuple(parts))

    async def holds(self) -> bool:
        """Whether every block is remembered still, and may answer what it answered."""
        await self.purges.current()
        now = self.memory.clock()
        for held, window in self.parts:
            block = held()
            if block is None or not self.memory.serves(block, window, now):
                return False
        return True
