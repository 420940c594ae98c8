"""How often and after which pause a request is repeated. Pure: no clock, no dice of its own."""

from dataclasses import dataclass
from typing import Final

_FIRST_PAUSE: Final = (0.05, 0.4)
# A store that wants a longer pause than this is told of rather than waited for.
LONGEST_PAUSE: Final = 10.0
_EARNED: Final = 0.1
_MOST: Final = 10.0


@dataclass(slots=True)
class RetryBudget:
    """Lets one request in ten be a repetition, and ten at once where that was saved up."""

    _saved: float = _MOST

    def earn(self) -> None:
        """A read was begun."""
        self._saved = min(self._saved + _EARNED, _MOST)

    def spend(self) -> bool:
        """Takes one repetition, if there is one."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


def pause(attempt: int, dice: float, asked: float | None) -> float:
    """The pause in seconds before repetition number `attempt` (from 0); `dice` is in [0, 1).

    What the store asked for goes first; else it is twice as long each time, and jittered.
    """
    if asked is not None:
        return asked
    low, high = _FIRST_PAUSE
    return float(min((low + (high - low) * dice) * 2**attempt, LONGEST_PAUSE))
