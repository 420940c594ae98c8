"""What a remembered answer answers: the whole question, but for the time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bridge.model.labels import Matcher, MatchType
from bridge.model.time import Window

Condition = tuple[str, str, Matcher]


@dataclass(frozen=True, slots=True)
class Key:
    """All that decides what a store answers, but for the time: matchers sorted, each once."""

    store: str
    tenant: str
    matchers: tuple[Matcher, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Whoever looks up a key does so several times.
        object.__setattr__(self, "_hash", hash((self.store, self.tenant, self.matchers)))

    def __hash__(self) -> int:
        return self._hash

    def wider(self, other: "Key") -> bool:
        """Whether every series of the other key is one of this, and more conditions tell which.

        Stores do not agree on what a selector means that asks for no value at all.
        """
        # Of as many conditions, or more, no narrower key consists.
        return len(self.matchers) < len(other.matchers) and _wider(self, other)

    def beyond(self, wider: "Key") -> tuple[Matcher, ...]:
        """The conditions of this that a wider key does not have, sorted."""
        return _beyond(self, wider)

    @property
    def condition(self) -> Condition | None:
        """One condition that every narrower key has too, the metric's name if it is given."""
        named = [one for one in self.matchers if one.name == "__name__"]
        matcher = next(iter([*named, *self.matchers]), None)
        return None if matcher is None else (self.store, self.tenant, matcher)

    def conditions(self) -> Iterator[Condition]:
        """All conditions: among them is the `condition` of every wider key."""
        return ((self.store, self.tenant, one) for one in self.matchers)

    def may_match(self, matchers: Sequence[Matcher]) -> bool:
        """Whether there may be a series that this selects and that satisfies these too."""
        together = (*self.matchers, *matchers)
        values = [(one.name, one.value) for one in together if one.type is MatchType.EQUAL]
        return all(
            one.matches(value) for name, value in values for one in together if one.name == name
        )

    def document(self) -> list[Any]:
        """The same in JSON's words."""
        return [self.store, self.tenant, [list(map(str, _words(one))) for one in self.matchers]]


@lru_cache(maxsize=1 << 12)
def _wider(key: Key, other: Key) -> bool:
    same = (key.store, key.tenant) == (other.store, other.tenant)
    asks = any(not matcher.matches("") for matcher in key.matchers)
    return same and asks and set(key.matchers) < set(other.matchers)


@lru_cache(maxsize=1 << 12)
def _beyond(key: Key, wider: Key) -> tuple[Matcher, ...]:
    return tuple(sorted(set(key.matchers) - set(wider.matchers)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a selector's samples of a slot stand outside this process, as of these purges.

    Who does not know of a purge, or wrote before it, uses another place than who does.
    """

    key: Key
    slot: Window
    purges: tuple[str, ...] = ()

    def document(self) -> list[Any]:
        """The same in JSON's words."""
        return [*self.key.document(), self.slot.start, self.slot.end, *self.purges]


def _words(matcher: Matcher) -> tuple[str, str, str]:
    return matcher.name, matcher.type, matcher.value
