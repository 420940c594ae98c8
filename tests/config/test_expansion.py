"""Environment variables in external labels; the table follows Go's os.Expand."""

import pytest

from bridge.config.expansion import expanded


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$A", "<A>"),
        ("${A}", "<A>"),
        ("x${A}y$B-z", "x<A>y<B>-z"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$1a", "<1>a"),
        ("${1a}", "<1a>"),
        ("end$", "end$"),
        ("$ x", "$ x"),
        ("${}", ""),
        ("${A", "A"),
        ("$é", "$é"),
    ],
)
def test_expansion_follows_go(text: str, result: str) -> None:
    assert expanded(text, lambda name: f"<{name}>") == result
