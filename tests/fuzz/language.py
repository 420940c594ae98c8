"""The PromQL parser: a tree that its text gives back, or a parse error."""

import re
from collections.abc import Iterator
from pathlib import Path

from bridge.model.errors import ParseError
from bridge.promql.ast import Expr, SubqueryExpr, VectorSelector, children
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.promql.pretty import prettified
from bridge.promql.printer import to_text
from bridge.promql.tokens import KEYWORDS
from tests.fuzz.harness import Harness, Reader
from tests.promql.signatures import SIGNATURES

# Prometheus holds durations as seconds in float64: behind many days a millisecond is lost.
_ROUGH = re.compile(r"\dd(?:\d+h)?(?:\d+m)?(?:\d+s)?\d+ms")
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
        if not _calculates_offsets(tree):
            again = to_text(parse(text, SIGNATURES, _ALL))
            assert again == printed or _ROUGH.search(printed)


def _calculates_offsets(tree: Expr) -> bool:
    """Whether an offset is arithmetic, of which Prometheus prints what it reads otherwise.

    `offset --2 - 1` is printed as `offset 2 - 1`, and `offset 2` is all of the offset in that.
    """
    own = isinstance(tree, VectorSelector | SubqueryExpr) and tree.offset_expr is not None
    return own or any(map(_calculates_offsets, children(tree)))


def _seeds() -> Iterator[bytes]:
    for file in sorted(_EXPRESSIONS.glob("*.promql")):
        lines = file.read_bytes().splitlines()
        yield from (line for line in lines[::10] if line and not line.startswith(b"#"))


HARNESSES = (Harness("parser", (Reader(_check, _seeds),), ("bridge.promql",), _WORDS),)
