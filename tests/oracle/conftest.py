"""A Prometheus that holds the generated data, and a prombridge that reads from it."""

from collections.abc import Callable

import pytest

from tests.oracle.datasets import everyday
from tests.oracle.series import Dataset
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

Say = Callable[[str], None]


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """The generated data."""
    return everyday()


@pytest.fixture(scope="session")
def oracle(prometheus_server: PrometheusFactory, dataset: Dataset) -> Running:
    """The Prometheus whose answers are right."""
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, dataset)
    return server


@pytest.fixture(scope="session")
def bridge(bridge_server: BridgeFactory, oracle: Running) -> Running:
    """The prombridge in front of the oracle."""
    return bridge_server(f"{oracle.url}/api/v1/read")


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Writes a line that is seen without `-s`: figures the tests are to show."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")

    def write(text: str) -> None:
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text)

    return write
