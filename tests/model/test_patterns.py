"""Regular expressions without captures match what the same ones match with them."""

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType
from bridge.model.patterns import compiled

PIECES = (
    *"()[]|*+?^-:<>P.ab\\\n", "(?P<n>", "(?P<m>", "(?:", "(?i:", "(?i)", "[^", "[]", "[[:alpha:]]",
    "[[:^", "[(?P<", ":]", "\\Q", "\\E", "\\(", "\\[", "\\]", "\\d", "\\pL", "\\x{61}", "{2}", "é",
)  # fmt: skip
PATTERNS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
VALUES = st.text(st.sampled_from("abAP(?<>[]:\n\\é"), max_size=6)


@given(PATTERNS, st.lists(VALUES, max_size=8))
def test_nothing_is_captured_and_the_same_matches(pattern: str, values: list[str]) -> None:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        capturing = re2.compile(pattern.encode(), options)
    except re2.error as error:
        with pytest.raises(re2.error, match=f"^{re.escape(str(error))}$"):
            compiled(pattern)
        return
    found = compiled(pattern)
    assert found.groups == 0
    for value in map(str.encode, values):
        assert bool(found.fullmatch(value)) == bool(capturing.fullmatch(value))


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"a\Cb", r"invalid escape sequence: `\C`"),
        ("(?P<é>a)", "invalid named capture: `(?P<é>`"),
        ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
        ("(?<n>a)(?<!b>)", "invalid named capture: `(?<!b>`"),
        ("(?<é", "invalid named capture: `(?<é`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        (r"é\x{", r"invalid escape sequence: `\x{`"),
        ("a{1000000000}", "invalid repeat count: `{1000000000}`"),
        ("a|{2,99999999999}", "invalid repeat count: `{2,99999999999}`"),
        ("a{99999999999,}", "invalid repeat count: `{99999999999,}`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
    ],
)
def test_what_go_does_not_take_is_refused_in_its_words(pattern: str, fault: str) -> None:
    with pytest.raises(BadData) as caught:
        Matcher.checked("job", MatchType.REGEXP, pattern)
    assert str(caught.value) == f"error parsing regexp: {fault}"


@pytest.mark.parametrize(
    "pattern",
    [
        r"\\C",
        r"\Q\C(?P<é>\E",
        r"[(?<!>]",
        "(?P<n_1>a)",
        "[a{9999999999}]",
        "a{9999999999",
        "a{09999999999}",
    ],
)
def test_what_only_looks_so_is_taken(pattern: str) -> None:
    assert Matcher.checked("job", MatchType.REGEXP, pattern).value == pattern


def test_a_pattern_costs_what_it_is_long() -> None:
    for pattern in ("(a?)" * 4000, "(" * 900 + "a" + ")*" * 900):
        assert Matcher("x", MatchType.REGEXP, pattern).matches("a" * 1000)
    named = "".join(f"(?P<n{number}>a?)" for number in range(4000))
    assert Matcher("x", MatchType.REGEXP, named).matches("a" * 1000)
