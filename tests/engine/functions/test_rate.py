"""Tests of how fast series rise."""

import pytest

from tests.engine.functions.asking import NAN, ask, minutes, rows, same, value

TABLE = [
    ("increase(x_total[3m])", [0, 60, 120, 180], 180.0),
    ("rate(x_total[3m])", [0, 60, 120, 180], 1.0),
    ("increase(x_total[4m])", [100, 160, 220, 280], 240.0),
    # The counter cannot have been below zero: no further back than to where it began.
    ("increase(x_total[4m])", [0, 60, 120, 180], 180.0),
    ("increase(x_total[4m])", [15, 75, 135, 195], 195.0),
    # A reset adds what the counter had reached.
    ("increase(x_total[4m])", [100, 160, 10, 70], (70 - 100 + 160) * (240 / 180)),
    ("delta(x_total[4m])", [100, 160, 10, 70], -30 * (240 / 180)),
    # Too far from the range's start: half an interval further only.
    ("delta(x_total[10m])", [0, 60, 120, 180], 180 * ((180 + 30 + 0) / 180)),
    ("rate(x_total[5m])", [5], None),
    ("rate(x_total[5m])", [1, 3, NAN], NAN),
    ("irate(x_total[5m])", [0, 10, 40], 0.5),
    ("irate(x_total[5m])", [0, 40, 6], 0.1),
    ("irate(x_total[5m])", [7], None),
    ("idelta(x_total[5m])", [0, 40, 6], -34.0),
    ("idelta(x_total[5m])", [None, 6], None),
]


@pytest.mark.parametrize(("query", "samples", "expected"), TABLE)
def test_rise_over_a_range(query: str, samples: list[float], expected: float | None) -> None:
    found = value({"x_total": samples}, query)
    if expected is None or found is None:
        assert same(found, expected)
    else:
        assert found == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_each_step_counts_the_resets_of_its_own_window() -> None:
    counter = [0.0, 10, 20, 5, 15, 3, 13, 23]
    found = rows(ask({"x_total": counter}, "increase(x_total[2m])", minutes(1, 7)))["{}"]
    assert found == [10.0, 20.0, 10.0, 15.0, 6.0, 13.0, 20.0]


NOT_A_COUNTER = (
    "PromQL info: metric might not be a counter, name does not end in "
    '_total/_sum/_count/_bucket: "x" ({})'
)
REMARKS = [
    ({"x": [1.0, 2.0]}, "rate(x[5m])", [NOT_A_COUNTER.format("1:6")]),
    ({"x": [1.0, 2.0]}, "1 +\n increase((x[5m]))", [NOT_A_COUNTER.format("2:12")]),
    ({"x": [1.0, 2.0]}, "rate(x[5m:1m])", [NOT_A_COUNTER.format("1:1")]),
    (
        {'x{a="1"}': [1.0, 2.0], 'x{a="2"}': [1.0, 2.0]},
        "rate(x[5m])",
        [NOT_A_COUNTER.format("1:6")],
    ),
    ({"x": [1.0]}, "rate(x[5m])", []),
    ({"x": [1.0, 2.0]}, "irate(x[5m])", []),
    ({"x": [1.0, 2.0]}, "delta(x[5m])", []),
    ({"x": [1.0, 2.0]}, "rate(abs(x)[5m:1m])", []),
    ({"x_total": [1.0, 2.0]}, "rate(x_total[5m])", []),
    ({"x_sum": [1.0, 2.0]}, "rate(x_sum[5m])", []),
    ({"x_count": [1.0, 2.0]}, "rate(x_count[5m])", []),
    ({"x_bucket": [1.0, 2.0]}, "rate(x_bucket[5m])", []),
]


@pytest.mark.parametrize(("series", "query", "expected"), REMARKS)
def test_remark_on_names_that_are_not_of_counters(
    series: dict[str, list[float]], query: str, expected: list[str]
) -> None:
    assert list(ask(series, query).infos) == expected
