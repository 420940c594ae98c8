"""Remote read: a store's answer as rows, a client's request as an answer, or a known error."""

import asyncio
from collections.abc import Iterator
from functools import cache

import google_crc32c
import snappy

from bridge.model.errors import BridgeError
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.remote import frames
from bridge.remote.answer import (
    Answer,
    BadAnswer,
    Keep,
    NotSampleable,
    NotStreamable,
    OverBudget,
    TooLarge,
)
from bridge.remote.buffer import Buffer
from bridge.remote.sampled import SampledAnswer
from bridge.remote.server import ReadEndpoint, Serving
from bridge.remote.settings import ResponseType
from bridge.remote.streamed import StreamedAnswer
from bridge.remote.wire import read_request
from bridge.storage.interface import Purpose, ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.fuzz.harness import Harness, Reader
from tests.remote.wires import Wire, length, sampled_body, streamed_body

_PACKAGES = ("bridge.remote", "bridge.chunkenc")
_LIMIT = 1 << 20
_EVER = (-(2**63), 2**63 - 1)
_KNOWN = (BadAnswer, NotSampleable, NotStreamable, OverBudget, TooLarge, BridgeError)
_SERIES = [
    Wire((("__name__", "up"), ("job", name)), [(1000 * at, at / 3) for at in range(size)])
    for name, size in (("a", 7), ("b", 1), ("c", 3))
]


def _read(answer: Answer, pieces: list[bytes]) -> None:
    try:
        for piece in pieces:
            answer.feed([piece])
        found = answer.finish()
    except _KNOWN:
        return
    for rows in found:
        assert len(rows.labels) == len(rows.columns.offsets) - 1
        assert len(rows.columns.timestamps) == rows.columns.offsets[-1]


def _keep() -> Keep:
    return Keep(Select((), *_EVER), ReadOptions(max_samples=1 << 20))


def _frames(data: bytes) -> None:
    """Frames as they come, in two pieces."""
    _read(StreamedAnswer(_keep(), _LIMIT), [data[: len(data) // 2], data[len(data) // 2 :]])


def _frame(data: bytes) -> None:
    """The payload of one frame, whose checksum is right."""
    checksum = google_crc32c.value(data).to_bytes(4, "big")
    _read(StreamedAnswer(_keep(), _LIMIT), [length(len(data)) + checksum + data])


def _samples(data: bytes) -> None:
    """A body as a store sends it, compressed or not."""
    _read(SampledAnswer(_keep(), _LIMIT), [data])


@cache
def _endpoint() -> tuple[ReadEndpoint, asyncio.Runner]:
    store = MemoryStore([(Labels.of({"__name__": "up"}), [1000, 2000], [1.0, 2.0])])
    return ReadEndpoint(store, Serving(), Serving().gate()), asyncio.Runner()


def _request(data: bytes) -> None:
    """What a client asks for, before it is compressed."""
    endpoint, runner = _endpoint()
    response = runner.run(endpoint.answer(snappy.compress(data)))
    assert response.status_code in {200, 400}


def _requests() -> Iterator[bytes]:
    matchers = [Matcher("__name__", kind, "u.*") for kind in MatchType]
    for purpose in Purpose:
        select = Select(tuple(matchers), 0, 3000, purpose)
        yield snappy.decompress(read_request(select, list(ResponseType)))
    yield snappy.decompress(read_request(Select((), *_EVER), [ResponseType.SAMPLES]))


def _bodies() -> Iterator[bytes]:
    for per_chunk in (2, 120):
        yield streamed_body(_SERIES, per_chunk=per_chunk, per_frame=2)


def _payloads() -> Iterator[bytes]:
    for body in _bodies():
        buffer = Buffer.of([body])
        for start, stop, _ in frames.scan(buffer, _LIMIT).spans.T.tolist():
            yield buffer.piece(start, stop)


def _sampled() -> Iterator[bytes]:
    yield sampled_body(_SERIES, compressed=False)
    yield sampled_body(_SERIES)


_MESSAGES = (
    Reader(_frame, _payloads),
    Reader(_samples, _sampled),
    Reader(_request, _requests),
)
HARNESSES = (
    Harness("frames", (Reader(_frames, _bodies),), _PACKAGES, kernels=True),
    Harness("protobuf", _MESSAGES, _PACKAGES, kernels=True),
)
