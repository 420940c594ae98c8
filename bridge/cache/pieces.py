"""What an answer is put together of: pieces of time, each from a block or from a read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.cache import intervals
from bridge.cache.blocks import Block
from bridge.cache.decodes import Decodes
from bridge.cache.flights import Flight
from bridge.cache.joining import joined
from bridge.cache.memory import Held
from bridge.cache.names import Renamed
from bridge.cache.segments import Decoded, Read, Segment, recalled
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.storage.interface import Selection

Int64s = npt.NDArray[np.int64]

# So many samples of an answer are decoded when it is put together, the others when asked for.
_DECODED: Final = 1 << 17
# What a row takes beside its samples, in samples.
_ROW: Final = 10


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


def work_of(held: Held, pieces: Sequence[Piece], brought: Mapping[Flight, Selection]) -> float:
    """About how much it is to put pieces together, in samples to decode."""
    return sum(
        _of_read(brought[piece.source].block)
        if isinstance(piece.source, Flight)
        else _of_block(held, piece, piece.source)
        for piece in pieces
    )


def _of_read(block: SeriesBlock) -> int:
    return block.samples + len(block) * _ROW


def _of_block(held: Held, piece: Piece, block: Block) -> float:
    """That of the chunks that a piece touches: of each row the first is decoded from its start."""
    window, rows = piece.window, len(block.names)
    share = (window.end - window.start + 1) / (block.window.end - block.window.start + 1)
    decoded = block.samples * min(share, 1) + rows * _ROW
    return decoded if piece.held is held else decoded * min(len(held.names) / max(rows, 1), 1)


def put_together(
    held: Held, pieces: Sequence[Piece], brought: Mapping[Flight, Selection], decodes: Decodes
) -> SeriesBlock:
    """The answer, put together of its pieces."""
    alone = pieces[0].source if len(pieces) == 1 and pieces[0].held is held else None
    if isinstance(alone, Flight) and intervals.covers(pieces[0].window, alone.window):
        return brought[alone].block
    segments: list[Segment] = []
    room = _DECODED
    for piece in pieces:
        match piece.source:
            case Block() as block:
                names = _renamed(held, piece.held, block.names)
                found = recalled(block, piece.window, names, room, decodes)
                room -= found.samples if isinstance(found, Decoded) else 0
                segments.append(found)
            case Flight() as flight:
                for labels, part in brought[flight].block.row_ranges():
                    names = _renamed(held, piece.held, piece.held.names.add(labels))
                    segments.append(Read.of(part, piece.window, names.numbers))
    if isinstance(alone, Flight):
        whole = brought[alone].block
        if sum(segment.samples for segment in segments) == whole.samples:
            return whole
    return joined(segments, held.names)[1]


def _renamed(held: Held, other: Held, numbers: Int64s) -> Renamed:
    """Rows of a selector by the numbers that they have for another, which may narrow it."""
    if held is other:
        return Renamed.not_at_all(numbers)
    return held.names.renamed(other.names, held.key.beyond(other.key), numbers)
