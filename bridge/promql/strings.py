"""String literals: where one ends, what it means, what is wrong with it."""

import re
from typing import Final

from bridge.model.labels import quoted
from bridge.promql.tokens import decoded

# What needs a closer look: an escape, the end, a line break, a byte of a longer character.
_SPECIAL: Final = {quote: re.compile(r"[^\\\n\x80-\xff" + quote + "]*") for quote in ("'", '"')} | {
    "`": re.compile(r"[^`\x80-\xff]*")
}
_REPLACEMENT: Final = "\ufffd"
_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_NUMERIC: Final = {"x": (2, 16, 0xFF), "u": (4, 16, 0x10FFFF), "U": (8, 16, 0x10FFFF)}
_HEX: Final = "0123456789abcdef"


class BadString(Exception):
    """A string literal that does not end or does not mean anything; Prometheus' text."""


def rune_at(text: str, at: int) -> tuple[str, int]:
    """The character that starts at a byte (of a Latin-1 text) and its width in bytes.

    A wrong byte is U+FFFD of width 1, the end is "" of width 0: Go's utf8.DecodeRune.
    """
    head = text[at : at + 1]
    if head.isascii():
        return head, len(head)
    for width in (2, 3, 4):
        try:
            return text[at : at + width].encode("latin-1").decode(), width
        except UnicodeDecodeError:
            continue
    return _REPLACEMENT, 1


def quoted_rune(rune: str) -> str:
    """A character as Go's %q shows it; the end of the text shows as U+FFFD."""
    if rune in ("'", '"'):
        return "'\\''" if rune == "'" else "'\"'"
    return f"'{quoted(rune or _REPLACEMENT)[1:-1]}'"


def _unicode(rune: str) -> str:
    code = f"U+{ord(rune):04X}"
    shown = rune.isprintable()
    return f"{code} '{rune}'" if shown else code


def scan_string(text: str, start: int) -> int:
    """Where the literal that starts with the quote at `start` ends; raises BadString."""
    quote, at = text[start], start + 1
    plain = _SPECIAL[quote]
    while True:
        found = plain.match(text, at)
        assert found is not None
        at = found.end()
        rune, width = rune_at(text, at)
        if rune == quote:
            return at + 1
        if rune == _REPLACEMENT:
            raise BadString("invalid UTF-8 rune")
        if rune == "\\":
            at = _scan_escape(text, at + 1, quote)
        elif rune in ("", "\n"):
            raise BadString(f"unterminated {'raw' if quote == '`' else 'quoted'} string")
        else:
            at += width


def _scan_escape(text: str, at: int, quote: str) -> int:
    rune, width = rune_at(text, at)
    if rune == "":
        raise BadString("escape sequence not terminated")
    if rune == quote or (rune in _ESCAPES and rune not in "'\""):
        return at + width
    if rune in "01234567":
        return _scan_digits(text, at, (3, 8, 0xFF))
    if rune in _NUMERIC:
        return _scan_digits(text, at + 1, _NUMERIC[rune])
    raise BadString(f"unknown escape sequence {_unicode(rune)}")


def _scan_digits(text: str, at: int, form: tuple[int, int, int]) -> int:
    count, base, largest = form
    for place in range(at, at + count):
        rune, _ = rune_at(text, place)
        if rune == "":
            raise BadString("escape sequence not terminated")
        if rune.lower() not in _HEX[:base] or not rune.isascii():
            raise BadString(f"illegal character {_unicode(rune)} in escape sequence")
    code = int(text[at : at + count], base)
    if code > largest or 0xD800 <= code < 0xE000:
        raise BadString("escape sequence is an invalid Unicode code point")
    return at + count


_ESCAPE: Final = re.compile(r"\\(?:([0-7]{3})|x(..)|u(.{4})|U(.{8})|(.))")


def _unescaped(found: re.Match[str]) -> str:
    octal, byte, short, long, simple = found.groups()
    if simple:
        return _ESCAPES[simple]
    if octal or byte:
        return chr(int(octal, 8) if octal else int(byte, 16))
    return chr(int(short or long, 16)).encode().decode("latin-1")


def unquoted(literal: str) -> str:
    """What a scanned literal (Latin-1) means; bytes that are not UTF-8 become surrogate escapes."""
    inner = literal[1:-1]
    if literal[0] != "`" and "\\" in inner:
        inner = _ESCAPE.sub(_unescaped, inner)
    return decoded(inner)
