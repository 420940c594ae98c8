"""In which of its two forms an answer is the smaller, from what a store was seen to send."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from bridge.model.labels import Matcher
from bridge.remote.settings import ResponseType

Int64s = npt.NDArray[np.int64]
Selector = tuple[Matcher, ...]

# Bytes a series, until more is known: a Sample message in a compressed body (20 before that); a
# chunk's own header; what compression leaves of labels, which repeat, as a share.
_SAMPLE: Final = 12.0
_LEAST_SAMPLE: Final = 4.0
_MOST_SAMPLE: Final = 20.0
_CHUNK_HEADER: Final = 24.0
_COMPRESSED: Final = 1 / 3
# The newest chunks are shorter than others: near the break-even, a stream is smaller than expected.
_CLEARLY: Final = 0.75

_SELECTORS: Final = 1000


@dataclass(slots=True)
class Sent:
    """What an answer was made of, counted while it is decoded.

    `series` are those kept. Of a sampled answer: `samples` within the range asked; `doubtful` if
    there is a 0 among them, which Go's protobuf makes of -0 too, or a native histogram, of which it
    may have lost a start timestamp. Of a streamed one: its `chunks`, the samples and bytes of data
    in them, and the ms between their first and last times; `in_chunks_only` if there are others
    than XOR chunks, for whose samples the same holds.
    """

    series: int = 0
    samples: int = 0
    chunks: int = 0
    chunk_samples: int = 0
    chunk_bytes: int = 0
    chunk_span: int = 0
    doubtful: bool = False
    in_chunks_only: bool = False

    def note(self, sizes: Int64s, counts: Int64s, spans: Int64s) -> None:
        """Counts chunks: bytes, samples and ms of each."""
        self.chunks += len(sizes)
        self.chunk_bytes += int(sizes.sum())
        self.chunk_samples += int(counts.sum())
        self.chunk_span += int(spans.sum())


@dataclass(frozen=True, slots=True)
class Habit:
    """What a store sends for a selector.

    `interval`: ms between two samples of a series. Bytes: `labels` of a series, `chunk` with its
    header, `sample` of a sampled answer. `per_chunk`: samples. `streamed_only`: a sampled answer
    was doubtful.
    """

    interval: float
    labels: float
    chunk: float
    per_chunk: float
    sample: float = _SAMPLE
    streamed_only: bool = False

    def streamed(self, length: int) -> float:
        """Bytes a series of a streamed answer over `length` ms: every chunk that it touches."""
        return self.labels + self.chunk * (1 + self._samples(length) / self.per_chunk)

    def sampled(self, length: int) -> float:
        """Bytes a series of a sampled answer over `length` ms."""
        return self.labels * _COMPRESSED + self.sample * self._samples(length)

    def cheaper(self, length: int) -> ResponseType:
        """The form to ask for."""
        smaller = self.sampled(length) < _CLEARLY * self.streamed(length)
        return ResponseType.SAMPLES if smaller and not self.streamed_only else ResponseType.STREAMED

    def _samples(self, length: int) -> float:
        # A series without samples in a range is not sent at all.
        return max(length / self.interval, 1.0)


def learned(before: Habit | None, sent: Sent, received: int, length: int) -> Habit | None:
    """What is known after an answer of `received` bytes to a read of `length` ms."""
    if sent.chunk_samples > sent.chunks:
        labels = (received - sent.chunk_bytes - _CHUNK_HEADER * sent.chunks) / max(sent.series, 1)
        return Habit(
            interval=max(sent.chunk_span / (sent.chunk_samples - sent.chunks), 1.0),
            labels=max(labels, 1.0),
            chunk=sent.chunk_bytes / sent.chunks + _CHUNK_HEADER,
            per_chunk=sent.chunk_samples / sent.chunks,
            sample=before.sample if before else _SAMPLE,
            streamed_only=sent.in_chunks_only or (before is not None and before.streamed_only),
        )
    # Series come without samples too, if they have some close by: such an answer tells little.
    if before is None or sent.chunks or not 0 < sent.series <= sent.samples:
        return before
    labels = before.labels * _COMPRESSED * sent.series
    sample = min(max((received - labels) / sent.samples, _LEAST_SAMPLE), _MOST_SAMPLE)
    return replace(before, sample=sample)


@dataclass(slots=True)
class Forms:
    """The habits of one store: by selector, as far as they are remembered, and the latest."""

    _habits: LRUCache[Selector, Habit] = field(default_factory=lambda: LRUCache(_SELECTORS))
    _latest: Habit | None = None

    def order(
        self, selector: Selector, length: int, offered: Sequence[ResponseType]
    ) -> tuple[ResponseType, ...]:
        """The forms that a store offers, the one to ask for first.

        As offered while nothing is known, or if there is no choice.
        """
        habit = self._habits.get(selector, self._latest)
        if habit is None or len(offered) < len(ResponseType):
            return tuple(offered)
        first = habit.cheaper(length)
        return (first, *(kind for kind in offered if kind is not first))

    def saw(self, selector: Selector, sent: Sent, received: int, length: int) -> None:
        """Learns of an answer."""
        known = self._habits.get(selector, self._latest)
        habit = learned(known, sent, received, length)
        if habit is not None:
            self._habits[selector] = habit
            self._latest = replace(habit, streamed_only=False) if habit.streamed_only else habit

    def stream_only(self, selector: Selector) -> None:
        """A sampled answer for this selector was doubtful."""
        habit = self._habits.get(selector, self._latest)
        if habit is not None:
            self._habits[selector] = replace(habit, streamed_only=True)
