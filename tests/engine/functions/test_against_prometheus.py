"""Every function over awkward samples gives Prometheus' answer, to the bit."""

import asyncio
import math
import re
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import numpy as np
import pytest

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.model.errors import BridgeError
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar
from bridge.storage.memory import MemoryStore
from tests.oracle.series import STALE, Column, Dataset, SeriesData, Times
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

START: Final = 1_700_000_000_000
END: Final = START + 2 * 3_600_000
SPECIAL: Final = (np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 2.0**53)

EXPERIMENTAL: Final = "promql-experimental-functions"

Points = dict[str, list[tuple[int, bytes]]]


def times(random: np.random.Generator) -> Times:
    """Scrapes with jitter, missed ones and a long gap."""
    grid = np.arange(START, END, 15_000, dtype=np.int64) + random.integers(0, 14_000)
    moments = grid + random.integers(0, 900, len(grid))
    kept = random.random(len(grid)) > 0.1
    kept[200:230] = False
    return moments[kept]


def values(kind: str, count: int, random: np.random.Generator) -> Column:
    """A counter with resets, gauges of several natures, or anything at all."""
    if kind == "counter":
        rises = random.exponential(3.0, count) * (random.random(count) > 0.3)
        resets = random.random(count) < 0.05
        level, levels = random.random() * 50, []
        for rise, reset in zip(rises.tolist(), resets.tolist(), strict=True):
            level = 0.0 if reset else level + rise
            levels.append(level)
        return np.array(levels)
    drawn: Column = random.normal(0, 3, count)
    if kind == "steps":
        return np.asarray(np.round(np.cumsum(drawn / 8)))
    if kind == "gauge":
        return 100 + 10 * drawn
    if kind == "wide":
        return np.asarray(np.exp(20 * drawn) * random.choice([-1.0, 1.0], count))
    special = np.flatnonzero(random.random(count) < 0.2)
    drawn[special] = random.choice(SPECIAL, len(special))
    return drawn


def series(name: str, kind: str, number: int) -> SeriesData:
    random = np.random.default_rng([number, len(kind), ord(kind[0])])
    moments = times(random)
    drawn = values(kind, len(moments), random)
    drawn[random.random(len(drawn)) < 0.02] = STALE
    return SeriesData({"__name__": name, "kind": kind, "n": str(number)}, moments, drawn)


def buckets() -> Iterator[SeriesData]:
    """Classic histograms: a sound one, and such whose counts fall or whose bounds are odd."""
    random = np.random.default_rng(5)
    bounds = ("0.1", "0.5", "1", "2.5", "0x1p3", "+Inf")
    odd = {"cut": bounds[:-1], "negative": ("-2", "-1", "0", "+Inf"), "bad": (*bounds, "x", "")}
    for shape in ("sound", "falling", "rounded", "cut", "negative", "bad"):
        moments = times(random)
        count = np.zeros(len(moments))
        for number, bound in enumerate(odd.get(shape, bounds)):
            count = count + np.cumsum(random.integers(0, 4, len(moments)))
            shown = count - 30 * (number % 3 == 2) if shape == "falling" else count
            shown = count * (1 - 1e-14 * number) if shape == "rounded" else shown
            labels = {"__name__": "b_bucket", "shape": shape} | ({"le": bound} if bound else {})
            yield SeriesData(labels, moments, shown.astype(np.float64))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    kinds = ("counter", "steps", "gauge", "wide", "any")
    drawn = [series("x_total", kind, number) for kind in kinds for number in range(3)]
    drawn += [series("y", kind, number) for kind in kinds for number in range(2)]
    small = (np.arange(START, END, 60_000), np.linspace(-3.0, 3.0, 120))
    return Dataset((*drawn, *buckets(), SeriesData({"__name__": "z"}, *small)), START, END)


@pytest.fixture(scope="module")
def oracle(prometheus_server: PrometheusFactory, dataset: Dataset) -> Iterator[httpx.Client]:
    server = prometheus_server(PrometheusOptions(flags=(f"--enable-feature={EXPERIMENTAL}",)))
    write_prometheus(server.url, dataset)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def engine(dataset: Dataset) -> Iterator[Engine]:
    store = MemoryStore(
        (Labels.of(one.labels), one.timestamps, one.values) for one in dataset.series
    )
    with ThreadPoolExecutor(2) as workers:
        made = Engine(store, EngineSettings(features=frozenset({EXPERIMENTAL})), workers)
        yield made
        made.close()


def bits(value: float) -> bytes:
    """The bits of a number; all NaN are one."""
    return b"NaN" if math.isnan(value) else struct.pack(">d", value)


def name_of(labels: Mapping[str, str]) -> str:
    return repr(sorted(labels.items()))


def expected(oracle: httpx.Client, query: str, steps: Steps) -> tuple[Points | str, set[str]]:
    """Prometheus' points or its error, and the texts of its annotations."""
    asked = {"query": query, "start": steps.start / 1000, "end": steps.end / 1000}
    asked["step"] = steps.interval / 1000
    answer: Any = oracle.post("/api/v1/query_range", data=asked).json()
    if answer["status"] == "error":
        return answer["error"], set()
    points: Points = {}
    for row in answer["data"]["result"]:
        points[name_of(row["metric"])] = [
            (round(time * 1000), bits(float(text))) for time, text in row["values"]
        ]
    return points, {_plain(text) for key in ("warnings", "infos") for text in answer.get(key, ())}


def _plain(text: str) -> str:
    """An annotation without what Prometheus says differently before 3.6: names and ranges."""
    return re.sub(r' for metric name "[^"]*"|, from buckets .*(?= \()', "", text)


def found(engine: Engine, query: str, steps: Steps) -> tuple[Points | str, set[str]]:
    """The same from the engine."""
    try:
        result = asyncio.run(engine.query(query, steps, QueryOptions()))
    except BridgeError as error:
        return str(error), set()
    return points_of(result), {_plain(text) for text in (*result.warnings, *result.infos)}


def points_of(result: Result) -> Points:
    moments = result.steps.times().tolist()
    if isinstance(result.value, Scalar):
        numbers = result.value.values.tolist()
        return {"[]": [(time, bits(one)) for time, one in zip(moments, numbers, strict=True)]}
    matrix = result.value
    assert isinstance(matrix, Matrix)
    return {
        name_of(dict(labels.pairs)): [
            (time, bits(value))
            for time, value, shown in zip(moments, row.tolist(), there.tolist(), strict=True)
            if shown
        ]
        for labels, row, there in zip(matrix.labels, matrix.values, matrix.present, strict=True)
    }


OF_RANGES: Final = """
    rate increase delta irate idelta resets changes count_over_time present_over_time
    last_over_time sum_over_time avg_over_time min_over_time max_over_time stddev_over_time
    stdvar_over_time deriv
"""
OF_VALUES: Final = """
    abs ceil floor exp sqrt ln log2 log10 sgn deg rad sin cos tan asin acos atan sinh cosh tanh
    asinh acosh atanh round minute hour day_of_week day_of_month day_of_year days_in_month month
    year timestamp absent
"""
VECTORS: Final = ("x_total", "y", "z", "z / 3.1")
QUANTILES: Final = (0, 0.5, 0.93, 1, -1, 2, "NaN")
QUERIES: Final = (
    *(f"{name}({metric}[{span}])" for name in OF_RANGES.split() for metric in ("x_total", "y")
      for span in ("20s", "1m", "5m", "17m", "1h")),
    *(f"{name}(x_total[4m] offset 7m)" for name in OF_RANGES.split()),
    *(f"{name}(x_total[30m:47s])" for name in OF_RANGES.split()),
    *(f"{name}({metric})" for name in OF_VALUES.split() for metric in VECTORS),
    *(f"{name}(x_total * 1e7)" for name in OF_VALUES.split()),
    # Of equal zeros Prometheus takes either sign: its sort is not stable. So there is none here.
    *(f"quantile_over_time({q}, (x_total != 0)[{span}:15s])" for q in QUANTILES
      for span in ("1m", "10m", "1h")),
    *(f"predict_linear(x_total[{span}], {ahead})" for span in ("5m", "1h") for ahead in (0, 900.5)),
    *(f"histogram_quantile({q}, b_bucket)" for q in (0, 0.3, 0.5, 0.99, 1, -1, 7, "NaN")),
    *(f"histogram_quantile({q}, rate(b_bucket[9m]))" for q in (0.1, 0.9)),
    *(f"histogram_fraction({low}, {high}, b_bucket)"
      for low, high in (("-Inf", 0.7), (0.2, "Inf"), (1, 1), ("NaN", 1), (3, 9))),
    *(
        f"{name}(x_total[{span}])"
        for name in ("ts_of_max_over_time", "ts_of_min_over_time", "ts_of_last_over_time")
        for span in ("1m", "20m")
    ),
    *(
        f"double_exponential_smoothing(x_total[{span}], {smoothing}, 0.3)"
        for span in ("1m", "20m")
        for smoothing in (0.01, 0.5, 1)
    ),
    "histogram_count(y)", "histogram_avg(b_bucket)",
    "clamp(x_total, -1, 3)", "clamp(x_total, 3, -1)", "clamp(x_total, NaN, 3)", "clamp(y, 1, Inf)",
    "clamp_min(x_total, 2)", "clamp_max(x_total, 2)", "clamp_min(x_total, Inf)",
    "clamp_max(x_total, -Inf)", "clamp_min(x_total, NaN)", "clamp_min(y, scalar(z))",
    "round(x_total, 0.3)", "round(x_total, 0)", "round(y, scalar(z))", "round(y, -5)",
    "x_total ^ 0.37", "x_total ^ 3", "y ^ -2.5", "y % 0.7", "x_total atan2 3", "z ^ z", "2 ^ z",
    'label_replace(y, "q", "$1-$$-${2}-$3-$name", "kind", "(.)(.*)")',
    'label_replace(y, "n", "", "kind", ".*")', 'label_replace(y, "kind", "same", "n", "0")',
    'label_replace(y, "a", "b", "kind", "(")', 'label_replace(y, "", "b", "kind", ".*")',
    'label_replace(y, "q", "$x${x}", "kind", "(?P<x>g.).*")',
    'label_join(y, "q", "-", "kind", "n", "none")', 'label_join(y, "n", "-", "kind")',
    'label_join(y, "q", "-")', 'label_join(y, "q", "-", "")',
    "time()", "pi()", "vector(3.5)", "scalar(z)", "scalar(y)", "scalar(none)", "vector(scalar(z))",
    "minute()", "year()", "day_of_year()", "hour()", "days_in_month()", "timestamp(timestamp(y))",
    "timestamp(y offset 3m)", "absent(none)", 'absent(none{a="1",b=~"2",c="3",c="4"})',
    "absent_over_time(y[5m])", 'absent_over_time(none{a="1"}[5m])', "absent_over_time(z[90s] @ 1)",
    "absent(sum(none))", "sum_over_time(z[5m] @ 1700001000)", "rate((y[5m]))",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_answers_as_prometheus(query: str, oracle: httpx.Client, engine: Engine) -> None:
    for steps in (
        Steps(START + 60_000, END + 400_000, 60_000),
        Steps(START + 61_234, END, 410_011),
    ):
        assert found(engine, query, steps) == expected(oracle, query, steps)
