"""XOR chunks: what goes in comes out, bit for bit, and hostile bytes are errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.chunkenc import xor
from bridge.chunkenc.bits import PADDING

Int64s = npt.NDArray[np.int64]

EVER = (-(2**63), 2**63 - 1)
STALE = 0x7FF0000000000002
SPECIAL = (
    0,
    -(2**63),  # -0.0
    STALE,
    0x7FF8000000000001,  # the NaN of a query
    0x7FF0000000000000,  # +Inf
    1,  # the smallest denormal
)

bits = st.one_of(
    st.sampled_from(SPECIAL),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 1000).map(lambda number: int(np.float64(number).view(np.int64))),
)
steps = st.one_of(
    st.just(15_000), st.integers(1, 20_000), st.integers(1, 2**21), st.integers(1, 2**50)
)


@dataclass(frozen=True, slots=True)
class Row:
    """The samples of one chunk."""

    times: Sequence[int]
    bits: Sequence[int]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A chunk of up to 130 samples with rising times."""
    gaps = draw(st.lists(steps, min_size=1, max_size=130))
    start = draw(st.integers(-(2**40), 2**42))
    times = start + np.cumsum(np.array(gaps, np.int64))
    return Row(times.tolist(), draw(st.lists(bits, min_size=len(gaps), max_size=len(gaps))))


def encoded(chunks: Sequence[Row], plain: bool = False) -> list[bytes]:
    """The chunks' bytes."""
    times = np.array([time for one in chunks for time in one.times], np.int64)
    values = np.array([value for one in chunks for value in one.bits], np.int64)
    bounds = np.cumsum([0, *(len(one.times) for one in chunks)]).astype(np.int64)
    out = np.zeros(xor.encoded_room(len(times), len(chunks)), np.uint8)
    ends = np.zeros(len(chunks), np.int64)
    (xor.encode.py_func if plain else xor.encode)(times, values, bounds, out, ends)
    starts = [0, *ends.tolist()[:-1]]
    return [out[low:high].tobytes() for low, high in zip(starts, ends.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What decoding gave."""

    bad: int
    disorder: int
    offsets: Int64s
    times: Int64s
    bits: Int64s


def decoded(
    chunks: Sequence[bytes],
    numbers: Sequence[int] | None = None,
    span: tuple[int, int] = EVER,
    plain: bool = False,
) -> Decoded:
    """The samples of chunks; each is its own row unless `numbers` says otherwise."""
    data = np.frombuffer(b"".join(chunks) + bytes(PADDING), np.uint8)
    sizes = np.array([len(one) for one in chunks], np.int64)
    starts = np.cumsum(sizes) - sizes
    rows_ = np.array(range(len(chunks)) if numbers is None else numbers, np.int64)
    counts, firsts = np.zeros_like(sizes), np.zeros_like(sizes)
    bad = (xor.inspect.py_func if plain else xor.inspect)(data, starts, sizes, counts, firsts)
    offsets = np.zeros(int(rows_.max(initial=-1)) + 2, np.int64)
    room = int(counts.sum()) + 1
    times, values = np.zeros(room, np.int64), np.zeros(room, np.int64)
    if bad >= 0:
        return Decoded(bad, 0, offsets, times, values)
    decode = xor.decode.py_func if plain else xor.decode
    bad, disorder = decode(data, starts, sizes, rows_, *span, offsets, times, values)
    used = int(offsets[-1]) if bad < 0 else 0
    return Decoded(bad, disorder, offsets, times[:used], values[:used])


@given(st.lists(rows(), min_size=1, max_size=4))
def test_samples_survive_encoding_bit_for_bit(chunks: list[Row]) -> None:
    found = decoded(encoded(chunks))
    assert found.bad == -1
    assert found.times.tolist() == [time for one in chunks for time in one.times]
    assert found.bits.tolist() == [value for one in chunks for value in one.bits]
    assert np.diff(found.offsets).tolist() == [len(one.times) for one in chunks]


@given(rows())
def test_plain_and_compiled_agree(chunk: Row) -> None:
    with np.errstate(over="ignore"):
        (written,) = encoded([chunk], plain=True)
        found = decoded([written], plain=True)
    assert [written] == encoded([chunk])
    assert found.times.tolist() == list(chunk.times)
    assert found.bits.tolist() == list(chunk.bits)


def test_a_known_chunk_has_the_bytes_of_the_format() -> None:
    # 3 samples from 1000 ms on, 1000 ms apart, value 1.0: count 0003; zigzag 1000 = d0 0f; 1.0 in
    # 64 bits; difference e8 07; then the bits 0 (value), 0 (difference of differences), 0 (value).
    one = int(np.float64(1).view(np.int64))
    (written,) = encoded([Row([1000, 2000, 3000], [one] * 3)])
    assert written.hex() == "0003" + "d00f" + "3ff0000000000000" + "e807" + "00"


@pytest.mark.parametrize(
    "change", [0, 8192, 8193, -8191, -8192, 65536, 65537, -65535, -65536, 524288, 524289, -(2**31)]
)
def test_difference_of_differences_at_the_width_borders(change: int) -> None:
    times = [0, 2**32, 2**33 + change]
    found = decoded(encoded([Row(times, [7, 7, 7])]))
    assert found.times.tolist() == times


@given(rows(), st.data())
def test_only_samples_in_the_range_are_kept(chunk: Row, data: st.DataObject) -> None:
    some = st.one_of(st.sampled_from(list(chunk.times)), st.integers(-(2**40), 2**60))
    start, end = sorted((data.draw(some), data.draw(some)))
    found = decoded(encoded([chunk]), span=(start, end))
    assert found.times.tolist() == [time for time in chunk.times if start <= time <= end]


def test_chunks_of_one_row_join_and_empty_rows_stay() -> None:
    chunks = encoded([Row([1, 2], [5, 6]), Row([3], [7]), Row([1], [8])])
    found = decoded(chunks, numbers=[1, 1, 3])
    assert found.offsets.tolist() == [0, 0, 3, 3, 4]
    assert found.times.tolist() == [1, 2, 3, 1]
    assert found.disorder == 0


@pytest.mark.parametrize(
    "times", [([1, 2], [2, 3]), ([5], [4]), ([1, 3, 2], [9])], ids=["equal", "older", "inside"]
)
def test_times_that_do_not_rise_are_told(times: tuple[list[int], list[int]]) -> None:
    chunks = encoded([Row(one, [0] * len(one)) for one in times])
    assert decoded(chunks, numbers=[0, 0]).disorder == 1


@given(rows())
def test_a_chunk_cut_anywhere_is_an_error_or_whole(chunk: Row) -> None:
    (whole,) = encoded([chunk])
    for size in range(len(whole)):
        found = decoded([whole[:size]])
        assert found.bad == 0


@given(st.binary(max_size=60), st.integers(0, 65535))
def test_hostile_bytes_are_an_error_or_few_samples(content: bytes, count: int) -> None:
    chunk = count.to_bytes(2, "big") + content
    found = decoded([chunk])
    with np.errstate(over="ignore"):
        assert decoded([chunk], plain=True).bad == found.bad
    assert found.bad in (-1, 0)
    assert len(found.times) <= max(len(content) * 4, 1)


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        b"\x00",
        b"\xff\xff\x00\x00",
        b"\x00\x01" + b"\xff" * 18,
        b"\x00\x02\x02" + bytes(8) + b"\x02" + b"\xff\xff" + bytes(8),
    ],
    ids=["empty", "half a count", "count belies size", "endless varint", "window over 64 bits"],
)
def test_malformed_chunks_are_errors(chunk: bytes) -> None:
    assert decoded([chunk]).bad == 0


def test_a_chunk_without_samples_is_no_error() -> None:
    found = decoded([b"\x00\x00"])
    assert (found.bad, found.times.tolist()) == (-1, [])
