"""What was read of stores lately: samples and bytes of the last hour and of the last day."""

from collections import deque
from enum import StrEnum
from typing import Final


class Quantity(StrEnum):
    """What is counted."""

    SAMPLES = "samples"
    BYTES = "bytes"


class Period(StrEnum):
    """For how long it counts."""

    HOUR = "hour"
    DAY = "day"


# Of each period how long a slot is, in seconds, and how many slots it has.
_SLOTS: Final = {Period.HOUR: (300, 12), Period.DAY: (3600, 24)}


class Sliding:
    """A sum over the last `slots` slots of `seconds` each, and over the one that is under way.

    So the whole period counts, and at most a slot more; as many numbers are held as there are
    slots, and one. Times are seconds of a clock that never goes back.
    """

    __slots__ = ("_amounts", "_seconds", "_slots")

    def __init__(self, seconds: int, slots: int) -> None:
        self._seconds = seconds
        self._slots = slots
        self._amounts: deque[tuple[int, int]] = deque()

    def add(self, amount: int, now: float) -> None:
        """Counts what was read now."""
        self._forget(now)
        slot, held = self._slot(now), 0
        if self._amounts and self._amounts[-1][0] == slot:
            _, held = self._amounts.pop()
        self._amounts.append((slot, held + amount))

    def total(self, now: float) -> int:
        """How much it is."""
        self._forget(now)
        return sum(amount for _, amount in self._amounts)

    def wait(self, limit: int, now: float) -> float:
        """In how many seconds it is below a limit above 0, if nothing is added."""
        left, until = self.total(now), now
        for slot, amount in self._amounts:
            if left < limit:
                break
            left, until = left - amount, (slot + self._slots + 1) * self._seconds
        return until - now

    def _forget(self, now: float) -> None:
        oldest = self._slot(now) - self._slots
        while self._amounts and self._amounts[0][0] < oldest:
            self._amounts.popleft()

    def _slot(self, now: float) -> int:
        return int(now // self._seconds)


class Usage:
    """What one tenant, user or dashboard made stores send."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums = {
            (quantity, period): Sliding(*_SLOTS[period])
            for quantity in Quantity
            for period in Period
        }

    def add(self, samples: int, nbytes: int, now: float) -> None:
        """Counts a read that is over."""
        for period in Period:
            self._sums[Quantity.SAMPLES, period].add(samples, now)
            self._sums[Quantity.BYTES, period].add(nbytes, now)

    def of(self, quantity: Quantity, period: Period) -> Sliding:
        """The sum of one quantity over one period."""
        return self._sums[quantity, period]
