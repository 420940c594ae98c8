"""What an operator should know of the process itself, until it is over, and who is told at once.

Source: util/notifications/notifications.go of Prometheus.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from bridge.api.envelope import go_json
from bridge.telemetry.notices import NoticeMetrics

RELOAD_FAILED: Final = "Configuration reload has failed."
SHUTTING_DOWN: Final = "prombridge is shutting down and gracefully stopping all operations."
# How many changes may wait for a subscriber; those beyond are lost to it.
_ROOM: Final = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """A text, and since when it holds (Unix ms); what is not `active` holds no longer."""

    text: str
    since: int
    active: bool = True

    def json(self) -> bytes:
        """The notice in Prometheus' shape, its keys in Prometheus' order."""
        held = (go_json(self.text), go_json(_date(self.since)), go_json(self.active))
        return b'{"text":%s,"date":%s,"active":%s}' % held


class Subscriber:
    """Who is told what holds now, then each change, in order."""

    def __init__(self, held: Iterable[Notice]) -> None:
        self._waiting: asyncio.Queue[Notice | None] = asyncio.Queue()
        for notice in held:
            self._waiting.put_nowait(notice)

    def tell(self, notice: Notice) -> bool:
        """Whether there was room for it."""
        if self._waiting.qsize() >= _ROOM:
            return False
        self._waiting.put_nowait(notice)
        return True

    def end(self) -> None:
        """Nothing comes any more behind what waits."""
        self._waiting.put_nowait(None)

    async def told(self) -> Notice | None:
        """What it is told next, once that comes; None at the end."""
        return await self._waiting.get()


class Notices:
    """What holds, in the order it came, and its subscribers."""

    def __init__(self, metrics: NoticeMetrics | None = None) -> None:
        self._held: dict[str, Notice] = {}
        self._subscribers: set[Subscriber] = set()
        self._ended = False
        self._metrics = metrics or NoticeMetrics()

    @property
    def held(self) -> tuple[Notice, ...]:
        """All that hold."""
        return tuple(self._held.values())

    def add(self, text: str, now: int) -> None:
        """From `now` on this holds; if it held already, it holds anew."""
        self._held[text] = Notice(text, now)
        self._tell(self._held[text])

    def remove(self, text: str) -> None:
        """This does not hold any more."""
        if (notice := self._held.pop(text, None)) is not None:
            self._tell(replace(notice, active=False))

    def subscribe(self, most: int) -> Subscriber | None:
        """A new subscriber, unless there are as many as `most` already."""
        if len(self._subscribers) >= most:
            return None
        made = Subscriber(self.held)
        if self._ended:
            made.end()
        self._subscribers.add(made)
        self._metrics.subscribers.set(len(self._subscribers))
        return made

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """This one is told nothing any more."""
        self._subscribers.discard(subscriber)
        self._metrics.subscribers.set(len(self._subscribers))

    def end(self) -> None:
        """The process is about to end: subscribers learn what holds, and no more."""
        self._ended = True
        for subscriber in self._subscribers:
            subscriber.end()

    def _tell(self, notice: Notice) -> None:
        for subscriber in self._subscribers:
            self._metrics.sent.inc()
            if not subscriber.tell(notice):
                self._metrics.dropped.inc()


def _date(milliseconds: int) -> str:
    """A moment as Go's encoding/json writes it."""
    seconds, rest = divmod(milliseconds, 1000)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
