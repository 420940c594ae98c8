"""How long what was answered from memory would be answered again: while its blocks stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bridge.cache.blocks import Block
from bridge.cache.memory import Memory
from bridge.cache.pieces import Piece
from bridge.cache.purges import Purges
from bridge.cache.traces import Trace
from bridge.model.time import Window
from bridge.storage.warranty import WHOLE, Warranty


class Part(NamedTuple):
    """A window of the samples of a block, wherever they are now."""

    trace: Trace
    window: Window


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Vouches for an answer put together of blocks; it keeps none of them in memory.

    `parts` are in order of time. From `until` (ms) on nothing vouches for the answer.
    """

    memory: Memory
    purges: Purges
    parts: tuple[Part, ...]
    until: int = WHOLE

    @staticmethod
    def of(pieces: Sequence[Piece], memory: Memory, purges: Purges) -> "Standing":
        """What vouches for these pieces, which are in order: for blocks, up to the first read."""
        parts: list[Part] = []
        for piece in pieces:
            if not isinstance(piece.source, Block):
                return Standing(memory, purges, tuple(parts), piece.window.start)
            parts.append(Part(piece.source.trace, piece.window))
        return Standing(memory, purges, tuple(parts))

    @property
    def complete(self) -> bool:
        """Whether it vouches for the whole answer as long as all blocks stand."""
        return self.until == WHOLE

    async def reach(self, since: int) -> int:
        """Up to when every block is remembered still, and may answer what it answered; ms."""
        await self.purges.current()
        now = self.memory.clock()
        for part in self.parts:
            block = part.trace.block
            if part.window.end >= since and (
                block is None or not self.memory.serves(block, part.window, now)
            ):
                return part.window.start - 1
        return WHOLE if self.complete else self.until - 1

    def joined(self, later: Warranty, since: int, until: int) -> Warranty | None:
        """What vouches for this answer from `since` to `until`, and for a later one."""
        if not isinstance(later, Standing) or later.memory is not self.memory:
            return None
        cut = (
            part._replace(window=Window(part.window.start, min(part.window.end, until)))
            for part in self.parts
            if part.window.end >= since and part.window.start <= until
        )
        parts = sorted((*cut, *later.parts), key=lambda part: part.window.start)
        return Standing(self.memory, later.purges, tuple(_united(parts)), later.until)


def _united(parts: Iterable[Part]) -> Iterable[Part]:
    """The same, with one part for neighbours that are of one block now."""
    held: Part | None = None
    for part in parts:
        if (
            held is not None
            and held.trace.end is part.trace.end
            and (held.window.overlaps(part.window))
        ):
            held = Part(part.trace, held.window.union(part.window))
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held
