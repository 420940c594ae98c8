"""What is common to both kinds of answer: what a read keeps of it, and how much it may hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bridge.model.arrays import Int64s
from bridge.model.labels import Labels
from bridge.model.selecting import selecting
from bridge.remote.forms import Sent
from bridge.remote.series import BadLabels, labels_of
from bridge.storage.allowance import BYTES_PER_SAMPLE, allow, allow_series
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.merge import Rows
from bridge.storage.pool import CURRENT, Part


class BadAnswer(ValueError):
    """Bytes that are not what the protocol says; `tail` starts where they stop making sense."""

    def __init__(self, message: str, tail: bytes = b"") -> None:
        self.tail = tail
        super().__init__(message)


class NotStreamable(Exception):
    """A store whose streamed answers are of no use here, so that it is asked for samples.

    Its chunks have an encoding that is not known, or its HTTP cannot prove a stream complete.
    """


class NotSampleable(Exception):
    """A store whose sampled answers lack what its chunks have, so that it is asked for these.

    Prometheus before its change #17794 leaves the bounds of custom buckets out of them.
    """


class TooLarge(Exception):
    """A body that would be larger than `max_response_bytes`; `size` is what it declares."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} bytes")


class OverBudget(Exception):
    """A read that would hold more of one store than its settings allow; the text says of what."""


class Answer(Protocol):
    """An answer that is being received; all methods work in a worker thread.

    They raise BadAnswer, TooLarge, OverBudget, NotStreamable, NotSampleable, TooManySamples and
    LimitExceeded.
    """

    @property
    def needed(self) -> int:
        """How many bytes more make it worth to call `feed`."""

    def feed(self, pieces: list[bytes]) -> None:
        """Takes the bytes that came since the last call."""

    def finish(self) -> list[Rows]:
        """The rows, once the store has ended its answer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one read may hold of one store; 0: no limit."""

    max_samples: int = 0
    max_series: int = 0


_UNLIMITED: Final = Budget()


@dataclass(slots=True)
class Keep:
    """What a read keeps of an answer, counted before it is decoded.

    `held` samples, a native histogram counting for several, `received` bytes and, where they are
    limited, `rows` are those of earlier pieces of the read too. `sent`: what the answer was made
    of. `clock`: what the store's clock, ms, showed at least when it was asked, if it said so.
    """

    select: Select
    options: ReadOptions
    held: int = 0
    budget: Budget = _UNLIMITED
    rows: set[Labels] = field(default_factory=set)
    sent: Sent = field(default_factory=Sent)
    received: int = 0
    clock: int | None = None

    def series(self, raws: Iterable[bytes]) -> list[Labels | None]:
        """The series of these label bytes, None where one fails a matcher; raises BadAnswer.

        Stores may send more than was asked for.
        """
        wanted = selecting(self.select.matchers)
        try:
            found = [labels if wanted(labels) else None for labels in map(labels_of, raws)]
        except BadLabels as error:
            raise BadAnswer(str(error)) from None
        if self.budget.max_series or self.options.max_series:
            self._count(labels for labels in found if labels is not None)
        return found

    def spend(self, count: int) -> None:
        """Checks whether so many more samples may be held."""
        allow(self.held + count, self.options)
        if share := CURRENT.get():
            share.add(Part.SAMPLES, count * BYTES_PER_SAMPLE)
        most = self.budget.max_samples
        if most and self.held + count > most:
            raise OverBudget(f"{self.held + count} samples exceed max_samples ({most})")

    def show(self, labels: Sequence[Labels], offsets: Int64s, timestamps: Int64s) -> None:
        """Shows rows with their times in the range asked to who watches the read."""
        if self.options.watch is not None:
            self.options.watch.saw(labels, offsets, timestamps)

    def _count(self, labels: Iterable[Labels]) -> None:
        self.rows.update(labels)
        allow_series(len(self.rows), self.options)
        if 0 < self.budget.max_series < len(self.rows):
            raise OverBudget(f"its series exceed max_series ({self.budget.max_series})")
