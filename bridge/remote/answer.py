"""What is common to both kinds of answer: what a read keeps of it, and how much it may hold."""

from dataclasses import dataclass
from typing import Protocol

from bridge.model.labels import Labels, matches_all
from bridge.remote.series import BadLabels, labels_of
from bridge.storage.allowance import allow
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.merge import Rows


class BadAnswer(ValueError):
    """Bytes that are not what the protocol says; `tail` starts where they stop making sense."""

    def __init__(self, message: str, tail: bytes = b"") -> None:
        self.tail = tail
        super().__init__(message)


class NotStreamable(Exception):
    """A store whose streamed answers are of no use here, so that it is asked for samples.

    Its chunks have an encoding that is not decoded, or its HTTP cannot prove a stream complete.
    """


class TooLarge(Exception):
    """A body that would be larger than `max_response_bytes`; `size` is what it declares."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} bytes")


class Answer(Protocol):
    """An answer that is being received; all methods work in a worker thread.

    They raise BadAnswer, TooLarge, NotStreamable, TooManySamples and LimitExceeded.
    """

    @property
    def needed(self) -> int:
        """How many bytes more make it worth to call `feed`."""

    def feed(self, pieces: list[bytes]) -> None:
        """Takes the bytes that came since the last call."""

    def finish(self) -> list[Rows]:
        """The rows, once the store has ended its answer."""


@dataclass(slots=True)
class Keep:
    """What a read keeps of an answer, counted before it is decoded."""

    select: Select
    options: ReadOptions
    held: int = 0

    def series(self, raw: bytes) -> Labels | None:
        """The series of these label bytes, unless it fails a matcher; raises BadAnswer.

        Stores may send more than was asked for.
        """
        try:
            labels = labels_of(raw)
        except BadLabels as error:
            raise BadAnswer(str(error)) from None
        return labels if matches_all(self.select.matchers, labels) else None

    def spend(self, count: int) -> None:
        """Checks whether so many more samples may be held."""
        allow(self.held + count, self.options)
