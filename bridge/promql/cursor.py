"""The place in the tokens of a query, and the errors that point there."""

import sys
from typing import Final

from bridge.model.errors import ParseError
from bridge.model.posrange import PosRange
from bridge.promql.lexer import tokenize
from bridge.promql.tokens import ERROR, Token, described

# How high a tree may be and how deep a text may nest: so much is far beyond what people write, and
# walking it takes a small part of a thread's stack.
MAX_HEIGHT: Final = 500
# Who walks a tree takes at most so many Python frames a level, also to hash or to compare it.
_FRAMES: Final = 10

sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_HEIGHT * _FRAMES))


class Cursor:
    """Moves over the tokens of one query.

    An error of the lexer is told when its token is looked at, not when it is reached: Prometheus'
    generated parser reads the next token only where it must, and the first error is what counts.
    """

    __slots__ = ("_index", "aggregations", "kind", "query", "token", "tokens")

    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = tokenize(query)
        self._index = 0
        self.token = self.tokens[0]
        self.kind = self.token.kind
        # How many aggregations are open: an unexpected token in one is said to be "in aggregation".
        self.aggregations = 0

    def advance(self) -> Token:
        """Moves on; gives the token moved over."""
        token = self.token
        self._index += 1
        self.token = self.tokens[self._index]
        self.kind = self.token.kind
        return token

    @property
    def end(self) -> int:
        """The byte offset behind the last token moved over."""
        return self.tokens[self._index - 1].end

    def look(self) -> None:
        """Makes sure that the next token is one; raises ParseError with the lexer's text."""
        if self.kind == ERROR:
            length = len(self.query.encode("utf-8", "surrogateescape"))
            raise self.error(self.token.text, self.token.start, length)

    def expect(self, kind: str, context: str = "", expected: str = "") -> Token:
        """Moves over a token of this kind; raises ParseError if another one stands there."""
        if self.kind != kind:
            raise self.unexpected(context, expected)
        return self.advance()

    def unexpected(self, context: str = "", expected: str = "") -> ParseError:
        """The error that the token here does not belong here."""
        self.look()
        place = context or ("aggregation" if self.aggregations else "")
        text = f"unexpected {described(self.token)}"
        text += f" in {place}" if place else ""
        text += f", expected {expected}" if expected else ""
        return self.error(text, self.token.start, self.token.end)

    def error(self, message: str, start: int, end: int) -> ParseError:
        """An error that points at these bytes."""
        return ParseError(message, PosRange(start, end), self.query)

    def error_at(self, message: str, pos: PosRange) -> ParseError:
        """An error that points at a node."""
        return ParseError(message, pos, self.query)

    def too_deep(self, start: int, end: int) -> ParseError:
        """The error that an expression exceeds MAX_HEIGHT."""
        return self.error(f"expression is nested deeper than {MAX_HEIGHT} levels", start, end)
