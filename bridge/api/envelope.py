"""The envelope of every answer, and JSON as Go writes it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.api.pieces import Piece, framed

_BEFORE: Final = b'{"status":"success","data":'
_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: the JSON of `data`, remarks, and headers of its own.

    The `data` of a `bare` one are the whole body, without envelope; `packed` is the same compressed
    by gzip, if somebody took it that way. `pieces` write a long body one after the other, in any
    thread; then `data` is empty, and it has no more bytes than `at_most`.
    """

    data: bytes
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[Piece, ...] = ()
    at_most: int = 0
    bare: bool = False
    packed: bytes = b""


# The answer of what was done and has nothing to tell: 204.
NOTHING: Final = Answer(b"")


def go_json(value: object) -> bytes:
    """JSON with sorted keys, `<`, `>`, `&` escaped and broken UTF-8 replaced, as Go writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _UNSAFE.sub(_escape, text).encode()


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def success(answer: Answer) -> bytes:
    """The body of an answer without pieces."""
    return b"%s%s%s}" % (_BEFORE, answer.data, _remarks(answer))


def whole(answer: Answer) -> Answer:
    """The same with its envelope around it, as it is sent."""
    return Answer(success(answer), headers=answer.headers, bare=True)


def in_pieces(answer: Answer, data: Sequence[Piece], at_most: int) -> Answer:
    """The same with `data` that pieces write, in so many bytes at most."""
    behind = _remarks(answer) + b"}"
    pieces, longest = framed(_BEFORE, data, behind), at_most + len(_BEFORE) + len(behind)
    return Answer(b"", headers=answer.headers, pieces=pieces, at_most=longest, bare=True)


def _remarks(answer: Answer) -> bytes:
    return _notes("warnings", answer.warnings) + _notes("infos", answer.infos)


def _notes(name: str, texts: Sequence[str]) -> bytes:
    return b',"%s":%s' % (name.encode(), go_json(texts)) if texts else b""


def failure(error_type: str, text: str) -> bytes:
    """The body of an error."""
    return b'{"status":"error","errorType":"%s","error":%s}' % (error_type.encode(), go_json(text))
