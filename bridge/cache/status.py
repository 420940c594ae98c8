"""What is remembered, as figures: selectors, the times covered, bytes, ages."""

from dataclasses import dataclass

from bridge.cache.intervals import touching
from bridge.cache.memory import Held, Memory
from bridge.cache.policy import Moment
from bridge.model.labels import Matcher
from bridge.model.time import Window


@dataclass(frozen=True, slots=True)
class HeldSelector:
    """What is remembered of one selector of a store.

    `coverage` are the times that may be answered from memory now, in order and apart; `oldest` and
    `newest` are when the reads began that they rest on (wall clock, ms), None if nothing may.
    """

    store: str
    matchers: tuple[Matcher, ...]
    series: int
    blocks: int
    samples: int
    nbytes: int
    coverage: tuple[Window, ...]
    oldest: int | None
    newest: int | None


def held_selectors(memory: Memory, now: Moment) -> list[HeldSelector]:
    """Everything that is remembered, what takes most bytes first."""
    found = (_held(held, now) for held in memory.selectors())
    kept = (one for one in found if one.blocks)
    return sorted(kept, key=lambda one: (-one.nbytes, one.store, one.matchers))


def _held(held: Held, now: Moment) -> HeldSelector:
    blocks = tuple(held.blocks)
    usable = [
        (window, block.read.wall)
        for block in blocks
        if (window := held.policy.servable(block, now, fresh=False))
    ]
    reads = [wall for _, wall in usable]
    return HeldSelector(
        held.key.store,
        held.key.matchers,
        len(held.names),
        len(blocks),
        sum(block.samples for block in blocks),
        held.names.nbytes + sum(block.nbytes for block in blocks),
        tuple(touching(window for window, _ in usable)),
        min(reads, default=None),
        max(reads, default=None),
    )
