"""Answers of stores, orderly and disorderly, come out as one sorted block."""

from email.utils import formatdate

import numpy as np
import pytest
import snappy

from bridge.model.errors import LimitExceeded, StoreError, TooManySamples
from bridge.model.histogram import Hint
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.samples import STALE_NAN_BITS
from bridge.remote.proto.remote_pb2 import QueryResult, ReadRequest, ReadResponse
from bridge.remote.proto.types_pb2 import BucketSpan, Histogram, Label, Sample, TimeSeries
from bridge.remote.settings import (
    ResponseType,
)
from bridge.storage.interface import ReadOptions, Select
from tests.remote.stores import (
    COMPILING,
    END,
    OPTIONS,
    START,
    UP,
    UP_SERIES,
    Reply,
    chunked_reply,
    equals,
    found,
    read,
    remote,
    reply,
    store,
    streamed_reply,
)
from tests.remote.wires import (
    Wire,
    bits_of,
    chunk_of,
    float_of,
    frame,
    frame_of,
    sampled_body,
    streamed_body,
    wire,
)

T = START
NOON = 1_767_614_400  # 2026-01-05T12:00:00Z, seconds
A = Labels.of({"__name__": "up", "job": "a"})
B = Labels.of({"__name__": "up", "job": "b"})
WIRE_A = wire({"__name__": "up", "job": "a"}, (T, 1.0), (T + 15_000, 2.0), (T + 30_000, 3.0))
WIRE_B = wire({"__name__": "up", "job": "b"}, (T + 1, 5.0))
BOTH = {A: [(T, 1.0), (T + 15_000, 2.0), (T + 30_000, 3.0)], B: [(T + 1, 5.0)]}


def split_frames() -> bytes:
    """Series A in three frames, one chunk in each."""
    return streamed_body([WIRE_A, WIRE_B], per_chunk=1, per_frame=1)


def overlapping() -> bytes:
    """Series A twice, with a sample in common whose later value counts; then B, then A again."""
    again = Wire(WIRE_A.labels, [(T + 15_000, 2.0)])
    first = Wire(WIRE_A.labels, [(T, 1.0), (T + 15_000, -1.0), (T + 30_000, 3.0)])
    return streamed_body([first, WIRE_B, again])


SHUFFLED = Wire(
    (("job", "a"), ("empty", ""), ("__name__", "up")),
    [(T + 30_000, 3.0), (T + 15_000, -1.0), (T, 1.0), (T + 15_000, 2.0)],
)
OUTSIDE = wire({"__name__": "up", "job": "a"}, (START - 1, 9.0), *WIRE_A.points, (END + 1, 9.0))
FAR = Wire(WIRE_A.labels, [(START - 10, 9.0), (START - 5, 9.0)])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(streamed_reply(streamed_body([WIRE_A, WIRE_B])), id="streamed"),
        pytest.param(streamed_reply(split_frames()), id="series split over frames"),
        pytest.param(streamed_reply(overlapping()), id="series doubled and overlapping"),
        pytest.param(streamed_reply(streamed_body([WIRE_B, WIRE_A])), id="streamed unsorted"),
        pytest.param(streamed_reply(streamed_body([OUTSIDE, WIRE_B])), id="streamed outside"),
        pytest.param(streamed_reply(streamed_body([FAR, WIRE_A, WIRE_B])), id="chunk outside"),
        pytest.param(chunked_reply(*map(bytes, zip(split_frames()))), id="byte by byte"),
        pytest.param(reply(sampled_body([WIRE_A, WIRE_B])), id="sampled"),
        pytest.param(reply(sampled_body([WIRE_A, WIRE_B], False)), id="not compressed"),
        pytest.param(reply(sampled_body([WIRE_B, SHUFFLED])), id="sampled unsorted and doubled"),
        pytest.param(reply(sampled_body([OUTSIDE, WIRE_B])), id="sampled outside"),
        pytest.param(
            reply(sampled_body([WIRE_A, WIRE_B]), status="202 Accepted"), id="202 instead of 200"
        ),
        pytest.param(
            reply(sampled_body([WIRE_A, WIRE_B, wire({"__name__": "down"}, (T, 1.0))])),
            id="more than asked",
        ),
        pytest.param(
            reply(sampled_body([WIRE_A, WIRE_B, wire({"__name__": "up", "job": "c"})])),
            id="a series without samples",
        ),
    ],
)
async def test_every_orderly_or_disorderly_answer_is_one_block(answer: Reply) -> None:
    selection = await read(answer)
    assert found(selection) == BOTH
    assert list(found(selection)) == [A, B]
    assert selection.stores == ("a",)


@pytest.mark.parametrize(
    "answer",
    [
        streamed_reply(b""),
        reply(bytes(snappy.compress(b""))),
        reply(sampled_body([])),
        reply(sampled_body([wire({"__name__": "up"})])),
    ],
    ids=["no frames", "no result", "no series", "no samples"],
)
async def test_an_empty_answer_is_an_empty_block(answer: Reply) -> None:
    assert found(await read(answer)) == {}


@pytest.mark.parametrize("kind", ["streamed", "sampled"])
async def test_bits_of_every_value_survive(kind: str) -> None:
    bits = [STALE_NAN_BITS, 0x7FF8000000000001, -(2**63), 0, bits_of(float("inf")), 1]
    series = wire({"__name__": "up"}, *((T + at, float_of(one)) for at, one in enumerate(bits)))
    body = streamed_body([series]) if kind == "streamed" else sampled_body([series])
    media = streamed_reply(body) if kind == "streamed" else reply(body)
    columns = (await read(media)).block.columns()
    assert columns.values.view(np.int64).tolist() == bits


async def test_labels_that_are_not_utf8_are_kept() -> None:
    body = streamed_body([wire({"__name__": "up", "x": "ab"}, (T, 1.0))])
    # The runtime refuses to write such a label.
    payload = body[body.index(b"\n") :].replace(b"ab", b"\xffb")
    selection = await read(streamed_reply(frame(payload)))
    assert [labels.get("x") for labels in selection.block.labels] == ["\udcffb"]


async def test_a_header_that_belies_its_chunk_is_not_believed() -> None:
    chunk = chunk_of(WIRE_A.points)
    chunk.min_time_ms = chunk.max_time_ms = 0
    selection = await read(streamed_reply(frame_of(WIRE_A, [chunk])))
    assert found(selection) == {A: list(WIRE_A.points)}


async def test_series_purpose_asks_with_the_hint_and_keeps_bare_series() -> None:
    async with store(reply(sampled_body([wire({"__name__": "up", "job": "b"}), WIRE_A]))) as made:
        client = remote(made.url)
        selection = await client.select(UP_SERIES, OPTIONS)
        await client.aclose()
    assert list(selection.block.labels) == [A, B]
    asked = ReadRequest.FromString(snappy.uncompress(made.asked[0].body))
    hints = asked.queries[0].hints
    assert (hints.func, hints.start_ms, hints.end_ms) == ("series", START, END)
    assert list(asked.accepted_response_types) == [ReadRequest.SAMPLES]


async def test_the_request_is_as_the_protocol_says() -> None:
    select = Select(
        (
            equals("__name__", "up"),
            Matcher("job", MatchType.REGEXP, "a|b"),
            Matcher("x", MatchType.NOT_EQUAL, "1"),
            Matcher("y", MatchType.NOT_REGEXP, "2"),
        ),
        START,
        END,
    )
    async with store(reply(sampled_body([]))) as made:
        client = remote(made.url)
        await client.select(select, OPTIONS)
        await client.aclose()
    asked = made.asked[0]
    wanted = {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "accept-encoding": "snappy",
        "x-prometheus-remote-read-version": "0.1.0",
    }
    assert wanted.items() <= asked.headers.items()
    assert asked.headers["user-agent"].startswith("prombridge/")
    request = ReadRequest.FromString(snappy.uncompress(asked.body))
    (query,) = request.queries
    assert (query.start_timestamp_ms, query.end_timestamp_ms) == (START, END)
    assert not query.HasField("hints")
    assert [(one.type, one.name, one.value) for one in query.matchers] == [
        (0, "__name__", "up"),
        (2, "job", "a|b"),
        (1, "x", "1"),
        (3, "y", "2"),
    ]
    assert list(request.accepted_response_types) == [
        ReadRequest.STREAMED_XOR_CHUNKS,
        ReadRequest.SAMPLES,
    ]


async def test_influxdb_is_asked_for_samples_and_one_millisecond_more() -> None:
    late = wire({"__name__": "up"}, (END, 1.0), (END + 1, 2.0))
    async with store(reply(sampled_body([late]))) as made:
        client = remote(made.url.replace("/api/v1/read", "/api/v1/prom/read?db=metrics"))
        selection = await client.select(UP, OPTIONS)
        await client.aclose()
    request = ReadRequest.FromString(snappy.uncompress(made.asked[0].body))
    assert request.queries[0].end_timestamp_ms == END + 1
    assert list(request.accepted_response_types) == [ReadRequest.SAMPLES]
    assert list(found(selection).values()) == [[(END, 1.0)]]


async def test_an_unknown_encoding_is_asked_again_as_samples_and_remembered() -> None:
    chunk = chunk_of(WIRE_A.points, 9)  # type: ignore[arg-type]
    streamed, sampled = streamed_reply(frame_of(WIRE_A, [chunk])), reply(sampled_body([WIRE_A]))
    async with store(streamed, sampled) as made:
        client = remote(made.url)
        first = await client.select(UP, OPTIONS)
        second = await client.select(UP, OPTIONS)
        await client.aclose()
    assert found(first) == found(second) == {A: list(WIRE_A.points)}
    requests = [ReadRequest.FromString(snappy.uncompress(one.body)) for one in made.asked]
    kinds = [list(one.accepted_response_types) for one in requests]
    assert kinds == [[1, 0], [0], [0]]


async def test_native_histograms_of_samples_are_read() -> None:
    native = [
        Histogram(
            timestamp=T + at,
            sum=3.0,
            count_float=1.0 + at,
            positive_spans=[BucketSpan(offset=2, length=1)],
            positive_counts=[1.0 + at],
            reset_hint=Histogram.NO,
        )
        for at in range(2)
    ]
    sample = Sample(timestamp=T + 9, value=5.0)
    label = Label(name="__name__", value="up")
    series = TimeSeries(labels=[label], histograms=native, samples=[sample])
    body = ReadResponse(results=[QueryResult(timeseries=[series])]).SerializeToString()
    columns = (await read(reply(snappy.compress(body)))).block.columns()
    assert (columns.timestamps.tolist(), columns.values.tolist()) == ([T + 9], [5.0])
    assert columns.histograms is not None
    assert columns.histograms.timestamps.tolist() == [T, T + 1]
    table = columns.histograms.table
    assert table.count.tolist() == [1.0, 2.0]
    assert table.literal(1).positive_spans == ((2, 1),)
    assert table.hint.tolist() == [Hint.NOT_RESET, Hint.NOT_RESET]


async def test_a_bad_histogram_of_samples_is_one_sentence() -> None:
    native = Histogram(timestamp=T, count_int=1, positive_deltas=[1])
    series = TimeSeries(labels=[Label(name="__name__", value="up")], histograms=[native])
    body = ReadResponse(results=[QueryResult(timeseries=[series])]).SerializeToString()
    text = "HTTP 200 OK, but histogram spans specify different number of buckets than provided"
    with pytest.raises(StoreError, match=text):
        await read(reply(snappy.compress(body)))


def _without_bounds() -> bytes:
    """A sampled answer as Prometheus 3.5 writes it: custom buckets that lack their bounds."""
    native = Histogram(
        timestamp=T,
        schema=-53,
        count_int=2,
        positive_spans=[BucketSpan(offset=0, length=2)],
        positive_deltas=[1, 0],
    )
    series = TimeSeries(labels=[Label(name="__name__", value="up")], histograms=[native])
    body = ReadResponse(results=[QueryResult(timeseries=[series])]).SerializeToString()
    return bytes(snappy.compress(body))


async def test_bounds_that_a_sampled_answer_lacks_are_read_from_chunks() -> None:
    types = (ResponseType.SAMPLES, ResponseType.STREAMED)
    async with store(reply(_without_bounds()), streamed_reply(streamed_body([WIRE_A]))) as made:
        client = remote(made.url, response_types=types)
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    requests = [ReadRequest.FromString(snappy.uncompress(one.body)) for one in made.asked]
    assert [list(one.accepted_response_types) for one in requests] == [[0, 1], [1]]


@pytest.mark.parametrize(
    ("types", "text"),
    [
        ((ResponseType.SAMPLES,), "let it stream: response_types"),
        ((ResponseType.SAMPLES, ResponseType.STREAMED), "and it does not stream"),
    ],
)
async def test_bounds_that_no_answer_has_are_one_sentence(
    types: tuple[ResponseType, ...], text: str
) -> None:
    async with store(reply(_without_bounds())) as made:
        client = remote(made.url, response_types=types)
        with pytest.raises(StoreError, match=f"bounds are too few in its sampled answer.*{text}"):
            await client.select(UP, OPTIONS)
        await client.aclose()


async def test_a_stream_whose_end_proves_nothing_is_not_trusted() -> None:
    head = "HTTP/1.0 200 OK\r\nContent-Type: application/x-streamed-protobuf\r\n\r\n"
    cut = head.encode() + streamed_body([WIRE_A])
    async with store(cut, reply(sampled_body([WIRE_A, WIRE_B]))) as made:
        client = remote(made.url)
        assert found(await client.select(UP, OPTIONS)) == BOTH
        await client.aclose()
    assert len(made.asked) == 2


@pytest.mark.parametrize(
    "body",
    [streamed_reply(streamed_body([WIRE_A, WIRE_B])), reply(sampled_body([WIRE_A, WIRE_B]))],
    ids=["streamed", "sampled"],
)
async def test_limits_on_what_is_held(body: Reply) -> None:
    assert (await read(body, options=ReadOptions(max_samples=4, max_bytes=64))).block.samples == 4
    with pytest.raises(TooManySamples, match="into memory in query execution"):
        await read(body, options=ReadOptions(max_samples=3))
    with pytest.raises(LimitExceeded, match=r"take 64 bytes, more than query.max_bytes \(63\)"):
        await read(body, options=ReadOptions(max_bytes=63))


async def test_a_long_read_is_split_where_the_store_wants_it() -> None:
    async with store(reply(sampled_body([WIRE_A]))) as made:
        client = remote(made.url, max_query_range_ms=400_000)
        selection = await client.select(UP, OPTIONS)
        await client.aclose()
    assert found(selection) == {A: list(WIRE_A.points)}
    queries = [ReadRequest.FromString(snappy.uncompress(one.body)).queries[0] for one in made.asked]
    ranges = [(one.start_timestamp_ms, one.end_timestamp_ms) for one in queries]
    assert ranges == [(START, START + 399_999), (START + 400_000, END)]


@pytest.mark.parametrize("seconds", [0, 3600])
async def test_the_clock_of_a_store_is_told_as_of_when_it_was_asked(seconds: int) -> None:
    moment = NOON - seconds
    date = formatdate(moment, usegmt=True)
    selection = await read(reply(sampled_body([WIRE_A]), headers=f"Date: {date}\r\n"))
    assert selection.clock is not None
    assert moment * 1000 - COMPILING <= selection.clock <= moment * 1000


@pytest.mark.parametrize("header", ["", "Date: soon\r\n", "Date: Mon, 05 Jan 99999 1:1:1 GMT\r\n"])
async def test_a_store_that_does_not_say_the_time_has_no_clock(header: str) -> None:
    assert (await read(reply(sampled_body([WIRE_A]), headers=header))).clock is None


async def test_of_the_pieces_of_a_read_the_earliest_clock_counts() -> None:
    dates = [formatdate(moment, usegmt=True) for moment in (NOON + 9000, NOON)]
    replies = [reply(sampled_body([WIRE_A]), headers=f"Date: {date}\r\n") for date in dates]
    async with store(*replies) as made:
        client = remote(made.url, max_query_range_ms=400_000, remote_timeout_ms=COMPILING)
        selection = await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 2
    assert selection.clock is not None
    assert selection.clock <= NOON * 1000


async def test_a_read_that_ends_before_it_starts_asks_nothing() -> None:
    async with store(reply(b"")) as made:
        client = remote(made.url)
        selection = await client.select(Select(UP.matchers, END, START), OPTIONS)
        await client.aclose()
    assert (found(selection), made.asked) == ({}, [])
