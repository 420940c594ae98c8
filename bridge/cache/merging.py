"""Small blocks that follow each other become one: a refresh each few seconds leaves many."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from bridge.cache.blocks import Block, encoded
from bridge.cache.joining import joined
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.segments import Remembered
from bridge.model.samples import Columns, Int64s, SeriesBlock

# A block is encoded anew only with one that is not much smaller: so the work stays in proportion.
_RATIO: Final = 4

Pair = tuple[Block, Block]


def mergeable(blocks: Sequence[Block], policy: Policy, now: Moment) -> Pair | None:
    """Two neighbours that may be one without being served for less long, the youngest first."""
    for right, left in pairwise(reversed(blocks)):
        touching = left.window.end + 1 == right.window.start
        slot = policy.slot(left.window.start, now)
        alive = all(policy.servable(one, now, fresh=False) for one in (left, right))
        if touching and alive and right.window.end <= slot.end and _alike(left, right):
            return left, right
    return None


def _alike(left: Block, right: Block) -> bool:
    """Whether the same rules hold for both, and the work is worth it."""
    settled = left.all_settled and right.all_settled
    same = left.all_sealed == right.all_sealed and left.empty == right.empty
    return settled and same and left.data_bytes <= _RATIO * right.data_bytes


def merged(pair: Pair, names: Names) -> Block:
    """One block of both; it is as old as the older."""
    left, right = pair
    window, read = left.window.union(right.window), left.read.older(right.read)
    segments = [Remembered.of(block, block.window, block.names) for block in pair]
    (made,) = encoded(_parts(*joined(segments, names)), [window])
    settled = max(left.settled, right.settled)
    sealed = max(left.sealed, right.sealed) if left.all_sealed else left.sealed
    return Block(window, read, settled, sealed, *made)


def _parts(numbers: Int64s, block: SeriesBlock) -> Iterator[tuple[Int64s, Columns]]:
    """Each part's rows' numbers and samples, decoded one part at a time."""
    at = 0
    for part in block.parts:
        yield numbers[at : at + part.series], part.columns()
        at += part.series
