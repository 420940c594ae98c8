"""What `prombridge doctor` finds, of real stores and of quirky ones, and what it prints."""

import time
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from bridge.cli import main
from bridge.config.load import check
from bridge.remote.asking import Asker
from bridge.remote.connection import Connection
from bridge.remote.probes import Probes
from bridge.remote.profiles import PROFILES
from bridge.remote.settings import StoreSettings
from bridge.storage.memory import MemoryStore
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_influxdb, write_prometheus
from tests.remote.quirks import STORES, QuirkyStore
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running, free_port
from tests.servers.prometheus import PrometheusOptions
from tests.storage.blocks import labels, literal

NOW = int(time.time() * 1000)
UP = labels(__name__="up", job="node", zone="north")
HELD = MemoryStore(
    literal(
        {
            one: [(NOW - 60_000 + at * 10_000, 1.0) for at in range(5)]
            for one in (UP, labels(__name__="up", job="no"), labels(__name__="down", job="node"))
        }
    )
)


@pytest.mark.parametrize("name", [name for name in STORES if PROFILES[name].verified])
async def test_probes_find_a_profile_that_does_not_trust_too_much(name: str) -> None:
    served = QuirkyStore(HELD, replace(STORES[name], disorder=False))
    transport = httpx.ASGITransport(served.app())
    connection = Connection(StoreSettings("a", "http://store/api/v1/read"), transport)
    probes = Probes(Asker(connection), (), NOW)
    findings = [one async for one in probes.findings()]
    quirks, profile = STORES[name], probes.profile
    assert profile.end_exclusive is quirks.end_exclusive
    assert profile.missing_label_ok is not quirks.missing_is_null
    assert profile.single_query is quirks.single_query or quirks.no_results_when_empty
    assert profile.name_matchers == quirks.names
    assert profile.regex_matchers is quirks.regexes
    if quirks.regexes:
        assert profile.anchor_regex is quirks.unanchored
    assert (len(profile.response_types) == 2) is quirks.streams
    assert sum(one.received for one in findings) < 10_000


def dataset() -> Dataset:
    """A few series whose newest samples are from the last minutes."""
    end = int(time.time() * 1000) - 5000
    times = end - np.arange(20, dtype=np.int64)[::-1] * 15_000
    names = ({"job": "node", "zone": "north"}, {"job": "no"}, {"job": "nodes", "zone": "north"})
    series = [
        SeriesData({"__name__": name, **rest}, times, np.ones(20))
        for name in ("up", "down")
        for rest in names
    ]
    return Dataset(tuple(series), int(times[0]), end + 1)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and what is printed."""
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out


def entries(shown: str) -> tuple[dict[str, object], dict[str, object]]:
    """The two configurations to paste."""
    _, _, rest = shown.partition("# prometheus.yml\n")
    theirs, _, ours = rest.partition("# prombridge.yml\n")
    return yaml.safe_load(theirs), yaml.safe_load(ours)


def test_a_real_prometheus_has_its_profile(
    prometheus_server: PrometheusFactory, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, dataset())
    code, shown = doctor(capsys, f"{server.url}/api/v1/read")
    assert code == 0
    assert "\nprofile: prometheus\n" in shown
    theirs, ours = entries(shown)
    assert ours == {"stores": {"store": {"profile": "prometheus"}}}
    config, own = tmp_path / "prometheus.yml", tmp_path / "prombridge.yml"
    config.write_text(yaml.safe_dump(theirs))
    own.write_text(yaml.safe_dump(ours))
    assert check(config, own).errors == ()


def test_a_real_influxdb_has_its_profile(
    influxd: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    write_influxdb(influxd.url, "doctor", dataset())
    code, shown = doctor(capsys, f"{influxd.url}/api/v1/prom/read?db=doctor")
    assert code == 0
    assert "\nprofile: influxdb1\n" in shown
    _, ours = entries(shown)
    assert ours == {"stores": {"store": {"profile": "influxdb1"}}}
    assert "\nqueries in a request " in shown
    assert "only supports one query at a time" in shown
    assert "not anchored\n" in shown
    assert "samples only\n" in shown


def test_who_does_not_listen_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = doctor(capsys, f"http://127.0.0.1:{free_port()}/api/v1/read")
    assert code == 1
    assert "no: " in shown


@pytest.mark.parametrize("url", ["nowhere", "ftp://x/y", "http://"])
def test_a_wrong_url_is_one_sentence(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", url]) == 1
    assert "expected a URL" in capsys.readouterr().err


def test_a_time_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(("doctor", "http://127.0.0.1:1/api/v1/read", "--timeout=30"))
    assert 'argument --timeout: not a valid duration string: "30"' in capsys.readouterr().err
