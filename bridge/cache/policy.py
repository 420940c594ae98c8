"""What may be remembered, for how long, and what may be answered from memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from bridge.cache.intervals import common, covers, outward
from bridge.cache.settings import CacheSettings
from bridge.model.errors import StoreError, StoreTimeout
from bridge.model.time import Window

_HOUR: Final = 3_600_000
_SLOT: Final = 2 * _HOUR
_DAY: Final = 24 * _HOUR
# A year of slots: what is longer is not remembered.
_MAX_SLOTS: Final = 4400
# 2000-01-01: machines whose clock was not set yet begin to count in the century before.
_NEVER_SET: Final = 946_684_800_000
# The HTTP statuses of 4xx that say nothing against what was asked.
_OVERLOADED: Final = (408, 429)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time by both clocks, ms: `wall` can be set, `steady` never goes back."""

    wall: int
    steady: int

    @property
    def lead(self) -> int:
        """How far the wall clock is ahead of the steady one: the same until it is set."""
        return self.wall - self.steady

    def age(self, now: "Moment") -> int | None:
        """How old this is now, by the clock that says more; None if the wall clock went back."""
        if now.wall < self.wall:
            return None
        return max(now.wall - self.wall, now.steady - self.steady)

    def older(self, other: "Moment") -> "Moment":
        """The moment that both are not older than."""
        return Moment(min(self.wall, other.wall), min(self.steady, other.steady))


class Kept(Protocol):
    """What was read: its window, when the read began, and up to when it was settled and sealed."""

    @property
    def window(self) -> Window: ...

    @property
    def read(self) -> Moment: ...

    @property
    def settled(self) -> int: ...

    @property
    def sealed(self) -> int: ...

    @property
    def empty(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that follow from the settings; what they are asked about is a read's begin."""

    settings: CacheSettings

    def judged(self, read: Moment, clock: int | None) -> Moment:
        """The moment by which the samples of a read count as settled and closed.

        It is the store's `clock` where that is behind ours: by ours, samples that are still
        arriving may seem old. A store without a clock, or with one that was never set, has no say.
        """
        if clock is None or clock < _NEVER_SET:
            return read
        return Moment(min(read.wall, clock), read.steady)

    def horizon(self, read: Moment) -> int:
        """The youngest time that a read which began then saw settled."""
        return read.wall - self.settings.freshness

    def closed(self, read: Moment) -> int:
        """The youngest time for which a read that began then saw all that would ever come."""
        return read.wall - self.closing

    @property
    def closing(self) -> int:
        """How old samples must be, ms, for a store to have all that will ever come."""
        return max(self.settings.out_of_order_window + 1, self.settings.freshness)

    def judges_like(self, other: "Policy") -> bool:
        """Whether by this policy the same counts as settled, and as closed."""
        freshness = self.settings.freshness == other.settings.freshness
        return freshness and self.closing == other.closing

    def servable(self, what: Kept, now: Moment, fresh: bool) -> Window | None:
        """What may be answered now out of what was read then; None if nothing.

        `fresh`: only what the store does not change any more.
        """
        newest = self._newest(what, now, fresh=fresh)
        if newest is None or newest < what.window.start:
            return None
        return what.window if newest >= what.window.end else Window(what.window.start, newest)

    def serves(self, what: Kept, window: Window, now: Moment) -> bool:
        """Whether all of a window may be answered now out of what was read then."""
        if not covers(what.window, window):
            return False
        newest = self._newest(what, now, fresh=False)
        return newest is not None and window.end <= newest

    def _newest(self, what: Kept, now: Moment, fresh: bool) -> int | None:
        """Up to which time it may be answered; None if nothing of it."""
        age = self._age(what, now)
        if age is None:
            return None
        if age <= self.settings.burst and not fresh:
            return what.window.end
        if age <= self.settings.young_ttl:
            return self.sealed(what, now) if fresh else self.settled(what, now)
        if age <= self.settings.sealed_ttl and not what.empty:
            return self.sealed(what, now)
        return None

    def stale(self, what: Kept, now: Moment) -> Window | None:
        """What may be answered, however old it is, while the store is down; None if nothing."""
        if not self.settings.stale_if_error or self._age(what, now) is None:
            return None
        return common(what.window, Window(what.window.start, self.settled(what, now)))

    def settled(self, what: Kept, now: Moment) -> int:
        """Up to when a store had settled what was read, as far as the clock of now is right.

        A clock that was set back since was ahead when it was read: samples that were still arriving
        seemed to be old.
        """
        return what.settled - _set_back(what.read, now)

    def sealed(self, what: Kept, now: Moment) -> int:
        """Up to when a store had closed what was read, as far as the clock of now is right."""
        return what.sealed - _set_back(what.read, now)

    def widened(self, gap: Window, window: Window, now: Moment, share: float = 1.0) -> Window:
        """What to read for a gap of a window.

        Its unsettled end is read as far as any query of this moment may ask, so that reads of the
        newest samples for windows that differ a little are the same read. A window that moved on
        within what is settled will do so again, and one that reaches further back than those before
        it is followed by others that do, as of panels with longer ranges: some of what comes next
        is read along, of selectors with a smaller `share` (0 to 1) less, so that those of one
        dashboard are not all read again at the same refresh.
        """
        horizon = self.horizon(now)
        if gap.end <= horizon:
            more = round(self.settings.read_ahead * (1 + share) / 2)
            on = more if window.start < gap.start and gap.end == window.end else 0
            back = more if window.start == gap.start and gap.end < window.end else 0
            return Window(gap.start - back, min(gap.end + on, horizon))
        tail = Window(min(gap.start, horizon), max(gap.end, now.wall))
        rounded = outward(tail, self.settings.round_tail)
        settled = gap.start <= horizon
        return Window(gap.start if settled else rounded.start, rounded.end)

    def edges(self, window: Window, read: Moment) -> Iterator[int]:
        """Where what was read is cut: at the horizon, at epoch days, from yesterday on at 2 h."""
        yield self.horizon(read) + 1
        recent = self._recent(read)
        for start, end, width in (
            (window.start, min(window.end, recent - 1), _DAY),
            (max(window.start, recent), window.end, _SLOT),
        ):
            yield from range(-(-start // width) * width, end + 1, width)

    def slot(self, time: int, now: Moment) -> Window:
        """The piece between two cuts that a time is in."""
        width = _DAY if time < self._recent(now) else _SLOT
        start = time // width * width
        return Window(start, start + width - 1)

    def storable(self, window: Window) -> bool:
        """Whether a window is short enough to be remembered in pieces."""
        return window.end - window.start < _MAX_SLOTS * _SLOT

    def admits(self, size: int, free: int, again: bool) -> bool:
        """Whether to remember so many bytes; `again`: the selector was missed before, lately."""
        return size <= self.settings.max_bytes // 4 and (size <= free or again)

    def _age(self, what: Kept, now: Moment) -> int | None:
        """How old a read is; None if the clock by which it was read, or judged, went back since.

        Of merged reads it is the oldest that ages, and the newest that says what is settled.
        """
        return None if what.settled > self.horizon(now) else what.read.age(now)

    def _recent(self, now: Moment) -> int:
        """The epoch day's start from which on cuts are 2 h apart."""
        return (now.wall - _DAY) // _DAY * _DAY


def _set_back(read: Moment, now: Moment) -> int:
    """By how much the wall clock is set back since a read, ms."""
    return max(read.lead - now.lead, 0)


def is_down(error: StoreError | StoreTimeout) -> bool:
    """Whether an error says that a store is out of order, not that it refuses what was asked."""
    status = error.fault.status
    refused = status is not None and status // 100 == 4 and status not in _OVERLOADED
    return not refused
