"""How many samples a query is said to have seen, step by step, as Prometheus counts them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Stats
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.storage.memory import MemoryStore
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

_START = 1_767_600_000_000
_SERIES = [
    ({"__name__": "up", "job": "a"}, np.arange(40)),
    ({"__name__": "up", "job": "b"}, np.arange(7, 20)),
    ({"__name__": "late", "job": "b"}, np.arange(25, 40)),
]
_STEPS = Steps(_START + 60_000, _START + 500_500, 45_500)

QUERIES = [
    "up",
    "sum(up) + count(late)",
    "rate(up[2m])",
    "up @ 1767600300",
    "sum(rate(up[2m] @ 1767600300)) + up",
    "avg_over_time(up[3m:20s])",
    "max_over_time(rate(up[1m])[2m:30s])",
    "timestamp(up)",
    "timestamp(-up)",
    "up and late offset 1m",
    "1 + vector(2)",
    "absent_over_time(late[1m])",
]


async def _ours(query: str) -> Stats:
    store = MemoryStore(
        (Labels.of(labels), _START + 15_000 * at, at.astype(np.float64)) for labels, at in _SERIES
    )
    with ThreadPoolExecutor(2) as workers:
        settings = EngineSettings(features=frozenset({"promql-per-step-stats"}))
        engine = Engine(store, settings, workers)
        result = await engine.query(query, _STEPS, QueryOptions())
        engine.close()
    return result.stats


@pytest.fixture(scope="module")
def oracle(prometheus_server: PrometheusFactory) -> Iterator[httpx.Client]:
    flags = ("--enable-feature=promql-per-step-stats",)
    server = prometheus_server(PrometheusOptions(flags=flags))
    series = [
        SeriesData(labels, _START + 15_000 * at, at.astype(np.float64)) for labels, at in _SERIES
    ]
    write_prometheus(server.url, Dataset(tuple(series), _START, _START + 600_000))
    with httpx.Client(base_url=server.url) as client:
        yield client


def _theirs(oracle: httpx.Client, query: str) -> Any:
    form = {
        "query": query,
        "start": str(_STEPS.start / 1000),
        "end": str(_STEPS.end / 1000),
        "step": str(_STEPS.interval / 1000),
        "stats": "all",
    }
    return oracle.post("/api/v1/query_range", data=form).json()["data"]["stats"]["samples"]


@pytest.mark.parametrize("query", QUERIES)
async def test_counts_are_those_of_prometheus(oracle: httpx.Client, query: str) -> None:
    theirs, ours = _theirs(oracle, query), await _ours(query)
    counts = [[time / 1000, count] for time, count in ours.queryable_per_step]
    assert counts == theirs["totalQueryableSamplesPerStep"]
    assert ours.queryable_samples == theirs["totalQueryableSamples"]
