"""Tests of queries from text to result: reads, time, turns, failures."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bridge.engine.demands import TurnSettings
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import (
    BadData,
    ExecutionError,
    ParseError,
    QueryTimeout,
    StoreError,
    StoreFault,
    TooManySamples,
)
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar
from bridge.promql.ast import ValueType
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.engine.world import MINUTE, ask

_NOW = QueryOptions()


def store() -> MemoryStore:
    """One series of a sample a minute."""
    labels = Labels.of({"__name__": "x", "job": "a"})
    times = [minute * MINUTE for minute in range(11)]
    return MemoryStore([(labels, times, [float(minute) for minute in range(11)])])


@dataclass
class Watched:
    """A store that notes how it is asked, and can be told what to add or how to fail."""

    warnings: tuple[str, ...] = ()
    failure: Exception | None = None
    received: int = 0
    held: MemoryStore = field(default_factory=store)
    asked: list[tuple[Select, ReadOptions]] = field(default_factory=list)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The store's answer."""
        self.asked.append((select, options))
        if self.failure is not None:
            raise self.failure
        answer = await self.held.select(select, options)
        return replace(answer, warnings=self.warnings, received_bytes=self.received)


@dataclass
class Stuck:
    """A store that does not answer before it is let go."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0
    cancelled: int = 0

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """An answer, late."""
        self.running += 1
        self.most = max(self.most, self.running)
        self.started.set()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return await store().select(select, options)


@asynccontextmanager
async def engine(querier: Querier, settings: EngineSettings | None = None) -> AsyncIterator[Engine]:
    """An engine over a querier."""
    with ThreadPoolExecutor(2) as workers:
        made = Engine(querier, settings or EngineSettings(), workers)
        try:
            yield made
        finally:
            made.close()


def test_a_query_from_text_to_result() -> None:
    result = ask(store(), "x * 2", Steps(MINUTE, 3 * MINUTE, MINUTE))
    assert (result.type, result.steps) == (ValueType.MATRIX, Steps(MINUTE, 3 * MINUTE, MINUTE))
    assert isinstance(result.value, Matrix)
    assert result.value.values.tolist() == [[2.0, 4.0, 6.0]]


def test_equal_selections_are_read_once_and_only_what_is_needed() -> None:
    watched = Watched()
    ask(watched, "rate(x[2m]) + x + x offset 1m", Steps.at(10 * MINUTE))
    (asked,) = watched.asked
    assert (asked[0].start, asked[0].end) == (4 * MINUTE + 1, 10 * MINUTE)


def test_options_reach_the_store() -> None:
    watched = Watched()
    options = QueryOptions(nocache=True, fresh=True, lookback=MINUTE)
    ask(watched, "x", Steps.at(10 * MINUTE), EngineSettings(max_bytes=5000), options)
    (asked,) = watched.asked
    assert asked[0].start == 9 * MINUTE + 1
    assert (asked[1].nocache, asked[1].fresh, asked[1].max_bytes) == (True, True, 5000)


def test_remarks_and_figures_of_stores_are_passed_on() -> None:
    watched = Watched(warnings=("store b is left out",), received=123)
    result = ask(watched, "x + rate(x[2m])", Steps.at(10 * MINUTE))
    assert result.warnings == ("store b is left out",)
    assert result.stats.received_bytes == 123
    assert result.stats.samples_read == 5


def test_timings_have_prometheus_names() -> None:
    timings = ask(store(), "x", Steps.at(0)).stats.timings
    assert timings.keys() == {
        "evalTotalTime",
        "resultSortTime",
        "queryPreparationTime",
        "innerEvalTime",
        "execQueueTime",
        "execTotalTime",
    }
    assert all(seconds >= 0 for seconds in timings.values())
    assert timings["execTotalTime"] >= timings["evalTotalTime"]


@pytest.mark.parametrize(
    "failure",
    [
        StoreError("store a: status 500", StoreFault("a", 0, 1, 500)),
        TooManySamples("query execution"),
        QueryTimeout("expression evaluation"),
    ],
)
@pytest.mark.parametrize("query", ["x", "x + y", "sum(x) / sum(y)"])
def test_a_failing_store_fails_the_query_with_its_own_error(query: str, failure: Exception) -> None:
    with pytest.raises(type(failure)) as failed:
        ask(Watched(failure=failure), query, Steps.at(0))
    assert failed.value is failure


@pytest.mark.parametrize(
    ("query", "kind"), [("x[5m]", "range vector"), ('"a"', "string"), ("x[5m:1m]", "range vector")]
)
def test_a_range_query_wants_numbers(query: str, kind: str) -> None:
    with pytest.raises(BadData) as failed:
        ask(store(), query, Steps(0, MINUTE, MINUTE))
    assert str(failed.value) == (
        f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
    )


def test_text_that_is_no_query_is_refused() -> None:
    with pytest.raises(ParseError, match=r"^1:5: parse error: "):
        ask(store(), "x + ", Steps.at(0))


@pytest.mark.parametrize(
    ("query", "allowed"),
    [("limitk(1, x)", False), ("x + fill(0) x", False), ("x[5m] anchored", False), ("x", True)],
)
async def test_experimental_language_is_off_unless_switched_on(
    query: str, *, allowed: bool
) -> None:
    features = {
        "promql-experimental-functions",
        "promql-binop-fill-modifiers",
        "promql-extended-range-selectors",
    }
    async with engine(store(), EngineSettings(features=frozenset(features))) as everything:
        everything.parse(query)
    async with engine(store()) as plain:
        if allowed:
            plain.parse(query)
        else:
            with pytest.raises(ParseError):
                plain.parse(query)


@pytest.mark.parametrize("timeouts", [(1, 0), (100_000, 1), (1, 100_000)])
async def test_time_runs_out_while_a_store_is_read(timeouts: tuple[int, int]) -> None:
    stuck = Stuck()
    settings, options = EngineSettings(timeout=timeouts[0]), QueryOptions(timeout=timeouts[1])
    async with engine(stuck, settings) as one:
        with pytest.raises(QueryTimeout, match=r"^query timed out in query execution$"):
            await one.query("x + y", Steps.at(0), options)
    assert stuck.running == 0


async def test_cancelling_ends_the_reads() -> None:
    stuck = Stuck()
    async with engine(stuck) as one:
        task = asyncio.create_task(one.query("x + y", Steps.at(0), _NOW))
        await stuck.started.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (stuck.running, stuck.cancelled) == (0, 2)


async def test_so_many_queries_run_at_a_time() -> None:
    stuck = Stuck()
    async with engine(stuck, EngineSettings(turns=TurnSettings(2))) as one:
        tasks = [asyncio.create_task(one.query("x", Steps.at(0), _NOW)) for _ in range(5)]
        await stuck.started.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert stuck.running == 2
        stuck.let_go.set()
        await asyncio.gather(*tasks)
    assert stuck.most == 2


async def test_waiting_for_a_turn_takes_from_the_time() -> None:
    stuck = Stuck()
    async with engine(stuck, EngineSettings(turns=TurnSettings(1))) as one:
        first = asyncio.create_task(one.query("x", Steps.at(0), _NOW))
        await stuck.started.wait()
        with pytest.raises(QueryTimeout):
            await one.query("y", Steps.at(0), QueryOptions(timeout=1))
        stuck.let_go.set()
        await first


async def test_a_failed_query_gives_its_turn_back() -> None:
    async with engine(store(), EngineSettings(turns=TurnSettings(1))) as one:
        for _ in range(3):
            with pytest.raises(ExecutionError):
                await one.query("topk(NaN, x)", Steps.at(0), _NOW)
        result = await one.query("1", Steps.at(0), _NOW)
    assert isinstance(result.value, Scalar)
