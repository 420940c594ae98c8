"""Small blocks that follow each other become one: a refresh each few seconds leaves many."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from bridge.cache.blocks import Block, Rows, encoded
from bridge.cache.joining import joined
from bridge.cache.names import Names, Renamed
from bridge.cache.plain import Plain, few
from bridge.cache.policy import Moment, Policy
from bridge.cache.segments import Decoded, Remembered
from bridge.model.samples import Columns, Int64s, SeriesBlock

# A block is encoded anew only with one that is not much smaller: so the work stays in proportion.
_RATIO: Final = 4


def mergeable(blocks: Sequence[Block], policy: Policy, now: Moment) -> tuple[Block, ...]:
    """Two neighbours that may be one without being served for less long, the youngest first.

    Or one alone that is plain and does not grow any more, since what follows is not for it.
    """
    for right, left in pairwise(reversed(blocks)):
        if left.window.end + 1 == right.window.start and right.all_settled:
            if _fit(left, right) and _together(left, right, policy, now):
                return left, right
            if left.plain is not None:
                return (left,)
    return ()


def _fit(left: Block, right: Block) -> bool:
    """Whether the work is worth it: plain ones are copied as long as they are few."""
    if left.plain is not None and right.plain is not None:
        return few(left.samples + right.samples, max(len(left.names), len(right.names)))
    encoded = left.plain is None and right.plain is None
    return encoded and left.samples <= _RATIO * right.samples


def _together(left: Block, right: Block, policy: Policy, now: Moment) -> bool:
    """Whether the same rules hold for both, also once the clock is known to have been ahead."""
    same = left.all_sealed == right.all_sealed and left.empty == right.empty
    return (
        left.all_settled
        and same
        and left.read.lead == right.read.lead
        and right.window.end <= policy.slot(left.window.start, now).end
        and all(policy.servable(one, now, fresh=False) for one in (left, right))
    )


def merged(blocks: Sequence[Block], names: Names) -> Block:
    """One block of neighbours, as old as the older; of one alone the same encoded."""
    left, right = blocks[0], blocks[-1]
    if left is right:
        return left.encoded()
    window, read = left.window.union(right.window), left.read.older(right.read)
    numbers, whole = joined([_segment(block) for block in blocks], names)
    if left.plain is None:
        (made,) = encoded(_parts(numbers, whole), [window])
    else:
        made = Rows(numbers, Plain(whole.columns()))
    settled = max(left.settled, right.settled)
    sealed = max(left.sealed, right.sealed) if left.all_sealed else left.sealed
    return Block(window, read, settled, sealed, *made)


def _segment(block: Block) -> Decoded | Remembered:
    """All that a block holds."""
    if block.plain is None:
        return Remembered.of(block, block.window, block.names)
    return Decoded.within(block.plain, block.window, Renamed.not_at_all(block.names))


def _parts(numbers: Int64s, block: SeriesBlock) -> Iterator[tuple[Int64s, Columns]]:
    """Each part's rows' numbers and samples, decoded one part at a time."""
    at = 0
    for part in block.parts:
        yield numbers[at : at + part.series], part.columns()
        at += part.series
