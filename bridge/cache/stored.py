"""Blocks as bytes that prove what they are: whose answer, of when, and that they are whole."""

import json
import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import google_crc32c
import numpy as np
import numpy.typing as npt

from bridge.cache.blocks import Block, Chunks
from bridge.cache.keys import Place
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.chunkenc import xor
from bridge.chunkenc.bits import PADDING
from bridge.model.labels import Labels
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

FORMAT: Final = 2
_MAGIC: Final = b"PBBLOCK\n"
# Magic, format, checksum of all that follows, length of the head.
_FIXED: Final = struct.Struct("<8sIII")
_ARRAYS: Final = ("chunks", "ends", "oldest", "newest", "counts")
_LITTLE: Final = np.dtype("<i8")


class Foreign(ValueError):
    """Bytes that are not the block that was looked for."""


def packed(block: Block, place: Place, labels: Sequence[Labels]) -> bytes:
    """The bytes of a block for a place; `labels` are those of its rows."""
    head = {
        "place": place.document(),
        "window": [block.window.start, block.window.end],
        "read": block.read.wall,
        "labels": [one.pairs for one in labels],
        "sizes": [len(getattr(block.chunks, name)) for name in _ARRAYS],
    }
    arrays = [getattr(block.chunks, name).astype(_LITTLE, copy=False) for name in _ARRAYS]
    # ASCII with escapes keeps bytes that are not UTF-8.
    lead = zlib.compress(json.dumps(head).encode() + b"\n" + b"".join(map(bytes, arrays)), 1)
    rest = lead + block.chunks.data[: len(block.chunks.data) - PADDING].tobytes()
    checksum = google_crc32c.value(rest)
    return _FIXED.pack(_MAGIC, FORMAT, checksum, len(lead)) + rest


def address(place: Place) -> str:
    """A place as tiers know it."""
    return json.dumps([FORMAT, *place.document()])


def unpacked(value: bytes, place: Place, names: Names, policy: Policy, now: Moment) -> Block:
    """The block of these bytes, with numbers of `names`; raises Foreign."""
    head, arrays, data = _opened(value)
    if head["place"] != place.document():
        raise Foreign("of another selector, of another time, or read before a purge")
    window, read = Window(*head["window"]), _moment(head["read"], now)
    if window.end > policy.closed(read):
        raise Foreign("not sealed by the settings of today")
    offsets, ends, oldest, newest, counts = arrays
    chunks = Chunks(offsets, ends, oldest, newest, counts, data)
    labels = [Labels.of_sorted(tuple(map(tuple, pairs))) for pairs in head["labels"]]
    _check(chunks, labels)
    numbers = names.add(labels)
    horizon, closed = policy.horizon(read), policy.closed(read)
    return Block(window, read, horizon, closed, numbers, chunks)


def _opened(value: bytes) -> tuple[dict[str, Any], list[Int64s], npt.NDArray[np.uint8]]:
    if len(value) < _FIXED.size:
        raise Foreign("too short")
    magic, form, checksum, length = _FIXED.unpack_from(value)
    rest = memoryview(value)[_FIXED.size :]
    if magic != _MAGIC or form != FORMAT or google_crc32c.value(bytes(rest)) != checksum:
        raise Foreign("another format, or damaged")
    line, _, packed_arrays = zlib.decompress(rest[:length]).partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    flat = np.frombuffer(packed_arrays, _LITTLE).astype(np.int64)
    arrays = [part.copy() for part in np.split(flat, np.cumsum(head["sizes"])[:-1])]
    data = np.frombuffer(bytes(rest[length:]) + bytes(PADDING), np.uint8).copy()
    data.flags.writeable = False
    for array in arrays:
        array.flags.writeable = False
    return head, arrays, data


def _moment(wall: int, now: Moment) -> Moment:
    if wall > now.wall:
        raise Foreign("read at a time that has not come yet")
    return Moment(wall, now.steady - (now.wall - wall))


def _check(chunks: Chunks, labels: Sequence[Labels]) -> None:
    """Whether the arrays fit each other: kernels believe them."""
    count = len(chunks.ends)
    starts = np.concatenate([np.zeros(1, np.int64), chunks.ends])[:count]
    counts, firsts = np.empty(count, np.int64), np.empty(count, np.int64)
    fits = (
        len(chunks.chunks) == len(labels) + 1
        and all(left.pairs < right.pairs for left, right in pairwise(labels))
        and all(len(getattr(chunks, name)) == count for name in _ARRAYS[2:])
        and int(chunks.chunks[0]) == 0
        and int(chunks.chunks[-1]) == count
        and bool((np.diff(chunks.chunks) > 0).all())
        and bool((chunks.ends > starts).all())
        and (int(chunks.ends[-1]) if count else 0) == len(chunks.data) - PADDING
        and xor.inspect(chunks.data, starts, chunks.ends - starts, counts, firsts) < 0
        and bool((counts == chunks.counts).all() and (counts <= xor.SAMPLES_PER_CHUNK).all())
        and bool((firsts == chunks.oldest).all() and (counts > 0).all())
    )
    if not fits:
        raise Foreign("its parts do not fit each other")
