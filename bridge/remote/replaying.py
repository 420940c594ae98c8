"""Answers a store's reads from a recording, without any network."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

import httpx

from bridge.remote.connection import TooManyRedirects
from bridge.remote.faults import moment
from bridge.remote.recorded import Asked, Link, Outcome, RecordedRead, asked_of
from bridge.remote.responses import Response
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.remote.wire import SAMPLED_MEDIA, STREAMED_MEDIA

_ERRORS: Final = {
    kind.__name__: kind
    for kind in (
        httpx.ConnectError,
        httpx.ProxyError,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.UnsupportedProtocol,
        httpx.WriteError,
    )
}


class NotRecorded(TooManyRedirects):
    """A read that the recording does not hold; the text says which."""


class Replay:
    """The reads of a recording, to be given back."""

    def __init__(self, reads: Iterable[RecordedRead]) -> None:
        self._reads: defaultdict[object, list[RecordedRead]] = defaultdict(list)
        self._given: Counter[object] = Counter()
        for read in reads:
            self._reads[read.asked.key].append(read)

    def connect(self, settings: StoreSettings) -> Link:
        """The way to a store: into the recording."""
        return _Replayed(self, settings)

    def next(self, asked: Asked) -> RecordedRead:
        """What became of this read: of the kind of answer that is preferred, if there is one.

        Several are given in their order, the last of them again and again. Raises NotRecorded.
        """
        known = self._reads.get(asked.key)
        if not known:
            selector = "{" + ", ".join(map(str, asked.matchers)) + "}"
            times = f"{moment(asked.start)} to {moment(asked.end)}"
            raise NotRecorded(f"the recording has no read of {selector} from {times}")
        kind = asked.accepted[0] if asked.accepted else ResponseType.SAMPLES
        chosen = [read for read in known if _kind(read) is kind] or known
        place = asked.key, kind
        number = min(self._given[place], len(chosen) - 1)
        self._given[place] += 1
        return chosen[number]


@dataclass(frozen=True, slots=True)
class _Replayed:
    """A store as it was."""

    replay: Replay
    settings: StoreSettings

    async def post(self, body: bytes) -> Response:
        read = self.replay.next(asked_of(self.settings.name, body))
        if read.outcome is Outcome.WITHHELD:
            raise NotRecorded(f"the recording does not hold this answer: {read.detail}")
        if read.outcome is Outcome.FAILED:
            kind, _, text = read.detail.partition(" ")
            raise _ERRORS.get(kind, TooManyRedirects)(text)
        if not read.status:
            await _end(read)
        headers = [(name.encode(), value.encode()) for name, value in read.headers]
        return Response(read.status, read.reason, headers, _Body(read))

    def secrets(self) -> tuple[str, ...]:
        return ()

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class _Body(httpx.AsyncByteStream):
    read: RecordedRead

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.read.body
        if self.read.outcome is not Outcome.COMPLETE:
            await _end(self.read)


async def _end(read: RecordedRead) -> None:
    """What follows the last byte of an answer that is not whole."""
    if read.outcome is Outcome.TIMEOUT:
        # As the read's own clock would raise it, without the wait.
        raise TimeoutError
    if read.outcome is Outcome.CANCELED:
        # Something else ended the query: it will again.
        await asyncio.Event().wait()
    raise httpx.RemoteProtocolError(read.detail)


def _kind(read: RecordedRead) -> ResponseType | None:
    if read.media.startswith(STREAMED_MEDIA):
        return ResponseType.STREAMED
    return ResponseType.SAMPLES if read.media.startswith(SAMPLED_MEDIA) else None
