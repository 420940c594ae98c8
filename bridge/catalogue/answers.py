"""What the catalogue is asked, and how it answers."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, TypeVar

from bridge.catalogue.patterns import choices
from bridge.model.labels import METRIC_NAME, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions

T = TypeVar("T")

APPROXIMATE: Final = (
    "label data are approximate: remote read has no call for them, so they may lack series that"
    " no read has brought yet, and may hold series from up to an hour outside the time range"
)
# A value that only a pattern for all values fits.
_ANY: Final = "\x00"
# A selector that names more metrics than this is as good as one that names none.
_NARROW: Final = 20


class Origin(StrEnum):
    """Where an answer comes from.

    From the stores' own APIs, from stores just asked for series, or from what was learned before.
    """

    API = "api"
    PROBE = "probe"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True)
class Lookup:
    """The series that satisfy any of the matcher sets, in a window; all series if there is none."""

    matcher_sets: tuple[tuple[Matcher, ...], ...]
    window: Window
    options: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True, eq=False)
class Found(Generic[T]):
    """An answer; if it is not `complete` something may be missing, and `warnings` says so."""

    items: list[T]
    origin: Origin
    complete: bool
    warnings: tuple[str, ...] = ()


def is_selective(matchers: tuple[Matcher, ...]) -> bool:
    """Whether a selector picks some values: asking for it is not asking for all there is."""
    picking = (one for one in matchers if one.type in (MatchType.EQUAL, MatchType.REGEXP))
    return any(not (matcher.matches("") or matcher.matches(_ANY)) for matcher in picking)


def is_narrow(matchers: tuple[Matcher, ...]) -> bool:
    """Whether a selector names its metrics, so that a store can be asked for them."""
    named = (choices(matcher) for matcher in matchers if matcher.name == METRIC_NAME)
    return any(names and "" not in names and len(names) <= _NARROW for names in named)
