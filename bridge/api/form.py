"""A request's parameters: URL and form body merged as Go's net/http does."""

import quopri
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Receive, Scope

from bridge.api.disposition import taken_apart
from bridge.model.errors import BadData
from bridge.model.labels import quoted

MAX_BODY_BYTES: Final = 16 << 20
# Each costs some 2 µs while nothing else is answered.
MAX_PAIRS: Final = 10_000
# As in Go's mime/multipart.
MAX_PARTS: Final = 1000
_HEAD_BYTES: Final = 1 << 14
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
# Query strings that are known taken apart, and how many bytes one of them has at most.
_KNOWN: Final = 1024
_SHORT: Final = 2048

_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)

Pair = tuple[str, str]
_Given = TypeVar("_Given", bound=Hashable)
_Made = TypeVar("_Made")


class BodyTooLarge(BadData):
    """A request body above the limit."""


@dataclass(frozen=True, slots=True)
class Form:
    """Parameters in order of precedence; `error` tells of the first pair that had to be left out.

    Bytes that are not UTF-8 are kept as surrogate escapes.
    """

    pairs: tuple[Pair, ...]
    error: str = ""
    _made: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, make: Callable[["Form", _Given], _Made], given: _Given) -> _Made:
        """What `make` makes of it; made once if the same form comes again and again."""
        place = make, given
        if place not in self._made:
            self._made[place] = make(self, given)
        made: _Made = self._made[place]
        return made

    def get(self, name: str) -> str:
        """The first value of this name, empty when absent."""
        for key, value in self.pairs:
            if key == name:
                return value
        return ""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of this name."""
        return tuple(value for key, value in self.pairs if key == name)


def has_body(scope: Scope) -> bool:
    """Whether a request's body counts."""
    return scope["method"] in _WITH_BODY


async def read_form(scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Form:
    """The parameters of URL and body; raises BodyTooLarge, and BadData for too many."""
    body = await _body(Request(scope, receive)) if has_body(scope) else b""
    return form_of(scope["query_string"], body, headers)


def form_of(query_string: bytes, body: bytes, headers: Mapping[str, str]) -> Form:
    """The parameters of a URL and of a body that counts; raises BadData for too many."""
    url = _urlencoded(query_string)
    if not body:
        return url
    content_type = headers.get("content-type") or _URLENCODED
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return _merged(_urlencoded(body), url)
        case "multipart/form-data":
            return _merged(url, _multipart(content_type, body))
        case _:
            return url


def _merged(*forms: Form) -> Form:
    told = [form for form in forms if form.pairs or form.error]
    if len(told) == 1:
        return told[0]
    pairs = tuple(pair for form in forms for pair in form.pairs)
    return Form(pairs, next((form.error for form in forms if form.error), ""))


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(f"request body is larger than {MAX_BODY_BYTES >> 20} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def _urlencoded(text: bytes) -> Form:
    """Pairs of a query string, taken apart once if the same comes again and again."""
    return _known(text) if len(text) <= _SHORT else _apart(text)


def _apart(text: bytes) -> Form:
    """Pairs of a query string; as in Go, a pair with a broken escape or a semicolon is left out.

    Raises BadData for too many.
    """
    count = text.count(b"&") + 1
    if count > MAX_PAIRS:
        raise BadData(f"{count} parameters are more than the {MAX_PAIRS} that a request may have")
    pairs: list[Pair] = []
    error = ""
    for piece in text.split(b"&"):
        problem = _problem(piece)
        if problem:
            error = error or problem
        elif piece:
            name, _, value = piece.partition(b"=")
            pairs.append((_unescaped(name), _unescaped(value)))
    return Form(tuple(pairs), error)


_known = lru_cache(_KNOWN)(_apart)


def _problem(piece: bytes) -> str:
    return "invalid semicolon separator in query" if b";" in piece else broken_escape(piece)


def broken_escape(text: bytes) -> str:
    """What to say of the first broken percent escape; empty if there is none."""
    broken = _BROKEN_ESCAPE.search(text) if b"%" in text else None
    return f"invalid URL escape {quoted(_text(broken.group()))}" if broken else ""


def _unescaped(text: bytes) -> str:
    spaced = text.replace(b"+", b" ")
    return _text(unquote_to_bytes(spaced) if b"%" in spaced else spaced)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _multipart(content_type: str, body: bytes) -> Form:
    """The fields of a form in parts, as Go's mime/multipart takes them apart.

    A form that is cut off, or has too many parts, counts for nothing, as in Go.
    """
    boundary = taken_apart(content_type)[1].get("boundary")
    if boundary is None:
        return Form(())
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    # What stands before the first part, the parts, and the end.
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 2)
    if len(pieces) > MAX_PARTS + 2 or not pieces[-1].startswith(b"--"):
        return Form(())
    fields = [_field(piece) for piece in _whole(pieces[1:-1], delimiter)]
    return Form(tuple(pair for pair in fields if pair is not None and pair[0]))


def _whole(pieces: Sequence[bytes], delimiter: bytes) -> Sequence[bytes]:
    """The parts; what looked like the start of one, but was not a line, is part of its value."""
    parts: list[list[bytes]] = []
    for piece in pieces:
        if piece.lstrip(b" \t").startswith(b"\r\n"):
            parts.append([piece])
        elif parts:
            parts[-1].append(piece)
    return [delimiter.join(part) for part in parts]


def _field(part: bytes) -> Pair | None:
    """Name and value of a part; None for a file, and for what is no part of a form."""
    head, _, value = part.partition(b"\r\n\r\n")
    if len(head) > _HEAD_BYTES:
        return None
    told = _headers(head)
    kind, parameters = taken_apart(told.get("content-disposition", ""))
    if kind != "form-data" or parameters.get("filename"):
        return None
    if told.get("content-transfer-encoding", "").lower() == "quoted-printable":
        value = quopri.decodestring(value)
    return _text(parameters.get("name", "").encode("latin-1")), _text(value)


def _headers(head: bytes) -> Mapping[str, str]:
    """The headers of a part by their names in small letters; of several of one name the first."""
    lines = _FOLD.sub(" ", head.decode("latin-1")).split("\n")
    pairs = [line.partition(":") for line in reversed(lines)]
    return {name.lower(): value.strip() for name, _, value in pairs}
