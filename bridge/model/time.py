"""All time arithmetic: the step grid, windows, durations and timestamps as text."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from bridge.model.errors import BadData
from bridge.model.labels import quoted

# Prometheus' API names these two moments exactly; web/api/v1/api.go, MinTime and MaxTime.
MIN_TIME: Final = -9223309901257974 * 1000
MAX_TIME: Final = 9223309901257974 * 1000 + 999
_MIN_TIME_TEXT: Final = "-292273086-05-16T16:47:06Z"
_MAX_TIME_TEXT: Final = "292277025-08-18T07:12:54.999999999Z"

_INT64_MAX: Final = 2**63 - 1

# The times of more steps are not kept; only subqueries have more.
_MANY_STEPS: Final = 11_000


@dataclass(frozen=True, slots=True)
class Steps:
    """The evaluation times of a query: `start`, `start + interval`, … up to `end`; all in ms.

    An instant query is one step; `instant` tells it from a range query that has one step too.
    """

    start: int
    end: int
    interval: int
    instant: bool = False

    @staticmethod
    def at(time: int) -> "Steps":
        """The single step of an instant query."""
        return Steps(time, time, 1, instant=True)

    def __len__(self) -> int:
        return 0 if self.end < self.start else (self.end - self.start) // self.interval + 1

    @property
    def last(self) -> int:
        """The last step's time, at or before `end`."""
        return self.start + (len(self) - 1) * self.interval

    def times(self) -> npt.NDArray[np.int64]:
        """Every step's time, int64 ms [T], read-only."""
        count = len(self)
        make = _times if count <= _MANY_STEPS else _times.__wrapped__
        return make(self.start, count, self.interval)


@lru_cache(maxsize=16)
def _times(start: int, count: int, interval: int) -> npt.NDArray[np.int64]:
    """Kept for a while, since every selector of a query asks for the same ones."""
    times = np.arange(count, dtype=np.int64)
    times *= interval
    times += start
    times.flags.writeable = False
    return times


@dataclass(frozen=True, slots=True)
class Window:
    """The samples a query needs of a selector: from `start` to `end`, ms, both inclusive."""

    start: int
    end: int

    def union(self, other: "Window") -> "Window":
        """The smallest window that holds both."""
        return Window(min(self.start, other.start), max(self.end, other.end))

    def overlaps(self, other: "Window") -> bool:
        """Whether the two share a millisecond or touch."""
        return self.start <= other.end + 1 and other.start <= self.end + 1


def in_64_bits(ms: int) -> int:
    """The nearest time that 64 bits hold."""
    return max(-(1 << 63), min(ms, (1 << 63) - 1))


@dataclass(frozen=True, slots=True)
class Bound:
    """An edge of the time that a store has data of.

    `ms` is a moment, or with `relative` the distance to now, negative in the past.
    """

    ms: int
    relative: bool = False

    def at(self, now: int) -> int:
        """The moment, ms."""
        return now + self.ms if self.relative else self.ms

    def __str__(self) -> str:
        return format_duration(self.ms) if self.relative else format_time(self.ms)


_UNITS: Final = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_DURATION: Final = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)


def parse_duration(text: str) -> int:
    """A Prometheus duration (`1h30m`, `500ms`, `0`) in ms; raises ValueError with Prometheus' text.

    Source: model/time.go of prometheus/common.
    """
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(_duration_fault(text))
    counts = [count.lstrip("0") or "0" for count in found.groups(default="")]
    if any(len(count) > 20 for count in counts):
        raise ValueError(_duration_fault(text))
    total = sum(int(n) * unit for n, unit in zip(counts, _UNITS.values(), strict=True))
    if total * 1_000_000 > _INT64_MAX:
        raise ValueError("duration out of range")
    return total


def _duration_fault(text: str) -> str:
    """What is wrong first, from left to right: an unknown unit, or the parts' order or form."""
    order = list(_UNITS)
    for unit in re.findall(r"[0-9]+([^0-9]*)", text) if text[0].isdigit() else ():
        if unit and unit not in _UNITS:
            return f'unknown unit "{unit}" in duration "{text}"'
        if unit not in order:
            break
        order = order[order.index(unit) + 1 :]
    return f'not a valid duration string: "{text}"'


def format_duration(milliseconds: int) -> str:
    """A duration in Prometheus' canonical form: `y` and `w` only where exact, then `d h m s ms`."""
    if milliseconds == 0:
        return "0s"
    parts, rest = ["-"] if milliseconds < 0 else [], abs(milliseconds)
    for name, unit in _UNITS.items():
        whole = rest // unit
        exact_only = name in ("y", "w")
        if whole and not (exact_only and rest % unit):
            parts.append(f"{whole}{name}")
            rest -= whole * unit
    return "".join(parts)


def go_seconds(milliseconds: int) -> float:
    """A duration as Go's Duration.Seconds gives it: whole seconds plus a rounded fraction."""
    sign = -1 if milliseconds < 0 else 1
    whole, rest = divmod(abs(milliseconds), 1000)
    return sign * whole + sign * (rest * 1_000_000) / 1e9


_GO_FLOAT: Final = re.compile(
    r"[+-]?(?:inf(?:inity)?|(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?)|nan",
    re.ASCII | re.IGNORECASE,
)
_GO_HEX_FLOAT: Final = re.compile(
    r"[+-]?0x(?:(?:_?[0-9a-f])+(?:\.(?:[0-9a-f](?:_?[0-9a-f])*)?)?|\.[0-9a-f](?:_?[0-9a-f])*)p[+-]?\d+",
    re.ASCII | re.IGNORECASE,
)


def parse_float(text: str) -> float:
    """A number as Go's strconv.ParseFloat takes it (hex floats too); raises ValueError."""
    is_hex = _GO_HEX_FLOAT.fullmatch(text) is not None
    if not is_hex and _GO_FLOAT.fullmatch(text) is None:
        raise ValueError(f"parsing {text!r}: invalid syntax")
    digits = text.replace("_", "")
    try:
        value = float.fromhex(digits) if is_hex else float(digits)
    except OverflowError:
        value = math.inf
    if math.isinf(value) and "n" not in text.lower():
        raise ValueError(f"parsing {text!r}: value out of range")
    return value


_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_time(text: str) -> int:
    """A moment as the HTTP API takes it (float seconds or RFC 3339), in ms; raises BadData."""
    named = {_MIN_TIME_TEXT: MIN_TIME, _MAX_TIME_TEXT: MAX_TIME}
    if text in named:
        return named[text]
    try:
        return _milliseconds(parse_float(text))
    except ValueError:
        pass
    try:
        return _rfc3339(text)
    except ValueError:
        raise BadData(f"cannot parse {quoted(text)} to a valid timestamp") from None


def _milliseconds(seconds: float) -> int:
    """Whole seconds and a fraction rounded to ms, as web/api/v1 parseTime does."""
    if not math.isfinite(seconds):
        return -(2**63) // 1_000_000
    fraction, whole = math.modf(seconds)
    return int(whole) * 1000 + _round_half_away(fraction * 1000)


def _round_half_away(value: float) -> int:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def _rfc3339(text: str) -> int:
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(text)
    base, fraction, zone = found.groups()
    moment = datetime.fromisoformat(base + ("+00:00" if zone == "Z" else zone))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    whole = (moment - epoch) // timedelta(milliseconds=1)
    return whole + int(f"{fraction or '0':0<9}"[:3])


def parse_bound(text: str) -> Bound:
    """RFC 3339, or a duration from now on such as `-30d`; raises ValueError."""
    try:
        return Bound(_rfc3339(text))
    except ValueError:
        sign = -1 if text.startswith("-") else 1
        return Bound(sign * parse_duration(text.lstrip("-+")), relative=True)


def format_time(milliseconds: int) -> str:
    """A moment as RFC 3339 in UTC, whole seconds (cut towards 1970)."""
    seconds = abs(milliseconds) // 1000 * (1 if milliseconds >= 0 else -1)
    return f"{np.datetime64(seconds, 's')}Z"


def parse_api_duration(text: str) -> int:
    """A duration as the HTTP API takes it (float seconds or `5m`), in ms; raises BadData."""
    try:
        seconds = parse_float(text)
    except ValueError:
        pass
    else:
        nanoseconds = seconds * 1e9
        if abs(nanoseconds) > 2.0**63:
            raise BadData(f"cannot parse {quoted(text)} to a valid duration. It overflows int64")
        # Go on amd64 makes the smallest integer of NaN.
        whole = -(2**63) if math.isnan(nanoseconds) else int(nanoseconds)
        return int(whole / 1_000_000)
    try:
        return parse_duration(text)
    except ValueError:
        raise BadData(f"cannot parse {quoted(text)} to a valid duration") from None
