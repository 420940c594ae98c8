"""Blocks as bytes that prove what they are: whose answer, of when, and that they are whole."""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from bridge.cache.blocks import Block
from bridge.cache.chunks import Chunks, frozen
from bridge.cache.foreign import LARGEST_LEAD, Foreign, inflated, text
from bridge.cache.keys import Place
from bridge.cache.names import Names
from bridge.cache.native import NativeChunks
from bridge.cache.plain import as_chunks
from bridge.cache.policy import Moment, Policy
from bridge.chunkenc.bits import PADDING
from bridge.model.labels import Labels
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]

FORMAT: Final = 4
_MAGIC: Final = b"PBBLOCK\n"
# Magic, format, checksum of all that follows, length of the head.
_FIXED: Final = struct.Struct("<8sIII")
_LITTLE: Final = np.dtype("<i8")
# What comes of contents that a right checksum stands before, but are no block's.
_UNREADABLE: Final = (
    zlib.error,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
)


def packed(block: Block, place: Place, labels: Sequence[Labels], policy: Policy) -> bytes | None:
    """The bytes of a block for a place, None if nobody would read as many.

    `labels` are those of its rows, `policy` is what it was judged by.
    """
    sections = _sections(block)
    head = {
        "place": place.document(),
        "window": [block.window.start, block.window.end],
        "read": block.read.wall,
        "sealed": block.sealed,
        "closing": policy.closing,
        "labels": [one.pairs for one in labels],
        "sections": {name: one.sizes for name, one in sections.items()},
    }
    arrays = [array for one in sections.values() for array in one.arrays]
    # ASCII with escapes keeps bytes that are not UTF-8.
    packed_arrays = [array.astype(_LITTLE, copy=False).tobytes() for array in arrays]
    plain = json.dumps(head).encode() + b"\n" + b"".join(packed_arrays)
    if len(plain) >= LARGEST_LEAD:
        return None
    lead = zlib.compress(plain, 1)
    rest = lead + b"".join(one.data for one in sections.values())
    checksum = google_crc32c.value(rest)
    return _FIXED.pack(_MAGIC, FORMAT, checksum, len(lead)) + rest


def address(place: Place) -> str:
    """A place as tiers know it."""
    return json.dumps([FORMAT, *place.document()])


def unpacked(value: bytes, place: Place, names: Names, policy: Policy, now: Moment) -> Block:
    """The block of these bytes, with numbers of `names`; raises Foreign."""
    try:
        return _block(value, place, names, policy, now)
    except Foreign:
        raise
    except _UNREADABLE as error:
        raise Foreign(f"no block inside: {error}") from None


def _block(value: bytes, place: Place, names: Names, policy: Policy, now: Moment) -> Block:
    head, sections = _opened(value)
    if head["place"] != place.document():
        raise Foreign("of another selector, of another time, or read before a purge")
    window, read = Window(*head["window"]), _moment(head["read"], now)
    sealed, closing = int(head["sealed"]), int(head["closing"])
    judged = _moment(sealed + closing, now)
    if window.end > sealed or closing < policy.closing:
        raise Foreign("not sealed by the settings of today")
    chunks, starts, native = _chunks(sections)
    labels = [_labels(pairs) for pairs in head["labels"]]
    _check(chunks, starts, native, labels)
    numbers = names.add(labels)
    return Block(window, read, policy.horizon(judged), sealed, numbers, chunks, starts, native)


def _opened(value: bytes) -> tuple[dict[str, Any], dict[str, "_Section"]]:
    if len(value) < _FIXED.size:
        raise Foreign("too short")
    magic, form, checksum, length = _FIXED.unpack_from(value)
    rest = memoryview(value)[_FIXED.size :]
    if magic != _MAGIC or form != FORMAT or google_crc32c.value(bytes(rest)) != checksum:
        raise Foreign("another format, or damaged")
    line, _, packed_arrays = inflated(rest[:length]).partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    flat, data = np.frombuffer(packed_arrays, _LITTLE).astype(np.int64), rest[length:]
    sections = {}
    for name, (size, *lengths) in head["sections"].items():
        *arrays, flat = np.split(flat, np.cumsum(lengths))
        sections[name] = _Section([array.copy() for array in arrays], bytes(data[:size]))
        data = data[size:]
    if len(flat) or len(data):
        raise Foreign("more than its head says")
    return head, sections


class _Section(NamedTuple):
    """Arrays, int64, and bytes of chunks."""

    arrays: list[Int64s]
    data: bytes

    @property
    def sizes(self) -> list[int]:
        """How many bytes, and how long each array is."""
        return [len(self.data), *map(len, self.arrays)]

    @staticmethod
    def of(chunks: Chunks, more: Sequence[Int64s] = ()) -> "_Section":
        """Chunks, and what else there is to know of each."""
        arrays = [chunks.chunks, chunks.ends, chunks.oldest, chunks.newest, chunks.counts]
        return _Section([*arrays, *more], chunks.data[: len(chunks.data) - PADDING].tobytes())

    def chunks(self) -> Chunks:
        """The chunks."""
        data = np.frombuffer(self.data + bytes(PADDING), np.uint8).copy()
        offsets, ends, oldest, newest, counts = self.arrays[:5]
        return frozen(Chunks(offsets, ends, oldest, newest, counts, data))


def _sections(block: Block) -> dict[str, _Section]:
    """What a block holds, by name."""
    made = {"floats": _Section.of(as_chunks(block.floats))}
    if block.starts is not None:
        made["starts"] = _Section.of(block.starts)
    if block.native is not None:
        native = block.native
        facts = (native.encodings, native.firsts, native.others)
        made["native"] = _Section.of(native.chunks, facts)
    return made


def _chunks(
    sections: Mapping[str, _Section],
) -> tuple[Chunks, Chunks | None, NativeChunks | None]:
    """The chunks of floats, of start timestamps, of native histograms."""
    starts, native = sections.get("starts"), sections.get("native")
    return (
        sections["floats"].chunks(),
        None if starts is None else starts.chunks(),
        None if native is None else NativeChunks.frozen(native.chunks(), *native.arrays[5:]),
    )


def _labels(pairs: list[list[str]]) -> Labels:
    made = tuple((text(name), text(value)) for name, value in pairs)
    if not all(value for _, value in made) or any(left >= right for left, right in pairwise(made)):
        raise Foreign("no label set where one belongs")
    return Labels.of_sorted(made)


def _moment(wall: int, now: Moment) -> Moment:
    if wall > now.wall:
        raise Foreign("read at a time that has not come yet")
    return Moment(wall, now.steady - (now.wall - wall))


def _check(
    chunks: Chunks, starts: Chunks | None, native: NativeChunks | None, labels: Sequence[Labels]
) -> None:
    """Whether the arrays fit each other: kernels believe them."""
    used = np.diff(chunks.chunks) > 0
    if native is not None and len(native) == len(chunks):
        used |= np.diff(native.chunks.chunks) > 0
    fits = (
        len(chunks) == len(labels)
        and all(left.pairs < right.pairs for left, right in pairwise(labels))
        and _ordered(chunks)
        and chunks.sound()
        and bool(used.all())
        and (starts is None or (_ordered(starts) and starts.sound() and _alike(chunks, starts)))
        and (native is None or (len(native) == len(labels) and _ordered(native.chunks)))
        and (native is None or native.sound())
    )
    if not fits:
        raise Foreign("its parts do not fit each other")


def _ordered(chunks: Chunks) -> bool:
    """Whether rows have chunks, and these bytes, one behind the other."""
    count = len(chunks.ends)
    facts = (chunks.oldest, chunks.newest, chunks.counts)
    return (
        all(len(array) == count for array in facts)
        and int(chunks.chunks[0]) == 0
        and int(chunks.chunks[-1]) == count
        and bool((np.diff(chunks.chunks) >= 0).all())
        and bool((np.diff(chunks.ends, prepend=0) > 0).all())
        and (int(chunks.ends[-1]) if count else 0) == len(chunks.data) - PADDING
    )


def _alike(chunks: Chunks, starts: Chunks) -> bool:
    """Whether start timestamps are those of these floats, or of none in some rows."""
    if len(starts) != len(chunks):
        return False
    held, sizes = np.diff(starts.chunks), np.diff(chunks.chunks)
    rows = np.repeat(held > 0, sizes)
    return bool(((held == 0) | (held == sizes)).all()) and all(
        np.array_equal(ours, theirs[rows])
        for ours, theirs in (
            (starts.counts, chunks.counts),
            (starts.oldest, chunks.oldest),
            (starts.newest, chunks.newest),
        )
    )
