"""Chunks of histograms and XOR2 chunks: as Prometheus wrote them, and hostile ones."""

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.chunkenc import histogram, histogram_cuts, histogram_encode, xor2
from bridge.chunkenc.bits import PADDING
from bridge.model.histogram import Hint, Histogram, Histograms
from bridge.model.samples import STALE_NAN_BITS
from tests.model.histogram_vectors import Json, cases, identity
from tests.model.histogram_vectors import histogram as literal

EVER = (-(2**63), 2**63 - 1)
STALE = float(np.int64(STALE_NAN_BITS).view(np.float64))
CASES = cases(Path(__file__).with_name("histogram_vectors.json"))
XOR2_CASES = [case for case in CASES if case["encoding"] == 4]
HISTOGRAM_CASES = [case for case in CASES if case["encoding"] != 4]


def payloads(case: Json) -> list[bytes]:
    return [b64decode(chunk["bytes"]) for chunk in case["chunks"]]


def samples(case: Json) -> list[Json]:
    return [sample for chunk in case["chunks"] for sample in chunk["samples"]]


def laid_out(chunks: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Padded data, and where each chunk starts and how long it is."""
    data = np.frombuffer(b"".join(chunks) + bytes(PADDING), np.uint8)
    sizes = np.array([len(chunk) for chunk in chunks], np.int64)
    return data, np.cumsum(sizes) - sizes, sizes


def decoded(chunks: list[bytes], encoding: int, between: tuple[int, int] = EVER):  # type: ignore[no-untyped-def]
    data, starts, sizes = laid_out(chunks)
    kinds, rows = np.full(len(chunks), encoding), np.zeros(len(chunks), np.int64)
    return histogram.decode(data, starts, sizes, kinds, rows, *between, np.zeros(2, np.int64))


@pytest.mark.parametrize("case", HISTOGRAM_CASES)
def test_histograms_are_read_as_prometheus_reads_them(case: Json) -> None:
    found, wanted = decoded(payloads(case), case["encoding"]), samples(case)
    assert (found.bad, found.disorder) == (-1, 0)
    assert found.timestamps.tolist() == [time for time, _, _ in wanted]
    assert found.created.tolist() == [created for _, created, _ in wanted]
    table = Histograms.frozen(found.table)
    for row, (_, _, value) in enumerate(wanted):
        one = Histogram(sum=STALE) if value == "stale" else literal(value)
        assert table.stale[row] == (value == "stale")
        assert value == "stale" or identity(table.literal(row)) == identity(one)


@pytest.mark.parametrize("case", HISTOGRAM_CASES)
def test_histograms_are_written_as_prometheus_writes_them(case: Json) -> None:
    chunks, encoding = payloads(case), case["encoding"]
    found = decoded(chunks, encoding)
    bounds = np.cumsum([0, *(len(chunk["samples"]) for chunk in case["chunks"])])
    flags = np.array([chunk[0 if encoding > 4 else 2] >> 6 for chunk in chunks])
    table = Histograms.frozen(found.table)
    assert chunks == histogram_encode.encoded(
        table, found.timestamps, found.created, bounds, encoding, flags
    )


@pytest.mark.parametrize("case", HISTOGRAM_CASES)
def test_samples_outside_the_range_are_left_out(case: Json) -> None:
    times = [time for time, _, _ in samples(case)]
    found = decoded(payloads(case), case["encoding"], (times[0] + 1, times[-1]))
    assert found.timestamps.tolist() == times[1:]


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(HISTOGRAM_CASES), st.data())
def test_hostile_histogram_chunks_are_errors_or_samples(case: Json, data: st.DataObject) -> None:
    chunk = bytearray(payloads(case)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        chunk[data.draw(st.integers(0, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(chunk[: data.draw(st.integers(0, len(chunk)))])
    found = decoded([cut], case["encoding"])
    assert found.bad in (-1, 0)
    assert len(found.timestamps) == len(found.table.rows)


@pytest.mark.parametrize("encoding", [histogram.HISTOGRAM, histogram.FLOAT_HISTOGRAM_ST])
def test_samples_share_the_layout_of_their_chunk_but_for_a_stale_one(encoding: int) -> None:
    made = [Histogram(sum=STALE) if row == 39 else broad(range(row, row + 60)) for row in range(40)]
    made += [broad(range(row, row + 30)) for row in range(5)]
    rows, bounds = Histograms.of(made), np.array([0, 40, 45])
    nothing, times = np.zeros(len(made), np.int64), np.arange(len(made))
    flags = np.zeros(2, np.int64)
    chunks = histogram_encode.encoded(rows, times, nothing, bounds, encoding, flags)
    found = decoded(chunks, encoding)
    table = Histograms.frozen(found.table)
    assert found.timestamps.tolist() == times.tolist()
    assert np.flatnonzero(table.stale).tolist() == [39]
    assert table.equal(rows)[~table.stale].all()
    assert len(table.arrays.places) == 60 + 30
    assert np.flatnonzero(table.hint == Hint.UNKNOWN).tolist() == [0, 39, 40]


def broad(counts: range) -> Histogram:
    """One with so many positive buckets and a few negative ones, whole numbers all."""
    negative = tuple(map(float, counts[:6]))
    positive = tuple(map(float, counts[6:]))
    return Histogram(
        count=sum(counts) + 2.0,
        sum=1.5,
        zero_count=2.0,
        zero_threshold=0.25,
        positive_spans=((-3, 10), (2, len(positive) - 10)),
        positive=positive,
        negative_spans=((1, 6),),
        negative=negative,
    )


def test_an_unknown_schema_is_named() -> None:
    # Header of one sample, zero threshold 0, schema 60 in twelve bits after `11110`.
    bits = "0" * 15 + "1" + "0" * 8 + "0" * 8 + "11110" + f"{60:012b}" + "0" * 200
    chunk = int(bits.ljust(248, "0")[:248], 2).to_bytes(31, "big")
    found = decoded([chunk], histogram.HISTOGRAM)
    assert (found.bad, found.schema) == (0, 60)


@pytest.mark.parametrize("case", XOR2_CASES)
def test_xor2_is_read_and_written_as_prometheus_does(case: Json) -> None:
    chunks, wanted = payloads(case), samples(case)
    data, starts, sizes = laid_out(chunks)
    size, rows = len(wanted) + 1, np.zeros(len(chunks), np.int64)
    times, created, values = (np.zeros(size, np.int64) for _ in range(3))
    offsets = np.zeros(2, np.int64)
    assert xor2.decode(data, starts, sizes, rows, *EVER, offsets, times, created, values) == (-1, 0)
    times, created, values = times[:-1].copy(), created[:-1].copy(), values[:-1].copy()
    expected = [STALE if value == "stale" else float(value) for _, _, value in wanted]
    assert times.tolist() == [time for time, _, _ in wanted]
    assert created.tolist() == [start for _, start, _ in wanted]
    np.testing.assert_array_equal(values.view(np.float64), expected)
    bounds = np.cumsum([0, *(len(chunk["samples"]) for chunk in case["chunks"])])
    out = np.zeros(xor2.encoded_room(len(wanted), len(chunks)), np.uint8)
    ends = np.zeros(len(chunks), np.int64)
    xor2.encode(times, created, values, bounds, out, ends)
    assert out[: ends[-1]].tobytes() == b"".join(chunks)


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(XOR2_CASES), st.data())
def test_hostile_xor2_chunks_are_errors_or_samples(case: Json, data: st.DataObject) -> None:
    chunk = bytearray(payloads(case)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        chunk[data.draw(st.integers(2, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(chunk[: data.draw(st.integers(0, len(chunk)))])
    padded, starts, sizes = laid_out([cut])
    room = len(samples(case)) + 1
    columns = [np.zeros(room, np.int64) for _ in range(3)]
    offsets = np.zeros(2, np.int64)
    bad, _ = xor2.decode(padded, starts, sizes, np.zeros(1, np.int64), *EVER, offsets, *columns)
    assert bad in (-1, 0)


def test_a_chunk_is_cut_at_resets_stale_samples_and_other_layouts() -> None:
    one = Histogram(count=3.0, positive_spans=((0, 2),), positive=(1.0, 2.0))
    wider = Histogram(count=4.0, positive_spans=((0, 3),), positive=(1.0, 2.0, 1.0))
    fewer = Histogram(count=3.0, positive_spans=((0, 2),), positive=(1.0, 2.0))
    finer = Histogram(schema=1, count=4.0)
    rows = Histograms.of([one, wider, fewer, finer, Histogram(sum=STALE), finer])
    found = histogram_cuts.cut(rows.arrays, 100)
    assert found.bounds.tolist() == [0, 2, 3, 5, 6]
    assert found.flags.tolist() == [0, 2, 0, 0]
    assert Histograms.frozen(found.table).literal(0).positive == (1.0, 2.0, 0.0)
