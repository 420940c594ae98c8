"""Experimental PromQL gives Prometheus' answer, whether names are removed at once or late."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import numpy as np
import pytest

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.storage.memory import MemoryStore
from tests.engine.functions.test_against_prometheus import expected, found, name_of
from tests.oracle.series import STALE, Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

START: Final = 1_700_000_000_000
END: Final = START + 1_800_000
FUNCTIONS: Final = "promql-experimental-functions"
LATE: Final = "promql-delayed-name-removal"


def _dataset() -> Dataset:
    random = np.random.default_rng(3)
    times = np.arange(START, END, 15_000, dtype=np.int64)
    made = []
    for name in ("a_total", "b_total", "gauge"):
        for number in range(12):
            kept = random.random(len(times)) > 0.1
            labels = {"__name__": name, "instance": f"i{number}", "job": f"j{number % 2}"}
            labels |= {"long": "x" * 300} if number == 5 else {}
            values = np.cumsum(random.integers(-1, 6, len(times))).astype(np.float64)
            made.append(SeriesData(labels, times[kept], values[kept]))
    for number in range(0, 12, 2):
        # One for each instance: Prometheus 3.5 refuses several even where they do not meet.
        labels = {"__name__": "target_info", "instance": f"i{number}", "job": "j0"}
        labels |= {"version": f"v{number % 4}", "zone": str(number % 3)}
        values = np.ones(80)
        values[-1] = STALE
        made.append(SeriesData(labels, times[10:90], values))
        labels = {"__name__": "build_info", "instance": f"i{number}", "job": "j0", "branch": "m"}
        made.append(SeriesData(labels, times, np.ones(len(times))))
    # Prometheus goes by the order in which series came, prombridge by their labels.
    made.sort(key=lambda one: Labels.of(one.labels))
    return Dataset(tuple(made), START, END)


@pytest.fixture(scope="module", params=[(FUNCTIONS,), (FUNCTIONS, LATE)], ids=["at once", "late"])
def sides(
    request: pytest.FixtureRequest, prometheus_server: PrometheusFactory
) -> Iterator[tuple[httpx.Client, Engine]]:
    """A Prometheus and an engine with the same samples and features."""
    features: tuple[str, ...] = request.param
    dataset = _dataset()
    server = prometheus_server(PrometheusOptions(flags=(f"--enable-feature={','.join(features)}",)))
    write_prometheus(server.url, dataset)
    store = MemoryStore(
        (Labels.of(one.labels), one.timestamps, one.values) for one in dataset.series
    )
    with (
        ThreadPoolExecutor(2) as workers,
        httpx.Client(base_url=server.url, timeout=60) as oracle,
    ):
        engine = Engine(store, EngineSettings(features=frozenset(features)), workers)
        yield oracle, engine
        engine.close()


# Prometheus 3.5 drops what no info metric of a given name is there for, and takes one series' info
# for another's where series are missing at some steps.
RANGES: Final = (
    *(f"limit_ratio({ratio}, {{job=~'j.'}})" for ratio in (0.1, 0.5, -0.5, 0.9, -0.1, 1.5, -3, 0)),
    "limit_ratio by (job) (0.4, a_total)",
    "limit_ratio(0.5, rate(a_total[5m]))",
    "limit_ratio(time() % 17 / 17, a_total)",
    "limitk by (job) (2, a_total)",
    "mad_over_time(gauge[5m])",
    "mad_over_time(rate(a_total[1m])[5m:20s])",
    "info(a_total)",
    "info(a_total, {version='v2'})",
    "info(a_total, {version=~'.*'})",
    "info(a_total, {zone=~'.+'})",
    "info(a_total{job='j0'}, {__name__='build_info'})",
    "info(a_total{job='j0'}, {__name__=~'(target|build)_info'})",
    "info(a_total{job='j0'}, {__name__=~'(target|build)_info', branch='m'})",
    "sum by (version) (info(a_total))",
    "info(none)",
    "-a_total",
    "sum by (__name__) (rate({job='j0'}[5m]))",
    "rate({job='j0'}[5m])",
    "sum without (instance) (-{__name__=~'[ab]_total'})",
    "label_replace(rate(a_total[5m]), '__name__', 'x:$1', '__name__', '(.*)')",
    "label_replace(-a_total, 'was', '$1', '__name__', '(.*)')",
    "label_join(a_total * 2, '__name__', ':', 'job', 'instance')",
    "a_total > bool b_total",
    "a_total + b_total",
    "-a_total > -b_total",
    "topk(3, -a_total)",
    "topk by (__name__) (1, rate({__name__=~'[ab]_total'}[5m]))",
    "max by (__name__, job) (-a_total) / 2",
    "count_values by (__name__) ('v', round(a_total / 500))",
    "quantile by (__name__) (0.5, abs(gauge))",
    "abs(a_total) and on (instance) b_total",
    "max_over_time((-a_total)[2m:30s])",
    "histogram_quantile(0.5, a_total)",
    "absent(a_total) or absent_over_time(none{x='y'}[5m])",
    "clamp(a_total, 1, 5) == 5",
    "1 - a_total",
    "scalar(a_total{instance='i3'}) * on () group_right () vector(2)",
)
ORDERED: Final = (
    *(f"limitk({k}, gauge)" for k in (1, 3, 7, 100)),
    "limitk by (job) (4, gauge)",
    *(f"limit_ratio({ratio}, gauge)" for ratio in (0.5, -0.5, 1)),
    "limit_ratio by (job) (0.7, {__name__=~'[ab]_total'})",
    "sort_by_label(gauge, 'instance')",
    "sort_by_label_desc(gauge, 'job', 'instance')",
    "sort_by_label({job='j1'}, 'none')",
    "sort_by_label({job='j1'})",
)


@pytest.mark.parametrize("query", RANGES)
def test_answers_as_prometheus(query: str, sides: tuple[httpx.Client, Engine]) -> None:
    oracle, engine = sides
    for steps in (Steps(START, END + 400_000, 47_000), Steps(END, END, 15_000)):
        assert found(engine, query, steps) == expected(oracle, query, steps)


@pytest.mark.parametrize("query", ORDERED)
def test_order_as_in_prometheus(query: str, sides: tuple[httpx.Client, Engine]) -> None:
    oracle, engine = sides
    asked = {"query": query, "time": END / 1000}
    answer: Any = oracle.post("/api/v1/query", data=asked).json()
    result = asyncio.run(engine.query(query, Steps.at(END), QueryOptions()))
    assert isinstance(result.value, Matrix)
    ours = [name_of(dict(labels.pairs)) for labels in result.value.labels]
    assert ours == [name_of(row["metric"]) for row in answer["data"]["result"]]
