"""Texts as typed values."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api import params
from bridge.api.form import Form
from bridge.api.params import TimeRange
from bridge.model.errors import BadData
from bridge.model.time import MAX_TIME, MIN_TIME
from bridge.promql.selectors import parse_selector


def form(**values: str) -> Form:
    return Form(tuple(values.items()))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("+7", 7),
        ("007", 7),
        ("-7", -7),
        ("0" * 5000 + "7", 7),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_integers_as_go_takes_them(text: str, value: int) -> None:
    assert params.integer(text) == value


@pytest.mark.parametrize("text", ["", "1.0", "1_0", "0x1", " 1", "\u0661", "--1"])
def test_what_go_takes_for_no_integer(text: str) -> None:
    with pytest.raises(BadData, match="invalid syntax"):
        params.integer(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 5000])
def test_integers_out_of_range(text: str) -> None:
    with pytest.raises(BadData, match="value out of range"):
        params.integer(text)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1.5", 1500),
        ("1.8e12", 1_800_000_000_000_000),
        ("1970-01-01T00:00:01.25Z", 1250),
        ("-292273086-05-16T16:47:06Z", MIN_TIME),
        ("292277025-08-18T07:12:54.999999999Z", MAX_TIME),
    ],
)
def test_times(text: str, milliseconds: int) -> None:
    assert params.time(text) == milliseconds


@pytest.mark.parametrize("text", ["", "x", "1e300", "-1e300", "2020-13-01T00:00:00Z", "1,5"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadData, match="to a valid timestamp"):
        params.time(text)


@given(st.text())
def test_any_text_is_a_time_or_bad_data(text: str) -> None:
    with suppress(BadData):
        assert MIN_TIME <= params.time(text) <= MAX_TIME


def test_an_absent_time_is_the_default() -> None:
    assert params.time_range(form(end="2"), TimeRange(1, 9)) == TimeRange(1, 2000)


@pytest.mark.parametrize("text", ["1e5000", "1e-5000", "inf", "-inf", "nan", "1" * 5000])
def test_extreme_steps_are_refused(text: str) -> None:
    with pytest.raises(BadData):
        params.steps(form(start="0", end="1", step=text))


@pytest.mark.parametrize(
    ("text", "value"), [("", 0), ("5m", 300_000), ("1.5", 1500), ("-3", 0), ("0", 0)]
)
def test_lookback(text: str, value: int) -> None:
    assert params.lookback(form(lookback_delta=text)) == value


@pytest.mark.parametrize(("text", "value"), [("", None), ("0", 0), ("1m", 60_000)])
def test_timeout(text: str, value: int | None) -> None:
    assert params.timeout(form(timeout=text)) == value


@pytest.mark.parametrize("text", ["{}", '{a=""}', '{a=~".*"}', '{a!="x"}'])
def test_a_selector_of_everything_is_refused(text: str) -> None:
    with pytest.raises(BadData, match=r"match\[\] must contain at least one non-empty matcher"):
        params.selectors(("up", text), parse_selector)
