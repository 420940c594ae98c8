"""Regular expressions that a look at the text decides, as most that editors send are."""

import re
from collections.abc import Callable
from typing import Final

from bridge.model.labels import Matcher, MatchType

_LITERAL: Final = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[.+*?()|\[\]{}^$\\-])*")
_ESCAPED: Final = re.compile(r"\\(.)")
_ANYTHING: Final = ".*"

Test = Callable[[str], bool]


def check_of(matcher: Matcher) -> Test:
    """The test that a matcher makes of a value; what `matches` does, for many values."""
    if matcher.type not in (MatchType.REGEXP, MatchType.NOT_REGEXP):
        return matcher.matches
    test = _plain(matcher.value)
    if test is None:
        return matcher.matches
    if matcher.type is MatchType.REGEXP:
        return test
    return lambda text: not test(text)


def choices(matcher: Matcher) -> frozenset[str] | None:
    """The values that a matcher lets pass, if it names each of them."""
    if matcher.type is MatchType.EQUAL:
        return frozenset((matcher.value,))
    pieces = matcher.value.split("|")
    if matcher.type is MatchType.REGEXP and all(map(_LITERAL.fullmatch, pieces)):
        return frozenset(map(_unescaped, pieces))
    return None


def _plain(pattern: str) -> Test | None:
    """The test of `a|b` or of texts with `.*` around and between; None of any other pattern."""
    named = choices(Matcher("", MatchType.REGEXP, pattern))
    if named is not None:
        return named.__contains__
    pieces = pattern.split(_ANYTHING)
    if not all(map(_LITERAL.fullmatch, pieces)):
        return None
    start, *middle, end = map(_unescaped, pieces)
    return lambda text: _in_order(text, start, middle, end)


def _in_order(text: str, start: str, middle: list[str], end: str) -> bool:
    if len(text) < len(start) + len(end) or not (text.startswith(start) and text.endswith(end)):
        return False
    at, stop = len(start), len(text) - len(end)
    for piece in middle:
        at = text.find(piece, at, stop)
        if at < 0:
            return False
        at += len(piece)
    return True


def _unescaped(literal: str) -> str:
    return _ESCAPED.sub(r"\1", literal)
