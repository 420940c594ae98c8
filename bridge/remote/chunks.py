"""The chunks of a streamed answer, of every encoding, to rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.chunkenc import encodings, histogram, xor, xor2
from bridge.chunkenc.bits import Bytes
from bridge.model.histogram import LEAST_SIZE, HistogramColumns, Histograms, concatenate
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS, stacked_starts
from bridge.model.time import Window
from bridge.remote.answer import BadAnswer, Keep, NotStreamable
from bridge.remote.histograms import FAULTS, UNKNOWN_SCHEMA
from bridge.remote.packed import PackedRows
from bridge.remote.rows import rows_of
from bridge.storage.interface import Purpose
from bridge.storage.merge import Rows

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Bytes of histogram chunks that are decoded at a time: their samples take 64 times as many at most.
_GROUP_BYTES: Final = 1 << 20
_BITS_PER_BYTE: Final = 8
_BUCKET_BYTES: Final = 8
_SAMPLE_BYTES: Final = 16
# Samples that a read holds decoded, 32 MiB. What comes after them stays in its chunks, in a seventh
# of the memory, and is decoded again where it is needed, which takes 5 ns a sample.
_DECODED: Final = 1 << 21
# Samples that are decoded at a time: what threads share, and what a read needs beside its answer.
_GROUP_SAMPLES: Final = 1 << 17

_SHORT: Final = "a chunk is too short for its samples"


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """Chunks of rows, int64 [C] each; `rows` never falls.

    Where their data start in a padded buffer, their sizes, first and last time (ms) and encodings,
    as the messages around them say.
    """

    rows: Int64s
    starts: Int64s
    sizes: Int64s
    oldest: Int64s
    newest: Int64s
    encodings: Int64s

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, kept: Bools | slice) -> "Chunks":
        """Some of the chunks."""
        return Chunks(
            self.rows[kept],
            self.starts[kept],
            self.sizes[kept],
            self.oldest[kept],
            self.newest[kept],
            self.encodings[kept],
        )


def decoded(data: Bytes, chunks: Chunks, labels: tuple[Labels, ...], keep: Keep) -> list[Rows]:
    """The rows that the chunks make, in pieces where encodings of floats are mixed.

    Raises BadAnswer, NotStreamable, OverBudget, TooManySamples and LimitExceeded.
    """
    plain = chunks.encodings == encodings.XOR
    keep.sent.series += len(labels)
    if plain.all():
        return _plain(data, chunks, labels, keep)
    inside = (chunks.newest >= keep.select.start) & (chunks.oldest <= keep.select.end)
    unknown = ~np.isin(chunks.encodings, encodings.KNOWN) & inside
    if unknown.any():
        raise NotStreamable(f"chunk encoding {chunks.encodings[unknown][0]}")
    started = chunks.encodings == encodings.XOR2
    pieces = []
    if plain.any() or not started.any():
        pieces.append(_xor(data, _wanted(data, chunks.where(plain), keep), len(labels), keep))
    if started.any():
        pieces.append(_xor2(data, chunks.where(started), len(labels), keep))
    of_histograms = chunks.where(np.isin(chunks.encodings, encodings.NATIVE))
    native = _histograms(data, of_histograms, len(labels), keep) if len(of_histograms) else None
    for floats, _ in pieces:
        keep.show(labels, floats.offsets, floats.timestamps)
    if native is not None:
        keep.show(labels, native.offsets, native.timestamps)
    (columns, orderly), *others = pieces
    return [
        rows_of(labels, columns, native, orderly),
        *(Rows(labels, *other) for other in others),
    ]


def _plain(data: Bytes, chunks: Chunks, labels: tuple[Labels, ...], keep: Keep) -> list[Rows]:
    """Rows of floats alone, a group after the other; where a read is long they stay packed."""
    wanted = _wanted(data, chunks, keep)
    made = []
    for low, high in _row_ranges(wanted, len(labels)):
        part = wanted.between(low, high)
        many = keep.held >= _DECODED and keep.select.purpose is Purpose.SAMPLES
        columns, orderly = _xor(data, part, high - low, keep)
        rows = Rows(labels[low:high], columns, orderly)
        keep.show(rows.labels, columns.offsets, columns.timestamps)
        made.append(_packed(data, part.chunks, rows, keep) if many and orderly else rows)
    return made


def _row_ranges(wanted: "_Wanted", rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows that have about so many samples each, or of one that has more."""
    places = np.searchsorted(wanted.chunks.rows, np.arange(rows + 1))
    before = np.append(0, np.cumsum(wanted.counts))[places]
    cuts = np.searchsorted(before, np.arange(0, before[-1], _GROUP_SAMPLES))
    return pairwise(sorted({0, *cuts.tolist(), rows}))


def _packed(data: Bytes, chunks: Chunks, rows: Rows, keep: Keep) -> Rows:
    """The rows that have samples, left in the chunks that they were decoded from."""
    window = Window(keep.select.start, keep.select.end)
    which = (chunks.starts, chunks.sizes, chunks.rows)
    held = np.diff(rows.columns.offsets) > 0
    labels = tuple(rows.labels[row] for row in np.flatnonzero(held).tolist())
    return Rows(labels, PackedRows.of(data, which, window, rows.columns), rising=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """Chunks that may have samples in a read's range, and how many samples each has, int64 [C]."""

    chunks: Chunks
    counts: Int64s

    def between(self, low: int, high: int) -> "_Wanted":
        """Those of a range of rows, which are counted from its first one on."""
        part = slice(*np.searchsorted(self.chunks.rows, (low, high)).tolist())
        chunks = self.chunks.where(part)
        return _Wanted(replace(chunks, rows=chunks.rows - low), self.counts[part])


def _wanted(data: Bytes, chunks: Chunks, keep: Keep) -> _Wanted:
    counts, firsts = np.empty_like(chunks.starts), np.empty_like(chunks.starts)
    if xor.inspect(data, chunks.starts, chunks.sizes, counts, firsts) >= 0:
        raise BadAnswer(_SHORT)
    keep.sent.note(chunks.sizes, counts, chunks.newest - chunks.oldest)
    # A header that belies its chunk is not believed.
    believed = chunks.oldest == firsts
    start, end = keep.select.start, keep.select.end
    wanted = (chunks.newest >= start) & (chunks.oldest <= end) | ~believed
    return _Wanted(chunks.where(wanted), counts[wanted])


def _xor(data: Bytes, wanted: _Wanted, rows: int, keep: Keep) -> tuple[Columns, bool]:
    """Floats, and whether their times rise."""
    offsets, columns = _room(int(wanted.counts.sum()), rows, 2, keep)
    which = (wanted.chunks.starts, wanted.chunks.sizes, wanted.chunks.rows)
    start, end = keep.select.start, keep.select.end
    bad, disorder = xor.decode(data, *which, start, end, offsets, *columns)
    if bad >= 0:
        raise BadAnswer("a chunk is not XOR encoded as its header says")
    timestamps, bits = (column[: offsets[-1]] for column in columns)
    keep.held += len(timestamps)
    return Columns.frozen(offsets, timestamps, bits.view(np.float64)), not disorder


def _xor2(data: Bytes, chunks: Chunks, rows: int, keep: Keep) -> tuple[Columns, bool]:
    """Floats with their start timestamps, and whether their times rise."""
    counts = _declared(data, chunks, keep)
    offsets, columns = _room(int(counts.sum()), rows, 3, keep)
    start, end = keep.select.start, keep.select.end
    which = (chunks.starts, chunks.sizes, chunks.rows)
    bad, disorder = xor2.decode(data, *which, start, end, offsets, *columns)
    if bad >= 0:
        raise BadAnswer("a chunk is not XOR2 encoded as its header says")
    timestamps, created, bits = (column[: offsets[-1]] for column in columns)
    keep.held += len(timestamps)
    values, held = bits.view(np.float64), created if created.any() else NO_STARTS
    return Columns.frozen(offsets, timestamps, values, created=held), not disorder


def _room(samples: int, rows: int, columns: int, keep: Keep) -> tuple[Int64s, Sequence[Int64s]]:
    """Offsets and columns for so many samples and one more, if they may be held."""
    keep.spend(samples)
    made = [np.empty(samples + 1, np.int64) for _ in range(columns)]
    return np.zeros(rows + 1, np.int64), made


def _declared(data: Bytes, chunks: Chunks, keep: Keep) -> Int64s:
    counts = encodings.declared_counts(data, chunks.starts, chunks.sizes, chunks.encodings)
    # Every sample takes a bit at least.
    if counts is None or bool((counts > chunks.sizes * _BITS_PER_BYTE).any()):
        raise BadAnswer(_SHORT)
    keep.sent.note(chunks.sizes, counts, chunks.newest - chunks.oldest)
    keep.sent.in_chunks_only = True
    return counts


def _histograms(data: Bytes, chunks: Chunks, rows: int, keep: Keep) -> HistogramColumns:
    """Native histograms, a group of chunks after the other: what they take is known only then."""
    counts = _declared(data, chunks, keep)
    offsets = np.zeros(rows + 1, np.int64)
    found: list[histogram.Decoded] = []
    for group in _groups(chunks.sizes):
        keep.spend(_least(chunks.sizes[group], counts[group]))
        part = np.zeros(rows + 1, np.int64)
        one = histogram.decode(
            data,
            chunks.starts[group],
            chunks.sizes[group],
            chunks.encodings[group],
            chunks.rows[group],
            keep.select.start,
            keep.select.end,
            part,
        )
        if one.bad >= 0:
            raise BadAnswer(_fault(one))
        size = int(Histograms(one.table).size.sum())
        keep.spend(size)
        keep.held += size
        offsets += part
        found.append(one)
    created = stacked_starts((one.created, one.timestamps) for one in found)
    return HistogramColumns(
        offsets,
        np.concatenate([one.timestamps for one in found]),
        created if created.any() else NO_STARTS,
        concatenate([Histograms.frozen(one.table) for one in found]),
    )


def _groups(sizes: Int64s) -> Iterator[slice]:
    """Runs of chunks of so many bytes together, or of one that is larger."""
    places = np.cumsum(sizes) // _GROUP_BYTES
    edges = np.flatnonzero(np.diff(places, prepend=-1, append=-1))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield slice(low, high)


def _least(sizes: Int64s, counts: Int64s) -> int:
    """What must be free for a group, in samples.

    A chunk so large that it is a group of its own may be all buckets of a bit each.
    """
    least = int(counts.sum()) * LEAST_SIZE
    size = int(sizes.sum())
    if len(sizes) > 1 or size <= _GROUP_BYTES:
        return least
    return least + size * _BITS_PER_BYTE * _BUCKET_BYTES // _SAMPLE_BYTES


def _fault(one: histogram.Decoded) -> str:
    if one.schema:
        return f"{FAULTS[UNKNOWN_SCHEMA]}, got schema {one.schema}"
    return "a chunk is not a chunk of histograms as its header says"
