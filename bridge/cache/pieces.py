"""What an answer is put together of: pieces of time, each from a block or from a read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.cache import intervals
from bridge.cache.blocks import Block
from bridge.cache.flights import Flight
from bridge.cache.joining import joined
from bridge.cache.memory import Held
from bridge.cache.segments import Read, Remembered, Segment
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.storage.interface import Selection

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Where a part of an answer comes from: what is held, or a read, of a selector or a wider."""

    held: Held
    window: Window
    source: Block | Flight


def left(window: Window, pieces: Sequence[Piece]) -> list[Window]:
    """What of a window no piece is of."""
    return list(intervals.without(window, [piece.window for piece in pieces]))


def lies_in(window: Window, gaps: Sequence[Window]) -> bool:
    """Whether a window lies in a gap."""
    return any(intervals.covers(gap, window) for gap in gaps)


def rows_of(pieces: Sequence[Piece], brought: Mapping[Flight, Selection]) -> int:
    """How many rows the pieces have, those of the same series in several pieces counted apart."""
    return sum(
        len(piece.source.names)
        if isinstance(piece.source, Block)
        else len(brought[piece.source].block)
        for piece in pieces
    )


def put_together(
    held: Held, pieces: Sequence[Piece], brought: Mapping[Flight, Selection]
) -> SeriesBlock:
    """The answer, put together of its pieces."""
    alone = pieces[0].source if len(pieces) == 1 and pieces[0].held is held else None
    if isinstance(alone, Flight) and intervals.covers(pieces[0].window, alone.window):
        return brought[alone].block
    segments: list[Segment] = []
    for piece in pieces:
        match piece.source:
            case Block() as block:
                names = _renamed(held, piece.held, block.names)
                segments.append(Remembered.of(block, piece.window, names))
            case Flight() as flight:
                for labels, part in brought[flight].block.row_ranges():
                    names = _renamed(held, piece.held, piece.held.names.add(labels))
                    segments.append(Read.of(part, piece.window, names))
    if isinstance(alone, Flight):
        whole = brought[alone].block
        if sum(segment.samples for segment in segments) == whole.samples:
            return whole
    return joined(segments, held.names)[1]


def _renamed(held: Held, other: Held, numbers: Int64s) -> Int64s:
    """Numbers of a selector's series as those of one that narrows it, -1 for what it leaves out."""
    if held is other:
        return numbers
    return held.names.view(other.names, held.key.beyond(other.key))[numbers]
