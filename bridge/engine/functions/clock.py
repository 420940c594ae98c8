"""Times and dates: time, timestamp, start_timestamp, and the parts of a date in UTC.

Source: promql/functions.go; the calendar is Go's, for every second that an int64 can count.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from bridge.engine.function import SCALAR, VECTOR, CallSite, Function, function
from bridge.model.samples import Float64s, Int64s
from bridge.model.vectors import Bools, Matrix, Scalar, Value, Windows

# Seconds from 1 March of the year -292277022400, where Go's calendar starts, to 1970; modulo 2**64.
_CALENDAR_START: Final = np.uint64(9223372028741760000)
_FIRST_YEAR: Final = -292277022400
_DAYS_BEFORE_JANUARY: Final = 306
_LEAST_SECOND: Final = -(2**63)

Seconds = npt.NDArray[np.uint64]


@function("time", (), SCALAR, timeless=False)
def time(site: CallSite, values: tuple[Value, ...]) -> Value:
    return Scalar(site.steps.times() / 1000.0)


def _time_of_samples(site: CallSite, windows: Windows) -> Matrix:
    """The time of the newest sample that each step sees."""
    present = windows.hi > windows.lo
    values = np.zeros(present.shape)
    values[present] = windows.columns.timestamps[windows.hi[present] - 1] / 1000.0
    native = windows.histograms
    if native is not None:
        newest = native.hi > native.lo
        values[newest] = native.columns.timestamps[native.hi[newest] - 1] / 1000.0
        present |= newest
    return Matrix(windows.labels, values, present)


@function("timestamp", (VECTOR,), row_wise=True, timeless=False, of_selector=_time_of_samples)
def timestamp(site: CallSite, values: tuple[Value, ...]) -> Value:
    vector = cast("Matrix", values[0])
    times = np.broadcast_to(site.steps.times() / 1000.0, vector.values.shape)
    return Matrix(vector.labels, np.ascontiguousarray(times), vector.occupied)


def _start_of_samples(site: CallSite, windows: Windows) -> Matrix:
    """The start timestamp of the newest sample that each step sees, 0 if unknown."""
    starts, native, present = site.starts(windows), windows.histograms, windows.hi > windows.lo
    values = np.zeros(present.shape)
    if len(starts.floats):
        values[present] = starts.floats[windows.hi[present] - 1] / 1000.0
    if native is not None:
        newest = native.hi > native.lo
        if len(starts.histograms):
            values[newest] = starts.histograms[native.hi[newest] - 1] / 1000.0
        present |= newest
    return Matrix(windows.labels, values, present & site.switches.use_start_timestamps)


@function("start_timestamp", (VECTOR,), experimental=True, of_selector=_start_of_samples)
def start_timestamp(site: CallSite, values: tuple[Value, ...]) -> Value:
    """When counters began. Only samples know, so an expression of them has none."""
    return Matrix.empty(len(site.steps))


class _Date(NamedTuple):
    """Days as Go counts them: years start in March, so that leap days come last; int64 each."""

    year: Int64s
    month: Int64s
    day: Int64s
    day_of_year: Int64s


def _absolute(values: Float64s) -> Seconds:
    """Seconds since Go's calendar started; what no int64 holds counts as the least int64."""
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    seconds = np.where(fits, values, 0.0).astype(np.int64)
    seconds[~fits] = _LEAST_SECOND
    return seconds.view(np.uint64) + _CALENDAR_START


def _date(seconds: Seconds) -> _Date:
    quarters = 4 * (seconds // np.uint64(86_400)).astype(np.int64) + 3
    century, rest = np.divmod(quarters, 146_097)
    year, rest = np.divmod(rest | 3, 1461)
    day_of_year = rest // 4
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    return _Date(century * 100 + year + _FIRST_YEAR, month, day, day_of_year)


def _is_leap(year: Int64s) -> Bools:
    leap: Bools = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


def _civil_year(date: _Date) -> Int64s:
    return date.year + (date.day_of_year >= _DAYS_BEFORE_JANUARY)


def _calendar(name: str, part: Callable[[Seconds], npt.NDArray[np.integer]]) -> Function:
    """A function of a moment in seconds; without an argument, of the evaluation time."""

    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        if not values:
            times = site.steps.times()
            seconds = np.sign(times) * (np.abs(times) // 1000)
            return Matrix.single(part(_absolute(seconds.astype(np.float64))).astype(np.float64))
        vector = cast("Matrix", values[0])
        shown = np.where(vector.present, vector.values, 0.0)
        return Matrix(vector.labels, part(_absolute(shown)).astype(np.float64), vector.present)

    return function(name, (VECTOR,), variadic=1, row_wise=True, timeless=False)(apply)


def _year(seconds: Seconds) -> Int64s:
    return _civil_year(_date(seconds))


def _month(seconds: Seconds) -> Int64s:
    return (_date(seconds).month + 2) % 12 + 1


def _day_of_year(seconds: Seconds) -> Int64s:
    date = _date(seconds)
    late = date.day_of_year >= _DAYS_BEFORE_JANUARY
    in_january = date.day_of_year - _DAYS_BEFORE_JANUARY + 1
    return np.where(late, in_january, date.day_of_year + 60 + _is_leap(date.year))


def _days_in_month(seconds: Seconds) -> Int64s:
    date = _date(seconds)
    usual = (153 * date.month + 155) // 5 - (153 * date.month + 2) // 5
    return np.where(date.month == 11, 28 + _is_leap(_civil_year(date)), usual)


year = _calendar("year", _year)
month = _calendar("month", _month)
day_of_month = _calendar("day_of_month", lambda seconds: _date(seconds).day)
day_of_year = _calendar("day_of_year", _day_of_year)
days_in_month = _calendar("days_in_month", _days_in_month)
day_of_week = _calendar("day_of_week", lambda seconds: (seconds // np.uint64(86_400) + 3) % 7)
hour = _calendar("hour", lambda seconds: seconds % 86_400 // 3600)
minute = _calendar("minute", lambda seconds: seconds % 3600 // 60)
