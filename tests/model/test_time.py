"""Tests of times and numbers as text."""

import math

import pytest

from bridge.model.time import format_time, parse_float

# What Go's strconv.ParseFloat gives.
NUMBERS = [
    ("1_000", 1000.0),
    ("1_000.5e1_0", 1.0005e13),
    ("0x1_0p3", 128.0),
    ("0x1p-2", 0.25),
    ("0x_1p1", 2.0),
    ("0x.8p1", 1.0),
    ("0X1P+2", 4.0),
    ("0x1p-2000", 0.0),
    ("infinity", math.inf),
    ("+Inf", math.inf),
    ("-inf", -math.inf),
    (".5", 0.5),
    ("5.", 5.0),
    ("1E+5", 1e5),
    ("1e-400", 0.0),
]
NO_NUMBERS = [
    "",
    " 1",
    "1 ",
    "_1",
    "1__0",
    "1_",
    "+nan",
    "-NaN",
    "0x1p",
    "0b11",
    "0o7",
    "1e",
    "٣",
    "0x",
]


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_number(text: str, expected: float) -> None:
    assert parse_float(text) == expected


def test_nan() -> None:
    assert math.isnan(parse_float("NaN"))


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_float(text)


@pytest.mark.parametrize(
    "text", ["0" * 1_000_000 + "m", "0x" + "0" * 1_000_000, "1" * 99_999 + "."]
)
def test_a_text_costs_what_it_is_long(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid syntax|out of range"):
        parse_float(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "0x1p2000"])
def test_number_too_large(text: str) -> None:
    with pytest.raises(ValueError, match="value out of range"):
        parse_float(text)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (1_700_000_000_999, "2023-11-14T22:13:20Z"),
        (-1500, "1969-12-31T23:59:59Z"),
        (10**17, "3170843-11-07T09:46:40Z"),
    ],
)
def test_moment_in_whole_seconds(milliseconds: int, expected: str) -> None:
    assert format_time(milliseconds) == expected
