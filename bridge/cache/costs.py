"""About how many samples a read would bring, by what is remembered of its selector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.cache.blocks import Block
from bridge.cache.memory import Held
from bridge.model.time import Window


@dataclass(frozen=True, slots=True)
class Density:
    """How many series a selector has, and how many samples they have in a ms together."""

    series: int
    samples: float

    def over(self, windows: Iterable[Window]) -> int:
        """About how many samples there are in these windows."""
        return round(self.samples * sum(map(_length, windows)))


def density(held: Held, wider: Sequence[Held]) -> Density | None:
    """That of a selector by its own blocks, else by those of a wider one; None if there are none.

    Of a wider one's samples so many are taken for the selector's as of its series are.
    """
    for other in (held, *wider):
        length = sum(_length(block.window) for block in other.blocks)
        if length:
            samples = sum(block.samples for block in other.blocks) / length
            share = _share(held, other)
            return Density(round(len(other.names) * share), samples * share)
    return None


def held_samples(held: Held, pieces: Iterable[tuple[Held, Block, Window]]) -> int:
    """About how many samples these pieces of blocks, of the selector or wider ones, hold."""
    found = 0.0
    for other, block, window in pieces:
        part = _length(window) / _length(block.window)
        found += block.samples * part * _share(held, other)
    return round(found)


def _share(held: Held, other: Held) -> float:
    """Which part of another selector's series are of this one too."""
    if held is other:
        return 1.0
    matching = other.names.matching(held.key.beyond(other.key))
    return len(matching) / len(other.names) if len(other.names) else 0.0


def _length(window: Window) -> int:
    return window.end - window.start + 1
