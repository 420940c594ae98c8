"""Real servers as fixtures of a test session."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.binaries import PROMETHEUS, PROMTOOL, VMCTL
from tests.servers.bridge import prombridge, reading
from tests.servers.debian import UnavailableError
from tests.servers.influxdb import influxd as run_influxd
from tests.servers.node_exporter import node_exporter as run_node_exporter
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions, prometheus
from tests.servers.victoriametrics import victoriametrics as run_victoriametrics

T = TypeVar("T")

PrometheusFactory = Callable[[PrometheusOptions], Running]
BridgeFactory = Callable[..., Running]


def entered(start: Callable[[], T]) -> T:
    """What `start` gives; a server that cannot be had skips the test, or fails it under CI=true."""
    try:
        return start()
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"needs a real server: {error}")


@pytest.fixture(scope="session")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusFactory]:
    """Starts a Prometheus for each call; all end with the session."""
    entered(PROMETHEUS.locate)
    with ExitStack() as servers:

        def start(options: PrometheusOptions) -> Running:
            folder = tmp_path_factory.mktemp("prometheus")
            return servers.enter_context(prometheus(folder, options))

        yield start


@pytest.fixture(scope="session")
def bridge_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeFactory]:
    """Starts a prombridge in front of the given remote-read URLs for each call."""
    with ExitStack() as servers:

        def start(*urls: str) -> Running:
            folder = tmp_path_factory.mktemp("prombridge")
            return servers.enter_context(prombridge(folder, reading(*urls)))

        yield start


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One empty InfluxDB for the session: tests take a database each."""
    with ExitStack() as servers:
        folder = tmp_path_factory.mktemp("influxdb")
        yield entered(lambda: servers.enter_context(run_influxd(folder)))


@pytest.fixture(scope="session")
def node_exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One node exporter for the session."""
    with ExitStack() as servers:
        folder = tmp_path_factory.mktemp("node_exporter")
        yield entered(lambda: servers.enter_context(run_node_exporter(folder)))


@pytest.fixture(scope="session")
def victoriametrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One empty VictoriaMetrics for the session: tests tell their data apart by a label."""
    with ExitStack() as servers:
        folder = tmp_path_factory.mktemp("victoriametrics")
        yield entered(lambda: servers.enter_context(run_victoriametrics(folder)))


@pytest.fixture(scope="session")
def vmctl() -> Path:
    """The vmctl program."""
    return entered(VMCTL.locate)


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The promtool program."""
    return entered(PROMTOOL.locate)
