"""A fresh prombridge in front of a Prometheus with 100,000 series: all names, once, for little."""

import re
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np
import pytest

from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

PODS: Final = 2_000
METRICS: Final = 50
SERIES: Final = PODS * METRICS
SCRAPE: Final = 15_000
SAMPLES_IN_12_HOURS: Final = 12 * 3_600_000 // SCRAPE


@dataclass(frozen=True, slots=True)
class World:
    """The store, the bridge before it, and the range of the data in seconds."""

    store: Running
    bridge: Running
    start: float
    end: float

    def ask(self, path: str, **parameters: str) -> tuple[list[str], httpx.Headers]:
        """The data of an answer, and its headers."""
        span = {"start": str(self.start), "end": str(self.end)}
        url = f"{self.bridge.url}/api/v1/{path}"
        response = httpx.get(url, params={**span, **parameters}, timeout=60)
        assert response.status_code == 200, response.text
        data: list[str] = response.json()["data"]
        return data, response.headers

    def settle(self) -> None:
        """Asks until all names are read: on a busy machine that takes longer than one waits."""
        for _ in range(10):
            _, headers = self.ask("label/__name__/values")
            if headers["X-Prombridge-Source"] == "catalogue; complete=true":
                return
        raise AssertionError("the names of all series were not read")

    def received(self) -> float:
        """The bytes that the bridge has received from the store so far."""
        return self._counted("received_bytes")

    def requests(self) -> float:
        """How often the bridge has read from the store so far."""
        return self._counted("requests")

    def _counted(self, what: str) -> float:
        text = httpx.get(f"{self.bridge.url}/metrics").text
        pattern = rf"^prombridge_upstream_{what}_total\{{.*\}} (.*)$"
        return sum(map(float, re.findall(pattern, text, re.MULTILINE)))


def in_order(counts: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Counts in an order that ties do not change."""
    return sorted((one["value"], one["name"]) for one in counts)


def labels(pod: int, metric: int) -> dict[str, str]:
    return {
        "__name__": "up" if metric == 0 else f"app_requests_{metric:02}_total",
        "pod": f"app-{pod:05}",
        "namespace": f"team-{pod % 40:02}",
        "instance": f"10.0.{pod // 250}.{pod % 250}:9100",
        "job": "kubernetes-pods",
    }


@pytest.fixture(scope="module")
def world(prometheus_server: PrometheusFactory, bridge_server: BridgeFactory) -> World:
    store = prometheus_server(PrometheusOptions())
    end = int(time.time() * 1000) // SCRAPE * SCRAPE
    times = np.arange(end - 3 * SCRAPE, end + 1, SCRAPE, dtype=np.int64)
    values = np.arange(len(times), dtype=np.float64) + 0.25
    series = tuple(
        SeriesData(labels(pod, metric), times, values)
        for pod in range(PODS)
        for metric in range(METRICS)
    )
    write_prometheus(store.url, Dataset(series, int(times[0]), end))
    bridge = bridge_server(f"{store.url}/api/v1/read")
    made = World(store, bridge, times[0] / 1000, end / 1000)
    made.settle()
    return made


def test_all_names_are_there_and_complete(world: World) -> None:
    values, headers = world.ask("label/__name__/values", limit="40000")
    assert values == sorted({labels(0, metric)["__name__"] for metric in range(METRICS)})
    assert headers["X-Prombridge-Source"] == "catalogue; complete=true"
    names, _ = world.ask("labels", limit="40000")
    assert names == ["__name__", "instance", "job", "namespace", "pod"]
    pods, headers = world.ask("label/pod/values", **{"match[]": "app_requests_07_total"})
    assert pods == [f"app-{pod:05}" for pod in range(PODS)]
    assert headers["X-Prombridge-Source"] == "probe; complete=true"


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("label/__name__/values", None),
        ("labels", None),
        ("label/pod/values", None),
        ("label/pod/values", "app_requests_07_total"),
        ("label/pod/values", '{namespace="team-07"}'),
        ("labels", '{__name__=~".*requests_1.*"}'),
    ],
)
def test_warm_answers_ask_the_store_for_nothing(world: World, path: str, match: str | None) -> None:
    parameters = {} if match is None else {"match[]": match}
    first, _ = world.ask(path, **parameters)
    requests, received = world.requests(), world.received()
    again, _ = world.ask(path, **parameters)
    assert first == again != []
    assert (world.requests(), world.received()) == (requests, received)
    assert requests > 0


def test_names_cost_less_than_a_hundredth_of_the_samples_of_12_hours(world: World) -> None:
    world.ask("label/__name__/values")
    names = world.received()
    # The least that chunks of 120 samples can take: 39 bytes each for their frame, two times and a
    # value, then two bits a sample, if the value never changes and scrapes are never late.
    samples = SERIES * SAMPLES_IN_12_HOURS / 120 * (39 + 118 / 4)
    print(f"names: {names:,.0f} bytes; 12 h of samples: at least {samples:,.0f}")
    assert 0 < names < samples / 100


def test_what_grafanas_editor_asks_for_has_useful_answers(world: World) -> None:
    assert "up" in world.ask("label/__name__/values", limit="40000")[0]
    assert "pod" in world.ask("labels", limit="40000")[0]
    metadata = httpx.get(f"{world.bridge.url}/api/v1/metadata?limit=40000").json()["data"]
    assert metadata["app_requests_07_total"] == [{"type": "counter", "help": "", "unit": ""}]
    assert world.ask("labels", **{"match[]": '{__name__=~".*up.*"}'})[0][0] == "__name__"
    assert world.ask("label/job/values")[0] == ["kubernetes-pods"]
    matched = {"match[]": 'up{pod="app-00007"}'}
    assert world.ask("label/instance/values", **matched)[0] == ["10.0.0.7:9100"]
    found, _ = world.ask("label/__name__/values", **{"match[]": '{__name__=~"app_.*_1.*"}'})
    assert found == [f"app_requests_{metric}_total" for metric in range(10, 20)]
    assert len(world.ask("series", **{"match[]": 'up{namespace="team-07"}'})[0]) == PODS // 40


def test_the_stores_own_cardinality_is_ours(world: World) -> None:
    world.ask("labels")
    ours, theirs = (
        httpx.get(f"{server.url}/api/v1/status/tsdb?limit=10", timeout=30).json()["data"]
        for server in (world.bridge, world.store)
    )
    assert ours["headStats"]["numSeries"] == theirs["headStats"]["numSeries"] == SERIES
    assert ours["headStats"]["numLabelPairs"] == theirs["headStats"]["numLabelPairs"]
    for name in ("labelValueCountByLabelName", "memoryInBytesByLabelName"):
        assert in_order(ours[name]) == in_order(theirs[name])
    assert ours["seriesCountByLabelValuePair"][0] == theirs["seriesCountByLabelValuePair"][0]
