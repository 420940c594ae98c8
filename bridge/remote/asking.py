"""Single requests to a store for probing it: what it answers is not clipped or filtered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final

import cramjam
import httpx
import snappy
from google.protobuf.message import DecodeError

from bridge.model.labels import Labels, Matcher
from bridge.remote.connection import Connection, TooManyRedirects
from bridge.remote.credentials import BadCredentials
from bridge.remote.faults import shown
from bridge.remote.hidden import hide
from bridge.remote.proto.remote_pb2 import ReadRequest, ReadResponse
from bridge.remote.proto.types_pb2 import TimeSeries
from bridge.remote.responses import Response
from bridge.remote.settings import ResponseType
from bridge.remote.wire import RESPONSE_TYPES, SAMPLED_MEDIA, STREAMED_MEDIA, read_query

_MOST_BYTES: Final = 8 << 20
_MOST_DECODED: Final = 32 * _MOST_BYTES

Times = tuple[int, ...]
_SAMPLED: Final = (ResponseType.SAMPLES,)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a store answered: `series` with the times of their samples (ms), or an `error`.

    `kind` is None for an answer that is none of remote read. `results` counts what stands for each
    query. `date` is the store's clock, seconds, if it says so; `asked_at` is ours.
    """

    status: int = 0
    kind: ResponseType | None = None
    error: str = ""
    series: tuple[tuple[Labels, Times], ...] = ()
    results: int = 0
    size: int = 0
    http: str = ""
    date: float | None = None
    asked_at: float = 0.0


@dataclass(slots=True)
class Asker:
    """Asks one store, and counts what that costs."""

    connection: Connection
    requests: int = 0
    received: int = 0

    async def ask(
        self,
        matchers: Sequence[Matcher],
        times: tuple[int, int],
        accepted: Sequence[ResponseType] = _SAMPLED,
        *,
        hint: bool = False,
        queries: int = 1,
    ) -> Reply:
        """The answer to the same query once or several times; never raises what a store causes."""
        query = read_query(tuple(matchers), times, hint=hint)
        types = [RESPONSE_TYPES[kind] for kind in accepted]
        request = ReadRequest(queries=[query] * queries, accepted_response_types=types)
        self.requests += 1
        try:
            async with asyncio.timeout(self.connection.settings.remote_timeout_ms / 1000):
                reply = await self._reply(bytes(snappy.compress(request.SerializeToString())))
        except TimeoutError:
            return Reply(error="no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, TooManyRedirects, BadCredentials) as error:
            return Reply(error=self._shown(str(error).encode()) or type(error).__name__)
        self.received += reply.size
        return reply

    def _shown(self, text: bytes) -> str:
        return shown(hide(text, self.connection.secrets()))

    async def _reply(self, body: bytes) -> Reply:
        asked_at = time.time()
        response = await self.connection.post(body)
        try:
            received = bytearray()
            async for piece in response.body:
                received += piece
                if len(received) > _MOST_BYTES:
                    return Reply(response.status, error=f"more than {_MOST_BYTES} bytes")
        finally:
            await response.aclose()
        return self._read(response, bytes(received), asked_at)

    def _read(self, response: Response, body: bytes, asked_at: float) -> Reply:
        made = Reply(
            status=response.status,
            size=len(body),
            http=response.version,
            date=_date(response),
            asked_at=asked_at,
        )
        media = response.header("Content-Type") or ""
        if not response.is_success:
            said = f"HTTP {response.status}: {self._shown(body) or 'no reason'}"
            return replace(made, error=said)
        if media.startswith(STREAMED_MEDIA):
            return replace(made, kind=ResponseType.STREAMED)
        if not media.startswith(SAMPLED_MEDIA):
            said = f"HTTP {response.status} {media}: {self._shown(body)}"
            return replace(made, error=f"not a remote read endpoint: {said}")
        try:
            held = ReadResponse.FromString(_plain(body))
        except DecodeError:
            return replace(made, error="the body is no ReadResponse")
        series = tuple(_series(one) for result in held.results for one in result.timeseries)
        return replace(made, kind=ResponseType.SAMPLES, series=series, results=len(held.results))


def _plain(body: bytes) -> bytes:
    """The body of a snappy block, or what it is if it is none."""
    try:
        if cramjam.snappy.decompress_raw_len(body) > _MOST_DECODED:
            return body
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        return body


def _series(one: TimeSeries) -> tuple[Labels, Times]:
    labels = Labels.of({label.name: label.value for label in one.labels if label.value})
    return labels, tuple(sample.timestamp for sample in one.samples)


def _date(response: Response) -> float | None:
    try:
        return parsedate_to_datetime(response.header("Date") or "").timestamp()
    except ValueError:
        return None
