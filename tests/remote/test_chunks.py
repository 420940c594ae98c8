"""Streamed chunks of every encoding, as Prometheus wrote them, cut off and spoilt."""

from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.chunkenc
from bridge.chunkenc.encodings import XOR2
from bridge.chunkenc.histogram import FLOAT_HISTOGRAM, HISTOGRAM
from bridge.model.errors import LimitExceeded, StoreError
from bridge.model.histogram import Hint, Histogram
from bridge.model.samples import STALE_NAN_BITS, Columns
from bridge.remote.answer import BadAnswer, Keep
from bridge.remote.proto.types_pb2 import Chunk
from bridge.remote.streamed import StreamedAnswer
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.merge import merge
from tests.model.histogram_vectors import Json, cases, identity
from tests.model.histogram_vectors import histogram as literal
from tests.remote.stores import OPTIONS, read, streamed_reply
from tests.remote.wires import Wire, chunk_of, frame_of

CASES = cases(Path(tests.chunkenc.__file__).with_name("histogram_vectors.json"))
BY_ENCODING = {case["encoding"]: case for case in CASES if len(case["chunks"]) > 1}
NATIVE = [case for case in CASES if case["encoding"] != XOR2]
EVER = Select((), -(2**63), 2**63 - 1)
A = Wire((("__name__", "up"),), ())
B = Wire((("__name__", "up"), ("x", "b")), ())


def chunks_of(case: Json) -> list[Chunk]:
    """Chunks with the headers that a store gives them."""
    return [chunk(one, case["encoding"]) for one in case["chunks"]]


def chunk(one: Json, encoding: int, data: bytes | None = None) -> Chunk:
    """A chunk of a case, or of other data under its header."""
    times = [time for time, _, _ in one["samples"]]
    held = b64decode(one["bytes"]) if data is None else data
    return Chunk(
        min_time_ms=times[0],
        max_time_ms=times[-1],
        type=encoding,  # type: ignore[arg-type]
        data=held,
    )


def decoded(*frames: bytes, select: Select = EVER, options: ReadOptions = OPTIONS) -> Columns:
    """What a streamed answer of these frames holds."""
    answer = StreamedAnswer(Keep(select, options), 50_000_000)
    answer.feed(list(frames))
    return merge(answer.finish(), first_wins=False).columns()


def samples(case: Json) -> list[Json]:
    return [sample for one in case["chunks"] for sample in one["samples"]]


@pytest.mark.parametrize("case", NATIVE)
def test_histograms_are_what_prometheus_wrote(case: Json) -> None:
    native = decoded(frame_of(A, chunks_of(case))).histograms
    assert native is not None
    wanted = samples(case)
    assert native.timestamps.tolist() == [time for time, _, _ in wanted]
    created = [start for _, start, _ in wanted]
    assert native.created.tolist() == (created if any(created) else [])
    for row, (_, _, value) in enumerate(wanted):
        if value == "stale":
            assert native.table.stale[row]
        else:
            assert identity(native.table.literal(row)) == identity(literal(value))


@pytest.mark.parametrize("case", [case for case in CASES if case["encoding"] == XOR2])
def test_floats_of_xor2_are_what_prometheus_wrote(case: Json) -> None:
    columns, wanted = decoded(frame_of(A, chunks_of(case))), samples(case)
    assert columns.timestamps.tolist() == [time for time, _, _ in wanted]
    values = [np.nan if value == "stale" else float(value) for _, _, value in wanted]
    np.testing.assert_array_equal(columns.values, values)
    created = [start for _, start, _ in wanted]
    assert columns.created.tolist() == (created if any(created) else [])


def test_a_series_may_change_its_encoding() -> None:
    case = next(case for case in CASES if case["encoding"] == XOR2)
    later = samples(case)[-1][0] + 1000
    plain = chunk_of([(later, 1.0), (later + 1, 2.0)])
    columns = decoded(frame_of(A, [*chunks_of(case), plain]), frame_of(B, [plain]))
    times = [time for time, _, _ in samples(case)]
    assert columns.timestamps.tolist() == [*times, later, later + 1, later, later + 1]
    assert columns.values[-2:].tolist() == [1.0, 2.0]


def test_a_series_may_hold_floats_and_histograms() -> None:
    case = BY_ENCODING[HISTOGRAM]
    times = [time for time, _, _ in samples(case)]
    later = times[-1] + 1000
    floats = [chunk_of([(times[0] - 1, 1.0), (times[0], 2.0)]), chunk_of([(later, 3.0)])]
    columns = decoded(frame_of(A, [floats[0], *chunks_of(case), floats[1]]))
    assert columns.timestamps.tolist() == [times[0] - 1, times[0], later]
    native = columns.histograms
    assert native is not None
    # Of the samples at one time the float stays.
    assert native.timestamps.tolist() == times[1:]


def test_only_what_was_asked_for_is_kept() -> None:
    case = BY_ENCODING[FLOAT_HISTOGRAM]
    times = [time for time, _, _ in samples(case)]
    select = Select((), times[1], times[-2])
    native = decoded(frame_of(A, chunks_of(case)), select=select).histograms
    assert native is not None
    assert native.timestamps.tolist() == times[1:-1]


def test_series_go_on_in_later_frames() -> None:
    case = BY_ENCODING[HISTOGRAM]
    first, *others = chunks_of(case)
    answer = StreamedAnswer(Keep(EVER, ReadOptions()), 50_000_000)
    for piece in (frame_of(A, [first]), frame_of(A, others), frame_of(B, [first])):
        answer.feed([piece])
    block = merge(answer.finish(), first_wins=False)
    native = block.columns().histograms
    assert native is not None
    assert len(block) == 2
    assert native.offsets.tolist() == [
        0,
        len(samples(case)),
        len(samples(case)) + len(case["chunks"][0]["samples"]),
    ]
    assert Hint(int(native.table.hint[0])) in (Hint.UNKNOWN, Hint.GAUGE)


@pytest.mark.parametrize("encoding", sorted(BY_ENCODING))
def test_a_chunk_cut_at_any_byte_is_an_error_or_its_samples(encoding: int) -> None:
    _cut(BY_ENCODING[encoding]["chunks"][1], encoding)


def test_an_xor2_chunk_cut_at_any_byte_is_an_error_or_its_samples() -> None:
    case = max(CASES, key=lambda one: (one["encoding"] == XOR2, len(samples(one))))
    _cut(case["chunks"][0], XOR2)


def _cut(one: Json, encoding: int) -> None:
    data = b64decode(one["bytes"])
    for size in range(len(data)):
        with pytest.raises(BadAnswer, match=r"^a chunk is |^histogram has an unknown schema"):
            decoded(frame_of(A, [chunk(one, encoding, data[:size])]))


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(CASES), st.data())
def test_spoilt_chunks_are_errors_or_samples(case: Json, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(case["chunks"]))
    held = bytearray(b64decode(one["bytes"]))
    for _ in range(data.draw(st.integers(1, 4))):
        held[data.draw(st.integers(0, len(held) - 1))] = data.draw(st.integers(0, 255))
    encoding = data.draw(st.sampled_from([case["encoding"], 2, 3, 4, 5, 6]))
    try:
        columns = decoded(frame_of(A, [chunk(one, encoding, bytes(held))]))
    except BadAnswer:
        return
    native = columns.histograms
    found = len(columns.timestamps) + (0 if native is None else len(native.timestamps))
    assert found <= 65_535


@pytest.mark.parametrize("encoding", [2, 3, 4, 5, 6])
async def test_a_chunk_that_promises_too_much_is_one_sentence(encoding: int) -> None:
    one = Chunk(type=encoding, data=b"\x3f\xff\x3f\x02")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="HTTP 200 OK, but a chunk is too short for its samples"):
        await read(streamed_reply(frame_of(A, [one])))


def test_an_unknown_schema_is_named() -> None:
    bits = "0" * 15 + "1" + "0" * 8 + "0" * 8 + "11110" + f"{60:012b}" + "0" * 200
    data = int(bits.ljust(248, "0")[:248], 2).to_bytes(31, "big")
    one = Chunk(type=Chunk.HISTOGRAM, data=data)
    with pytest.raises(BadAnswer, match=r"^histogram has an unknown schema.*, got schema 60$"):
        decoded(frame_of(A, [one]))


def test_histograms_count_for_what_they_hold() -> None:
    case = BY_ENCODING[HISTOGRAM]
    body = frame_of(A, chunks_of(case))
    native = decoded(body).histograms
    assert native is not None
    size = 16 * int(native.table.size.sum())
    decoded(body, options=ReadOptions(max_bytes=size))
    with pytest.raises(LimitExceeded, match=r"query\.max_bytes"):
        decoded(body, options=ReadOptions(max_bytes=size - 16))


def test_a_huge_chunk_is_refused_before_it_is_decoded() -> None:
    # One sample with 1,000,000 empty buckets, of a bit each.
    one = Chunk(type=Chunk.HISTOGRAM, data=_one_sample_of(1_000_000))
    decoded(frame_of(A, [one]))
    with pytest.raises(LimitExceeded):
        decoded(frame_of(A, [one]), options=ReadOptions(max_bytes=6_000_000))


def _one_sample_of(buckets: int) -> bytes:
    head = ["0" * 15 + "1", "0" * 8, "0" * 8, "0"]
    spans = ["10" + "001", "1111110" + f"{buckets:025b}", "0", "0"]
    numbers = ["0", "0", "0", "0" * 64, "0" * buckets]
    bits = "".join(head + spans + numbers)
    size = -(-len(bits) // 8)
    return int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def test_a_stale_marker_stays_one() -> None:
    case = next(one for one in NATIVE if any(value == "stale" for _, _, value in samples(one)))
    native = decoded(frame_of(A, chunks_of(case))).histograms
    assert native is not None
    bits = np.ascontiguousarray(native.table.sum).view(np.int64)
    stale = [value == "stale" for _, _, value in samples(case)]
    assert (bits == STALE_NAN_BITS).tolist() == stale
    empty = [row for row, one in enumerate(stale) if one]
    literals: Sequence[Histogram] = [native.table.literal(row) for row in empty]
    assert all(one.positive == one.negative == () for one in literals)
