"""The PromQL parser: a tree that its text gives back, or a parse error."""

import re
from collections.abc import Iterator
from pathlib import Path

from bridge.model.errors import ParseError
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.pretty import prettified
from bridge.promql.printer import to_text
from bridge.promql.tokens import KEYWORDS
from tests.fuzz.harness import Harness, Reader
from tests.promql.signatures import SIGNATURES

# Prometheus holds durations as seconds in float64: behind many days a millisecond is lost.
_ROUGH = re.compile(r"\dd(?:\d+h)?(?:\d+m)?(?:\d+s)?\d+ms")
# It prints a number behind two signs without a unit, and as so many seconds once it is read again.
_SECONDS = re.compile(r"(?<=\d)s\b")
_ALL = Features(True, True, True, True)
_WORDS = (*sorted(KEYWORDS), *SIGNATURES)
_EXPRESSIONS = Path(__file__).parents[1] / "oracle" / "expressions"


def _check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        tree = parse(text, SIGNATURES, _ALL)
    except ParseError:
        return
    printed = to_text(tree)
    for text in (printed, prettified(tree)):
        again = to_text(parse(text, SIGNATURES, _ALL))
        alike = _SECONDS.sub("", again) == _SECONDS.sub("", printed)
        assert alike or _ROUGH.search(printed)


def _seeds() -> Iterator[bytes]:
    for file in sorted(_EXPRESSIONS.glob("*.promql")):
        lines = file.read_bytes().splitlines()
        yield from (line for line in lines[::10] if line and not line.startswith(b"#"))


HARNESSES = (Harness("parser", (Reader(_check, _seeds),), ("bridge.promql",), _WORDS),)
