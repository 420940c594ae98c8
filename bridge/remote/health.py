"""What became of the reads of a store so far."""

import time
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether a store answers, in the words Prometheus has for targets."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(slots=True)
class Health:
    """Counts since the start, and when the newest of each kind was; Unix ms, 0: none so far.

    A failure is a read that brought no answer, unless its asker left; `last_error` is its text,
    which names the store and holds no secrets.
    """

    state: State = State.UNKNOWN
    reads: int = 0
    failures: int = 0
    last_success: int = 0
    last_failure: int = 0
    last_error: str = ""

    def succeeded(self) -> None:
        """A read was answered."""
        self.state = State.UP
        self.reads += 1
        self.last_success = _now()

    def failed(self, text: str, *, troubled: bool) -> None:
        """A read failed; `troubled`: the store is in trouble, it did not just refuse this read."""
        self.state = State.DOWN if troubled else State.UP
        self.reads += 1
        self.failures += 1
        self.last_failure = _now()
        self.last_error = text


def _now() -> int:
    return time.time_ns() // 1_000_000
