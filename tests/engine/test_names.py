"""Tests of when metric names go: at once, or when evaluation ends."""

import numpy as np
import pytest

from bridge.engine.names import settled
from bridge.engine.query import EngineSettings
from bridge.model.errors import ExecutionError
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Columns
from bridge.model.vectors import Windows
from tests.engine.functions.asking import Values, ask, minutes, rows

AT_ONCE = EngineSettings().features
LATE = frozenset({"promql-delayed-name-removal"})
TYPED = frozenset({"type-and-unit-labels"})
DOUBT = (
    'PromQL info: metric might not be a counter, __type__ label is not set to "counter" or'
    ' "histogram"'
)

SERIES: dict[str, Values] = {
    'a_total{i="1"}': [0, 60, 120],
    'b_total{i="1"}': [60, 120, 180],
    'b_total{i="2"}': [None, 7, None],
}
BARE = {'{i="1"}': [1.0]}
LATE_ONLY = [
    ("sum by (__name__) (-a_total)", {"{}": [-120.0]}, {"{}": [-120.0]}),
    (
        'label_replace(-a_total, "__name__", "x", "", "")',
        {'{__name__="x", i="1"}': [-120.0]},
        {'{__name__="x", i="1"}': [-120.0]},
    ),
    (
        'label_replace(-a_total, "__name__", "x", "i", "2")',
        {'{i="1"}': [-120.0]},
        {'{i="1"}': [-120.0]},
    ),
    (
        'label_replace(-a_total, "n", "$1", "__name__", "(.+)")',
        {'{i="1"}': [-120.0]},
        {'{i="1", n="a_total"}': [-120.0]},
    ),
    # A comparison of two vectors forgets that names are to go, and so does counting values.
    ("-a_total < 1 + b_total", {'{i="1"}': [-120.0]}, {'{__name__="a_total", i="1"}': [-120.0]}),
    ("-a_total < bool 1 + b_total", BARE, BARE),
    (
        'count_values by (__name__) ("v", -a_total)',
        {'{v="-120"}': [1.0]},
        {'{__name__="a_total", v="-120"}': [1.0]},
    ),
    # What is chosen of an aggregation goes with it, and so does what a subquery hands on.
    ("max_over_time((-a_total)[1m:1m])", {'{i="1"}': [-120.0]}, {'{i="1"}': [-120.0]}),
    ("last_over_time((-a_total)[1m:1m])", {'{i="1"}': [-120.0]}, {'{i="1"}': [-120.0]}),
    ("quantile by (__name__) (0.5, -a_total)", {"{}": [-120.0]}, {"{}": [-120.0]}),
    ("-a_total > -130", {'{i="1"}': [-120.0]}, {'{i="1"}': [-120.0]}),
    ("sum by (i, __name__) (a_total)", *[{'{__name__="a_total", i="1"}': [120.0]}] * 2),
]


@pytest.mark.parametrize(("query", "at_once", "late"), LATE_ONLY)
def test_what_becomes_of_names(
    query: str, at_once: dict[str, list[float | None]], late: dict[str, list[float | None]]
) -> None:
    only = {name: values for name, values in SERIES.items() if 'i="1"' in name}
    assert rows(ask(only, query, features=AT_ONCE)) == at_once
    assert rows(ask(only, query, features=LATE)) == late


def test_what_meets_only_at_the_end_is_refused_at_the_end() -> None:
    refused = 'rate({__name__=~".+", i="1"}[3m])'
    for features in (AT_ONCE, LATE):
        with pytest.raises(ExecutionError, match="same labelset"):
            ask(SERIES, refused, features=features)
    summed = f"sum({refused})"
    with pytest.raises(ExecutionError, match="same labelset"):
        ask(SERIES, summed, features=AT_ONCE)
    assert list(rows(ask(SERIES, summed, features=LATE))) == ["{}"]


def test_the_last_step_of_a_group_tells_whether_its_name_goes() -> None:
    query = 'sum by (__name__) (b_total{i="1"} < 100 or -b_total{i="2"})'
    assert list(rows(ask(SERIES, query, minutes(0, 1), LATE))) == ["{}"]
    assert list(rows(ask(SERIES, query, minutes(0, 0), LATE))) == ['{__name__="b_total"}']


def test_rows_that_become_one_go_by_the_first_of_them() -> None:
    query = 'b_total{i="1"} < 100 or -b_total{i="1"}'
    found = rows(ask(SERIES, query, minutes(0, 1), LATE))
    assert found == {'{__name__="b_total", i="1"}': [60.0, -120.0]}
    query = 'b_total{i="1"} > 100 or -b_total{i="1"}'
    assert rows(ask(SERIES, query, minutes(0, 1), LATE)) == {'{i="1"}': [-60.0, 120.0]}


def test_warnings_know_names_that_are_still_there() -> None:
    for features, name in ((AT_ONCE, ""), (LATE, ' for metric name "a_total"')):
        (text,) = ask(SERIES, "histogram_quantile(0.5, a_total)", features=features).warnings
        assert text.startswith(
            'PromQL warning: bucket label "le" is missing or has a malformed value of ""' + name
        )


@pytest.mark.parametrize(
    ("features", "series", "infos"),
    [
        (TYPED, 'x{__type__="counter"}', []),
        (TYPED, 'x{__type__="histogram"}', []),
        (
            TYPED,
            'x_total{__type__="gauge"}',
            [
                f'{DOUBT}, got "gauge": "x_total" (1:6)',
            ],
        ),
        (AT_ONCE, 'x_total{__type__="gauge"}', []),
    ],
)
def test_types_tell_counters(features: frozenset[str], series: str, infos: list[str]) -> None:
    query = 'rate({__name__=~"x.*"}[5m])'
    assert list(ask({series: [1, 2, 3]}, query, features=features).infos) == infos


def _windows(*samples: list[int]) -> Windows:
    """A range vector of one row `{__name__="0"}`, `{__name__="1"}`, … for each list of times."""
    offsets = np.cumsum([0, *map(len, samples)], dtype=np.int64)
    times = np.array([time for one in samples for time in one], np.int64)
    names = LabelTable(Labels.of({"__name__": str(n)}) for n in range(len(samples)))
    columns = Columns.frozen(offsets, times, times.astype(np.float64))
    edge = np.zeros(1, np.int64)
    lo, hi = offsets[:-1, None], offsets[1:, None]
    flags = np.ones(len(samples), np.bool_)
    return Windows(names, columns, lo, hi, edge, edge, edge, 10, drop_name=flags)


def test_range_vectors_lose_their_names_at_the_end() -> None:
    merged = settled(_windows([1, 5], [3], []))
    assert isinstance(merged, Windows)
    assert list(merged.labels) == [Labels.of({})]
    assert merged.columns.timestamps[merged.lo[0, 0] : merged.hi[0, 0]].tolist() == [1, 3, 5]
    with pytest.raises(ExecutionError, match="same labelset"):
        settled(_windows([1, 5], [5]))
