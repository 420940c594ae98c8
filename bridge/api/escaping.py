"""What a scraper takes: text or protobuf, and how names are written for it.

Sources: model/metric.go and expfmt/encode.go of prometheus/common.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LEGACY: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_OTHER: Final = re.compile(r"(^[^a-zA-Z_:]|[^a-zA-Z0-9_:])", re.ASCII)
_PROTOBUF: Final = "application/vnd.google.protobuf"
_MESSAGE: Final = "io.prometheus.client.MetricFamily"
_VERSIONS: Final = frozenset({"", "0.0.4"})


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


@dataclass(frozen=True, slots=True)
class Form:
    """How an exposition is written: as text, or as protobuf messages with their lengths before."""

    protobuf: bool
    escaping: Escaping

    @property
    def content_type(self) -> str:
        """The Content-Type that names it."""
        kind = f"{_PROTOBUF}; proto={_MESSAGE}; encoding=delimited"
        text = "text/plain; version=0.0.4; charset=utf-8"
        return f"{kind if self.protobuf else text}; escaping={self.escaping}"


def negotiated(accept: str) -> Form:
    """The form that an Accept header likes best of those that there are; text if it names none.

    As in Prometheus the escaping is that of the last choice looked at, by default underscores.
    """
    escaping = Escaping.UNDERSCORES
    known = {str(one): one for one in Escaping}
    choices = [_choice(text) for text in accept.split(",")]
    for kind, parameters in sorted(choices, key=_quality, reverse=True):
        escaping = known.get(parameters.get("escaping", ""), escaping)
        asked = parameters.get("proto"), parameters.get("encoding")
        if kind == _PROTOBUF and asked == (_MESSAGE, "delimited"):
            return Form(True, escaping)
        if kind == "text/plain" and parameters.get("version", "") in _VERSIONS:
            break
    return Form(False, escaping)


_Choice = tuple[str, dict[str, str]]


def _choice(text: str) -> _Choice:
    kind, *rest = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    return kind, {name.strip(): value.strip() for name, _, value in pairs}


def _quality(choice: _Choice) -> float:
    try:
        return float(choice[1].get("q", "1"))
    except ValueError:
        return 1.0


def _code(found: re.Match[str]) -> str:
    code = ord(found[1])
    return "_FFFD_" if 0xD800 <= code <= 0xDFFF else f"_{code:x}_"
