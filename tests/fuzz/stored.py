"""What a folder or a shared Valkey gives back: blocks of ours, or anything at all."""

import asyncio
import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise

import google_crc32c
import numpy as np

from bridge.cache.blocks import Block, encoded
from bridge.cache.foreign import Foreign
from bridge.cache.joining import joined
from bridge.cache.keys import Key, Place
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.purges import Purge
from bridge.cache.segments import Remembered
from bridge.cache.settings import CacheSettings
from bridge.cache.stored import FORMAT, packed, unpacked
from bridge.model.histogram import Histogram, Histograms
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.samples import Columns
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.fuzz.harness import Harness, Reader

_PACKAGES = ("bridge.cache", "bridge.chunkenc")
_HOUR = 3_600_000
_NOW = 100 * _HOUR
_WINDOW = Window(0, 2 * _HOUR - 1)
_PLACE = Place(Key("store", "", ()), _WINDOW)
_POLICY = Policy(CacheSettings())
_MOMENT = Moment(_NOW, 0)
_FIXED = struct.Struct("<8sIII")


def _block(data: bytes) -> None:
    """The value as it stands."""
    names = Names()
    try:
        block = unpacked(data, _PLACE, names, _POLICY, _MOMENT)
    except Foreign:
        return
    _, whole = joined([Remembered.of(block, block.window, block.names)], names)
    for _, part in whole.row_ranges():
        columns = part.columns()
        assert all((np.diff(times) > 0).all() for times in _rows(columns))


def _rows(columns: Columns) -> Iterator[np.ndarray]:
    for low, high in pairwise(columns.offsets.tolist()):
        yield columns.timestamps[low:high]


def _contents(data: bytes) -> None:
    """The head and arrays of a value whose checksum is right, a line break between the two parts.

    The first two bytes say how much of the rest is compressed.
    """
    size = int.from_bytes(data[:2], "little")
    lead = zlib.compress(data[2 : 2 + size], 1)
    rest = lead + data[2 + size :]
    _block(_FIXED.pack(b"PBBLOCK\n", FORMAT, google_crc32c.value(rest), len(lead)) + rest)


def _purge(data: bytes) -> None:
    purge = Purge.read(data)
    assert purge is None or Purge.read(purge.value) == purge


def _stores() -> Iterator[MemoryStore]:
    times, up = [1000, 2000, 5000], Labels.of({"__name__": "up", "job": "a"})
    yield MemoryStore([(up, times, [1.0, 2.5, 2.5])])
    started, native = MemoryStore(), MemoryStore()
    started.append(up, times, [1.0, 2.0, 3.0], [500, 500, 4000])
    yield started
    one = Histogram(count=3.0, sum=4.0, zero_count=1.0, positive_spans=((0, 2),), positive=(1, 1))
    native.append_histograms(up, times, Histograms.of([one, one, Histogram(sum=1.0)]))
    native.append(Labels.of({"__name__": "x"}), times, [1.0, 2.0, 3.0])
    yield native


def _blocks() -> Iterator[bytes]:
    for store in _stores():
        names = Names()
        read = store.select(Select((), _WINDOW.start, _WINDOW.end), ReadOptions())
        rows = asyncio.run(read).block.row_ranges()
        parts = [(names.add(labels), part.columns()) for labels, part in rows]
        (held,) = encoded(parts, [_WINDOW])
        block = Block(_WINDOW, Moment(50 * _HOUR, 0), 50 * _HOUR, 50 * _HOUR, *held)
        value = packed(block, _PLACE, names.labels(block.names), _POLICY)
        assert value is not None
        yield value


def _opened() -> Iterator[bytes]:
    for value in _blocks():
        *_, length = _FIXED.unpack_from(value)
        rest = value[_FIXED.size :]
        lead = zlib.decompress(rest[:length])
        yield len(lead).to_bytes(2, "little") + lead + rest[length:]


def _purges() -> Iterator[bytes]:
    matchers = (Matcher("__name__", MatchType.EQUAL, "up"), Matcher("job", MatchType.REGEXP, "a|b"))
    yield Purge("one", matchers, _WINDOW, _NOW).value
    yield Purge.everything("all", _NOW).value


_READERS = (Reader(_block, _blocks), Reader(_contents, _opened), Reader(_purge, _purges))
HARNESSES = (Harness("block", _READERS, _PACKAGES, kernels=True),)
