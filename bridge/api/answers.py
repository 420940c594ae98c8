"""What was answered to a question, as long as the samples that the answer rests on stand."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from cachetools import LRUCache

from bridge.api.envelope import Answer
from bridge.engine.query import Stats
from bridge.model.time import Steps
from bridge.storage.warranty import Warranties, lasting
from bridge.telemetry.answers import AnswerMetrics

# What Python needs for the objects of an answer, and of each of its warranties, about, bytes.
_OVERHEAD: Final = 2000
_WARRANTY: Final = 500
# No answer may take more than this share of all.
_SHARE: Final = 64

# A tenant's name; behind it that of a store if it is asked alone.
Owner = tuple[str, ...]


class Question(NamedTuple):
    """All that decides an answer besides samples: a query's text, its steps, what was asked of it.

    `lookback` is in ms, `limit` a number of series; 0: none given.
    """

    text: str
    steps: Steps
    lookback: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An answer, what it cost as far as that is the same each time, and what vouches for it."""

    answer: Answer
    stats: Stats
    warranties: Warranties
    nbytes: int


class Shelf:
    """The answers given last, whosever they are, within so many bytes; of one thread."""

    def __init__(self, max_bytes: int, metrics: AnswerMetrics) -> None:
        self.max_bytes = max_bytes
        self.metrics = metrics
        self.held: LRUCache[tuple[Owner, Question], Known] = LRUCache(
            max_bytes, lambda known: known.nbytes
        )

    def __len__(self) -> int:
        return len(self.held)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return int(self.held.currsize)


class Answers:
    """The answers on a shelf that are one owner's, a tenant's or those of a store alone.

    Only what came from remembered samples is kept, and given again only while these would answer
    still: it is what the engine would answer now.
    """

    def __init__(self, shelf: Shelf, owner: Owner = ()) -> None:
        self.shelf = shelf
        self._owner = owner

    def apart(self, name: str) -> "Answers":
        """Those of another owner, of this name among all that are of this one."""
        return Answers(self.shelf, (*self._owner, name))

    async def find(self, question: Question) -> Known | None:
        """What was answered, if that is what would be answered now."""
        place = (self._owner, question)
        try:
            known = self.shelf.held[place]
        except KeyError:
            known = None
        if known is not None and not await lasting(known.warranties):
            self.shelf.held.pop(place, None)
            known = None
        self.shelf.metrics.looked(found=known is not None)
        return known

    def keep(self, question: Question, answer: Answer, stats: Stats) -> None:
        """Keeps an answer that may be given again, unless it is too large."""
        warranties = stats.provenance.warranties
        if warranties is None or not stats.provenance.complete:
            return
        texts = (question.text, *answer.warnings, *answer.infos)
        size = len(answer.data) + sum(map(len, texts)) + _OVERHEAD + _WARRANTY * len(warranties)
        if size <= self.shelf.max_bytes // _SHARE:
            known = Known(answer, _again(stats), warranties, size)
            self.shelf.held[self._owner, question] = known


def _again(stats: Stats) -> Stats:
    """What an answer costs when it is known: no time, and nothing is read."""
    none = dict.fromkeys(stats.timings, 0.0)
    return replace(stats, timings=none, samples_read=0, received_bytes=0)
