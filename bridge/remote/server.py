"""The serving side of remote read: any Querier as an ASGI app."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cramjam
from google.protobuf.message import DecodeError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bridge.model.errors import (
    BadData,
    BridgeError,
    BudgetUsedUp,
    LimitExceeded,
    Overloaded,
    TooManySamples,
    Unavailable,
)
from bridge.model.labels import Matcher, MatchType
from bridge.model.samples import SeriesBlock
from bridge.remote.encode_chunks import Encodings, framed
from bridge.remote.encode_samples import sampled
from bridge.remote.proto.remote_pb2 import Query, ReadRequest
from bridge.remote.proto.types_pb2 import LabelMatcher
from bridge.remote.settings import ResponseType
from bridge.remote.weighed import weigh
from bridge.remote.wire import SAMPLED_MEDIA, SERIES_HINT, STREAMED_MEDIA_FULL
from bridge.storage.allowance import allow_received, allow_series
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select
from bridge.storage.pool import CURRENT, answered

# The defaults of Prometheus' flags --storage.remote.read-sample-limit, -concurrent-limit and
# -max-bytes-in-frame, and the longest request that it decodes.
_SAMPLE_LIMIT: Final = 50_000_000
_CONCURRENT_LIMIT: Final = 10
_FRAME_BYTES: Final = 1 << 20
_REQUEST_BYTES: Final = 32 << 20
_ENCODINGS: Final = Encodings()
# The first time that there is, ms.
_EVER: Final = -(1 << 63)
# What is encoded and sent at a time.
_SLAB_BYTES: Final = 1 << 18

_MATCH_TYPES: Final = {
    LabelMatcher.EQ: MatchType.EQUAL,
    LabelMatcher.NEQ: MatchType.NOT_EQUAL,
    LabelMatcher.RE: MatchType.REGEXP,
    LabelMatcher.NRE: MatchType.NOT_REGEXP,
}


Gate = asyncio.Semaphore | contextlib.nullcontext[None]


@dataclass(frozen=True, slots=True)
class Serving:
    """How remote read is served; sizes in bytes.

    `sample_limit`: the most samples of a sampled answer; `concurrent_limit`: how many requests are
    answered at a time, others wait. 0 is no limit.
    `reach`: how many ms before what is asked for a streamed answer begins, as whole chunks of a
    TSDB do: of a chunk's first histogram no counter reset hint is told.
    """

    sample_limit: int = _SAMPLE_LIMIT
    frame_bytes: int = _FRAME_BYTES
    concurrent_limit: int = _CONCURRENT_LIMIT
    encodings: Encodings = _ENCODINGS
    reach: int = 0

    def gate(self) -> Gate:
        """What lets requests in; endpoints may share one."""
        limit = self.concurrent_limit
        return asyncio.Semaphore(limit) if limit else contextlib.nullcontext()


def read_app(querier: Querier, serving: Serving = Serving()) -> Starlette:
    """An app that answers remote read from a Querier, on every path."""
    endpoint = ReadEndpoint(querier, serving, serving.gate())

    async def read(request: Request) -> Response:
        return await endpoint.answer(await endpoint.body(request))

    return Starlette(routes=[Route("/{path:path}", read, methods=["POST"])])


def _anything(_selects: Sequence[Select]) -> None:
    """Whatever it is, it may be read."""


@dataclass(frozen=True, slots=True)
class ReadEndpoint:
    """Answers one request after the other from a Querier, those that `gate` lets in.

    `check` raises LimitExceeded for what may not be read, `options` bound what each read may bring.
    """

    querier: Querier
    serving: Serving
    gate: Gate
    check: Callable[[Sequence[Select]], None] = _anything
    options: ReadOptions = field(default_factory=ReadOptions)

    async def body(self, request: Request) -> bytes:
        """A request's body, as far as it may be long: a longer one is no snappy block."""
        held = bytearray()
        async for piece in request.stream():
            held += piece
            if len(held) > _REQUEST_BYTES:
                return b""
        return bytes(held)

    async def answer(self, body: bytes) -> Response:
        """The response to one request; errors are plain text, as Prometheus writes them.

        Raises BudgetUsedUp and Overloaded, which are not known there and end with time.
        """
        try:
            async with self.gate:
                return await self._answer(_decoded(body))
        except BadData as error:
            return PlainTextResponse(f"{error}\n", 400)
        except TooManySamples:
            text = f"exceeded sample limit ({self.serving.sample_limit})\n"
            return PlainTextResponse(text, 400)
        except LimitExceeded as error:
            return PlainTextResponse(f"{error}\n", 400)
        except (BudgetUsedUp, Overloaded):
            raise
        except BridgeError as error:
            return PlainTextResponse(f"{error}\n", 500)

    async def _answer(self, asked: ReadRequest) -> Response:
        selects = [_select(query) for query in asked.queries]
        self.check(selects)
        # Regular expressions may take long to compile.
        await asyncio.to_thread(_compile, selects)
        if _negotiated(asked.accepted_response_types) is ResponseType.STREAMED:
            return await self._streamed(selects)
        return await self._sampled(selects)

    async def _block(self, select: Select, max_samples: int = 0) -> SeriesBlock:
        """What is held; raises Unavailable if that is a part only, for no answer could say so."""
        # Reads of what is remembered never wait; others have their turn between two of them.
        await asyncio.sleep(0)
        options = replace(self.options, max_samples=max_samples)
        found = await self.querier.select(select, options)
        allow_series(len(found.block), options)
        allow_received(found.received_bytes, options)
        if found.warnings:
            raise Unavailable("; ".join(found.warnings))
        return found.block

    async def _sampled(self, selects: Sequence[Select]) -> Response:
        blocks = [await self._block(select, self.serving.sample_limit) for select in selects]
        body = await asyncio.to_thread(_compressed, blocks, self.serving.encodings)
        answered(len(body))
        headers = {"Content-Encoding": "snappy"}
        return Response(body, 200, headers, media_type=SAMPLED_MEDIA)

    async def _streamed(self, selects: Sequence[Select]) -> Response:
        # All are read before the first byte: a failure must be a status, not a broken stream.
        reach = self.serving.reach
        wider = [
            replace(one, start=max(one.start - reach, _EVER), purpose=Purpose.SAMPLES)
            for one in selects
        ]
        blocks = [await self._block(select) for select in wider]
        # Said outright, since it is what proves a stream complete.
        headers = {"Transfer-Encoding": "chunked"}
        slabs = _slabs(blocks, self.serving)
        return StreamingResponse(slabs, 200, headers, STREAMED_MEDIA_FULL)


def _compressed(blocks: Sequence[SeriesBlock], encodings: Encodings) -> bytes:
    return bytes(cramjam.snappy.compress_raw(sampled(blocks, encodings.integers)))


async def _slabs(blocks: Sequence[SeriesBlock], serving: Serving) -> AsyncIterator[bytes]:
    """What is sent; a slab counts as held until the one behind it is taken."""
    share, before = CURRENT.get(), 0
    for query, block in enumerate(blocks):
        frames = framed(block, query, serving.frame_bytes, serving.encodings)
        while slab := await asyncio.to_thread(_slab, frames):
            if share is not None:
                share.made(len(slab))
            yield slab
            if share is not None:
                share.sent(before)
            before = len(slab)


def _slab(frames: Iterator[bytes]) -> bytes:
    held: list[bytes] = []
    size = 0
    for frame in frames:
        held.append(frame)
        size += len(frame)
        if size >= _SLAB_BYTES:
            break
    return b"".join(held)


def _decoded(body: bytes) -> ReadRequest:
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > _REQUEST_BYTES:
            raise BadData(f"snappy: decoded length {size} exceeds limit {_REQUEST_BYTES}")
        message = bytes(cramjam.snappy.decompress_raw(body))
        weigh(message)
        return ReadRequest.FromString(message)
    except cramjam.DecompressionError:
        raise BadData("snappy: corrupt input") from None
    except DecodeError:
        raise BadData("proto: the request is no ReadRequest") from None


def _negotiated(accepted: Sequence[int]) -> ResponseType:
    """The first kind of answer that is known; none named means samples."""
    for kind in accepted or (ReadRequest.SAMPLES,):
        if kind == ReadRequest.SAMPLES:
            return ResponseType.SAMPLES
        if kind == ReadRequest.STREAMED_XOR_CHUNKS:
            return ResponseType.STREAMED
    asked = " ".join(map(str, accepted))
    raise BadData(
        f"server does not support any of the requested response types: [{asked}];"
        " supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]"
    )


def _compile(selects: Sequence[Select]) -> None:
    """Whether all regular expressions are such; raises BadData."""
    for select in selects:
        for one in select.matchers:
            Matcher.checked(one.name, one.type, one.value)


def _select(query: Query) -> Select:
    """What a query asks for; times of its hints go before its own."""
    matchers = tuple(_matcher(matcher) for matcher in query.matchers)
    if not query.HasField("hints"):
        return Select(matchers, query.start_timestamp_ms, query.end_timestamp_ms)
    hints = query.hints
    purpose = Purpose.SERIES if hints.func == SERIES_HINT else Purpose.SAMPLES
    return Select(matchers, hints.start_ms, hints.end_ms, purpose)


def _matcher(matcher: LabelMatcher) -> Matcher:
    kind = _MATCH_TYPES.get(matcher.type)
    if kind is None:
        raise BadData("invalid matcher type")
    return Matcher(matcher.name, kind, matcher.value)
