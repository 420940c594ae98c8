"""How names are written for scrapers that take only letters, digits, `_` and `:`.

Source: model/metric.go of prometheus/common.
"""

import re
from enum import StrEnum
from typing import Final

_LEGACY: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_OTHER: Final = re.compile(r"(^[^a-zA-Z_:]|[^a-zA-Z0-9_:])", re.ASCII)
_ASKED: Final = re.compile(r"(?:^|;)\s*escaping=([\w-]+)")


class Escaping(StrEnum):
    """A way of writing a name, as the Content-Type names it."""

    NONE = "allow-utf-8"
    UNDERSCORES = "underscores"
    DOTS = "dots"
    VALUES = "values"

    def escape(self, name: str) -> str:
        """The name, written so; one that every scraper takes stays as it is."""
        if is_legacy(name):
            return name
        match self:
            case Escaping.NONE:
                return name
            case Escaping.UNDERSCORES:
                return _OTHER.sub("_", name)
            case Escaping.DOTS:
                doubled = name.replace("_", "__")
                return _OTHER.sub(lambda found: "_dot_" if found[1] == "." else "__", doubled)
            case Escaping.VALUES:
                return "U__" + _OTHER.sub(_code, name.replace("_", "__"))


def is_legacy(name: str) -> bool:
    """Whether every scraper takes this name as it is."""
    return _LEGACY.fullmatch(name) is not None


def negotiated(accept: str) -> Escaping:
    """What the first text form of an Accept header asks for; Prometheus' default is underscores."""
    for choice in accept.split(","):
        kind, _, parameters = choice.partition(";")
        if kind.strip() == "text/plain":
            asked = _ASKED.search(parameters)
            known = {str(one): one for one in Escaping}
            return known.get(asked[1] if asked else "", Escaping.UNDERSCORES)
    return Escaping.UNDERSCORES


def _code(found: re.Match[str]) -> str:
    code = ord(found[1])
    return "_FFFD_" if 0xD800 <= code <= 0xDFFF else f"_{code:x}_"
