"""The demo, as its users start it: the whole chain over real remote read."""

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.cli import main

QUERY_TIMEOUT = 120  # seconds: the first query may compile what it needs


@pytest.fixture(scope="module")
def demo() -> Iterator[list[str]]:
    """What a running demo has printed up to its last line."""
    command = (sys.executable, "-m", "bridge.cli", "demo", "--web.listen-address=127.0.0.1:0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = []
        try:
            for line in process.stdout:
                printed.append(line.rstrip("\n"))
                if "Ctrl-C" in line:
                    break
            yield printed
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.fixture
def url(demo: list[str]) -> str:
    (line,) = (line for line in demo if line.startswith("prombridge answers on "))
    return line.removeprefix("prombridge answers on ")


def test_it_prints_where_it_is_and_three_queries_that_have_answers(
    demo: list[str], url: str
) -> None:
    assert url.startswith("http://127.0.0.1:")
    (above,) = (line for line in demo if line.startswith("Three queries to paste"))
    first = demo.index(above) + 1
    queries = [line.strip() for line in demo[first : first + 3]]
    for query in queries:
        found = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=QUERY_TIMEOUT)
        assert found.json()["data"]["result"], query
    assert any("Grafana" in line and url in line for line in demo)


def test_the_command_that_it_shows_can_be_run_as_it_stands(demo: list[str]) -> None:
    command = demo[demo.index("For instance:") + 1]
    done = subprocess.run(
        shlex.split(command), capture_output=True, text=True, timeout=QUERY_TIMEOUT, check=True
    )
    assert done.stdout.startswith("SERIES")


def test_it_links_to_a_page_that_shows_a_graph(demo: list[str], url: str) -> None:
    (link,) = (line.strip() for line in demo if line.startswith(f"  {url}/query?"))
    page = httpx.get(link)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    shown = parse_qs(urlsplit(link).query)
    assert shown["g0.tab"] == ["graph"]
    assert any(line.strip() == shown["g0.expr"][0] for line in demo)


def test_what_was_read_is_counted_and_its_labels_are_known(url: str) -> None:
    httpx.get(f"{url}/api/v1/query?query=up", timeout=QUERY_TIMEOUT)
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    counted = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(counted['prombridge_upstream_requests_total{code="200",store="demo"}']) > 0
    assert float(counted['prombridge_upstream_samples_total{store="demo"}']) > 0
    assert float(counted['prombridge_upstream_received_bytes_total{store="demo"}']) > 0
    assert "node" in httpx.get(f"{url}/api/v1/label/job/values").json()["data"]


def test_a_query_shows_a_table_and_a_range_a_plot(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("query", "--server", url, "count by (job) (up)")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["SERIES", "VALUE"]
    assert lines[1].startswith('{job="node"} ')
    times = httpx.get(f"{url}/api/v1/query?query=time()").json()["data"]["result"]
    start = f"{float(times[0]) - 3600}"
    assert main(("query", "--server", url, "sum(node_load1)", "--start", start)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("\u2800" < char <= "\u28ff" for line in lines for char in line)
    assert lines[-1].startswith("{} ")
