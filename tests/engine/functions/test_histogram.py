"""Tests of functions of classic histograms."""

import pytest

from tests.engine.functions.asking import INF, NAN, Values, ask, minutes, rows, same, value


def buckets(*counts: tuple[str, float]) -> dict[str, Values]:
    return {f'b{{le="{bound}"}}': [count] for bound, count in counts}


SOUND = buckets(("0.1", 1), ("0.5", 3), ("1", 6), ("+Inf", 10))
BELOW_ZERO = buckets(("-2", 1), ("0", 3), ("+Inf", 4))
TABLE = [
    (SOUND, "histogram_quantile(0.3, b)", 0.5),
    (SOUND, "histogram_quantile(0.2, b)", 0.1 + 0.4 * (1.0 / 2.0)),
    (SOUND, "histogram_quantile(0.05, b)", 0.05),
    (SOUND, "histogram_quantile(0, b)", 0.0),
    (SOUND, "histogram_quantile(0.9, b)", 1.0),
    (SOUND, "histogram_quantile(1, b)", 1.0),
    (SOUND, "histogram_quantile(-1, b)", -INF),
    (SOUND, "histogram_quantile(2, b)", INF),
    (SOUND, "histogram_quantile(NaN, b)", NAN),
    (SOUND, "histogram_quantile(scalar(none), b)", NAN),
    (BELOW_ZERO, "histogram_quantile(0.1, b)", -2.0),
    (BELOW_ZERO, "histogram_quantile(0.5, b)", -1.0),
    (buckets(("1", 3), ("2", 5)), "histogram_quantile(0.5, b)", NAN),
    (buckets(("+Inf", 5)), "histogram_quantile(0.5, b)", NAN),
    (buckets(("1", 0), ("+Inf", 0)), "histogram_quantile(0.5, b)", NAN),
    # Bounds that are the same number are one bucket.
    (buckets(("1", 1), ("1.0", 2), ("0x1p0", 1), ("Inf", 8)), "histogram_quantile(0.25, b)", 0.5),
    (SOUND, "histogram_fraction(0.1, 0.5, b)", 0.2),
    (SOUND, "histogram_fraction(0, 0.05, b)", 0.05),
    (SOUND, "histogram_fraction(-Inf, Inf, b)", 1.0),
    (SOUND, "histogram_fraction(0.5, Inf, b)", 0.7),
    (SOUND, "histogram_fraction(2, 3, b)", 0.0),
    (SOUND, "histogram_fraction(1, 0.5, b)", 0.0),
    (SOUND, "histogram_fraction(NaN, 1, b)", NAN),
    (BELOW_ZERO, "histogram_fraction(-1, 0, b)", 0.25),
    (BELOW_ZERO, "histogram_fraction(-9, -2, b)", 0.0),
    (buckets(("1", 3), ("2", 5)), "histogram_fraction(0, 1, b)", NAN),
]


@pytest.mark.parametrize(("series", "query", "expected"), TABLE)
def test_value_of_classic_buckets(series: dict[str, Values], query: str, expected: float) -> None:
    assert same(value(series, query), expected)


def test_labels_but_le_tell_histograms_apart() -> None:
    series: dict[str, Values] = {
        'b{a="1",le="1"}': [1.0],
        'b{a="1",le="+Inf"}': [2.0],
        'b{a="2",le="2"}': [1.0],
        'b{a="2",le="+Inf"}': [2.0],
    }
    found = rows(ask(series, "histogram_quantile(0.5, b)"))
    assert found == {'{a="1"}': [1.0], '{a="2"}': [2.0]}


def test_only_buckets_that_are_there_count() -> None:
    series: dict[str, Values] = {
        'b{le="1"}': [1.0, 1.0],
        'b{le="2"}': [None, 3.0],
        'b{le="+Inf"}': [3.0, 3.0],
        'b{le="3"}': [3.0, None],
    }
    query = "histogram_quantile(1, last_over_time(b[1m]))"
    assert rows(ask(series, query, minutes(0, 1))) == {"{}": [3.0, 2.0]}


PREFIX = "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
PAGE = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"


def test_counts_that_fall_are_lifted_and_remarked_on_once() -> None:
    series: dict[str, Values] = {
        'b{le="0.5"}': [4.0, 4.0, 9.0],
        'b{le="1"}': [2.0, 4.0, 6.0],
        'b{le="2.5"}': [3.0, 5.0, 5.5],
        'b{le="+Inf"}': [8.0, 8.0, 12.0],
    }
    result = ask(series, "histogram_quantile(0.5, b)", minutes(0, 2))
    assert rows(result) == {"{}": [0.5, 0.5, 0.5 * (6.0 / 9.0)]}
    ranges = ", from buckets 1 to 2.5, with a max diff of 3.5, over 2 samples"
    moments = " from 1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z"
    assert result.infos == (f"{PREFIX}{PAGE}{ranges}{moments} (1:25)",)


def test_rounding_errors_are_levelled_in_silence() -> None:
    series = buckets(("1", 5.000000000000001), ("2", 5.0), ("+Inf", 10.0))
    assert ask(series, "histogram_quantile(0.5, b)").infos == ()


def test_series_that_are_no_buckets_are_remarked_on() -> None:
    series: dict[str, Values] = {**SOUND, 'b{le=" 1"}': [1.0], 'b{c="d"}': [1.0]}
    result = ask(series, "histogram_fraction(0, 1, b)")
    text = 'PromQL warning: bucket label "le" is missing or has a malformed value of "{}" (1:26)'
    assert set(result.warnings) == {text.format(""), text.format(" 1")}
    assert len(rows(result)) == 1


@pytest.mark.parametrize("name", ["count", "sum", "avg", "stddev", "stdvar"])
def test_floats_are_no_native_histograms(name: str) -> None:
    assert rows(ask(SOUND, f"histogram_{name}(b)")) == {}
