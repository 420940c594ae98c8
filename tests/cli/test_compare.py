"""`prombridge compare`, between a real Prometheus and a real prombridge, and between lies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.cli import main
from bridge.cli.differences import difference
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running, free_port
from tests.servers.prometheus import PrometheusOptions

END = 1_700_003_600


def vector(**values: str) -> dict[str, Any]:
    result = [
        {"metric": {"__name__": "up", "job": job}, "value": [1, value]}
        for job, value in values.items()
    ]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


FAILED = {"status": "error", "errorType": "execution", "error": "too much"}
SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}}


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (vector(a="1", b="2"), vector(b="2", a="1"), ""),
        (FAILED, FAILED, ""),
        (FAILED, vector(), "theirs: execution: too much; ours: an answer"),
        (SCALAR, vector(), "theirs is a scalar, ours a vector"),
        (
            SCALAR,
            {"status": "success", "data": {"resultType": "scalar", "result": [1, "3"]}},
            "theirs: 2; ours: 3",
        ),
        (vector(a="1", b="2"), vector(a="1"), '1 of 2 series are missing: up{job="b"}'),
        (vector(a="1"), vector(a="1", c="2"), '1 series are only in ours: up{job="c"}'),
        (vector(a="1"), vector(a="1.5"), '1 of 1 series differ: up{job="a"} at 1: 1, ours 1.5'),
    ],
)
def test_differences_are_one_sentence(
    theirs: dict[str, Any], ours: dict[str, Any], said: str
) -> None:
    assert difference(theirs, ours) == said


def test_a_tolerance_lets_last_digits_differ() -> None:
    theirs, ours = vector(a="0.30000000000000004"), vector(a="0.3")
    assert difference(theirs, ours)
    assert not difference(theirs, ours, tolerance=1e-12)
    assert difference(theirs, vector(a="0.31"), tolerance=1e-12)


def data(step: float) -> Dataset:
    start, end = 1000 * (END - 7200), 1000 * END
    times = np.arange(start, end + 1, 15_000, dtype=np.int64)
    values = step * np.arange(len(times), dtype=np.float64)
    labels = [{"__name__": "http_requests_total", "job": job} for job in ("web", "api")]
    return Dataset(tuple(SeriesData(one, times, values) for one in labels), start, end)


EXPR = 'sum by (job) (rate(http_requests_total{job=~"$job"}[$__rate_interval]))'
DASHBOARD = {
    "panels": [
        {
            "targets": [
                {"expr": 'sum by (job) (rate(http_requests_total{job=~"$job"}[$__rate_interval]))'}
            ]
        },
        {"targets": [{"expr": "SELECT 1"}]},
    ],
    "templating": {"list": [{"query": "label_values(http_requests_total, job)"}]},
}
RULES = """\
groups:
- name: a
  rules:
  - {record: job:requests:rate5m, expr: 'sum by (job) (rate(http_requests_total[5m]))'}
"""


@pytest.fixture(scope="module")
def sides(
    prometheus_server: PrometheusFactory, bridge_server: BridgeFactory
) -> tuple[Running, Running, Running]:
    """A Prometheus, a prombridge that reads from it, and one that reads from another."""
    server, other = prometheus_server(PrometheusOptions()), prometheus_server(PrometheusOptions())
    write_prometheus(server.url, data(1))
    write_prometheus(other.url, data(2))
    reads = [bridge_server(f"{one.url}/api/v1/read") for one in (server, other)]
    return server, reads[0], reads[1]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in (
        ("board.json", json.dumps(DASHBOARD)),
        ("rules.yml", RULES),
        ("more.promql", "# a comment\n\nhttp_requests_total\nsum(\nabsent(nothing)\n"),
    ):
        (tmp_path / name).write_text(text)
    return [f"--queries={tmp_path / name}" for name in ("board.json", "rules.yml", "more.promql")]


def test_the_same_data_give_the_same_answers(
    sides: tuple[Running, Running, Running], files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server, bridge, _ = sides
    code = main(["compare", server.url, "--server", bridge.url, f"--end={END}", *files])
    assert (code, capsys.readouterr().out) == (0, "10 of 10 answers are the same\n")


def test_other_data_are_shown_in_a_table(
    sides: tuple[Running, Running, Running], files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server, _, other = sides
    code = main(["compare", server.url, "--server", other.url, f"--end={END}", *files])
    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0].split() == ["EXPRESSION", "KIND", "DIFFERENCE"]
    assert len(lines) == 1 + 6 + 1
    assert 'series differ: http_requests_total{job="api"} at 1700003600: 480, ours 960' in "".join(
        lines
    )
    assert lines[-1] == "4 of 10 answers are the same"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--queries=/nothing.json",), "/nothing.json: No such file or directory"),
        (("--queries=/dev/null",), "the files hold no PromQL expressions"),
    ],
)
def test_refusals(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "http://127.0.0.1:1", *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--range", "--step"])
def test_a_duration_that_is_none_is_named(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "http://127.0.0.1:1", "--queries=/dev/null", f"{flag}=5"])
    assert f'argument {flag}: not a valid duration string: "5"' in capsys.readouterr().err


def test_a_side_out_of_reach_is_named(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    assert main(["compare", server, "--server", server, *files]) == 1
    assert f"no answer from {server}: " in capsys.readouterr().err
