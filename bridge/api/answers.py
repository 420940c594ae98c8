"""What was answered to a question, as long as the samples that the answer rests on stand."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from cachetools import LRUCache

from bridge.api.envelope import Answer
from bridge.api.pieces import Shared
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


Place = tuple[Owner, Question]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An answer, what it cost when it was evaluated, and what vouches for it."""

    answer: Answer
    stats: Stats
    warranties: Warranties
    nbytes: int


class _Sent(Shared):
    """A long answer that is sent to somebody: nothing holds it but its pieces."""

    def __init__(self, known: Known) -> None:
        super().__init__(known.answer.pieces)
        self._known = replace(known, answer=replace(known.answer, pieces=()))

    def known(self) -> Known:
        """The answer, to be sent to one more."""
        return replace(self._known, answer=replace(self._known.answer, pieces=self.pieces()))


class Shelf:
    """The answers given last, whosever they are, within so many bytes; of one thread.

    Those that are too long to be kept are known while they are `sent` to somebody.
    """

    def __init__(self, max_bytes: int, metrics: AnswerMetrics) -> None:
        self.max_bytes = max_bytes
        self.metrics = metrics
        self.held: LRUCache[Place, Known] = LRUCache(max_bytes, lambda known: known.nbytes)
        self.sent: WeakValueDictionary[Place, _Sent] = WeakValueDictionary()

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
        known = await self._standing((self._owner, question))
        self.shelf.metrics.looked(found=known is not None)
        return known

    async def _standing(self, place: Place) -> Known | None:
        try:
            known = self.shelf.held[place]
        except KeyError:
            sent = self.shelf.sent.get(place)
            if sent is None:
                return None
            known = sent.known()
        if await lasting(known.warranties):
            return known
        self.shelf.held.pop(place, None)
        self.shelf.sent.pop(place, None)
        return None

    def keep(self, question: Question, answer: Answer, stats: Stats) -> None:
        """Keeps an answer that may be given again, unless it is too large."""
        warranties = _vouched(stats)
        if warranties is None:
            return
        texts = (question.text, *answer.warnings, *answer.infos)
        size = len(answer.data) + sum(map(len, texts)) + _OVERHEAD + _WARRANTY * len(warranties)
        if size <= self.shelf.max_bytes // _SHARE:
            known = Known(answer, stats, warranties, size)
            self.shelf.held[self._owner, question] = known

    async def share(self, question: Question, answer: Answer, stats: Stats) -> Answer:
        """A long answer, whose pieces are written once for all who ask while it is sent."""
        warranties, place = _vouched(stats), (self._owner, question)
        if warranties is None or not self.shelf.max_bytes:
            return answer
        # Others may have asked while this one was evaluated.
        known = await self._standing(place)
        if known is None:
            sent = self.shelf.sent[place] = _Sent(Known(answer, stats, warranties, 0))
            known = sent.known()
        return known.answer


def _vouched(stats: Stats) -> Warranties | None:
    """What vouches for an answer; None if it may not be given again."""
    return stats.provenance.warranties if stats.provenance.complete else None
