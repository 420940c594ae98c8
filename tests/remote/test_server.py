"""What we serve is what a client reads, and bad requests get Prometheus' texts."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import snappy
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model.errors import BadData, StoreError, StoreFault
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.remote.buffer import Buffer
from bridge.remote.client import RemoteStore
from bridge.remote.encode_chunks import Encodings
from bridge.remote.frames import scan
from bridge.remote.proto.remote_pb2 import Query, ReadRequest, ReadResponse
from bridge.remote.proto.types_pb2 import LabelMatcher, ReadHints
from bridge.remote.server import Serving, read_app
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.remote.stores import COMPILING
from tests.storage.blocks import labels, literal, plain
from tests.storage.mixed import assert_same, mixed_stores

OPTIONS = ReadOptions()
PLAIN = Encodings()
kinds = st.sampled_from([(ResponseType.STREAMED,), (ResponseType.SAMPLES,)])
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
floats = st.one_of(
    st.floats(), st.integers(-(2**63), 2**63 - 1).map(lambda bits: float(np.int64(bits).view("f8")))
)
times = st.lists(st.integers(-1000, 2**42), max_size=300, unique=True).map(sorted)


@st.composite
def stores(draw: st.DrawFn) -> list[tuple[Labels, list[int], list[float]]]:
    """Up to four series."""
    sets = draw(st.lists(st.dictionaries(names, names, max_size=3), max_size=4))
    series = []
    for one in dict.fromkeys(map(Labels.of, sets)):
        at = draw(times)
        seed = draw(st.lists(floats, min_size=1, max_size=5))
        series.append((one, at, (seed * len(at))[: len(at)]))
    return series


def client(
    querier: Querier, types: tuple[ResponseType, ...], encodings: Encodings = PLAIN
) -> RemoteStore:
    """A client of what serves this Querier."""
    settings = StoreSettings(
        "a", "http://store/api/v1/read", response_types=types, remote_timeout_ms=COMPILING
    )
    app = read_app(querier, Serving(frame_bytes=200, encodings=encodings))
    return RemoteStore(settings, httpx.ASGITransport(app))


@given(stores(), kinds, st.integers(-1000, 2**42), st.integers(-1000, 2**42))
async def test_what_is_served_is_what_is_read(
    series: list[tuple[Labels, list[int], list[float]]],
    types: tuple[ResponseType, ...],
    start: int,
    end: int,
) -> None:
    memory = MemoryStore(series)
    select = Select((), min(start, end), max(start, end))
    served = (await client(memory, types).select(select, OPTIONS)).block
    held = (await memory.select(select, OPTIONS)).block
    assert served.labels.rows == held.labels.rows
    left, right = served.columns(), held.columns()
    assert left.offsets.tolist() == right.offsets.tolist()
    assert left.timestamps.tolist() == right.timestamps.tolist()
    assert left.values.view(np.int64).tolist() == right.values.view(np.int64).tolist()


ENCODINGS = (
    Encodings(),
    Encodings(integers=False),
    Encodings(start_timestamps=True),
    Encodings(start_timestamps=True, integers=False),
)


@settings(deadline=None)
@given(mixed_stores(st.integers(-1000, 2**42)), kinds, st.sampled_from(ENCODINGS), st.data())
async def test_histograms_and_start_timestamps_are_served_as_they_are(
    memory: MemoryStore,
    types: tuple[ResponseType, ...],
    encodings: Encodings,
    data: st.DataObject,
) -> None:
    bounds = sorted(data.draw(st.tuples(*[st.integers(-1000, 2**42 + 10**6)] * 2)))
    select = Select((), *data.draw(st.sampled_from([(-(2**60), 2**60), tuple(bounds)])))
    served = (await client(memory, types, encodings).select(select, OPTIONS)).block
    held = (await memory.select(select, OPTIONS)).block
    # A chunk may have begun before what was asked for; its hints begin with what is sent.
    started = types == (ResponseType.STREAMED,)
    assert_same(served, held, started=started, first_hints=False)


A, B = labels(__name__="m", job="a"), labels(__name__="m", job="b")
STORE = MemoryStore(literal({A: [(at, float(at)) for at in range(1000)], B: [(5, 5.0)]}))


async def answered(
    request: ReadRequest | bytes, querier: Querier = STORE, serving: Serving | None = None
) -> httpx.Response:
    """The response to a request, or to these bytes."""
    plain_ = request if isinstance(request, bytes) else request.SerializeToString()
    body = plain_ if isinstance(request, bytes) else bytes(snappy.compress(plain_))
    app = read_app(querier, serving or Serving())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        return await http.post("http://store/api/v1/read", content=body)


def query(start: int = 0, end: int = 2000, **fields: object) -> Query:
    """A query of everything."""
    return Query(start_timestamp_ms=start, end_timestamp_ms=end, **fields)  # type: ignore[arg-type]


async def test_frames_stay_within_their_size() -> None:
    types = [ReadRequest.STREAMED_XOR_CHUNKS, ReadRequest.SAMPLES]
    request = ReadRequest(queries=[query()], accepted_response_types=types)
    response = await answered(request, serving=Serving(frame_bytes=300))
    media = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    assert response.headers["content-type"] == media
    buffer = Buffer.of([response.content])
    spans = scan(buffer, 600).spans
    assert spans.shape[1] > 3


async def test_every_query_has_its_result() -> None:
    response = await answered(ReadRequest(queries=[query(), query(5, 5), query(3000, 3001)]))
    assert response.headers["content-encoding"] == "snappy"
    results = ReadResponse.FromString(snappy.uncompress(response.content)).results
    sizes = [[len(one.samples) for one in result.timeseries] for result in results]
    assert sizes == [[1000, 1], [1, 1], []]


async def test_times_and_series_hint_go_before_the_query() -> None:
    hints = ReadHints(func="series", start_ms=5, end_ms=5)
    response = await answered(ReadRequest(queries=[query(9000, 9001, hints=hints)]))
    (result,) = ReadResponse.FromString(snappy.uncompress(response.content)).results
    assert [len(one.samples) for one in result.timeseries] == [0, 0]


@pytest.mark.parametrize("types", [(ResponseType.STREAMED,), (ResponseType.SAMPLES,)])
async def test_series_purpose_works_with_either_kind(types: tuple[ResponseType, ...]) -> None:
    select = Select((), 5, 5, Purpose.SERIES)
    block = (await client(STORE, types).select(select, OPTIONS)).block
    assert list(block.labels) == [A, B]


async def test_matchers_are_understood() -> None:
    select = Select(
        (Matcher("job", MatchType.REGEXP, "a|x"), Matcher("y", MatchType.EQUAL, "")), 5, 6
    )
    block = (await client(STORE, (ResponseType.STREAMED,)).select(select, OPTIONS)).block
    assert plain(block) == {A: [(5, 5.0), (6, 6.0)]}


def within(number: int, content: bytes) -> bytes:
    """A field with this content."""
    size, length = len(content), []
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def snappied(content: bytes) -> bytes:
    return bytes(snappy.compress(content))


FULL = "the request has more than 10000 fields"

BAD_REGEXP = query(matchers=[LabelMatcher(type=LabelMatcher.RE, name="x", value="(")])
ODD_TYPE = query(matchers=[LabelMatcher(type=9, name="x", value="y")])  # type: ignore[arg-type]
BAD: Mapping[str, tuple[ReadRequest | bytes, str]] = {
    "a million of queries": (snappied(b"\n\x00" * 1_000_000), FULL),
    "a million of matchers": (snappied(within(1, b"\x1a\x00" * 1_000_000)), FULL),
    "a million of labels to group by": (snappied(within(1, within(4, b"*\x00" * 1_000_000))), FULL),
    "a million of types": (snappied(within(2, b"\x01" * 1_000_000)), FULL),
    "a million of types apart": (snappied(b"\x10\x01" * 1_000_000), FULL),
    "queries behind a group": (snappied(b"\x1b\x1c" + b"\n\x00" * 1_000_000), "proto: "),
    "not snappy": (b"\xff\xff\xff", "snappy: corrupt input"),
    "empty": (b"", "snappy: corrupt input"),
    "a length of 4 GiB": (b"\xff\xff\xff\xff\x0f", "snappy: decoded length 4294967295 exceeds"),
    "not protobuf": (bytes(snappy.compress(b"\xff")), "proto: "),
    "unknown response types": (
        ReadRequest(accepted_response_types=[7]),  # type: ignore[list-item]
        "server does not support any of the requested response types: [7]; supported: map[",
    ),
    "regexp": (ReadRequest(queries=[BAD_REGEXP]), "error parsing regexp: missing closing ): `(`"),
    "matcher type": (ReadRequest(queries=[ODD_TYPE]), "invalid matcher type"),
}


@pytest.mark.parametrize(("request_", "text"), BAD.values(), ids=BAD.keys())
async def test_bad_requests_are_refused(request_: ReadRequest | bytes, text: str) -> None:
    response = await answered(request_)
    assert response.status_code == 400
    assert response.text.startswith(text)


async def test_the_sample_limit_has_prometheus_text() -> None:
    response = await answered(ReadRequest(queries=[query()]), serving=Serving(sample_limit=10))
    assert (response.status_code, response.text) == (400, "exceeded sample limit (10)\n")


class Failing:
    """A Querier that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        raise self._error


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreError("gone", StoreFault("a", 0, 1)), 500), (BadData("no"), 400)],
)
async def test_a_failing_querier_is_a_status(error: Exception, status: int, kind: int) -> None:
    request = ReadRequest(queries=[query()])
    request.accepted_response_types.append(kind)  # type: ignore[arg-type]
    response = await answered(request, Failing(error))
    assert (response.status_code, response.text) == (status, f"{error}\n")


class Counting(ThreadPoolExecutor):
    """Threads that count what they are given."""

    given = 0

    def submit(self, *args: Any, **options: Any) -> Any:
        self.given += 1
        return super().submit(*args, **options)


async def test_regular_expressions_are_compiled_beside_the_event_loop() -> None:
    threads = Counting()
    asyncio.get_running_loop().set_default_executor(threads)
    # It is refused before anything else is done in a thread.
    assert (await answered(ReadRequest(queries=[BAD_REGEXP]))).status_code == 400
    assert threads.given == 1
