"""What selectors and subqueries hand on: which samples each step sees."""

import pytest

from bridge.engine.query import EngineSettings
from bridge.model.errors import TooManySamples
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Windows
from bridge.storage.memory import MemoryStore
from tests.engine.world import EVERYTHING, MINUTE, SECOND, ask, shown

X = Labels.of({"__name__": "x"})


def store() -> MemoryStore:
    """One series: 1 at one minute, 2 at two, up to ten."""
    minutes = range(1, 11)
    return MemoryStore([(X, [at * MINUTE for at in minutes], [float(at) for at in minutes])])


def times(query: str, at: int = 10 * MINUTE) -> list[int]:
    """The minutes at which a range vector has samples."""
    found = ask(store(), query, Steps.at(at))
    assert isinstance(found.value, Windows)
    return [time // MINUTE for row in shown(found).values() for time in row]


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ("x[3m]", [8, 9, 10]),
        ("x[3m] offset 2m", [6, 7, 8]),
        ("x[3m] offset -2m", [10]),
        ("x[2m] @ 300", [4, 5]),
        ("x[2m] @ 300 offset 1m", [3, 4]),
        ("x[59s] @ 359", []),
        ("x[1m] @ 359", [5]),
        ("x[59s] offset 1ms", []),
    ],
)
def test_a_range_is_open_at_its_start_and_closed_at_its_end(query: str, minutes: list[int]) -> None:
    assert times(query) == minutes


@pytest.mark.parametrize(
    ("query", "minutes"),
    [("x[4m:2m]", [8, 10]), ("x[4m:2m] @ 540", [6, 8]), ("x[30s:1m] @ 359", [])],
)
def test_a_subquery_is_evaluated_at_multiples_of_its_step(query: str, minutes: list[int]) -> None:
    assert times(query) == minutes


@pytest.mark.parametrize(("age", "seen"), [(0, 1), (5 * MINUTE - 1, 1), (5 * MINUTE, 0)])
def test_an_instant_vector_looks_back_for_less_than_five_minutes(age: int, seen: int) -> None:
    assert len(shown(ask(store(), "x", Steps.at(10 * MINUTE + age)))) == seen


def test_the_time_of_a_sample_is_its_own() -> None:
    found = shown(ask(store(), "timestamp(x) == 600", Steps.at(10 * MINUTE + 30 * SECOND)))
    assert len(found) == 1


def test_a_range_of_more_samples_than_a_query_may_have_is_refused() -> None:
    settings = EngineSettings(features=EVERYTHING, max_samples=5)
    with pytest.raises(TooManySamples, match="query"):
        ask(store(), "sum_over_time(x[10m])", Steps.at(10 * MINUTE), settings)
