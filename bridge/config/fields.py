"""The types of single settings: how each is written, and the error text when it is not."""

import re
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from bridge.config.document import Scalar
from bridge.config.sizes import parse_size, parse_united_size
from bridge.config.urls import checked_url
from bridge.model.secret import Secret
from bridge.model.time import Bound, parse_bound, parse_duration

T = TypeVar("T")


class Section(BaseModel):
    """A mapping with known keys; others are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    # What Prometheus' errors call it.
    go_type: ClassVar[str] = "config.plain"
    # Keys that are looked for here but stand elsewhere, and where.
    elsewhere: ClassVar[Mapping[str, str]] = MappingProxyType({})


def refused(text: str) -> PydanticCustomError:
    """The error for a setting that is well written but wrong; `text` is shown as it is."""
    return PydanticCustomError("refused", "{text}", {"text": text})


S = TypeVar("S", bound=Section)


def without_faults(section: S, faults: Iterable[str]) -> S:
    """The section, or one error with a line for every fault."""
    if text := "\n".join(faults):
        raise refused(text)
    return section


def joined(folder: Path, file: str) -> str | None:
    """A file named in a configuration: relative to the configuration's own folder."""
    return str(folder / file) if file else None


def _scalar(expected: str, read: Callable[[Scalar], T], empty: T) -> Callable[[object], T]:
    """Reads a plain value; a null counts as `empty`, as in Prometheus."""

    def validate(value: object) -> T:
        if value is None:
            return empty
        if not isinstance(value, Scalar) or value.tag == "binary":
            raise refused(f"cannot unmarshal {_shape(value)}; expected {expected}")
        try:
            return read(value)
        except ValueError as error:
            raise refused(f"{error}; expected {expected}") from None

    return validate


def _shape(value: object) -> str:
    kind = "binary" if isinstance(value, Scalar) else "seq" if isinstance(value, list) else "map"
    return f"!!{kind}"


def _unmarshal(value: Scalar, go_type: str) -> ValueError:
    shown = value.text if len(value.text) <= 10 else f"{value.text[:7]}..."
    return ValueError(f"cannot unmarshal !!{value.tag} `{shown}` into {go_type}")


_TRUE: Final = frozenset({"true", "yes", "on", "y"})
_FALSE: Final = frozenset({"false", "no", "off", "n"})


def _flag(value: Scalar) -> bool:
    word = value.text.lower()
    if value.tag not in ("bool", "str") or word not in _TRUE | _FALSE:
        raise _unmarshal(value, "bool")
    return word in _TRUE


def _whole(value: Scalar) -> int:
    digits = value.text.replace("_", "")
    try:
        number = int(digits, 8 if re.fullmatch(r"0\d+", digits) else 0)
    except ValueError:
        number = _whole_float(value, digits)
    if value.tag not in ("int", "float", "str") or not 0 <= number < 1 << 64:
        raise _unmarshal(value, "uint64")
    return number


def _whole_float(value: Scalar, digits: str) -> int:
    if not re.fullmatch(r"\d+(\.\d*)?([eE][+]?\d{1,2})?", digits):
        raise _unmarshal(value, "uint64")
    number = float(digits)
    # Perhaps infinite, which no int is.
    if number >= 1 << 64:
        raise _unmarshal(value, "uint64")
    return int(number)


def _number(value: Scalar) -> float:
    try:
        number = float(value.text)
    except ValueError:
        raise _unmarshal(value, "float64") from None
    if value.tag not in ("int", "float", "str") or not isfinite(number):
        raise _unmarshal(value, "float64")
    return number


def _url(value: Scalar) -> str:
    return value.text and checked_url(value.text, ("http", "https"))


def _proxy(value: Scalar) -> Secret:
    schemes = ("http", "https", "socks5", "socks5h")
    return Secret(value.text and checked_url(value.text, schemes))


def _valkey(value: Scalar) -> Secret:
    schemes = ("redis", "rediss", "valkey", "valkeys")
    return Secret(value.text and checked_url(value.text, schemes))


def _text(value: Scalar) -> str:
    return value.text


def _file_name(value: Scalar) -> str:
    if "\0" in value.text:
        raise ValueError("a file's name cannot hold a NUL character")
    return value.text


def _of(expected: str, read: Callable[[Scalar], T], empty: T) -> BeforeValidator:
    return BeforeValidator(_scalar(expected, read, empty))


Text = Annotated[str, _of("a text", _text, "")]
FileName = Annotated[str, _of("the name of a file", _file_name, "")]
Flag = Annotated[bool, _of("true or false", _flag, False)]
Whole = Annotated[int, _of("a whole number from 0 on", _whole, 0)]
Number = Annotated[float, _of("a number", _number, 0.0)]
Duration = Annotated[
    int,
    _of(
        "a duration such as 30s, 5m or 1h30m",
        lambda value: parse_duration(value.text),
        0,
    ),
]
Size = Annotated[int, _of("a size such as 512MiB or 4GiB", lambda value: parse_size(value.text), 0)]
UnitedSize = Annotated[
    int, _of("a size such as 15MB", lambda value: parse_united_size(value.text), 0)
]
TimeBound = Annotated[
    Bound | None,
    _of(
        "a time such as 2026-01-01T00:00:00Z, or a duration from now on such as -30d",
        lambda value: parse_bound(value.text),
        None,
    ),
]
SecretText = Annotated[Secret, _of("a text", lambda value: Secret(value.text), Secret(""))]
Url = Annotated[str, _of("a URL such as https://host:9090/api/v1/read", _url, "")]
ProxyUrl = Annotated[Secret, _of("a URL such as http://proxy:3128", _proxy, Secret(""))]
ValkeyUrl = Annotated[Secret, _of("a URL such as redis://host:6379/0", _valkey, Secret(""))]


def _check_label_names(labels: dict[str, str] | None) -> dict[str, str]:
    if "" in (labels or {}):
        raise refused('"" is not a valid label name')
    return labels or {}


LabelSet = Annotated[dict[str, Text] | None, AfterValidator(_check_label_names)]


def choice(*names: str, words: str) -> BeforeValidator:
    """One of these names; `words` starts the error text, as in Prometheus."""

    def read(value: Scalar) -> str:
        if value.text not in names:
            raise ValueError(f"{words}: {value.text}")
        return value.text

    return _of(f"one of {', '.join(filter(None, names))}", read, "")


def unsupported(instead: str) -> BeforeValidator:
    """A key that Prometheus knows and prombridge refuses; `instead` names the way out."""

    def validate(value: object) -> None:
        if value is not None:
            raise refused(f"prombridge does not support this; {instead}")

    return BeforeValidator(validate)


Reference = Annotated[None, unsupported("use the inline key or the one that ends in _file")]
