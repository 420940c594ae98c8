"""Everyday queries give the text that Prometheus gives."""

import time

import httpx
import pytest

from tests.oracle.compare import Question, Report, compare
from tests.oracle.conftest import Say
from tests.oracle.queries import expressions, questions
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

CPU_USED = (
    "100 - (avg by (instance) "
    '(rate(node_cpu_seconds_total{instance="node-a:9100",mode="idle"}[5m])) * 100)'
)
SCRAPED = (
    "up",
    "sum by (mode) (rate(node_cpu_seconds_total[5s]))",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "rate(prometheus_http_requests_total[10s])",
    "histogram_quantile(0.9, rate(prometheus_http_request_duration_seconds_bucket[10s]))",
    "go_memstats_alloc_bytes - go_memstats_alloc_bytes offset 3s",
    "count by (job) ({job=~'.+'})",
    "node_uname_info * on (instance) group_left () node_load1",
)


@pytest.fixture(scope="module")
def report(oracle: Running, bridge: Running, say: Say) -> Report:
    compared = compare(oracle.url, bridge.url, questions())
    say(f"against Prometheus: {compared.summary()}")
    return compared


def test_the_cpu_query_of_every_dashboard_is_asked() -> None:
    assert CPU_USED in expressions()


def test_there_are_at_least_170_questions() -> None:
    asked = tuple(questions())
    assert len(set(asked)) == len(asked) >= 170
    assert {question.path for question in asked} == {"/api/v1/query", "/api/v1/query_range"}


def test_answers_are_prometheus_answers(report: Report) -> None:
    assert not report.different, report.table()


def test_nine_of_ten_answers_hold_something(report: Report) -> None:
    assert report.non_empty >= 0.9


def test_scraped_data_answer_alike(
    prometheus_server: PrometheusFactory,
    bridge_server: BridgeFactory,
    node_exporter: Running,
    say: Say,
) -> None:
    node = node_exporter.url.removeprefix("http://")
    jobs = [{"job_name": "node", "static_configs": [{"targets": [node]}]}]
    scraping = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    store = prometheus_server(PrometheusOptions(config=scraping))
    until = _scraped(store.url, samples=10)
    own = bridge_server(f"{store.url}/api/v1/read")
    asked = [Question(expr, until, until) for expr in SCRAPED]
    asked += [Question(expr, until - 8, until, 1.0) for expr in SCRAPED]
    report = compare(store.url, own.url, asked)
    say(f"against scraped data: {report.summary()}")
    assert not report.different, report.table()


def _scraped(url: str, samples: int) -> float:
    """The time of the newest scrape once `up` has so many samples."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = httpx.post(f"{url}/api/v1/query", data={"query": "up[1m]"}).json()
        values = [series["values"] for series in answer["data"]["result"]]
        if values and len(values[0]) >= samples:
            return float(values[0][-1][0])
        time.sleep(0.2)
    raise AssertionError(f"{url} scraped less than {samples} times within a minute")
