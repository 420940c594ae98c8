"""Which matchers a store is sent: those it gets right, in the form in which it does.

All matchers are applied to its answer too, so that what is sent needs only never to lose a series.
"""

from collections.abc import Sequence
from typing import Final

from bridge.model.labels import METRIC_NAME, Matcher, MatchType
from bridge.remote.profiles import Profile
from bridge.remote.settings import NameMatchers

Matchers = tuple[Matcher, ...]

# Reads that stand for one whose name is given by a regular expression.
_MOST_NAMES: Final = 100
_META: Final = frozenset(".+*?^$()[]{}\\|")
_ANY_NAME: Final = Matcher(METRIC_NAME, MatchType.REGEXP, ".+")
_REGEXPS: Final = (MatchType.REGEXP, MatchType.NOT_REGEXP)
_NEGATIVE: Final = (MatchType.NOT_EQUAL, MatchType.NOT_REGEXP)


class NameRequired(Exception):
    """Matchers that do not tell which names are wanted, for a store that must know."""


def pushed(matchers: Matchers, profile: Profile) -> tuple[Matchers, ...]:
    """What to send, one read each; their answers together hold every series that is wanted.

    Raises NameRequired.
    """
    if profile.name_matchers is NameMatchers.EQ:
        rest = [one for one in matchers if one.name != METRIC_NAME]
        sent = _sent(rest, profile)
        return tuple(
            (Matcher(METRIC_NAME, MatchType.EQUAL, name), *sent) for name in _names(matchers)
        )
    sent = _sent(matchers, profile)
    if not sent and profile.matcher_required:
        sent = (_form(_ANY_NAME, profile),)
    return (sent,)


def _sent(matchers: Sequence[Matcher], profile: Profile) -> Matchers:
    return tuple(_form(one, profile) for one in matchers if _right(one, profile))


def _right(matcher: Matcher, profile: Profile) -> bool:
    """Whether the store never loses a series by this matcher."""
    if matcher.type in _REGEXPS and not profile.regex_matchers:
        return False
    if matcher.type in _NEGATIVE or matcher.matches(""):
        named = matcher.name == METRIC_NAME and profile.name_matchers is not NameMatchers.ALL
        return profile.missing_label_ok and not named
    return True


def _form(matcher: Matcher, profile: Profile) -> Matcher:
    if matcher.type not in _REGEXPS or not profile.anchor_regex:
        return matcher
    return Matcher(matcher.name, matcher.type, f"^(?s:{matcher.value})$")


def _names(matchers: Matchers) -> list[str]:
    """The names that a series may have."""
    of_name = [one for one in matchers if one.name == METRIC_NAME]
    for matcher in of_name:
        names = _literals(matcher)
        if names is not None and len(names) <= _MOST_NAMES:
            return [name for name in names if all(one.matches(name) for one in of_name)]
    raise NameRequired


def _literals(matcher: Matcher) -> list[str] | None:
    """All values that a matcher lets pass; None if they cannot be listed."""
    if matcher.type is MatchType.EQUAL and matcher.value:
        return [matcher.value]
    if matcher.type is not MatchType.REGEXP:
        return None
    pattern = matcher.value
    if pattern.startswith("(?:") and pattern.endswith(")"):
        pattern = pattern[3:-1]
    values = list(dict.fromkeys(pattern.split("|")))
    return values if all(one and not _META & set(one) for one in values) else None
