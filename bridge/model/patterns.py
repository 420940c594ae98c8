"""Regular expressions of RE2 that only say whether they match: what they capture costs nothing.

With captures RE2 takes time that grows with the text, the pattern and the groups, all multiplied.
"""

import re
from typing import Final

import re2

_MAX_MEM: Final = 16 << 20
# A literal, an escape, a class of characters; and how a group with a name begins.
_PIECES: Final = re.compile(
    rb"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:[^\]]*:\]|[^\]\\])*+\]|\(\?P?<[^>]*>", re.DOTALL
)


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
