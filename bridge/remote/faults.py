"""Every way in which a read can fail, as one sentence: store, what happened, which time range."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from bridge.model.errors import StoreError, StoreFault, StoreLimit, StoreTimeout
from bridge.model.time import format_duration
from bridge.remote.hidden import hide

_SHOWN: Final = 256
# Words by which known stores say that one of their limits was exceeded.
_LIMIT_TEXTS: Final = (
    "exceeded sample limit",
    "query time range exceeds",
    "max number of series",
    "maximum number of series",
    "maximum number of chunks",
    "max chunks",
    "max series",
    "limit exceeded",
    "exceeds the limit",
    "exceeded the limit",
    "err-mimir-max-",
)


class TheirLimit(StoreLimit):
    """A limit of the store itself was exceeded: a shorter read may stay within it.

    `what` is what it said.
    """

    def __init__(self, message: str, fault: StoreFault, what: str) -> None:
        self.what = what
        super().__init__(message, fault)


@dataclass(frozen=True, slots=True)
class Read:
    """One read of one store: what its errors name, and what they hide. Times are ms, inclusive.

    `secrets` is asked when there is something to hide them in: a token may be new by then.
    """

    store: str
    start: int
    end: int
    secrets: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False, compare=False)

    def failed(self, what: str, status: int | None = None) -> StoreError:
        """The store answered wrongly or not at all."""
        return StoreError(self._sentence(what), self._fault(status))

    def limited(self, what: str, status: int | None = None) -> StoreLimit:
        """One of our limits for what a store may send was exceeded, or it cannot take the read."""
        return StoreLimit(self._sentence(what), self._fault(status))

    def over_their_limit(self, what: str, status: int | None = None) -> TheirLimit:
        """The store's own limit was exceeded."""
        return TheirLimit(self._sentence(what), self._fault(status), what)

    def over_any_piece(self, limit: TheirLimit, piece_ms: int, selector: str) -> StoreLimit:
        """Even a short piece of this read exceeds the store's limit."""
        what = f"{limit.what}; even {format_duration(piece_ms)} of {selector} is too much for it"
        return self.limited(what, limit.fault.status)

    def timed_out(self, after_ms: int) -> StoreTimeout:
        """The store did not end its answer in time."""
        what = f"no complete answer within remote_timeout ({format_duration(after_ms)})"
        return StoreTimeout(self._sentence(what), self._fault(None))

    def refused(self, status: str, code: int, body: bytes) -> StoreError | StoreLimit:
        """The store answered with an HTTP error."""
        text = self.shown(body)
        limited = code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _limit(text)
        return (self.over_their_limit if limited else self.failed)(
            f"{status}: {text or 'no reason'}", code
        )

    def spoiled(self, what: str, status: str, code: int, tail: bytes) -> StoreError | StoreLimit:
        """A stream went wrong after `status`; a tail that is text is the store's reason."""
        text = self.shown(tail)
        if not _readable(tail):
            return self.failed(f"{status}, but {what}", code)
        said = f"{status}, but the stream ends with an error: {text}"
        return (self.over_their_limit if _limit(text) else self.failed)(said, code)

    def shown(self, foreign: bytes, most: int = _SHOWN) -> str:
        """The start of a text of the store, which may repeat what it was sent."""
        return shown(hide(foreign, self.secrets()), most)

    def _sentence(self, what: str) -> str:
        said = hide(what.encode("utf-8", "replace"), self.secrets()).decode()
        return f'store "{self.store}": {said} (reading {moment(self.start)} to {moment(self.end)})'

    def _fault(self, status: int | None) -> StoreFault:
        return StoreFault(self.store, self.start, self.end, status)


def shown(body: bytes, most: int = _SHOWN) -> str:
    """The start of a foreign text, on one line and without control characters."""
    text = body[:most].decode("utf-8", "replace")
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def _readable(tail: bytes) -> bool:
    """Whether bytes look like a text that someone wrote."""
    sample = tail[:_SHOWN]
    good = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in sample)
    return len(sample) >= 4 and good == len(sample)


def _limit(text: str) -> bool:
    lower = text.lower()
    return any(known in lower for known in _LIMIT_TEXTS)


def moment(time: int) -> str:
    """A time in ms as RFC 3339, or as plain ms where the calendar ends."""
    try:
        date = datetime.fromtimestamp(time // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{time}ms"
    fraction = f".{time % 1000:03d}" if time % 1000 else ""
    return f"{date:%Y-%m-%dT%H:%M:%S}{fraction}Z"
