"""Random series of floats, native histograms and start timestamps, and how blocks compare."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from bridge.model.arrays import Int64s
from bridge.model.histogram import Hint, Histogram, HistogramColumns, Histograms
from bridge.model.samples import STALE_NAN_BITS, SeriesBlock
from bridge.storage.memory import MemoryStore
from tests.storage.blocks import labels

STALE = float(np.int64(STALE_NAN_BITS).view(np.float64))


@st.composite
def mixed_stores(
    draw: st.DrawFn, starts: st.SearchStrategy[int], most: int = 100_000
) -> MemoryStore:
    """Up to three series of floats and native histograms in turn, some with start timestamps.

    They begin after `starts`, their samples `most` ms apart at most.
    """
    store = MemoryStore()
    for name in draw(st.lists(st.sampled_from("abcd"), max_size=3, unique=True)):
        time = draw(starts)
        for native in draw(st.lists(st.booleans(), max_size=5)):
            gaps = draw(st.lists(st.integers(1, most), min_size=1, max_size=4))
            at = [time + sum(gaps[: index + 1]) for index in range(len(gaps))]
            began = draw(st.sampled_from([(), at[:1] * len(at)]))
            if native:
                table = Histograms.of([draw(histograms()) for _ in at])
                store.append_histograms(labels(name=name), at, table, began)
            else:
                store.append(labels(name=name), at, [float(one) for one in at], began)
            time = at[-1]
    return store


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    """A small histogram, whole or not, stale now and then."""
    if not draw(st.integers(0, 9)):
        return Histogram(sum=STALE)
    counts = st.integers(0, 5).map(float) if draw(st.booleans()) else st.floats(0, 9)
    buckets = draw(st.lists(counts, max_size=4).map(tuple))
    below = draw(st.lists(counts, max_size=2).map(tuple))
    zeros = draw(counts)
    custom = draw(st.booleans())
    return Histogram(
        schema=-53 if custom else draw(st.integers(-4, 8)),
        count=math.fsum((*buckets, *(() if custom else (*below, zeros)))),
        sum=draw(st.floats(allow_nan=False)),
        zero_threshold=0.0 if custom else draw(st.sampled_from([0.0, 0.001, 2.0**-128])),
        zero_count=0.0 if custom else zeros,
        positive_spans=_spans(draw, len(buckets), 0 if custom else -20),
        positive=buckets,
        negative_spans=() if custom else _spans(draw, len(below), -20),
        negative=() if custom else below,
        bounds=(0.125, 1.0, 7.3, 1e300, 1e301, 1e302, 1e303, 1e304, 1e305) if custom else (),
        hint=draw(st.sampled_from(Hint)),
    )


def _spans(draw: st.DrawFn, size: int, least: int) -> tuple[tuple[int, int], ...]:
    """Buckets in one span, or in two with a gap between."""
    first = draw(st.integers(least, least + 3))
    if size < 2 or draw(st.booleans()):
        return ((first, size),) if size else ()
    return ((first, 1), (draw(st.integers(0, 2)), size - 1))


def assert_same(
    found: SeriesBlock, wanted: SeriesBlock, *, started: bool = True, first_hints: bool = True
) -> None:
    """Fails unless two blocks hold the same, bit for bit.

    `started`: start timestamps too. `first_hints`: hints of each series' first sample too.
    """
    assert found.labels.rows == wanted.labels.rows
    left, right = found.columns(), wanted.columns()
    assert left.offsets.tolist() == right.offsets.tolist()
    assert left.timestamps.tolist() == right.timestamps.tolist()
    assert left.values.view(np.int64).tolist() == right.values.view(np.int64).tolist()
    assert _known(left.created) == (_known(right.created) if started else [])
    ours, theirs = left.histograms, right.histograms
    if ours is None or theirs is None:
        assert ours is theirs
    else:
        _assert_same_histograms(ours, theirs, started, first_hints)


def _assert_same_histograms(
    ours: HistogramColumns, theirs: HistogramColumns, started: bool, first_hints: bool
) -> None:
    assert ours.offsets.tolist() == theirs.offsets.tolist()
    assert ours.timestamps.tolist() == theirs.timestamps.tolist()
    assert _known(ours.created) == (_known(theirs.created) if started else [])
    assert ours.table.stale.tolist() == theirs.table.stale.tolist()
    for row in np.flatnonzero(~ours.table.stale).tolist():
        one, other = ours.table.literal(row), theirs.table.literal(row)
        unsure = not first_hints and row in ours.offsets and one.hint is Hint.UNKNOWN
        assert one == (replace(other, hint=one.hint) if unsure else other)


def _known(created: Int64s) -> list[int]:
    return created.tolist() if created.any() else []
