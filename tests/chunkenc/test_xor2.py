"""XOR2 chunks: what goes in comes out, bit for bit, and hostile bytes are errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from bridge.chunkenc import xor, xor2
from bridge.chunkenc.bits import PADDING
from tests.chunkenc.test_xor import EVER, STALE, bits, steps

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """The samples of one chunk, with their start timestamps."""

    times: Sequence[int]
    bits: Sequence[int]
    created: Sequence[int]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A chunk of up to 40 samples; values and start timestamps often stay as they were."""
    gaps = draw(st.lists(steps, min_size=1, max_size=40))
    size = len(gaps)
    times = draw(st.integers(-(2**40), 2**42)) + np.cumsum(np.array(gaps, np.int64))
    values = draw(st.lists(bits | st.just(STALE), min_size=size, max_size=size))
    changes = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    held = [values[0]]
    for value, changed in zip(values[1:], changes[1:], strict=True):
        held.append(value if changed else held[-1])
    starts = st.just(0) | st.integers(0, 3).map(lambda back: int(times[0]) - 1000 * back)
    created = draw(st.just([0] * size) | st.lists(starts, min_size=size, max_size=size))
    return Row(times.tolist(), held, created)


def encoded(chunks: Sequence[Row]) -> list[bytes]:
    """The chunks' bytes."""
    times = np.array([time for one in chunks for time in one.times], np.int64)
    created = np.array([start for one in chunks for start in one.created], np.int64)
    values = np.array([value for one in chunks for value in one.bits], np.int64)
    bounds = np.cumsum([0, *(len(one.times) for one in chunks)]).astype(np.int64)
    out = np.zeros(xor2.encoded_room(len(times), len(chunks)), np.uint8)
    ends = np.zeros(len(chunks), np.int64)
    xor2.encode(times, created, values, bounds, out, ends)
    starts = [0, *ends.tolist()[:-1]]
    return [out[low:high].tobytes() for low, high in zip(starts, ends.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What decoding gave."""

    bad: int
    disorder: int
    offsets: Int64s
    times: Int64s
    created: Int64s
    bits: Int64s


def decoded(chunks: Sequence[bytes], span: tuple[int, int] = EVER) -> Decoded:
    """The samples of chunks, each of which is its own row."""
    data = np.frombuffer(b"".join(chunks) + bytes(PADDING), np.uint8)
    sizes = np.array([len(one) for one in chunks], np.int64)
    starts, numbers = np.cumsum(sizes) - sizes, np.arange(len(chunks))
    counts, firsts = np.zeros_like(sizes), np.zeros_like(sizes)
    bad, offsets = (
        xor.inspect(data, starts, sizes, counts, firsts),
        np.zeros(len(chunks) + 1, np.int64),
    )
    times, created, values = (np.zeros(int(counts.sum()) + 1, np.int64) for _ in range(3))
    if bad >= 0:
        return Decoded(bad, 0, offsets, times, created, values)
    bad, disorder = xor2.decode(
        data, starts, sizes, numbers, *span, offsets, times, created, values
    )
    used = int(offsets[-1]) if bad < 0 else 0
    return Decoded(bad, disorder, offsets, times[:used], created[:used], values[:used])


@given(st.lists(rows(), min_size=1, max_size=4))
def test_samples_and_start_timestamps_survive_encoding_bit_for_bit(chunks: list[Row]) -> None:
    found = decoded(encoded(chunks))
    assert (found.bad, found.disorder) == (-1, 0)
    assert found.times.tolist() == [time for one in chunks for time in one.times]
    assert found.bits.tolist() == [value for one in chunks for value in one.bits]
    assert found.created.tolist() == [start for one in chunks for start in one.created]
    assert np.diff(found.offsets).tolist() == [len(one.times) for one in chunks]


@given(rows(), st.data())
def test_only_samples_within_the_span_are_kept(chunk: Row, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(*2 * [st.sampled_from(chunk.times)])))
    found = decoded(encoded([chunk]), (low, high))
    kept = [at for at, time in enumerate(chunk.times) if low <= time <= high]
    assert found.times.tolist() == [chunk.times[at] for at in kept]
    assert found.bits.tolist() == [chunk.bits[at] for at in kept]


@given(rows(), st.data())
def test_a_chunk_that_lacks_its_last_bytes_is_an_error(chunk: Row, data: st.DataObject) -> None:
    (whole,) = encoded([chunk])
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert decoded([whole[:cut]]).bad == 0


@given(rows(), st.data())
def test_changed_bytes_give_an_error_or_as_many_samples(chunk: Row, data: st.DataObject) -> None:
    spoilt = bytearray(encoded([chunk])[0])
    at = data.draw(st.integers(2, len(spoilt) - 1))
    spoilt[at] ^= data.draw(st.integers(1, 255))
    found = decoded([bytes(spoilt)])
    assert found.bad == 0 or len(found.times) == len(chunk.times)


def test_a_sample_that_changes_nothing_takes_one_bit() -> None:
    flat = Row([15_000 * at for at in range(82)], [0] * 82, [0] * 82)
    short = Row(flat.times[:2], flat.bits[:2], flat.created[:2])
    assert len(encoded([flat])[0]) - len(encoded([short])[0]) == 10


def test_times_that_fall_within_a_chunk_are_told_of() -> None:
    found = decoded(encoded([Row([1000, 2000, 1500], [0, 1, 2], [0, 0, 0])]))
    assert (found.bad, found.disorder) == (-1, 1)
