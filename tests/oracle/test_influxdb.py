"""InfluxDB as the store, samples only, gives what a Prometheus with the same points gives."""

import pytest

from tests.oracle.compare import Question, Report, compare
from tests.oracle.conftest import Say
from tests.oracle.queries import expressions, instant, over_range
from tests.oracle.series import Dataset
from tests.oracle.writer import write_influxdb, write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions


def asked() -> list[Question]:
    """What dashboards ask of nodes and services, as instant and range queries in turn."""
    chosen = [*expressions("nodes.promql"), *expressions("services.promql")]
    return [(instant, over_range)[n % 2](expr, n) for n, expr in enumerate(chosen)]


@pytest.fixture(scope="module")
def report(
    prometheus_server: PrometheusFactory,
    bridge_server: BridgeFactory,
    influxd: Running,
    dataset: Dataset,
    say: Say,
) -> Report:
    points = dataset.finite()
    oracle = prometheus_server(PrometheusOptions())
    write_prometheus(oracle.url, points)
    write_influxdb(influxd.url, "everyday", points)
    bridge = bridge_server(f"{influxd.url}/api/v1/prom/read?db=everyday")
    compared = compare(oracle.url, bridge.url, asked())
    say(f"through InfluxDB: {compared.summary()}")
    return compared


def test_at_least_40_are_asked() -> None:
    assert len(set(asked())) >= 40


def test_answers_are_prometheus_answers(report: Report) -> None:
    assert not report.different, report.table()


def test_nine_of_ten_answers_hold_something(report: Report) -> None:
    assert report.non_empty >= 0.9
