"""Keeps what stores are asked and what they answer, without credentials and up to a size."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from bridge.model.errors import LimitExceeded
from bridge.remote.connection import Connection
from bridge.remote.hidden import hide
from bridge.remote.profiles import profile_of
from bridge.remote.recorded import (
    Asked,
    Link,
    Outcome,
    RecordedRead,
    asked_of,
    uncompressed,
)
from bridge.remote.responses import Response
from bridge.remote.settings import StoreSettings
from bridge.remote.wire import SAMPLED_MEDIA

# What an answer is read by; no header else of a store's is kept.
_KEPT: Final = frozenset({"content-type", "content-length", "transfer-encoding", "retry-after"})
_WITHHELD: Final = "the store sent a credential back in it"
# A read counts as timed out if it was given up this near to its time, seconds.
_NEAR: Final = 0.25


@dataclass(slots=True)
class Recorder:
    """All reads of stores, in the order in which they ended.

    Once the bodies come to more than `limit` bytes, reads fail with LimitExceeded. `told` hears of
    progress: reads that ended, bytes so far.
    """

    limit: int
    told: Callable[[int, int], None] = lambda _reads, _size: None
    reads: list[RecordedRead] = field(default_factory=list)
    size: int = 0

    def connect(self, settings: StoreSettings) -> Link:
        """The way to a store, listened to."""
        return _Recorded(self, Connection(settings))

    def received(self, size: int) -> None:
        """Counts bytes; raises LimitExceeded."""
        self.size += size
        if self.size > self.limit:
            raise LimitExceeded(
                f"the reads of this query exceed --record-limit ({self.limit} bytes):"
                " record a shorter range, or raise it"
            )
        self.told(len(self.reads), self.size)

    def ended(self, read: RecordedRead) -> None:
        """Keeps a read that is over."""
        self.reads.append(read)
        self.told(len(self.reads), self.size)


@dataclass(slots=True)
class _Recorded:
    """A connection, and who listens to it."""

    recorder: Recorder
    connection: Connection

    async def post(self, body: bytes) -> Response:
        settings, began = self.connection.settings, time.monotonic()
        asked = asked_of(settings.name, body)
        try:
            response = await self.connection.post(body)
        except asyncio.CancelledError:
            self.recorder.ended(RecordedRead(asked, _given_up(settings, began)))
            raise
        except Exception as error:
            detail = f"{type(error).__name__} {self._hidden(str(error))}"
            self.recorder.ended(RecordedRead(asked, Outcome.FAILED, detail=detail))
            raise
        return replace(response, body=_Tapped(self, response, asked, began))

    def secrets(self) -> tuple[str, ...]:
        return self.connection.secrets()

    async def aclose(self) -> None:
        await self.connection.aclose()

    def answered(
        self, response: Response, asked: Asked, outcome: Outcome, body: bytes, detail: str
    ) -> None:
        """Keeps an answer, with its credentials hidden."""
        limited = profile_of(self.connection.settings).limited_header
        kept = {*_KEPT, limited.lower()}
        read = RecordedRead(
            asked,
            outcome,
            response.status,
            self._hidden(response.reason),
            tuple((name, self._hidden(value)) for name, value in response.pairs() if name in kept),
            body,
            self._hidden(detail),
        )
        self.recorder.ended(self._clean(read, is_answer=response.is_success))

    def _clean(self, read: RecordedRead, *, is_answer: bool) -> RecordedRead:
        """Texts have secrets masked; an answer would no longer be one, so it is withheld."""
        secrets = self.secrets()
        if not is_answer:
            return replace(read, body=hide(read.body, secrets))
        plain = _plain(read)
        if any(secret.encode() in plain for secret in secrets):
            return replace(read, outcome=Outcome.WITHHELD, body=b"", detail=_WITHHELD)
        return read

    def _hidden(self, text: str) -> str:
        return hide(text.encode("utf-8", "replace"), self.secrets()).decode()


@dataclass(slots=True)
class _Tapped(httpx.AsyncByteStream):
    """The body of an answer; what passes through is kept."""

    link: _Recorded
    response: Response
    asked: Asked
    began: float
    _body: bytearray = field(default_factory=bytearray)
    _outcome: Outcome = Outcome.CUT
    _detail: str = ""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self.response.body:
                self.link.recorder.received(len(piece))
                self._body += piece
                yield piece
            self._outcome = Outcome.COMPLETE
        except asyncio.CancelledError:
            self._outcome = _given_up(self.link.connection.settings, self.began)
            raise
        except httpx.HTTPError as error:
            self._detail = str(error)
            raise

    async def aclose(self) -> None:
        await self.response.aclose()
        body = bytes(self._body)
        self.link.answered(self.response, self.asked, self._outcome, body, self._detail)


def _given_up(settings: StoreSettings, began: float) -> Outcome:
    elapsed = time.monotonic() - began
    late = elapsed > settings.remote_timeout_ms / 1000 - _NEAR
    return Outcome.TIMEOUT if late else Outcome.CANCELED


def _plain(read: RecordedRead) -> bytes:
    """The bytes of an answer as they were before compression."""
    return uncompressed(read.body) if read.media.startswith(SAMPLED_MEDIA) else read.body
