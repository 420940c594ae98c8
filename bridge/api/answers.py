"""What was answered to a question, as long as the samples that the answer rests on stand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from cachetools import LRUCache

from bridge.api.asked import Asked, Lead
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


# Gives an answer to one more.
Given = Callable[[], Known]


class _Sent(Shared):
    """A long answer that is sent to somebody: nothing holds it but its pieces."""

    def __init__(self, known: Known) -> None:
        super().__init__(known.answer.pieces)
        self._known = replace(known, answer=replace(known.answer, pieces=()))

    def known(self) -> Known:
        """The answer, to be sent to one more."""
        return replace(self._known, answer=replace(self._known.answer, pieces=self.pieces()))

    async def stands(self) -> bool:
        """Whether it is what would be answered now."""
        return await lasting(self._known.warranties)


class Shelf:
    """The answers given last, whosever they are, within so many bytes; of one thread.

    Those that are too long to be kept are known while they are `sent` to somebody. What is `asked`
    is being answered.
    """

    def __init__(self, max_bytes: int, metrics: AnswerMetrics) -> None:
        self.max_bytes = max_bytes
        self.metrics = metrics
        self.held: LRUCache[Place, Known] = LRUCache(max_bytes, lambda known: known.nbytes)
        self.sent: WeakValueDictionary[Place, _Sent] = WeakValueDictionary()
        self.asked: Asked[Place, Given] = Asked()

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
        known = await self.held(question) or await self._sent((self._owner, question))
        self.shelf.metrics.looked(found=known is not None)
        return known

    async def held(self, question: Question) -> Known | None:
        """The same if it is kept; who finds nothing, or has no use for it, is to ask `find`."""
        place = self._owner, question
        known = self.shelf.held.get(place)
        if known is None or await lasting(known.warranties):
            return known
        self.shelf.held.pop(place, None)
        return None

    async def _sent(self, place: Place) -> Known | None:
        """A long answer that is sent to somebody, if that is what would be answered now."""
        sent = self.shelf.sent.get(place)
        if sent is None:
            return None
        if await sent.stands():
            return sent.known()
        self.shelf.sent.pop(place, None)
        return None

    def lead(self, question: Question) -> "Lead[Place, Given] | None":
        """The lead in answering a question; None if somebody has it."""
        return self.shelf.asked.lead((self._owner, question))

    async def follow(self, question: Question) -> "Lead[Place, Given] | Known | None":
        """What he found who has the lead, if it would be found now; the lead if he gave it up.

        None: it is to be found without the others.
        """
        found = await self.shelf.asked.follow((self._owner, question))
        if found is None or isinstance(found, Lead):
            return found
        known = found()
        if not await lasting(known.warranties):
            return None
        self.shelf.metrics.awaited()
        return known

    async def put(self, question: Question, answer: Answer, stats: Stats) -> Given | None:
        """What may be given to whoever asks the same, and is kept for that as long as may be."""
        warranties = _vouched(stats)
        if warranties is None:
            return None
        if answer.pieces:
            return await self._share(question, Known(answer, stats, warranties, 0))
        known = Known(answer, stats, warranties, _size(question, answer, warranties))
        self._keep(question, known)
        return lambda: known

    def pack(self, question: Question, answer: Answer, packed: bytes) -> None:
        """Keeps the body of an answer compressed too, if the answer is kept still."""
        known = self.shelf.held.get((self._owner, question))
        if known is not None and known.answer is answer:
            answer = replace(answer, packed=packed)
            size = _size(question, answer, known.warranties)
            self._keep(question, replace(known, answer=answer, nbytes=size))

    def _keep(self, question: Question, known: Known) -> None:
        if known.nbytes <= self.shelf.max_bytes // _SHARE:
            self.shelf.held[self._owner, question] = known

    async def _share(self, question: Question, known: Known) -> Given:
        """A long answer, whose pieces are written once for all who ask while it is sent."""
        place = (self._owner, question)
        # Others may have evaluated it at the same time.
        sent = self.shelf.sent.get(place)
        if sent is None or not await sent.stands():
            sent = self.shelf.sent[place] = _Sent(known)
        return sent.known


def _size(question: Question, answer: Answer, warranties: Warranties) -> int:
    """Bytes of memory that a kept answer takes, about."""
    texts = (question.text, *answer.warnings, *answer.infos)
    bodies = len(answer.data) + len(answer.packed)
    return bodies + sum(map(len, texts)) + _OVERHEAD + _WARRANTY * len(warranties)


def _vouched(stats: Stats) -> Warranties | None:
    """What vouches for an answer; None if it may not be given again."""
    return stats.provenance.warranties if stats.provenance.complete else None
