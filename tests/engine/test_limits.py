"""Tests of what a query may use."""

import itertools

import pytest

from bridge.engine.limits import Budget
from bridge.engine.query import EngineSettings
from bridge.model.errors import LimitExceeded, QueryCanceled, QueryTimeout, TooManySamples
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.storage.interface import Querier
from bridge.storage.memory import MemoryStore
from tests.engine.world import MINUTE, Cut, ask

_TOO_MANY = "query processing would load too many samples into memory in query execution"
_FEATURES = frozenset({"promql-experimental-functions"})


def budget(max_samples: int = 10, max_bytes: int = 0, deadline: float = 1.0) -> Budget:
    """A budget whose clock stands still at 1 s."""
    return Budget(max_samples, max_bytes, deadline, lambda: 1.0)


def test_holding_more_than_allowed_fails() -> None:
    one = budget()
    one.hold(10)
    with pytest.raises(TooManySamples) as failed:
        one.hold(1)
    assert str(failed.value) == _TOO_MANY


def test_without_a_limit_anything_goes() -> None:
    one = budget(0)
    one.hold(10**12)
    assert one.peak == 10**12


def test_what_was_let_go_counts_only_for_the_peak() -> None:
    one = budget()
    one.hold(3)
    one.hold(6)
    one.settle(3, 2)
    assert (one.current, one.peak) == (5, 9)


def test_a_value_that_would_not_fit_is_not_made() -> None:
    one = budget(max_bytes=1000)
    one.room_for(4, 10)
    with pytest.raises(LimitExceeded, match=r"1000 that query.max_bytes allows"):
        one.room_for(5, 10)


def test_time_runs_out() -> None:
    budget(deadline=1.0).check()
    with pytest.raises(QueryTimeout, match=r"^query timed out in expression evaluation$"):
        budget(deadline=0.5).check()


def test_a_stopped_query_is_cancelled() -> None:
    one = budget()
    one.stop()
    with pytest.raises(QueryCanceled, match=r"^query was canceled in expression evaluation$"):
        one.check()


def store() -> MemoryStore:
    """Six series with a sample a minute for an hour: 3 jobs, each x and y."""
    times = [minute * MINUTE for minute in range(61)]
    return MemoryStore(
        (Labels.of({"__name__": name, "job": job}), times, [float(minute) for minute in range(61)])
        for name, job in itertools.product("xy", "abc")
    )


# Ten steps; x and y have three series each.
_RANGE = Steps(50 * MINUTE, 59 * MINUTE, MINUTE)


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("x", 30),
        ("1", 10),
        ("-x", 30),
        ("(x)", 30),
        ("sum(x)", 30),
        ("sum(x) + sum(y)", 40),
        ("x + y", 90),
        ("x + 1", 70),
        ("x > 1e9", 40),
        ("abs(x)", 60),
        ("rate(x[5m])", 30),
        ("sum(rate(x[5m]))", 30),
        ("max_over_time(x[30m])", 30),
        ("x @ 3000", 30),
        # 20 points of each series at the subquery's steps, then 10 results each.
        ("max_over_time(x[10m:30s])", 3 * (38 + 10)),
        ("topk(1, x)", 40),
        ("x and y", 90),
    ],
)
@pytest.mark.parametrize("every", [(100,), (2,)])
def test_samples_are_counted_as_prometheus_counts(
    query: str, needed: int, every: tuple[int, ...]
) -> None:
    held: Querier = Cut(store(), every)

    def with_limit(samples: int) -> int:
        settings = EngineSettings(max_samples=samples, features=_FEATURES)
        return ask(held, query, _RANGE, settings).stats.peak_samples

    assert with_limit(needed) == needed
    with pytest.raises(TooManySamples, match=f"^{_TOO_MANY}$"):
        with_limit(needed - 1)


@pytest.mark.parametrize(
    ("query", "needed"),
    [("x[1h]", 180), ("count_over_time(x[1h])", 60), ("sum(count_over_time(x[1h]))", 60)],
)
def test_a_window_counts_for_one_series_at_a_time_but_where_it_is_the_answer(
    query: str, needed: int
) -> None:
    at = Steps.at(60 * MINUTE)
    ask(store(), query, at, EngineSettings(max_samples=needed))
    with pytest.raises(TooManySamples):
        ask(store(), query, at, EngineSettings(max_samples=needed - 1))


def test_what_a_store_sends_is_limited_in_bytes_only() -> None:
    steps = Steps(0, 60 * MINUTE, 30 * MINUTE)
    assert ask(store(), "sum(x)", steps, EngineSettings(max_samples=9)).stats.samples_read == 183
    with pytest.raises(LimitExceeded, match=r"query.max_bytes"):
        ask(store(), "sum(x)", steps, EngineSettings(max_bytes=1000))
