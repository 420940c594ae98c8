"""Tests of the natural order of texts."""

import pytest

from bridge.engine.functions.natural import precedes

PAIRS = [
    ("a", "b", True, False),
    ("a2", "a10", True, False),
    ("2", "10", True, False),
    ("a", "a1", True, False),
    ("a1b", "a1b2", True, False),
    ("a9", "ab", True, False),
    ("10", "a", True, False),
    # Beyond 64 bits digits are text.
    ("10000000000000000000", "9223372036854775807", True, False),
    ("9223372036854775807", "10000000000000000000", False, True),
    # Each precedes the other where only leading zeros differ, neither an empty text.
    ("01", "1", True, True),
    ("a01", "a1", True, True),
    ("a01b", "a1c", True, False),
    ("", "a", False, False),
    ("\u0663", "3", False, True),
]


@pytest.mark.parametrize(("one", "other", "before", "after"), PAIRS)
def test_natural_order(one: str, other: str, before: bool, after: bool) -> None:
    assert (precedes(one, other), precedes(other, one)) == (before, after)
