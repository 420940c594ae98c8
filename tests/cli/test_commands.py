"""The command line: what it refuses, what it prints, how it ends."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from bridge.cli import main
from tests.servers.process import free_port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store is out of reach."""
    file = tmp_path / "prometheus.yml"
    file.write_text(f"remote_read: [{{name: far, url: 'http://127.0.0.1:{free_port()}/read'}}]\n")
    return file


def exit_code(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("nothing",), "invalid choice: 'nothing'"),
        (("serve",), "the following arguments are required: --config.file"),
        (
            ("serve", "--config.file=x", "--nothing"),
            "arguments: --nothing; see prombridge serve --help",
        ),
        (("serve", "--config.fil=x"), "the following arguments are required: --config.file"),
        (("serve", "--config.file=x", "--query.timeout=2"), "expected a duration such as 2m"),
        (("serve", "--config.file=x", "--query.max-samples=y"), "invalid int value: 'y'"),
        (("warm", "--jobs=0"), '"0" is not a number greater than 0'),
        (("serve", "--config.file=/nothing.yml"), "/nothing.yml: no such file or directory"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_code_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    "flags",
    [
        ("--web.listen-address=nowhere",),
        ("--web.listen-address", "nowhere"),
        ("--log.level=loud",),
        ("--query.max-concurrency=0",),
    ],
)
def test_a_flag_with_a_wrong_value_is_named(
    config: Path, flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("serve", f"--config.file={config}", *flags) == 2
    assert flags[0].partition("=")[0] in capsys.readouterr().err


def test_a_taken_port_is_one_sentence_and_code_1(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code = exit_code("serve", f"--config.file={config}", f"--web.listen-address={address}")
    assert code == 1
    said = f"prombridge: cannot listen on {address}: Address already in use\n"
    assert capsys.readouterr().err == said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert capsys.readouterr().out.startswith("prombridge ")


def test_check_config_of_a_usable_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + "scrape_configs: [{job_name: x}]\n")
    assert exit_code("check-config", str(config)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"warning: {config}:2: scrape_configs has no effect: prombridge scrapes no targets",
        f"{config} can be used",
    ]


def test_check_config_of_an_unusable_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("remote_red: []\n")
    assert exit_code("check-config", str(file)) == 2
    assert capsys.readouterr().out.startswith(f"error: {file}:1: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--end=1",), "--end and --step belong to a range query, which needs --start"),
        (("--time=1", "--start=0"), "--time belongs to an instant query, --start to a range"),
        (("--start=x",), 'cannot parse "x" to a valid timestamp'),
    ],
)
def test_query_refusals(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("query", "up", *arguments) == 1
    assert said in capsys.readouterr().err


def test_query_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    assert exit_code("query", "up", "--server", server) == 1
    shown = capsys.readouterr().err
    assert f"no answer from {server}: " in shown
    assert "--config.file" in shown


def test_a_query_that_a_store_fails_is_told_once(
    config: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert exit_code("query", "up", f"--config.file={config}") == 1
    assert 'store "far": no answer from ' in capsys.readouterr().err
    assert not caplog.records


class Page(BaseHTTPRequestHandler):
    """Something that is no Prometheus."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def page() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_query_of_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    with page() as server:
        assert exit_code("query", "up", "--server", server) == 1
    said = f"{server}/api/v1/query is no Prometheus API: it answered 200 OK"
    assert said in capsys.readouterr().err


def test_query_in_this_process(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("query", "1 + 1", "--time=4", f"--config.file={config}") == 0
    assert capsys.readouterr().out == "2  at 1970-01-01 00:00:04Z\n"


def test_query_of_a_store_out_of_reach(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("query", "up", f"--config.file={config}") == 1
    said = capsys.readouterr().err
    assert "unavailable: " in said
    assert "far" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_at_once_and_ends_cleanly(config: Path, number: signal.Signals) -> None:
    command = (sys.executable, "-m", "bridge.cli", "serve", f"--config.file={config}")
    with subprocess.Popen(
        (*command, "--web.listen-address=127.0.0.1:0", "--web.route-prefix=/p"),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        try:
            url = f"http://{_address(server.stderr)}/p"
            assert httpx.get(f"{url}/-/healthy").status_code == 200
            assert httpx.get(f"{url}/api/v1/query?query=1").status_code == 200
            failed = httpx.get(f"{url}/api/v1/query?query=up")
            assert (failed.status_code, failed.json()["errorType"]) == (503, "unavailable")
            shown = httpx.get(f"{url}/api/v1/status/config").json()["data"]["yaml"]
            assert "name: far" in shown
        finally:
            server.send_signal(number)
        assert server.wait(30) == 0


def _address(log: Iterator[str]) -> str:
    for line in log:
        for field in line.split():
            if field.startswith("address="):
                return field.removeprefix("address=")
    raise AssertionError("the server ended before it listened")
