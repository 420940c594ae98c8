"""Where Prometheus begins a new chunk of histograms, and the one layout that each chunk has.

Source: appendable and its helpers in tsdb/chunkenc/histogram.go of Prometheus.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import int64

from bridge.kernel import called, inlined, rare_kernel
from bridge.model.gomath.bits import bits_of
from bridge.model.histogram_custom import same_bounds
from bridge.model.histogram_layout import (
    COUNT,
    GAUGE,
    HINT,
    NUMBERS_WIDTH,
    RESET,
    SCHEMA,
    SUM,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
    arrays_in,
    built,
    copy_first,
    new_builder,
)
from bridge.model.histogram_math import insert_buckets
from bridge.model.histogram_scratch import (
    SIZES,
    Scratch,
    copy,
    emit,
    load,
    new_scratch,
    room_for,
)
from bridge.model.samples import STALE_NAN_BITS, Int64s

# Counter reset flags of a chunk's header.
_UNKNOWN: Final = 0
_RESET: Final = 2
_GAUGE: Final = 3

# A sample can go on with the chunk.
_APPENDS: Final = -1


class Cut(NamedTuple):
    """Samples bounds[c] to bounds[c+1] are chunk c, whose header has flags[c].

    `table` holds the samples, each with all buckets that any sample of its chunk has.
    """

    bounds: Int64s
    flags: Int64s
    table: Arrays


@rare_kernel(arrays_in, int64)
def cut(table: Arrays, limit: int) -> Cut:
    """Cuts one series' samples, in their order, to chunks of at most `limit` samples."""
    size = len(table.rows)
    bounds, flags, chunks = np.zeros(size + 1, np.int64), np.zeros(size, np.int64), 0
    room, limits = room_for(table)
    now, before = new_scratch(room, limits), new_scratch(room, limits)
    layout = new_scratch(room, limits)
    builder = new_builder(size, len(table.counts))
    for row in range(size):
        load(now, table, row)
        flag = _UNKNOWN
        if row > 0:
            flag = _flag(now, before, flags[chunks - 1] == _GAUGE)
            if flag == _APPENDS and row - bounds[chunks - 1] < limit:
                copy(before, now)
                continue
        if now.facts[HINT] in (RESET, GAUGE):
            flag = _RESET if now.facts[HINT] == RESET else _GAUGE
        bounds[chunks], flags[chunks] = row, max(flag, _UNKNOWN)
        chunks += 1
        copy(before, now)
    bounds[chunks] = size
    for chunk in range(chunks):
        low, high = bounds[chunk], bounds[chunk + 1]
        gauge = flags[chunk] == _GAUGE
        _load_layout(table, low, high, gauge, layout, now)
        for row in range(low, high):
            _lay_out(table, row, layout, now, before)
            builder = emit(builder, before)
    return Cut(bounds[: chunks + 1].copy(), flags[:chunks].copy(), built(builder))


@inlined
def _is_stale(a: Scratch) -> bool:
    return bits_of(a.numbers[0, SUM]) == STALE_NAN_BITS


@called
def _flag(now: Scratch, before: Scratch, in_gauge: bool) -> int:
    """_APPENDS, or what the header of a new chunk says."""
    gauge = now.facts[HINT] == GAUGE
    if gauge != in_gauge:
        return _GAUGE if gauge else _UNKNOWN
    if now.facts[HINT] == RESET:
        return _RESET
    if _is_stale(now):
        return _APPENDS
    other_scale = now.facts[SCHEMA] != before.facts[SCHEMA]
    other_scale |= now.numbers[0, ZERO_THRESHOLD] != before.numbers[0, ZERO_THRESHOLD]
    if _is_stale(before):
        return _GAUGE if gauge else _UNKNOWN
    if gauge:
        return _GAUGE if other_scale or not same_bounds(now, before) else _APPENDS
    if now.numbers[0, COUNT] < before.numbers[0, COUNT]:
        return _RESET
    if other_scale:
        return _UNKNOWN
    fewer = now.numbers[0, ZERO_COUNT] < before.numbers[0, ZERO_COUNT]
    if fewer or not same_bounds(now, before):
        return _RESET
    return _RESET if _fewer(now, before, 0) or _fewer(now, before, 1) else _APPENDS


@inlined
def _fewer(now: Scratch, before: Scratch, side: int) -> bool:
    """Whether a bucket counts less than before, or is missing."""
    at, size, fewer = 0, now.facts[SIZES + side], False
    for bucket in range(before.facts[SIZES + side]):
        index, count = before.places[side, bucket] >> 1, before.counts[side, bucket]
        while at < size and now.places[side, at] >> 1 < index:
            at += 1
        if at < size and now.places[side, at] >> 1 == index:
            fewer |= now.counts[side, at] < count
        else:
            fewer |= count != 0.0
    return fewer


@called
def _load_layout(
    table: Arrays, low: int, high: int, gauge: bool, layout: Scratch, other: Scratch
) -> None:
    """The buckets of all samples; they are in the spans that Prometheus would have put them in."""
    load(layout, table, low)
    for row in range(low + 1, high):
        load(other, table, row)
        held, held_negative = layout.facts[SIZES], layout.facts[SIZES + 1]
        for side in range(2):
            insert_buckets(layout, other, side, 0, 1.0)
        if layout.facts[SIZES] == held and layout.facts[SIZES + 1] == held_negative:
            continue
        lacking = layout.facts[SIZES] > other.facts[SIZES]
        lacking_negative = layout.facts[SIZES + 1] > other.facts[SIZES + 1]
        if gauge:
            lacking = lacking_negative = lacking or lacking_negative
        _respan(layout, other, 0, lacking)
        _respan(layout, other, 1, lacking_negative)


@inlined
def _respan(layout: Scratch, other: Scratch, side: int, anew: bool) -> None:
    """Puts buckets in as few spans as can be, or in those of the sample that has them all."""
    for bucket in range(layout.facts[SIZES + side]):
        index = layout.places[side, bucket] >> 1
        if anew:
            joins = bucket > 0 and layout.places[side, bucket - 1] >> 1 == index - 1
            layout.places[side, bucket] = 2 * index + int(not joins)
        else:
            layout.places[side, bucket] = other.places[side, bucket]


@called
def _lay_out(table: Arrays, row: int, layout: Scratch, sample: Scratch, out: Scratch) -> None:
    """A sample with the buckets of its chunk; a staleness marker has none."""
    load(sample, table, row)
    if _is_stale(sample):
        copy(out, sample)
        return
    copy(out, layout)
    out.counts[:2] = 0.0
    out.facts[HINT] = sample.facts[HINT]
    for kind in range(2):
        copy_first(NUMBERS_WIDTH, sample.numbers[kind], out.numbers[kind])
    for side in range(2):
        at = 0
        for bucket in range(sample.facts[SIZES + side]):
            while out.places[side, at] >> 1 != sample.places[side, bucket] >> 1:
                at += 1
            out.counts[side, at] = sample.counts[side, bucket]
