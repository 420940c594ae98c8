"""What a store does wrong is one sentence: store, status, time range; never half an answer."""

import asyncio

import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.errors import StoreError, StoreLimit, StoreTimeout
from bridge.model.secret import Secret
from bridge.remote.faults import moment, shown
from bridge.remote.proto.types_pb2 import Chunk
from bridge.remote.settings import Authorization, BasicAuth, HttpSettings
from bridge.storage.interface import Select
from tests.remote.stores import (
    OPTIONS,
    RANGE_TEXT,
    START,
    UP,
    Reply,
    chunked_reply,
    equals,
    read,
    remote,
    reply,
    store,
    streamed_reply,
)
from tests.remote.test_client import WIRE_A, WIRE_B
from tests.remote.wires import Wire, frame, frame_of, length, sampled_body, streamed_body

STREAM = streamed_body([WIRE_A, WIRE_B])
SAMPLES = sampled_body([WIRE_A, WIRE_B])
HTML = "text/html; charset=utf-8"
BOMB = length(2**32 - 1) + b"\x00" * 20


def spoilt_checksum() -> bytes:
    """A stream whose second frame has another payload than its checksum says."""
    return STREAM[:-1] + bytes([STREAM[-1] ^ 1])


def short_chunk() -> bytes:
    """A frame whose chunk promises 65,535 samples in a few bytes."""
    return frame_of(WIRE_A, [Chunk(type=Chunk.XOR, max_time_ms=START, data=b"\xff\xff\x02")])


# Whatever was asked.
FAULTS = {
    "401": (reply(b"no\n", "text/plain", "401 Unauthorized"), "HTTP 401 Unauthorized: no "),
    "404 without a text": (reply(b"", "text/plain", "404 Not Found"), "HTTP 404 Not Found: "),
    "HTML": (
        reply(b"<html>Sign in</html>", HTML),
        "not a remote read endpoint: HTTP 200 OK text/html; charset=utf-8: <html>Sign in</html> ",
    ),
    "JSON": (
        reply(b'{"status":"success"}', "application/json"),
        'not a remote read endpoint: HTTP 200 OK application/json: {"status":"success"} ',
    ),
    "nothing at all": (b"", "no answer from http://127.0.0.1:"),
    "empty body": (reply(b""), "HTTP 200 OK, but the body is empty "),
    "cut off at a frame's edge": (
        chunked_reply(STREAM, end=b""),
        "HTTP 200 OK, but the answer ends early: ",
    ),
    "cut off inside a frame": (
        streamed_reply(STREAM[:-1]),
        "HTTP 200 OK, but the last frame is cut off ",
    ),
    "shorter than its length": (
        reply(SAMPLES)[:-1],
        "HTTP 200 OK, but the answer ends early: ",
    ),
    "wrong checksum": (
        streamed_reply(spoilt_checksum()),
        "HTTP 200 OK, but a frame's checksum does not match ",
    ),
    "an error behind good frames": (
        streamed_reply(STREAM + b"expanding series: disk is gone\n"),
        "HTTP 200 OK, but the stream ends with an error: expanding series: disk is gone ",
    ),
    "a long error behind good frames": (
        streamed_reply(STREAM + b"expanding series: " + b"x" * 500),
        "HTTP 200 OK, but the stream ends with an error: expanding series: xxx",
    ),
    "frame over the limit": (
        streamed_reply(length(50_000_001) + bytes(100)),
        "HTTP 200 OK, but a frame is longer than chunked_read_limit (50000000 bytes) ",
    ),
    "endless length": (streamed_reply(b"\xff" * 50), "HTTP 200 OK, but a frame is longer"),
    "a frame of garbage": (
        streamed_reply(frame(b"\x0a\xff\xff")),
        "HTTP 200 OK, but a frame is no ChunkedReadResponse ",
    ),
    "a label twice": (
        streamed_reply(streamed_body([Wire((("x", "1"), ("x", "2")), [(START, 1.0)])])),
        "HTTP 200 OK, but a series has two labels 'x' ",
    ),
    "snappy of 4 GiB": (
        reply(BOMB),
        f"HTTP 200 OK, but the snappy body declares 4294967295 bytes, but has {len(BOMB)} ",
    ),
    "garbage": (reply(b"\xfe\xdc\xba" * 9), "HTTP 200 OK, but the "),
    "snappy of garbage": (
        reply(bytes(snappy.compress(b"\x0a\xff\xff\xff\x01"))),
        "HTTP 200 OK, but the body is no ReadResponse, snappy or not ",
    ),
    "a redirect elsewhere": (
        reply(b"", status="307 Elsewhere", headers="Location: http://other.invalid/\r\n"),
        "it redirects to another origin (other.invalid) ",
    ),
}


# Only where it was asked for: series that do not match and chunks outside the range are left out.
ASKED_FOR = {
    "a chunk too short": (
        streamed_reply(short_chunk()),
        "HTTP 200 OK, but a chunk is too short for its samples ",
    ),
}


@pytest.mark.parametrize(
    ("answer", "text"), [*FAULTS.values(), *ASKED_FOR.values()], ids=[*FAULTS, *ASKED_FOR]
)
async def test_a_fault_is_one_sentence(answer: Reply, text: str) -> None:
    with pytest.raises(StoreError) as caught:
        await read(answer)
    said = str(caught.value)
    assert said.startswith('store "a": ' + text)
    assert said.endswith(RANGE_TEXT)
    assert "\n" not in said
    assert len(said) < 500
    assert caught.value.fault.store == "a"


@pytest.mark.parametrize("answer", [one for one, _ in FAULTS.values()], ids=FAULTS)
@pytest.mark.parametrize("length", [60_000, 6 * 3_600_000], ids=["short", "long"])
async def test_a_fault_is_one_whenever_and_whatever_was_asked(answer: Reply, length: int) -> None:
    later = START + 10**10
    with pytest.raises(StoreError):
        await read(answer, Select((equals("__name__", "other"),), later, later + length))


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"exceeded sample limit (5000)\n", "text/plain", "400 Bad Request"),
        reply(b"the query time range exceeds the limit", "text/plain", "422 No"),
        reply(b"too big", "text/plain", "413 Request Entity Too Large"),
        streamed_reply(STREAM + b"exceeded sample limit (5000)"),
    ],
    ids=["samples", "range", "size", "in a stream"],
)
async def test_a_limit_of_the_store_is_told_apart(answer: Reply) -> None:
    with pytest.raises(StoreLimit) as caught:
        await read(answer)
    assert str(caught.value).startswith('store "a": HTTP ')
    assert str(caught.value).endswith(RANGE_TEXT)


async def test_an_answer_over_our_limit_names_the_setting() -> None:
    text = r"an answer of \d+ bytes exceeds max_response_bytes \(30\)"
    for answer in (reply(SAMPLES), streamed_reply(STREAM)):
        async with store(answer) as made:
            client = remote(made.url, max_response_bytes=30)
            with pytest.raises(StoreLimit, match=text):
                await client.select(UP, OPTIONS)
            await client.aclose()


async def test_nobody_listening_is_one_sentence() -> None:
    async with store(b"") as made:
        url = made.url
    client = remote(url, retries=0)
    text = r'store "a": no answer from http://127\.0\.0\.1:\d+\S*: Connection refused \('
    with pytest.raises(StoreError, match=text):
        await client.select(UP, OPTIONS)
    await client.aclose()


async def test_a_silent_store_is_a_timeout() -> None:
    async def silence(writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    async with store(silence) as made:
        client = remote(made.url, remote_timeout_ms=500)
        with pytest.raises(StoreTimeout) as caught:
            await client.select(UP, OPTIONS)
        await client.aclose()
    text = 'store "a": no complete answer within remote_timeout (500ms) '
    assert str(caught.value) == text + RANGE_TEXT


@pytest.mark.parametrize("size", range(len(STREAM)))
async def test_a_stream_cut_at_any_byte_is_never_a_partial_answer(size: int) -> None:
    with pytest.raises(StoreError, match="HTTP 200 OK, but"):
        await read(chunked_reply(STREAM[:size], end=b"") if size else chunked_reply(end=b""))


async def test_a_stream_cut_inside_a_frame_is_an_error_though_http_ends_well() -> None:
    edges = {0, len(frame_edge())}
    for size in range(len(STREAM)):
        if size not in edges:
            with pytest.raises(StoreError, match="HTTP 200 OK, but"):
                await read(streamed_reply(STREAM[:size]))


def frame_edge() -> bytes:
    """The first frame."""
    return streamed_body([WIRE_A])


@given(at=st.integers(0, len(STREAM) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_of_a_stream_goes_unnoticed(at: int, bit: int) -> None:
    spoilt = STREAM[:at] + bytes([STREAM[at] ^ 1 << bit]) + STREAM[at + 1 :]
    with pytest.raises(StoreError):
        asyncio.run(read(streamed_reply(spoilt)))


async def test_secrets_are_in_no_error() -> None:
    secret = Secret("hunter2")
    for http in (
        HttpSettings(basic_auth=BasicAuth("user", password=secret)),
        HttpSettings(authorization=Authorization(credentials=secret)),
        HttpSettings(basic_auth=BasicAuth("user", password_file="/nowhere/password")),
    ):
        async with store(b"") as made:
            url = made.url.replace("://", "://who:hunter2@") + "?p=hunter2"
            client = remote(url, http=http, retries=0)
            with pytest.raises(StoreError) as caught:
                await client.select(UP, OPTIONS)
            await client.aclose()
        assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(client)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (START, "2023-11-14T22:13:20Z"),
        (START + 5, "2023-11-14T22:13:20.005Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (2**62, f"{2**62}ms"),
    ],
)
def test_moments_are_rfc3339(time: int, text: str) -> None:
    assert moment(time) == text


@given(st.binary(max_size=600))
def test_foreign_texts_are_short_and_on_one_line(body: bytes) -> None:
    text = shown(body)
    assert len(text) <= 256
    assert text.isprintable()
