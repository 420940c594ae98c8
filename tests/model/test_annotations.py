"""Tests of the texts of annotations."""

import math

import pytest

from bridge.model.annotations import (
    Annotation,
    Annotations,
    FixedBuckets,
    Severity,
    bad_bucket_label,
    forced_monotonicity,
    go_general,
    invalid_quantile,
    possible_non_counter,
)
from bridge.model.posrange import PosRange

HERE = PosRange(4, 9)
QUERY = "1 + histogram_quantile(0.5, b)"
INFO, WARNING = Severity.INFO, Severity.WARNING


def texts(*notes: Annotation, severity: Severity = WARNING, query: str = QUERY) -> tuple[str, ...]:
    return Annotations(notes).texts(severity, query)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.5, "1.5"),
        (100000.0, "100000"),
        (1e6, "1e+06"),
        (123456789.0, "1.23456789e+08"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_number_as_go_prints_it(number: float, expected: str) -> None:
    assert go_general(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(3.456, "3.5"), (100.0, "1e+02"), (2.0, "2"), (math.inf, "+Inf")]
)
def test_number_with_two_digits(number: float, expected: str) -> None:
    assert go_general(number, 2) == expected


def test_the_last_of_equal_texts_gives_the_position() -> None:
    earlier = invalid_quantile(2.0, PosRange(0, 1))
    assert texts(earlier, invalid_quantile(2.0, HERE)) == (
        "PromQL warning: quantile value should be between 0 and 1, got 2 (1:5)",
    )


def test_without_a_query_there_is_no_position() -> None:
    text = 'bucket label "le" is missing or has a malformed value of "x" for metric name "m"'
    assert texts(bad_bucket_label("m", "x", HERE), query="") == (f"PromQL warning: {text}",)


def test_at_most_ten_are_shown() -> None:
    notes = [possible_non_counter(f"m{number}", HERE) for number in range(12)]
    shown = texts(*notes, severity=INFO)
    assert len(shown) == 11
    assert shown[-1] == "2 more info annotations omitted"
    assert texts(*notes) == ()


def test_fixed_buckets_are_one_remark() -> None:
    one = FixedBuckets(0.1, 1.0, 2.0, 3, 60_000, 120_000)
    other = FixedBuckets(0.5, math.inf, 0.25, 1, 30_999, 90_000)
    notes = [forced_monotonicity("", fixed, HERE) for fixed in (one, other)]
    (text,) = texts(*notes, severity=INFO)
    assert text.endswith(
        "#histogram_quantile), from buckets 0.1 to +Inf, with a max diff of 2, over 4 samples"
        " from 1970-01-01T00:00:30Z to 1970-01-01T00:02:00Z (1:5)"
    )
