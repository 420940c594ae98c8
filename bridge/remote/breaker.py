"""When a store that keeps failing is left alone. Pure: the time comes from outside, in seconds."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

_IN_A_ROW: Final = 5
_WINDOW: Final = 20
PAUSE_SECONDS: Final = 5.0


@dataclass(slots=True)
class Breaker:
    """Opens after 5 failures in a row, or when half of the last 20 reads failed.

    After a pause, in seconds, one read goes through as a probe; if it succeeds, all may follow.
    """

    pause: float = PAUSE_SECONDS
    reason: str = ""
    _recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _opened: float | None = None
    _probing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether reads are kept from the store, but for a probe."""
        return self._opened is not None

    def wait(self, now: float) -> float:
        """Seconds in which a read must not start; 0 lets it through, as the probe if need be."""
        if self._opened is None:
            return 0.0
        left = self._opened + self.pause - now
        if left > 0:
            return left
        if self._probing:
            return self.pause
        self._probing = True
        return 0.0

    def succeeded(self) -> None:
        """A read was answered: all may follow."""
        if self._opened is not None:
            self._recent.clear()
        self._opened, self._probing = None, False
        self._recent.append(True)

    def failed(self, now: float, reason: str) -> None:
        """The store gave no answer to a read, or said that it is in trouble."""
        self._recent.append(False)
        self.reason = reason
        last = list(self._recent)
        row = len(last) >= _IN_A_ROW and not any(last[-_IN_A_ROW:])
        half = len(last) == _WINDOW and last.count(False) * 2 >= _WINDOW
        if row or half or self._opened is not None:
            self._opened, self._probing = now, False

    def given_up(self) -> None:
        """A read ended without a verdict: if it was the probe, the next one is."""
        self._probing = False
