"""Text to tokens, in Prometheus' states: plain, inside braces, inside a duration in brackets."""

import re
from typing import Final

from bridge.promql.numbers import BadNumber, scan_number
from bridge.promql.strings import BadString, quoted_rune, rune_at, scan_string
from bridge.promql.tokens import (
    DURATION,
    DURATION_WORDS,
    END,
    ERROR,
    FILLS,
    IDENTIFIER,
    KEYWORDS,
    METRIC_IDENTIFIER,
    NUMBER,
    STRING,
    Token,
)

_SPACE: Final = r"(?P<space>[ \t\n\r]+)"
_COMMENT: Final = r"(?P<comment>\#[^\r\n]*)"
# The plain forms; everything unusual goes the long way through scan_number and scan_string.
_PLAIN_NUMBER: Final = r"(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.]))"
_PLAIN_DURATION: Final = (
    r"(?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdw]))*(?![0-9A-Za-z_]))"
)
_DIGITS: Final = r"(?P<digits>\.?[0-9])"
_PLAIN_STRING: Final = r'(?P<string>"[^"\\\n\x80-\xff]*")'
_QUOTE: Final = r"(?P<quote>[\"'`])"


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_PLAIN: Final = _any_of(
    r"(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)",
    _SPACE,
    r"(?P<symbol>==|=(?!~)|!=|<=|</|<|>=|>/|>|[-+*/%^,@])",
    r"(?P<switch>[()\[\]{])",
    _PLAIN_NUMBER,
    _PLAIN_DURATION,
    _PLAIN_STRING,
    _COMMENT,
    _DIGITS,
    _QUOTE,
)
_BRACES: Final = _any_of(
    r"(?P<identifier>[A-Za-z_][A-Za-z0-9_]*)",
    r"(?P<symbol>=~|!~|!=|=|,)",
    _PLAIN_STRING,
    _SPACE,
    r"(?P<close>\})",
    _COMMENT,
    _QUOTE,
)
_BRACKETS: Final = _any_of(
    _PLAIN_DURATION,
    _PLAIN_NUMBER,
    r"(?P<switch>[()\]])",
    r"(?P<colon>:)",
    r"(?P<symbol>[-+*/%^,])",
    r"(?P<word>[A-Za-z_]+)",
    _SPACE,
    _DIGITS,
)
_LETTERS: Final = re.compile(r"[A-Za-z_]*")
# The parser gives up long before; what follows need not be read.
_MOST_OPEN: Final = 1_000
_PAREN_FOLLOWS: Final = re.compile(r"[ \t\n\r]*\(")


class _Fault(Exception):
    """A place where the text stops making sense; `start` is where Prometheus reports it."""

    def __init__(self, message: str, start: int) -> None:
        self.message = message
        self.start = start


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of a query without its comments; the last one is END or ERROR.

    An ERROR's text is the message; it stands where Prometheus reports it.
    Source: promql/parser/lex.go.
    """
    source = text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
    lexer = _Lexer(source)
    try:
        lexer.run()
    except _Fault as fault:
        lexer.tokens.append(Token(ERROR, fault.start, fault.message))
    return tuple(lexer.tokens)


class _Lexer:
    """The state of one run over a text in which a character is a byte."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[Token] = []
        self.parens = 0
        self.in_braces = False
        self.in_bracket = False
        # Whether the bracket is read by the duration rules; a number in it ends that.
        self.in_duration = False
        self.got_colon = False
        # Never reset, as in Prometheus: a number in an earlier bracket counts.
        self.got_duration = False

    def run(self) -> None:
        """Reads to the end; raises _Fault."""
        while self.at < len(self.text):
            if self.in_braces:
                self._inside_braces()
            elif self.in_duration:
                self._inside_duration()
            else:
                self._statement()
        self._check_end()

    def _check_end(self) -> None:
        if self.in_braces:
            raise _Fault("unexpected end of input inside braces", self.at)
        if self.in_duration:
            raise _Fault("unexpected end of input in duration expression", self.at)
        if self.parens:
            raise _Fault("unclosed left parenthesis", self.at)
        if self.in_bracket:
            raise _Fault("unclosed left bracket", self.at)
        self.tokens.append(Token(END, self.at, ""))

    def _emit(self, kind: str, end: int) -> None:
        self.tokens.append(Token(kind, self.at, self.text[self.at : end]))
        self.at = end

    def _statement(self) -> None:
        found = _PLAIN.match(self.text, self.at)
        if found is None:
            raise self._strange_character()
        match found.lastgroup:
            case "space" | "comment":
                self.at = found.end()
            case "symbol":
                self._emit(found.group(), found.end())
            case "word":
                self._word(found.group(), found.end())
            case "switch":
                self._switch(found.group())
            case _:
                self._literal(found)

    def _strange_character(self) -> _Fault:
        rune, width = rune_at(self.text, self.at)
        following, _ = rune_at(self.text, self.at + width)
        if rune == "=":
            return _Fault("unexpected character after '=': '~'", self.at)
        if rune == "!":
            return _Fault(f"unexpected character after '!': {quoted_rune(following)}", self.at)
        return _Fault(f"unexpected character: {quoted_rune(rune)}", self.at)

    def _literal(self, found: re.Match[str]) -> None:
        match found.lastgroup:
            case "number":
                self._emit(NUMBER, found.end())
            case "duration":
                self._emit(DURATION, found.end())
            case "string":
                self._emit(STRING, found.end())
            case "quote":
                self._string()
            case _:
                self._number()

    def _string(self) -> None:
        try:
            end = scan_string(self.text, self.at)
        except BadString as bad:
            raise _Fault(str(bad), self.at) from None
        self._emit(STRING, end)

    def _number(self) -> None:
        try:
            kind, end = scan_number(self.text, self.at)
        except BadNumber as bad:
            shown = self.text[self.at : bad.args[0]]
            raise _Fault(f'bad number or duration syntax: "{shown}"', self.at) from None
        self._emit(kind, end)

    def _word(self, word: str, end: int) -> None:
        if self.in_bracket:
            self._word_in_bracket(word[0])
            return
        kind = KEYWORDS.get(word.lower())
        if kind is None:
            kind = METRIC_IDENTIFIER if ":" in word else IDENTIFIER
        elif kind in FILLS and not _PAREN_FOLLOWS.match(self.text, end):
            kind = IDENTIFIER
        self._emit(kind, end)

    def _word_in_bracket(self, first: str) -> None:
        """A word or colon behind a number in brackets."""
        if first == ":":
            if self.got_colon:
                raise _Fault("unexpected colon ':'", self.at)
            self.got_colon = True
            self._emit(":", self.at + 1)
        elif not self._duration_word():
            raise _Fault(f"unexpected character: '{first}', expected ':'", self.at)

    def _duration_word(self) -> bool:
        found = _LETTERS.match(self.text, self.at)
        assert found is not None
        word = found.group().lower()
        if word in DURATION_WORDS:
            self._emit(word, found.end())
        return word in DURATION_WORDS

    def _switch(self, symbol: str) -> None:
        start = self.at
        if symbol == "[" and self.in_bracket:
            raise _Fault("unexpected left bracket '['", start)
        if symbol == "]" and not self.in_bracket:
            raise _Fault("unexpected right bracket ']'", start)
        match symbol:
            case "(":
                self.parens += 1
                if self.parens > _MOST_OPEN:
                    raise _Fault("too many parentheses are open", start)
            case ")":
                self._close_paren()
            case "{":
                self.in_braces = True
            case "[":
                self.in_bracket = self.in_duration = True
                self.got_colon = False
            case _:
                self.in_bracket = self.in_duration = False
        self._emit(symbol, start + 1)

    def _close_paren(self) -> None:
        self.parens -= 1
        if self.parens < 0:
            raise _Fault("unexpected right parenthesis ')'", self.at + 1)

    def _inside_braces(self) -> None:
        found = _BRACES.match(self.text, self.at)
        if found is None:
            raise self._strange_in_braces()
        match found.lastgroup:
            case "space" | "comment":
                self.at = found.end()
            case "identifier":
                self._emit(IDENTIFIER, found.end())
            case "symbol":
                self._emit(found.group(), found.end())
            case "close":
                self.in_braces = False
                self._emit("}", found.end())
            case _:
                self._literal(found)

    def _strange_in_braces(self) -> _Fault:
        rune, width = rune_at(self.text, self.at)
        if rune == "{":
            return _Fault("unexpected left brace '{'", self.at)
        if rune == "!":
            following = quoted_rune(rune_at(self.text, self.at + width)[0])
            return _Fault(f"unexpected character after '!' inside braces: {following}", self.at)
        return _Fault(f"unexpected character inside braces: {quoted_rune(rune)}", self.at)

    def _inside_duration(self) -> None:
        found = _BRACKETS.match(self.text, self.at)
        if found is None:
            raise self._strange_in_duration()
        match found.lastgroup:
            case "space":
                self.at = found.end()
            case "symbol":
                self._emit(found.group(), found.end())
            case "switch":
                self._switch(found.group())
            case "colon":
                self._colon_in_duration()
            case "word":
                if not self._duration_word():
                    raise self._strange_in_duration()
            case _:
                self.got_duration, self.in_duration = True, False
                self._literal(found)

    def _strange_in_duration(self) -> _Fault:
        shown = quoted_rune(rune_at(self.text, self.at)[0])
        return _Fault(f"unexpected character in duration expression: {shown}", self.at)

    def _colon_in_duration(self) -> None:
        if not self.got_duration:
            raise _Fault("unexpected colon before duration in duration expression", self.at + 1)
        if self.got_colon:
            raise _Fault("unexpected repeated colon in duration expression", self.at + 1)
        self.got_colon = True
        self._emit(":", self.at + 1)
