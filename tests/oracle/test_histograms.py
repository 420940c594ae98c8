"""Native histograms read out of a real Prometheus give its own answers, in both forms of reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.oracle.compare import Question, compare
from tests.oracle.conftest import Say
from tests.oracle.datasets import END
from tests.oracle.histograms import START, write
from tests.servers.bridge import prombridge, reading
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

_NAMES = ("rpc_seconds", "rpc_float_seconds", "queue_length", "batch_seconds", "turning")
# Left out is what Prometheus changed since 3.5: sums of histograms (#15687), rates that start near
# zero (#16828), custom bounds that differ, fractions of custom buckets. The fuzzer has them, see
# `differences`.
_OF_EACH = (
    "{}",
    "last_over_time({}[3m])",
    "count_over_time({}[3m])",
    "present_over_time({}[3m])",
    "resets({}[10m])",
    "changes({}[10m])",
    "histogram_count({})",
    "histogram_sum({})",
    "histogram_avg({})",
    "histogram_stddev({})",
    "histogram_quantile(0.9, {})",
    "{} * 2",
    "-{}",
    "{} / 3",
    "{} + {}",
    "{} == {} offset 15s",
    "{} != {} offset 15s",
    '{}{{job="a"}} and {}',
    '{}{{job="a"}} or {}{{pod="1"}}',
    "count({})",
    "group by (job) ({})",
    'count_values("v", {}{{pod="0"}})',
    "timestamp({})",
    "absent({})",
    "histogram_count({}) > 10",
)
_OF_WHOLE_COUNTS = ("histogram_count(sum({}))", "histogram_quantile(0.5, sum by (job) ({}))")
_OF_RATES = (
    "irate({}[1m])",
    "idelta({}[1m])",
    "histogram_fraction(0.1, 0.9, {})",
    "rate({}[2m])",
    "increase({}[5m])",
    "delta({}[2m])",
    "histogram_sum(rate({}[2m]))",
    "histogram_quantile(0.9, rate({}[5m]))",
    "{} - {} offset 1m",
)
_ALONE = (
    "rpc_seconds + on (job, pod) rpc_float_seconds",
    "rpc_seconds[1m]",
    "turning[30m]",
    'label_replace(rpc_seconds, "x", "$1", "job", "(.*)")',
    'scalar(rpc_seconds{job="a", pod="0"})',
)


def _questions() -> Iterator[Question]:
    whole = [form.format(*[name] * form.count("{}")) for form in _OF_EACH for name in _NAMES]
    whole += [form.format(name) for form in _OF_WHOLE_COUNTS for name in ("rpc_seconds", "turning")]
    rates = [
        form.format(*[name] * form.count("{}"))
        for form in _OF_RATES
        for name in ("rpc_seconds", "rpc_float_seconds", "turning")
    ]
    for number, expr in enumerate([*whole, *_ALONE, *rates]):
        moment = START / 1000 + (905, 1357.5, 2400, 3000)[number % 4]
        yield Question(expr, moment, moment)
        if not expr.endswith("]") and expr not in rates:
            yield Question(expr, START / 1000 + 120 + number, END / 1000, 60.0 + number % 30)


@pytest.fixture(scope="module")
def store(prometheus_server: PrometheusFactory) -> Running:
    """A Prometheus with native histograms, in its head and in no block yet."""
    flags = ("--enable-feature=native-histograms,promql-experimental-functions",)
    server = prometheus_server(PrometheusOptions(flags=flags))
    write(server.url)
    return server


@pytest.fixture(
    params=[["streamed"], pytest.param(["samples", "streamed"], marks=pytest.mark.long)],
    ids=["streamed", "samples"],
)
def own(request: Any, store: Running, tmp_path: Path) -> Iterator[Running]:
    """A prombridge that reads from it in one form, or where that lacks something in the other."""
    settings = tmp_path / "prombridge.yml"
    config = dict(reading(f"{store.url}/api/v1/read"))
    config["remote_read"][0]["name"] = "a"
    settings.write_text(yaml.safe_dump({"stores": {"a": {"response_types": request.param}}}))
    flags = (
        f"--prombridge.config={settings}",
        "--enable-feature=promql-experimental-functions",
        "--query.timeout=10m",
    )
    with prombridge(tmp_path, config, flags) as server:
        yield server


def test_answers_over_histograms_are_prometheus_answers(
    store: Running, own: Running, say: Say, request: pytest.FixtureRequest
) -> None:
    report = compare(store.url, own.url, _questions())
    say(f"histograms, {request.node.callspec.id}: {report.summary()}")
    assert not report.different, report.table()
    assert report.non_empty > 0.6


def test_there_is_something_of_every_kind(store: Running) -> None:
    for name in _NAMES:
        form = {"query": f"count_over_time({name}[1h])", "time": f"{END / 1000}"}
        found = httpx.post(f"{store.url}/api/v1/query", data=form).json()["data"]["result"]
        assert len(found) == 6
