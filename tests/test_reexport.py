"""Others read through prombridge: a real Prometheus, and vmctl on its way to VictoriaMetrics."""

import json
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import pytest

from tests.oracle.compare import Question, compare
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

SERIES: Final = 20
SAMPLES: Final = 400
STEP: Final = 15_000


def dataset(end: int) -> Dataset:
    """Counters and noise of a few jobs."""
    rng = np.random.default_rng(3)
    times = end - np.arange(SAMPLES, dtype=np.int64)[::-1] * STEP
    series = []
    for number in range(SERIES):
        # VictoriaMetrics keeps some twelve digits.
        noise = np.round(rng.normal(size=SAMPLES), 3)
        values = np.cumsum(rng.integers(0, 50, SAMPLES)).astype(np.float64)
        labels = {"__name__": "x_total", "n": f"{number:02}", "job": f"job{number % 3}"}
        series.append(SeriesData(labels, times, noise if number % 2 else values))
    return Dataset(tuple(series), int(times[0]), end)


@pytest.fixture(scope="module")
def world(
    prometheus_server: PrometheusFactory, bridge_server: BridgeFactory
) -> tuple[Running, Running, Dataset]:
    """A Prometheus, a bridge in front of it, and what is in there."""
    store = prometheus_server(PrometheusOptions())
    data = dataset(int(time.time() * 1000) // STEP * STEP - 4 * STEP)
    write_prometheus(store.url, data)
    return store, bridge_server(f"{store.url}/api/v1/read"), data


def reads(bridge: Running) -> float:
    """How many reads others have made."""
    text = httpx.get(f"{bridge.url}/metrics").text
    found = re.search(
        r'^prombridge_http_requests_total\{code="200",handler="/read"\} (.*)$', text, re.MULTILINE
    )
    return float(found[1]) if found else 0.0


EXPRESSIONS: Final = (
    "x_total",
    "sum by (job) (rate(x_total[5m]))",
    'max_over_time(x_total{n=~"0.*"}[10m])',
    "count_over_time(x_total[1h])",
    'x_total{job!="job1"} offset 20m',
    "topk(3, x_total)",
)


def test_a_prometheus_reads_through_prombridge_what_it_would_read_itself(
    world: tuple[Running, Running, Dataset], prometheus_server: PrometheusFactory
) -> None:
    store, bridge, data = world
    entry = {"url": f"{bridge.url}/api/v1/read", "read_recent": True}
    behind = prometheus_server(PrometheusOptions(config={"remote_read": [entry]}))
    end = data.end / 1000
    questions = [Question(expr, end, end) for expr in EXPRESSIONS]
    questions += [Question(expr, end - 3600, end, 60.0) for expr in EXPRESSIONS]
    before = reads(bridge)
    report = compare(store.url, behind.url, questions)
    assert not report.different, report.table()
    assert report.non_empty == 1.0
    assert reads(bridge) - before >= len(questions)


def test_each_store_alone_can_be_read_too(
    world: tuple[Running, Running, Dataset], prometheus_server: PrometheusFactory
) -> None:
    store, bridge, data = world
    name = f"{store.url}/api/v1/read"
    entry = {"url": f"{bridge.url}/stores/{name}/api/v1/read", "read_recent": True}
    behind = prometheus_server(PrometheusOptions(config={"remote_read": [entry]}))
    report = compare(store.url, behind.url, [Question("x_total", 0, data.end / 1000)])
    assert not report.different, report.table()


@pytest.mark.parametrize("streamed", [False, True], ids=["sampled", "streamed"])
def test_vmctl_migrates_through_prombridge(
    world: tuple[Running, Running, Dataset],
    victoriametrics: Running,
    vmctl: Path,
    streamed: bool,
) -> None:
    _, bridge, data = world
    mark = f"run{int(streamed)}"
    flags = ["--remote-read-use-stream"] if streamed else []
    done = subprocess.run(
        [
            *(str(vmctl), "remote-read", "-s", "--disable-progress-bar"),
            f"--remote-read-src-addr={bridge.url}",
            f"--remote-read-filter-time-start={rfc3339(data.start)}",
            f"--remote-read-filter-time-end={rfc3339(data.end + 1000)}",
            "--remote-read-step-interval=hour",
            "--remote-read-filter-label=__name__",
            "--remote-read-filter-label-value=x_total",
            *(f"--vm-addr={victoriametrics.url}", f"--vm-extra-label=run={mark}", *flags),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held = exported(victoriametrics, mark)
    assert len(held) == SERIES
    for one in data.series:
        times, values = held[one.labels["n"]]
        assert times == one.timestamps.tolist()
        assert values == one.values.tolist()


def rfc3339(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exported(server: Running, mark: str) -> dict[str, tuple[list[int], list[float]]]:
    """Times and values of each series of one run, by `n`; repeated ones once."""
    httpx.get(f"{server.url}/internal/force_flush", timeout=30)
    asked = {"match[]": f'x_total{{run="{mark}"}}', "reduce_mem_usage": "0"}
    text = httpx.get(f"{server.url}/api/v1/export", params=asked, timeout=60).text
    found: dict[str, dict[int, float]] = {}
    for line in text.splitlines():
        row = json.loads(line)
        pairs = zip(row["timestamps"], row["values"], strict=True)
        found.setdefault(row["metric"]["n"], {}).update(pairs)
    return {
        name: (sorted(held), [float(held[at]) for at in sorted(held)])
        for name, held in found.items()
    }
