"""Where a block's samples are now: in the block itself, or in the one that it was merged into."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from bridge.cache.blocks import Block


@dataclass(slots=True, eq=False)
class Trace:
    """Leads to a block, as long as it is in memory, without keeping it there."""

    _block: "ref[Block] | None" = None
    _onward: "Trace | None" = None

    def start(self, block: "Block") -> None:
        """Leads to a block that was just made."""
        self._block = ref(block)

    def lead_on(self, trace: "Trace") -> None:
        """Leads where another trace leads: the block's samples are in that one's block now."""
        self._onward = trace

    @property
    def end(self) -> "Trace":
        """The trace of the block that this leads to."""
        at = self
        while at._onward is not None:
            at = at._onward
        if at is not self:
            self._onward = at
        return at

    @property
    def block(self) -> "Block | None":
        """The block that this leads to; None once that is not in memory."""
        if self._onward is not None:
            return self.end.block
        return None if self._block is None else self._block()
