"""One request to a store and what became of it, as a recording keeps it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import cramjam

from bridge.model.labels import Matcher, MatchType
from bridge.remote.proto.remote_pb2 import ReadRequest
from bridge.remote.responses import Response
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.remote.wire import MATCH_TYPES, RESPONSE_TYPES, SERIES_HINT
from bridge.storage.interface import Purpose

_TYPES: Final = {wire: kind for kind, wire in MATCH_TYPES.items()}
_KINDS: Final = {wire: kind for kind, wire in RESPONSE_TYPES.items()}


class Link(Protocol):
    """The way to one store."""

    async def post(self, body: bytes) -> Response:
        """The response to a remote read, its body not read yet; the caller closes it."""

    def secrets(self) -> tuple[str, ...]:
        """What is sent to the store and must not be shown."""

    async def aclose(self) -> None:
        """Ends it."""


class Connect(Protocol):
    """Who makes the way to a store."""

    def __call__(self, settings: StoreSettings) -> Link:
        """The way to this store."""


class Outcome(StrEnum):
    """How a request ended.

    With its whole answer; with a part of one; without any; out of time; given up since nobody
    waited any more. `withheld`: the answer is not in the recording.
    """

    COMPLETE = "complete"
    CUT = "cut"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELED = "canceled"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a store was asked for; times in ms, both inclusive.

    `accepted` are the kinds of answer offered, the one to be preferred first.
    """

    store: str
    matchers: tuple[Matcher, ...]
    start: int
    end: int
    purpose: Purpose
    accepted: tuple[ResponseType, ...]

    @property
    def key(self) -> object:
        """What tells it from other reads: all but the kinds of answer."""
        return self.store, frozenset(self.matchers), self.start, self.end, self.purpose


@dataclass(frozen=True, slots=True)
class RecordedRead:
    """A request and its answer as it came, without any header that is not needed to read it.

    `detail` is the text of what went wrong: for `failed` behind the kind of error, with a space.
    """

    asked: Asked
    outcome: Outcome
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    detail: str = ""

    @property
    def media(self) -> str:
        """The media type of the answer."""
        return dict(self.headers).get("content-type", "")


def asked_of(store: str, body: bytes) -> Asked:
    """What the body of one of our own requests asks for."""
    request = ReadRequest.FromString(bytes(cramjam.snappy.decompress_raw(body)))
    (query,) = request.queries
    return Asked(
        store,
        tuple(Matcher(one.name, MatchType(_TYPES[one.type]), one.value) for one in query.matchers),
        query.start_timestamp_ms,
        query.end_timestamp_ms,
        Purpose.SERIES if query.hints.func == SERIES_HINT else Purpose.SAMPLES,
        tuple(_KINDS[kind] for kind in request.accepted_response_types),
    )


def uncompressed(body: bytes) -> bytes:
    """A sampled answer without its compression; as it is if it has none."""
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        return body
