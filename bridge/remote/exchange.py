"""One request to a store and its answer, from HTTP to a block; every fault becomes one sentence."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

import httpx

from bridge.model.errors import BridgeError
from bridge.model.samples import EMPTY_BLOCK, SeriesBlock
from bridge.remote.answer import Answer, BadAnswer, Keep, NotStreamable, OverBudget, TooLarge
from bridge.remote.connection import TooManyRedirects
from bridge.remote.credentials import BadCredentials
from bridge.remote.faults import Read, shown
from bridge.remote.profiles import Profile
from bridge.remote.recorded import Link
from bridge.remote.responses import Response
from bridge.remote.sampled import SampledAnswer
from bridge.remote.settings import StoreSettings
from bridge.remote.streamed import StreamedAnswer
from bridge.remote.wire import SAMPLED_MEDIA, STREAMED_MEDIA
from bridge.storage.allowance import allow_received
from bridge.storage.interface import Purpose
from bridge.storage.merge import merge

_ERROR_BODY: Final = 1 << 12
_FOREIGN_SHOWN: Final = 200
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_AGAIN: Final = frozenset({429, 502, 503, 504})
# Bytes of an answer that is decoded in less time than it takes a thread to begin.
_AT_ONCE: Final = 16 << 10
# Dates that are read once.
_DATES: Final = 16
# Bytes that may wait for the decoder before the store is slowed down.
_BACKLOG: Final = 8 << 20


class Again(Exception):
    """A request that failed before the first byte of an answer, so that it may be repeated.

    `after` is the pause in seconds that the store asks for, if it does.
    """

    def __init__(self, error: BridgeError, after: float | None = None) -> None:
        self.error = error
        self.after = after
        super().__init__(str(error))


class _NotFound(Exception):
    """The store's way to say that it has no such series."""


@dataclass(slots=True)
class Tally:
    """What one request came to: for metrics."""

    code: str = "error"
    received_bytes: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one request needs: the way to the store, what to keep, and whom errors name."""

    settings: StoreSettings
    profile: Profile
    connection: Link
    read: Read

    async def block(self, keep: Keep, body: bytes, tally: Tally) -> SeriesBlock:
        """The whole answer to a request.

        Raises StoreError, StoreLimit, Again, and what decoding raises: NotStreamable,
        TooManySamples and LimitExceeded.
        """
        try:
            return await self._block(keep, body, tally)
        except _NotFound:
            return EMPTY_BLOCK

    async def _block(self, keep: Keep, body: bytes, tally: Tally) -> SeriesBlock:
        asked = time.monotonic()
        response = await self._response(body)
        tally.code = str(response.status)
        try:
            if not response.is_success:
                raise await self._refusal(response)
            keep.clock = _clock(response, time.monotonic() - asked)
            self._check_complete(response)
            return await self._whole(response, keep, tally)
        finally:
            await response.aclose()

    async def _whole(self, response: Response, keep: Keep, tally: Tally) -> SeriesBlock:
        code, status = response.status, _status(response)
        try:
            return await self._received(response, keep, tally)
        except httpx.HTTPError as error:
            what = f"{status}, but the answer ends early: {_reason(error)}"
            raise self._spoilt(tally, self.read.failed(what, code)) from None
        except BadAnswer as error:
            fault = self.read.spoiled(str(error), status, code, error.tail)
            raise self._spoilt(tally, fault) from None
        except TooLarge as error:
            limit = self.settings.max_response_bytes
            what = f"an answer of {error.size} bytes exceeds max_response_bytes ({limit})"
            raise self._spoilt(tally, self.read.limited(what, code)) from None
        except OverBudget as error:
            raise self._spoilt(tally, self.read.limited(str(error), code)) from None

    def _check_complete(self, response: Response) -> None:
        """Some stores cut an answer off at a limit and say so in a header only."""
        name = self.profile.limited_header
        if name and (value := response.header(name)) is not None:
            said = self.read.shown(value.encode())
            what = f"{_status(response)}, but a limit cut the answer off: {name}: {said}"
            raise self.read.over_their_limit(what, response.status)

    @staticmethod
    def _spoilt(tally: Tally, error: BridgeError) -> BridgeError:
        tally.code = "error"
        return error

    async def _response(self, body: bytes) -> Response:
        """A response of any status."""
        try:
            return await self.connection.post(body)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise self.read.failed(f"its URL cannot be used: {_reason(error)}") from None
        except (TooManyRedirects, BadCredentials) as error:
            raise self.read.failed(str(error)) from None
        except httpx.HTTPError as error:
            what = f"no answer from {self.settings.shown_url}: {_reason(error)}"
            raise Again(self.read.failed(what)) from None

    async def _refusal(self, response: Response) -> Exception:
        text, code = await _start(response), response.status
        said = text.decode("utf-8", "replace").lower()
        if any(known in said for known in self.profile.not_found_is_empty):
            return _NotFound()
        error = self.read.refused(_status(response), code, text)
        return Again(error, _retry_after(response)) if code in _AGAIN else error

    async def _received(self, response: Response, keep: Keep, tally: Tally) -> SeriesBlock:
        answer = await self._answer(response, keep)
        decoder = _Decoder(answer)
        try:
            async for piece in response.body:
                tally.received_bytes += len(piece)
                if tally.received_bytes > self.settings.max_response_bytes:
                    raise TooLarge(tally.received_bytes)
                allow_received(keep.received + tally.received_bytes, keep.options)
                await decoder.take(piece)
            await decoder.settle()
        finally:
            decoder.abandon()
        before = keep.held
        if tally.received_bytes <= _AT_ONCE:
            block = _finished(answer, decoder.pending, keep)
        else:
            block = await asyncio.to_thread(_finished, answer, decoder.pending, keep)
        tally.samples = keep.held - before
        return block

    async def _answer(self, response: Response, keep: Keep) -> Answer:
        """The kind of answer that a response is, by its media type."""
        media = response.header("Content-Type") or ""
        if media.startswith(STREAMED_MEDIA):
            # A stream may end at any frame's edge: only HTTP's framing tells its end from a cut.
            if not any(name.lower() in _FRAMING for name, _ in response.headers):
                raise NotStreamable("no framing")
            return StreamedAnswer(keep, self.settings.chunked_read_limit)
        if media.startswith(SAMPLED_MEDIA):
            may_be_empty = self.profile.empty_result_may_be_missing
            return SampledAnswer(keep, self.settings.max_response_bytes, may_be_empty)
        text = self.read.shown(await _start(response), _FOREIGN_SHOWN)
        kind = self.read.shown(media.encode()) or "without a Content-Type"
        what = f"not a remote read endpoint: {_status(response)} {kind}: {text or 'empty body'}"
        raise self.read.failed(what, response.status)


def _finished(answer: Answer, pending: list[bytes], keep: Keep) -> SeriesBlock:
    answer.feed(pending)
    keep_empty = keep.select.purpose is Purpose.SERIES
    return merge(answer.finish(), first_wins=False, keep_empty=keep_empty)


class _Decoder:
    """Feeds an answer in a worker thread while more arrives; one batch at a time."""

    def __init__(self, answer: Answer) -> None:
        self.pending: list[bytes] = []
        self._answer = answer
        self._waiting = 0
        self._running: asyncio.Future[None] | None = None

    async def take(self, piece: bytes) -> None:
        """Keeps a piece, and starts on the next batch if there is enough for one."""
        self.pending.append(piece)
        self._waiting += len(piece)
        if self._running is not None and (self._running.done() or self._waiting > _BACKLOG):
            await self.settle()
        if self._running is None and self._waiting >= self._answer.needed:
            feed: Callable[[list[bytes]], None] = self._answer.feed
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(None, feed, self.pending)
            self.pending, self._waiting = [], 0

    async def settle(self) -> None:
        """Waits for the batch that is being decoded; raises what went wrong with it."""
        if self._running is not None:
            running, self._running = self._running, None
            await running

    def abandon(self) -> None:
        """Forgets the batch that is being decoded, if any."""
        if self._running is not None:
            self._running.cancel()


async def _start(response: Response) -> bytes:
    """The first bytes of a body that is not an answer."""
    text = b""
    try:
        async for piece in response.body:
            text += piece
            if len(text) >= _ERROR_BODY:
                break
    except httpx.HTTPError:
        # What came is all there is to show; the status is the error.
        return text
    return text


def _status(response: Response) -> str:
    return f"HTTP {response.status} {response.reason}".rstrip()


def _reason(error: Exception) -> str:
    return shown(str(error).encode()) or type(error).__name__


def _retry_after(response: Response) -> float | None:
    """The pause in seconds that `Retry-After` asks for, as a number or as a date."""
    text = (response.header("Retry-After") or "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    moment = _date(text)
    return None if moment is None else max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _clock(response: Response, seconds: float) -> int | None:
    """What the store's clock, ms, showed at least when it was asked so many seconds ago."""
    moment = _date(response.header("Date") or "")
    return None if moment is None else round((moment.timestamp() - seconds) * 1000)


@lru_cache(maxsize=_DATES)
def _date(text: str) -> datetime | None:
    """The moment of a date, which is the same for all answers of one second."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
