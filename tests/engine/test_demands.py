"""Limits of single queries: each error names the limit, its setting and what was measured."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.engine.demands import Limits
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import LimitExceeded
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.storage.memory import MemoryStore

STORE = MemoryStore(
    (Labels.of({"__name__": "x", "n": str(number)}), [0], [1.0]) for number in range(5)
)
NONE = Limits(0, 0, 0, 0, 0, 0, 0, 0)


async def asked(text: str, limits: Limits, steps: Steps | None = None) -> None:
    with ThreadPoolExecutor(1) as workers:
        engine = Engine(STORE, EngineSettings(limits=limits), workers)
        try:
            await engine.query(text, steps or Steps.at(0), QueryOptions())
        finally:
            engine.close()


CASES = [
    (
        "x + x",
        Limits(expression_bytes=4),
        "the expression's length in bytes is 5, more than query.max_expression_bytes (4) allows",
    ),
    (
        'x{n="1",m=""}',
        Limits(matchers=2),
        "the number of matchers of a selector is 3, more than query.max_matchers (2) allows",
    ),
    (
        'x{n=~"äb"}',
        Limits(regex_bytes=2),
        "a regular expression's length in bytes is 3, more than query.max_regex_bytes (2) allows",
    ),
    (
        "max_over_time(x[2h])",
        Limits(range=3_600_000),
        "the query reads 1h59m59s999ms of time, more than query.max_range (1h) allows",
    ),
    (
        "x",
        Limits(series=4),
        "the number of series read is 5, more than query.max_series (4) allows",
    ),
    (
        "x + x offset 1h",
        Limits(series=4),
        "the number of series read is 5, more than query.max_series (4) allows",
    ),
]


@pytest.mark.parametrize(("text", "limits", "error"), CASES)
async def test_a_query_beyond_a_limit_is_told_which(text: str, limits: Limits, error: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        await asked(text, limits)
    assert str(caught.value) == error
    await asked(text, NONE)


def test_points_and_answers_are_limited_too() -> None:
    with pytest.raises(LimitExceeded, match=r"is 11, more than query.max_points \(10\) allows"):
        Limits(points=10).check_points(11)
    with pytest.raises(LimitExceeded, match=r"is 9, more than query.max_response_bytes \(8\)"):
        Limits(response_bytes=8).check_response(9)
