"""Blocks hold what was put in, to the bit, and own what they say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cache.blocks import Block, encoded, sliced
from bridge.cache.chunks import Chunks
from bridge.cache.decodes import Decodes
from bridge.cache.joining import joined
from bridge.cache.names import Names
from bridge.cache.policy import Moment
from bridge.cache.segments import Decoded, Remembered, recalled
from bridge.model.labels import Labels
from bridge.model.time import Window
from tests.cache.world import Samples, block, contents

SERIES = [Labels.of({"__name__": "x", "pod": str(pod)}) for pod in range(5)]
BITS = st.one_of(
    st.sampled_from([0x7FF0000000000002, 0x7FF8000000000001, -(1 << 63), 0]),
    st.integers(-(1 << 63), (1 << 63) - 1),
)
samples = st.dictionaries(
    st.tuples(st.sampled_from(SERIES), st.integers(0, 2000)), BITS, max_size=400
)
READ = Moment(0, 0)


def within(samples: Samples, window: Window) -> Samples:
    return {
        (labels, time): value
        for (labels, time), value in samples.items()
        if window.start <= time <= window.end
    }


def remembered(samples: Samples, windows: list[Window], names: Names) -> list[Block]:
    parts = [(names.add(labels), part.columns()) for labels, part in block(samples).row_ranges()]
    made = zip(windows, encoded(parts, windows), strict=True)
    return [Block(window, READ, 0, 0, *rows) for window, rows in made]


def keep(blocks: list[Block], decodes: Decodes) -> None:
    """Has blocks held decoded."""
    for one in [*blocks, *blocks]:
        decodes.find(one, one.window, len(one.names))


@given(
    samples,
    st.lists(st.integers(1, 2000), max_size=4, unique=True),
    st.integers(0, 2000),
    st.sampled_from([0, 20, 10_000]),
    st.booleans(),
)
def test_cut_encoded_and_joined_again_it_is_the_same(
    samples: Samples, edges: list[int], start: int, room: int, kept: bool
) -> None:
    bounds = [0, *sorted(edges), 2001]
    windows = [Window(a, b - 1) for a, b in pairwise(bounds)]
    names = Names()
    # Numbers are not in label order.
    names.add(reversed(SERIES))
    asked = Window(start, start + 700)
    blocks, decodes = remembered(samples, windows, names), Decodes(1 << 20, lambda: 0)
    if kept:
        keep(blocks, decodes)
    segments = [
        recalled(
            one,
            Window(max(start, one.window.start), min(asked.end, one.window.end)),
            one.names,
            room,
            decodes,
        )
        for one in blocks
    ]
    assert contents(joined(segments, names)[1]) == within(samples, asked)


@given(samples, st.integers(0, 2000), st.sets(st.sampled_from(SERIES)), st.booleans())
def test_rows_to_leave_out_are_left_out(
    samples: Samples, start: int, wanted: set[Labels], kept: bool
) -> None:
    (held,) = remembered(samples, [Window(0, 2000)], names := Names())
    numbers = [
        number if labels in wanted else -1
        for number, labels in zip(held.names.tolist(), names.labels(held.names), strict=True)
    ]
    asked = Window(start, start + 700)
    decodes = Decodes(1 << 20, lambda: 0)
    if kept:
        keep([held], decodes)
    found = recalled(held, asked, np.array(numbers, np.int64), 10_000, decodes)
    assert isinstance(found, Decoded)
    expected = within(samples, asked)
    expected = {key: value for key, value in expected.items() if key[0] in wanted}
    assert contents(joined([found], names)[1]) == expected


@given(samples)
def test_a_slice_holds_the_rows_that_have_samples(samples: Samples) -> None:
    whole = block(samples)
    kept, inside = sliced(whole.columns(), Window(500, 900))
    expected = within(samples, Window(500, 900))
    assert len(inside.timestamps) == len(expected)
    assert [whole.labels[row] for row in kept.tolist()] == sorted(
        {labels for labels, _ in expected}, key=lambda labels: labels.pairs
    )


def test_an_empty_answer_is_a_block_too() -> None:
    (made,) = remembered({}, [Window(0, 10)], Names())
    assert made.empty
    assert made.samples == 0
    assert len(joined([Remembered.of(made, made.window, made.names)], Names())[1]) == 0


def test_no_array_is_a_view_of_a_larger_one() -> None:
    values = {(SERIES[0], time): time for time in range(1000)}
    (_, made) = remembered(values, [Window(0, 499), Window(500, 999)], Names())
    chunks = made.chunks
    for array in (chunks.data, chunks.ends, chunks.oldest, chunks.newest, chunks.counts):
        assert array.base is None
        assert not array.flags.writeable
    assert made.nbytes >= chunks.data.nbytes + 5 * 8 * len(chunks.ends)


def test_counters_take_few_bytes_a_sample() -> None:
    random = np.random.default_rng(1)
    values = np.cumsum(random.poisson(10, 480)).astype(np.float64).view(np.int64).tolist()
    points = {(labels, 15_000 * at): value for labels in SERIES for at, value in enumerate(values)}
    (made,) = remembered(points, [Window(0, 7_200_000)], Names())
    assert made.chunks.nbytes / made.samples < 4


@pytest.mark.parametrize("count", [1, 119, 120, 121, 240])
def test_chunks_are_as_long_as_prometheus_makes_them(count: int) -> None:
    columns = block({(SERIES[0], time): time for time in range(count)}).columns()
    assert Chunks.of(columns).counts.tolist() == [120] * (count // 120) + [count % 120] * (
        count % 120 > 0
    )
