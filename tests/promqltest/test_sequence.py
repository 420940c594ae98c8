"""Tests of the notation for series."""

import math
from dataclasses import replace

import pytest

from bridge.model.histogram import Histogram
from bridge.model.labels import Labels
from tests.promqltest.compare import almost_equal
from tests.promqltest.sequence import STALE, Gap, Native, ScriptError, parse_series

OMITTED = Gap.OMITTED


def native(**fields: object) -> Native:
    return Native(replace(Histogram(), **fields), hinted=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1", [1.0]),
        ("1 2  3", [1.0, 2.0, 3.0]),
        ("-1 +2.5 .5 1e3 5.", [-1.0, 2.5, 0.5, 1000.0, 5.0]),
        ("_ 1 _x2 2", [OMITTED, 1.0, OMITTED, OMITTED, 2.0]),
        ("3x2", [3.0, 3.0, 3.0]),
        ("0+10x3", [0.0, 10.0, 20.0, 30.0]),
        ("5-2x2 1", [5.0, 3.0, 1.0, 1.0]),
        ("-5+-2x1", None),
        ("Inf -Inf +inf", [math.inf, -math.inf, math.inf]),
        ("5m 1h30m", [300.0, 5400.0]),
        ("0.1+0.1x2", [0.1, 0.1 + 0.1, 0.1 + 0.1 + 0.1]),
        ("{{schema:0 count:1}}", [native(count=1.0)]),
        (
            "1 {{sum:3 buckets:[1 2]}}x1 2",
            [1.0, *[native(sum=3.0, positive_spans=((0, 2),), positive=(1.0, 2.0))] * 2, 2.0],
        ),
        ("{{count:1}}+{{count:2}}x1", [native(count=1.0), native(count=3.0)]),
        ("", []),
        ("one", None),
        ("1 0x10", [1.0] + [0.0] * 11),
        ("1,2", None),
    ],
)
def test_items_of_a_series(text: str, items: list[float | Gap | Native] | None) -> None:
    if items is None:
        with pytest.raises(ScriptError):
            parse_series(f"metric {text}")
    else:
        assert list(parse_series(f"metric {text}").items) == items


def test_stale_is_the_marker_and_nan_is_not() -> None:
    stale, nan = parse_series("metric stale NaN").items
    assert isinstance(stale, float)
    assert isinstance(nan, float)
    assert almost_equal(stale, STALE)
    assert math.isnan(nan)
    assert not almost_equal(nan, STALE)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("metric", {"__name__": "metric"}),
        ("a:b{}", {"__name__": "a:b"}),
        ("{}", {}),
        ('{a="b c", d="}"}', {"a": "b c", "d": "}"}),
        ('{"my.name", a="\\""}', {"__name__": "my.name", "a": '"'}),
        ("metric{empty=\"\",a='{'}", {"__name__": "metric", "a": "{"}),
    ],
)
def test_labels_of_a_series(text: str, labels: dict[str, str]) -> None:
    series = parse_series(f"{text} 1")
    assert series.labels == Labels.of(labels)
    assert series.items == (1.0,)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1.0, 1.0, True),
        (1.0, 1.0 + 1e-7, True),
        (1.0, 1.0 + 3e-6, False),
        (0.0, 1e-300, False),
        (0.0, 5e-324, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e308, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (STALE, STALE, True),
    ],
)
def test_almost_equal(one: float, other: float, *, equal: bool) -> None:
    assert almost_equal(one, other) is equal
    assert almost_equal(other, one) is equal
