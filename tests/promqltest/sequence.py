"""Series lines of a script: a label set and what it holds, one item a step."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np

from bridge.model.histogram import Hint, Histogram, Histograms
from bridge.model.histogram_operators import sums
from bridge.model.labels import Labels, MatchType
from bridge.model.samples import STALE_NAN_BITS
from bridge.model.time import parse_duration
from bridge.promql.selectors import parse_selector

STALE: Final = float(np.array([STALE_NAN_BITS], np.int64).view(np.float64)[0])


class Gap(Enum):
    """What stands at a step that has no float."""

    OMITTED = "_"


@dataclass(frozen=True, slots=True)
class Native:
    """A native histogram, and whether its counter reset hint is written down."""

    value: Histogram
    hinted: bool


Item = float | Gap | Native


class ScriptError(Exception):
    """A script that is not written as it has to be; the text names the line."""


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """`metric{labels} values`, and how long before or after each sample its counter began, ms."""

    labels: Labels
    items: tuple[Item, ...]
    starts: tuple[int | None, ...] = ()


_HEAD: Final = re.compile(
    r"""[^\s{]*(?:\{(?:[^"'`}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\})?"""
)
_NUMBER: Final = (
    r"(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\dywdhms])|(?:\d+(?:ms|[ywdhms]))+)"
)
_ITEM: Final = re.compile(
    r"(?P<blank>_)(?:x(?P<blanks>\d+))?"
    r"|(?P<stale>stale)(?:x(?P<stales>\d+))?"
    r"|(?P<histogram>\{\{.*?\}\})(?:(?P<change>[+-]\{\{.*?\}\})?x(?P<histograms>\d+))?"
    rf"|(?P<first>[+-]?{_NUMBER})(?:(?P<step>[+-]{_NUMBER})?x(?P<count>\d+))?",
    re.ASCII | re.IGNORECASE,
)


def parse_series(text: str) -> SeriesLine:
    """One line; raises ScriptError."""
    head = _HEAD.match(text)
    assert head is not None
    return SeriesLine(parse_labels(head[0]), tuple(_items(text[head.end() :].strip())))


def parse_starts(text: str) -> SeriesLine | None:
    """A line of start timestamps, of the series below it; None if it is no such line."""
    head = _HEAD.match(text)
    assert head is not None
    rest = text[head.end() :]
    labels = head[0]
    if labels.endswith("@st"):
        labels = labels.removesuffix("@st")
    elif rest.startswith("@st"):
        rest = rest.removeprefix("@st")
    else:
        return None
    starts = tuple(start for word in rest.split() for start in _starts(word))
    return SeriesLine(parse_labels(labels), (), starts)


_START: Final = re.compile(
    r"(?P<blank>_)(?:x(?P<blanks>\d+))?"
    r"|(?P<first>[+-]?\w+?)(?:(?:(?P<step>[+-]\w+?))?x(?P<count>\d+))?"
)


def _starts(word: str) -> Iterator[int | None]:
    found = _START.fullmatch(word)
    if found is None:
        raise ScriptError(f"not start timestamps: {word!r}")
    if found["blank"]:
        yield from [None] * int(found["blanks"] or 1)
        return
    first, step = (_signed_duration(found[name] or "0") for name in ("first", "step"))
    for number in range(int(found["count"] or 0) + 1):
        yield first + number * step


def _signed_duration(text: str) -> int:
    """A duration with a sign, in ms."""
    length = parse_duration(text.lstrip("+-"))
    return -length if text.startswith("-") else length


def parse_labels(text: str) -> Labels:
    """`name{label="value"}` as a label set; raises ScriptError."""
    if text == "{}":
        return Labels.of({})
    matchers = parse_selector(text)
    if any(matcher.type is not MatchType.EQUAL for matcher in matchers):
        raise ScriptError(f"not a label set: {text}")
    return Labels.of((matcher.name, matcher.value) for matcher in matchers)


def _items(text: str) -> Iterator[Item]:
    at = 0
    while at < len(text):
        found = _ITEM.match(text, at)
        if found is None or text[found.end() : found.end() + 1].strip():
            raise ScriptError(f"not a series value: {text[at:]!r}")
        yield from _expanded(found)
        at = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip())


def _expanded(found: re.Match[str]) -> Iterator[Item]:
    if found["blank"]:
        yield from [Gap.OMITTED] * int(found["blanks"] or 1)
    elif found["stale"]:
        yield from [STALE] * (int(found["stales"] or 0) + 1)
    elif found["histogram"]:
        yield from _histograms(found["histogram"], found["change"], int(found["histograms"] or 0))
    else:
        value, step = _number(found["first"]), _number(found["step"] or "0")
        for _ in range(int(found["count"] or 0) + 1):
            yield value
            # Repeated addition, not multiplication: its rounding is part of the data.
            value = value + step if found["step"] else value


_HINTS: Final = {
    "unknown": Hint.UNKNOWN,
    "reset": Hint.RESET,
    "not_reset": Hint.NOT_RESET,
    "gauge": Hint.GAUGE,
}
_FIELD: Final = re.compile(r"(\w+):(\[[^\]]*\]|\S+)\s*")


def parse_histogram(text: str) -> Native:
    """A histogram as `{{key:value …}}`; raises ScriptError."""
    fields = dict(_FIELD.findall(text[2:-2].strip()))
    if _FIELD.sub("", text[2:-2].strip()):
        raise ScriptError(f"not a histogram: {text}")

    def numbers(name: str) -> tuple[float, ...]:
        return tuple(map(_number, fields.get(name, "").strip("[]").split()))

    def number(name: str) -> float:
        return _number(fields.get(name, "0"))

    positive, negative = numbers("buckets"), numbers("n_buckets")
    value = Histogram(
        schema=int(number("schema")),
        count=number("count"),
        sum=number("sum"),
        zero_count=number("z_bucket"),
        zero_threshold=number("z_bucket_w"),
        positive_spans=((int(number("offset")), len(positive)),) if positive else (),
        positive=positive,
        negative_spans=((int(number("n_offset")), len(negative)),) if negative else (),
        negative=negative,
        bounds=numbers("custom_values"),
        hint=_HINTS[fields.get("counter_reset_hint", "unknown")],
    )
    return Native(value, "counter_reset_hint" in fields)


def _histograms(first: str, change: str | None, count: int) -> Iterator[Native]:
    one = parse_histogram(first)
    yield one
    for _ in range(count):
        if change is not None:
            one = _changed(one, parse_histogram(change[1:]), subtract=change.startswith("-"))
        yield one


def _changed(one: Native, other: Native, *, subtract: bool) -> Native:
    """The sum or difference, with the hint of the first."""
    if one.value.schema > other.value.schema:
        text = f"from schema {other.value.schema} to {one.value.schema}"
        raise ScriptError(f"error combining histograms: cannot merge {text}")
    row, notes = np.zeros(1, np.int64), np.zeros(1, np.int64)
    sides = (Histograms.of([side.value]).arrays for side in (one, other))
    left, right = sides
    summed = Histograms.frozen(sums(left, row, right, row, subtract, notes)).literal(0)
    return replace(one, value=replace(summed, hint=one.value.hint))


def _number(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-").lower()
    if digits in ("inf", "nan"):
        return math.inf * sign if digits == "inf" else math.nan
    if digits[-1] in "ywdhms":
        return sign * parse_duration(digits) / 1000
    return sign * float(digits)
