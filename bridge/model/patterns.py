"""Regular expressions of RE2 that only say whether they match: what they capture costs nothing.

What Go does not take is told, and why, in Go's words.

With captures RE2 takes time that grows with the text, the pattern and the groups, all multiplied.
"""

import re
from typing import Final

import re2

_MAX_MEM: Final = 16 << 20
# A literal, an escape, a class of characters; how a group with a name begins; how often.
_PIECES: Final = re.compile(
    rb"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:[^\]]*:\]|[^\]\\])*+\]|\(\?P?<[^>]*>"
    rb"|\{(?:0|[1-9]\d*)(?:,(?:0|[1-9]\d*)?)?\}",
    re.DOTALL,
)
# So long a number, and the braces around it, are for RE2 what is to be matched.
_LONG_NUMBER: Final = re.compile(rb"\d{10}")

_NAME: Final = re.compile(rb"\w+", re.ASCII)

# RE2's words for a syntax error, and Go's for the same.
_GO_WORDS: Final = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "invalid character class": "invalid character class range",
}


def compiled(pattern: str) -> "re2._Regexp[bytes]":
    """The pattern, whose `.` matches a line break; raises re2.error."""
    text = pattern.encode("utf-8", "surrogateescape")
    found = re2.compile(text, _options())
    # Groups with names are captured all the same.
    return re2.compile(_unnamed(text), _options()) if found.groups else found


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEM
    options.dot_nl = True
    options.never_capture = True
    return options


def _unnamed(text: bytes) -> bytes:
    return _PIECES.sub(lambda piece: b"(?:" if piece[0].startswith(b"(?") else piece[0], text)


def only_in_re2(pattern: str) -> str | None:
    """What Go says of a pattern that RE2 takes; None if Go takes it too."""
    for piece in _PIECES.findall(pattern.encode("utf-8", "surrogateescape")):
        if piece == rb"\C":
            return "invalid escape sequence: `\\C`"
        if piece.startswith(b"(?") and not _NAME.fullmatch(piece.partition(b"<")[2][:-1]):
            return f"invalid named capture: `{piece.decode('utf-8', 'replace')}`"
        if piece.startswith(b"{") and _LONG_NUMBER.search(piece):
            return f"invalid repeat count: `{piece.decode()}`"
    return None


def in_words_of_go(error: Exception, pattern: str) -> str:
    """What Go says of a pattern that RE2 does not take."""
    raw = error.args[0] if error.args else ""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    kind, _, fragment = text.partition(": ")
    if kind == "invalid perl operator" and fragment.startswith("(?<"):
        # Go reads a name up to its end, or all that is left.
        name, end, _ = pattern[max(pattern.find(fragment), 0) :].partition(">")
        return f"invalid named capture: `{name}{end}`"
    if kind == "invalid UTF-8" and pattern.endswith(r"\x{"):
        return r"invalid escape sequence: `\x{`"
    shown = fragment or ("" if kind == "trailing \\" else pattern)
    return f"{_GO_WORDS.get(kind, kind)}: `{shown}`"
