"""Values of headers with parameters, such as Content-Disposition, as Go's mime package reads them.

In time that grows with the text's length, which Python's email package does not promise.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

_WORD: Final = r'[^\x00-\x20\x7f-\xff()<>@,;:\\"/\[\]?=]+'
_KIND: Final = re.compile(rf"\s*({_WORD}(?:/{_WORD})?)\s*(?=;|\Z)", re.ASCII)
_PARAMETER: Final = re.compile(
    rf'\s*;\s*({_WORD})\s*=\s*(?:({_WORD})|"((?:[^"\\\r\n]|\\[^\r\n])*+)")', re.ASCII
)
_ESCAPED: Final = re.compile(r'\\([()<>@,;:\\"/\[\]?=])')
_END: Final = re.compile(r"\s*;?\s*", re.ASCII)
_CHARSETS: Final = {"us-ascii", "utf-8"}


def taken_apart(text: str) -> tuple[str, Mapping[str, str]]:
    """The kind in small letters, and the parameters by their names in small letters.

    A character is a byte. Of what Go refuses, nothing: no kind and no parameters.
    Source: ParseMediaType of Go's mime/mediatype.go.
    """
    kind = _KIND.match(text)
    if kind is None:
        return "", {}
    held: dict[str, str] = {}
    at = kind.end()
    while found := _PARAMETER.match(text, at):
        name, plain, quoted = found.groups()
        value = _ESCAPED.sub(r"\1", quoted) if plain is None else plain
        if held.setdefault(name.lower(), value) != value:
            return "", {}
        at = found.end()
    if _END.fullmatch(text, at) is None:
        return kind[1].lower(), {}
    plain = {name: value for name, value in held.items() if "*" not in name}
    return kind[1].lower(), plain | dict(_continued(held))


def _continued(held: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The parameters that stand in pieces or in escapes, put together as in RFC 2231."""
    for name, value in held.items():
        base = name.partition("*")[0]
        if name == f"{base}*":
            if (text := _decoded(value)) is not None:
                yield base, text
        elif name in (f"{base}*0", f"{base}*0*") and f"{base}*" not in held:
            yield base, "".join(_pieces(held, base))


def _pieces(held: Mapping[str, str], base: str) -> Iterator[str]:
    for number in range(len(held)):
        plain, escaped = held.get(f"{base}*{number}"), held.get(f"{base}*{number}*")
        if plain is not None:
            yield plain
        elif escaped is None:
            return
        else:
            yield (_decoded(escaped) or "") if number == 0 else _unescaped(escaped)


def _decoded(value: str) -> str | None:
    """`charset'language'text`; None for another charset than UTF-8."""
    charset, _, rest = value.partition("'")
    _, mark, text = rest.partition("'")
    return _unescaped(text) if mark and charset.lower() in _CHARSETS else None


def _unescaped(text: str) -> str:
    return unquote_to_bytes(text).decode("latin-1")
