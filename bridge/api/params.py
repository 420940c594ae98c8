"""A form's texts as typed values, in the order and with the words of Prometheus' API.

Source: web/api/v1/api.go of Prometheus.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from bridge.api.form import Form
from bridge.engine.demands import Limits
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, quoted
from bridge.model.time import MAX_TIME, MIN_TIME, Steps, parse_api_duration, parse_float, parse_time

MAX_POINTS: Final = 11_000
_DEFAULT_LENGTH: Final = 10
_LONGEST: Final = 10_000
_INT64_MAX: Final = 2**63 - 1
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)

_LIMITS: Final = Limits()

ParseSelector = Callable[[str], tuple[Matcher, ...]]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` to `end`, ms, both inclusive."""

    start: int
    end: int


def parameter(name: str) -> AbstractContextManager[None]:
    """A BadData raised within is said to be about this parameter."""
    return _About(name)


class _About(AbstractContextManager[None]):
    """A parameter that is looked at."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, BadData):
            raise BadData(f"invalid parameter {quoted(self._name)}: {error}") from None


def refuse_broken(form: Form) -> None:
    """Raises BadData if a pair of the form had to be left out."""
    if form.error:
        raise BadData(f"error parsing form values: {form.error}")


def limit(form: Form) -> int:
    """`limit`; 0 for none."""
    with parameter("limit"):
        return _limit(form.get("limit"))


def _limit(text: str) -> int:
    if not text:
        return 0
    value = integer(text)
    if value < 0:
        raise BadData("limit must be non-negative")
    return value


def length(form: Form) -> int:
    """`limit` of a list that is never shown whole: 10, at most 10,000, as in `status/tsdb`."""
    wrong = "limit must be a positive number"
    text = form.get("limit")
    try:
        value = integer(text) if text else _DEFAULT_LENGTH
    except BadData:
        raise BadData(wrong) from None
    if value < 1:
        raise BadData(wrong)
    if value > _LONGEST:
        raise BadData(f"limit must not exceed {_LONGEST}")
    return value


def integer(text: str) -> int:
    """An integer as Go's strconv.Atoi takes it."""
    if not _INTEGER.fullmatch(text):
        raise BadData(f"strconv.Atoi: parsing {quoted(text)}: invalid syntax")
    # int() refuses texts of thousands of digits with words of its own.
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits) if len(digits) < 20 else _INT64_MAX + 1
    if value > _INT64_MAX:
        raise BadData(f"strconv.Atoi: parsing {quoted(text)}: value out of range")
    return -value if text.startswith("-") else value


def number(form: Form, name: str) -> int | None:
    """An integer where Prometheus does not say what is wrong with it; None if it is not given."""
    text = form.get(name)
    try:
        return integer(text) if text else None
    except BadData:
        raise BadData(f"{name} must be a number") from None


def time(text: str) -> int:
    """A moment in ms."""
    value = parse_time(text)
    if not MIN_TIME <= value <= MAX_TIME:
        raise BadData(f"cannot parse {quoted(text)} to a valid timestamp")
    return value


def optional_time(form: Form, name: str, default: int) -> int:
    """A moment in ms; `default` when the parameter is absent or empty."""
    text = form.get(name)
    if not text:
        return default
    with parameter(name):
        try:
            return time(text)
        except BadData as error:
            raise BadData(f"invalid time value for '{name}': {error}") from None


def time_range(form: Form, default: TimeRange) -> TimeRange:
    """`start` and `end`, each optional."""
    start = optional_time(form, "start", default.start)
    return TimeRange(start, optional_time(form, "end", default.end))


def steps(form: Form, limits: Limits = _LIMITS) -> Steps:
    """`start`, `end` and `step` of a range query."""
    with parameter("start"):
        start = time(form.get("start"))
    with parameter("end"):
        end = _end(form.get("end"), start)
    with parameter("step"):
        step = _step(form.get("step"))
    made = (end - start) // step
    if limits.points != MAX_POINTS:
        limits.check_points(made)
    elif made > MAX_POINTS:
        raise BadData(
            "exceeded maximum resolution of 11,000 points per timeseries."
            " Try decreasing the query resolution (?step=XX)"
        )
    return Steps(start, end, step)


def _end(text: str, start: int) -> int:
    end = time(text)
    if end < start:
        raise BadData("end timestamp must not be before start time")
    return end


def _step(text: str) -> int:
    step = parse_api_duration(text)
    if step == 0 and _is_positive(text):
        raise BadData("query resolution step widths below 1ms are not accepted")
    if step <= 0:
        raise BadData(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    return step


def _is_positive(text: str) -> bool:
    try:
        return parse_float(text) > 0
    except ValueError:
        return False


def timeout(form: Form) -> int | None:
    """`timeout` in ms; None when absent."""
    text = form.get("timeout")
    with parameter("timeout"):
        return parse_api_duration(text) if text else None


def lookback(form: Form) -> int:
    """`lookback_delta` in ms; 0 for the engine's own."""
    text = form.get("lookback_delta")
    if not text:
        return 0
    try:
        return max(0, parse_api_duration(text))
    except BadData as error:
        raise BadData(f"error parsing lookback delta duration: {error}") from None


def selectors(
    texts: Sequence[str], parse: ParseSelector, limits: Limits = _LIMITS
) -> tuple[tuple[Matcher, ...], ...]:
    """The matchers of each `match[]`; each needs one that does not match the empty value."""
    matcher_sets = tuple(parse(text) for text in texts)
    for matchers in matcher_sets:
        limits.check_matchers(matchers)
        if all(matcher.matches("") for matcher in matchers):
            raise BadData("match[] must contain at least one non-empty matcher")
    return matcher_sets
