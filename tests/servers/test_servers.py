"""Every real server starts, answers and can be scraped."""

from pathlib import Path

import httpx
import pytest

from tests.servers.binaries import PROMETHEUS, version
from tests.servers.debian import _deb822, _one_line
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running, ServerFailedError, running
from tests.servers.prometheus import PrometheusOptions


def test_prometheus_is_a_3_and_answers(prometheus_server: PrometheusFactory) -> None:
    server = prometheus_server(PrometheusOptions())
    build = httpx.get(f"{server.url}/api/v1/status/buildinfo").json()["data"]
    assert build["version"].startswith("3.")
    assert version(PROMETHEUS.locate())[0] == 3
    assert server.peak_memory() > 10 << 20


def test_influxdb_creates_a_database(influxd: Running) -> None:
    created = httpx.post(f"{influxd.url}/query", params={"q": "CREATE DATABASE smoke"})
    assert created.json() == {"results": [{"statement_id": 0}]}


def test_node_exporter_shows_cpu_seconds(node_exporter: Running) -> None:
    assert "node_cpu_seconds_total{" in httpx.get(f"{node_exporter.url}/metrics").text


def test_a_server_that_ends_shows_its_log(tmp_path: Path) -> None:
    def command(_: int) -> list[str]:
        return ["sh", "-c", "echo no such thing; exit 3"]

    with (
        pytest.raises(ServerFailedError, match=r"ended with 3: no such thing"),
        running(command, "/", tmp_path / "log"),
    ):
        pass


ENTRIES: list[tuple[str, dict[str, str] | None]] = [
    ("deb http://a.example/debian bookworm main contrib", {}),
    ("deb [signed-by=/k.gpg arch=amd64] http://a.example/debian bookworm main contrib # x", None),
]


@pytest.mark.parametrize(("line", "options"), ENTRIES)
def test_one_line_sources_are_read(line: str, options: dict[str, str] | None) -> None:
    entry = {"URIs": "http://a.example/debian", "Suites": "bookworm", "Components": "main contrib"}
    expected = {"Signed-By": "/k.gpg", "Arch": "amd64"} if options is None else options
    assert _one_line(line) == entry | expected


def test_deb822_sources_are_read() -> None:
    stanza = "Types: deb\n# note\nURIs: http://a.example/debian\nSuites: a\n  b\n"
    assert _deb822(stanza) == {
        "Types": "deb",
        "URIs": "http://a.example/debian",
        "Suites": "a\n  b",
    }
