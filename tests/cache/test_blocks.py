"""Blocks hold what was put in, to the bit, and own what they say."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cache.blocks import Block, encoded, sliced
from bridge.cache.chunks import Chunks
from bridge.cache.decodes import Decodes
from bridge.cache.joining import joined
from bridge.cache.names import Names, Renamed
from bridge.cache.plain import Plain, as_chunks
from bridge.cache.policy import Moment
from bridge.cache.segments import Decoded, Read, Remembered, recalled
from bridge.model.labels import Labels
from bridge.model.samples import Columns
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


def remembered(
    samples: Samples, windows: list[Window], names: Names, young: int = 2**63 - 1
) -> list[Block]:
    parts = [(names.add(labels), part.columns()) for labels, part in block(samples).row_ranges()]
    made = zip(windows, encoded(parts, windows, young), strict=True)
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
    st.integers(0, 2001),
)
def test_cut_encoded_and_joined_again_it_is_the_same(
    samples: Samples, edges: list[int], start: int, room: int, kept: bool, young: int
) -> None:
    bounds = [0, *sorted(edges), 2001]
    windows = [Window(a, b - 1) for a, b in pairwise(bounds)]
    names = Names()
    # Numbers are not in label order.
    names.add(reversed(SERIES))
    asked = Window(start, start + 700)
    blocks, decodes = remembered(samples, windows, names, young), Decodes(1 << 20, lambda: 0)
    if kept:
        keep(blocks, decodes)
    segments = [
        recalled(
            one,
            Window(max(start, one.window.start), min(asked.end, one.window.end)),
            Renamed.not_at_all(one.names),
            room,
            decodes,
        )
        for one in blocks
    ]
    assert contents(joined(segments, names)[1]) == within(samples, asked)


@given(
    samples,
    st.integers(0, 2000),
    st.sets(st.sampled_from(SERIES)),
    st.booleans(),
    st.sampled_from([0, 2001]),
)
def test_rows_to_leave_out_are_left_out(
    samples: Samples, start: int, wanted: set[Labels], kept: bool, young: int
) -> None:
    (held,) = remembered(samples, [Window(0, 2000)], names := Names(), young)
    listed = zip(held.names.tolist(), names.labels(held.names), strict=True)
    numbers = np.array([number if labels in wanted else -1 for number, labels in listed], np.int64)
    rows = np.flatnonzero(numbers >= 0)
    asked = Window(start, start + 700)
    decodes = Decodes(1 << 20, lambda: 0)
    if kept:
        keep([held], decodes)
    found = recalled(held, asked, Renamed(numbers, rows, numbers[rows]), 10_000, decodes)
    assert isinstance(found, Decoded)
    expected = within(samples, asked)
    expected = {key: value for key, value in expected.items() if key[0] in wanted}
    assert contents(joined([found], names)[1]) == expected


@given(samples, st.sets(st.sampled_from(SERIES)), st.integers(0, 2000))
def test_of_what_was_just_read_rows_to_leave_out_are_left_out(
    samples: Samples, wanted: set[Labels], start: int
) -> None:
    whole, names, asked = block(samples), Names(), Window(start, start + 700)
    segments = []
    for labels, part in whole.row_ranges():
        numbers = np.where([one in wanted for one in labels], names.add(labels), -1)
        segments.append(Read.of(part, asked, numbers))
    expected = within(samples, asked)
    expected = {key: value for key, value in expected.items() if key[0] in wanted}
    assert contents(joined(segments, names)[1]) == expected


@given(samples)
def test_what_stayed_plain_is_encoded_as_if_it_had_been_at_once(samples: Samples) -> None:
    window, names = Window(300, 1500), Names()
    (plain,) = remembered(samples, [window], names, young=0)
    (made,) = remembered(samples, [window], names)
    inside = within(samples, window)
    rows = len({labels for labels, _ in inside})
    assert (plain.plain is not None) == (len(inside) <= 119 * rows)
    assert plain.samples == made.samples == len(inside)
    assert plain.empty == made.empty
    after = plain.encoded()
    assert after.plain is None
    chunks, others = as_chunks(after.floats), as_chunks(made.floats)
    for one in fields(Chunks):
        assert np.array_equal(getattr(chunks, one.name), getattr(others, one.name))


def test_what_is_plain_counts_all_that_it_takes() -> None:
    points = {(labels, time): time for labels in SERIES for time in range(100)}
    (made,) = remembered(points, [Window(0, 99)], Names(), young=0)
    assert made.plain is not None
    assert made.data_bytes == 16 * made.samples
    assert made.nbytes >= made.data_bytes + made.plain.offsets.nbytes + made.names.nbytes
    for array in (made.plain.timestamps, made.plain.values, made.plain.offsets):
        assert array.base is None or array.base.nbytes == array.nbytes


@pytest.mark.parametrize(("series", "plain"), [(655, True), (656, False)])
def test_what_a_large_selector_has_newest_is_encoded_at_once(series: int, plain: bool) -> None:
    names, window = Names(), Window(0, 99)
    numbers = names.add(Labels.of({"pod": f"{pod:04}"}) for pod in range(series))
    times = np.tile(np.arange(100), series)
    columns = Columns.frozen(np.arange(series + 1) * 100, times, np.ones(len(times)))
    (made,) = encoded([(numbers, columns)], [window], young=0)
    assert isinstance(made.floats, Plain) == plain


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
    chunks = as_chunks(made.floats)
    for array in (chunks.data, chunks.ends, chunks.oldest, chunks.newest, chunks.counts):
        assert array.base is None
        assert not array.flags.writeable
    assert made.nbytes >= chunks.data.nbytes + 5 * 8 * len(chunks.ends)


def test_counters_take_few_bytes_a_sample() -> None:
    random = np.random.default_rng(1)
    values = np.cumsum(random.poisson(10, 480)).astype(np.float64).view(np.int64).tolist()
    points = {(labels, 15_000 * at): value for labels in SERIES for at, value in enumerate(values)}
    (made,) = remembered(points, [Window(0, 7_200_000)], Names())
    assert made.floats.nbytes / made.samples < 4


@pytest.mark.parametrize("count", [1, 119, 120, 121, 240])
def test_chunks_are_as_long_as_prometheus_makes_them(count: int) -> None:
    columns = block({(SERIES[0], time): time for time in range(count)}).columns()
    assert Chunks.of(columns).counts.tolist() == [120] * (count // 120) + [count % 120] * (
        count % 120 > 0
    )
