"""A Valkey that is killed while prombridge serves changes no answer and no status."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from benchmarks.workload import END, counters
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions
from tests.servers.valkey import valkey

PODS = 20
ROUNDS = 12


@pytest.fixture(scope="module")
def store(prometheus_server: PrometheusFactory) -> Running:
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, counters(3 * PODS, 4))
    return server


def questions(number: int) -> Iterator[dict[str, str]]:
    """Two selectors or windows that were not asked for before, so that the tier is; one again."""
    for pod in (number % PODS, (number + 7) % PODS):
        end = END // 1000 - 60 * number
        times = {"start": str(end - 5400), "end": str(end), "step": "60"}
        yield {"query": f'rate(x{{pod="pod-{pod:05d}"}}[5m])', **times}
    yield {
        "query": "sum(x)",
        "start": str(END // 1000 - 3600),
        "end": str(END // 1000),
        "step": "60",
    }


def test_killing_valkey_in_the_middle_changes_no_answer_and_no_status(
    tmp_path: Path, store: Running
) -> None:
    with valkey(tmp_path / "valkey") as (url, process):
        settings = tmp_path / "prombridge.yml"
        settings.write_text(yaml.safe_dump({"cache": {"valkey_url": url}}))
        config = reading(f"{store.url}/api/v1/read")
        flags = [f"--prombridge.config={settings}"]
        with prombridge(tmp_path / "bridge", config, flags) as bridge, httpx.Client() as client:
            before = 0.0
            for number in range(ROUNDS):
                if number == ROUNDS // 2:
                    before = _failures(bridge)
                    process.kill()
                    process.wait()
                for form in questions(number):
                    assert _answer(client, bridge, form) == _answer(
                        client, bridge, {**form, "nocache": "1"}
                    )
            assert _failures(bridge) > before


def _answer(client: httpx.Client, bridge: Running, form: dict[str, str]) -> bytes:
    answer = client.post(f"{bridge.url}/api/v1/query_range", data=form, timeout=120)
    assert answer.status_code == 200
    assert b"warnings" not in answer.content
    assert b'"values"' in answer.content
    return answer.content


def _failures(bridge: Running) -> float:
    lines = httpx.get(f"{bridge.url}/metrics", timeout=60).text.splitlines()
    name = "prombridge_cache_tier_errors_total"
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))
