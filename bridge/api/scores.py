"""How well names fit what somebody types: which of them a search takes, with which score, in order.

Sources: web/api/v1/search_filters.go, util/strutil/subsequence.go and jarowinkler.go, and for the
order storage/generic.go of Prometheus.
Scores are from 0 to 1, and Prometheus' own to the bit: the order of additions is theirs.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from threading import Event
from typing import Final

# A value and its score.
Hit = tuple[str, float]
# The score of a value, None where it does not fit.
Score = Callable[[str], float | None]

SUBSEQUENCE: Final = "subsequence"
JARO_WINKLER: Final = "jarowinkler"
ALGORITHMS: Final = (SUBSEQUENCE, JARO_WINKLER)
# What is not the pattern itself stays below 1 also when it is rounded.
_NOT_EXACT: Final = 0.999
_PREFIX: Final = 4
# So many values are scored before it is asked again whether anybody still waits.
_STRETCH: Final = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is typed: texts of which any may fit, how well (0 to 1), and by which algorithm."""

    terms: tuple[str, ...] = ()
    threshold: float = 0.0
    algorithm: str = SUBSEQUENCE
    case_sensitive: bool = True

    def score(self) -> Score | None:
        """The score of values; None if nothing is typed, so that everything fits."""
        fold = (lambda text: text) if self.case_sensitive else lowered
        terms = [fold(term) for term in self.terms if term]
        if not terms:
            return None
        if self.algorithm == SUBSEQUENCE:
            scores = [_by_subsequence(term, self.threshold) for term in terms]
        else:
            scores = [_by_similarity(term, self.threshold) for term in terms]
        return lambda value: _best(scores, fold(value))


class Order(Enum):
    """How hits are sorted: by value, or the best first and the same by value."""

    ASCENDING = auto()
    DESCENDING = auto()
    SCORE = auto()


def best(
    values: Sequence[str], wanted: Wanted, order: Order, limit: int, over: Event
) -> tuple[list[Hit], bool]:
    """The first `limit` of sorted values that fit, and whether there are more.

    Once it is `over` nobody waits for them, and they end early.
    """
    hits = _hits(values[::-1] if order is Order.DESCENDING else values, wanted, over)
    if order is Order.SCORE:
        found = list(hits)
        first = heapq.nsmallest(limit, found, key=lambda hit: (-hit[1], hit[0]))
        return first, len(found) > limit
    return list(islice(hits, limit)), next(hits, None) is not None


def _hits(values: Sequence[str], wanted: Wanted, over: Event) -> Iterator[Hit]:
    score = wanted.score() or (lambda _: 1.0)
    for at in range(0, len(values), _STRETCH):
        if over.is_set():
            return
        scored = ((value, score(value)) for value in values[at : at + _STRETCH])
        yield from ((value, found) for value, found in scored if found is not None)


def lowered(text: str) -> str:
    """Each letter in lower case by itself, as Go's strings.ToLower has it."""
    if text.isascii():
        return text.lower()
    # The one letter whose lower case is two letters in Python.
    return "".join("i" if one == "\u0130" else one.lower() for one in text)


def _best(scores: Sequence[Score], value: str) -> float | None:
    best: float | None = None
    for score in scores:
        found = score(value)
        if found is not None and (best is None or found > best):
            best = found
        if best is not None and best >= 1:
            break
    return best


def _by_subsequence(term: str, threshold: float) -> Score:
    def score(value: str) -> float | None:
        if value.startswith(term):
            return 1.0
        found = subsequence(term, value)
        return found if found > 0 and found >= threshold else None

    return score


def _by_similarity(term: str, threshold: float) -> Score:
    def score(value: str) -> float | None:
        found = substring(term, value)
        if found is not None or not threshold:
            return found
        found = jaro_winkler(term, value)
        return found if found >= threshold else None

    return score


def substring(pattern: str, text: str) -> float | None:
    """1 at the start of the text, down to 0.1 at its end; None if it is not in it."""
    at = text.find(pattern)
    if at <= 0:
        return 1.0 if at == 0 else None
    return 1.0 - 0.9 * float(at) / float(len(text) - len(pattern))


def subsequence(pattern: str, text: str) -> float:
    """How close together a text has a pattern's letters, in their order; 0 if it has not."""
    if not pattern or pattern == text:
        return 1.0
    best = -1.0
    last = len(text) - len(pattern)
    start = text.find(pattern[0], 0, last + 1) if last >= 0 else -1
    while start >= 0:
        found = _from(pattern, text, start)
        if found is None:
            break
        best = max(best, found)
        start = text.find(pattern[0], start + 1, last + 1)
    return best / float(len(pattern) * len(pattern)) * _NOT_EXACT if best >= 0 else 0.0


def _from(pattern: str, text: str, start: int) -> float | None:
    """The raw score of a match that begins at `start`: squares of runs, less the gaps."""
    share = 1.0 / float(len(text))
    score, matched, end = 0.0, 0, 0
    at = start
    while matched < len(pattern):
        at = text.find(pattern[matched], at)
        if at < 0:
            return None
        first = at
        while matched < len(pattern) and at < len(text) and text[at] == pattern[matched]:
            matched += 1
            at += 1
        if first > end:
            score -= float(first - end) * share
        score += float((at - first) ** 2)
        end = at
    if len(text) > end:
        score -= float(len(text) - end) * share * 0.5
    return score


def jaro_winkler(one: str, other: str) -> float:
    """The similarity of two texts, with more weight on how they begin."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    common, moved = _common(short, long)
    if not common:
        return 0.0
    inverse, other_inverse = 1.0 / float(len(short)), 1.0 / float(len(long))
    matches = float(common)
    in_order = (matches - float(moved) * 0.5) / matches
    jaro = (matches * inverse + matches * other_inverse + in_order) / 3.0
    prefix = 0
    while prefix < min(_PREFIX, len(short)) and short[prefix] == long[prefix]:
        prefix += 1
    return jaro + float(prefix) * 0.1 * (1.0 - jaro)


def _common(short: str, long: str) -> tuple[int, int]:
    """How many letters stand at about the same place in both, and how many of them are swapped."""
    reach = max(len(long) // 2 - 1, 0)
    taken = [False] * len(long)
    kept: list[str] = []
    # Where each letter may stand that is not taken: before, there is none within reach.
    free: dict[str, int] = {}
    for at, letter in enumerate(short):
        stop = min(at + reach + 1, len(long))
        place = long.find(letter, max(at - reach, free.get(letter, 0)), stop)
        free[letter] = stop if place < 0 else place + 1
        if place >= 0:
            taken[place] = True
            kept.append(letter)
    found = [letter for letter, there in zip(long, taken, strict=True) if there]
    return len(kept), sum(mine != theirs for mine, theirs in zip(kept, found, strict=True))
