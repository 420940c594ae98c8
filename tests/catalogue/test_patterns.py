"""Patterns that are decided without RE2 are decided as RE2 does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalogue.patterns import check_of, choices
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType

PIECES = st.sampled_from(
    ["a", "b", "ab", "\n", ".*", "|", "\\.", ".", ".+", "(?i)A", "[ab]", "-", ""]
)
TEXTS = st.text("abA.-\n|", max_size=6)
KINDS = st.sampled_from(list(MatchType))


@given(st.lists(PIECES, max_size=5).map("".join), TEXTS, KINDS)
def test_every_pattern_matches_what_the_matcher_says(
    pattern: str, text: str, kind: MatchType
) -> None:
    try:
        matcher = Matcher.checked("a", kind, pattern)
    except BadData:
        return
    assert check_of(matcher)(text) == matcher.matches(text)


@given(st.lists(PIECES, max_size=5).map("".join), TEXTS)
def test_named_choices_are_all_that_matches(pattern: str, text: str) -> None:
    try:
        matcher = Matcher.checked("a", MatchType.REGEXP, pattern)
    except BadData:
        return
    named = choices(matcher)
    if named is not None:
        assert (text in named) == matcher.matches(text)
        assert all(matcher.matches(one) for one in named)


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        (MatchType.EQUAL, "up|down", {"up|down"}),
        (MatchType.REGEXP, "up|down", {"up", "down"}),
        (MatchType.REGEXP, "a\\.b", {"a.b"}),
        (MatchType.REGEXP, "a|", {"a", ""}),
        (MatchType.REGEXP, "a.b", None),
        (MatchType.REGEXP, "(a|b)", None),
        (MatchType.NOT_EQUAL, "up", None),
        (MatchType.NOT_REGEXP, "up", None),
    ],
)
def test_choices(kind: MatchType, value: str, named: set[str] | None) -> None:
    assert choices(Matcher("a", kind, value)) == named
