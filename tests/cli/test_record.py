"""A recorded query is answered offline as it was answered then; it holds no credential."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.cli import main, recordings
from bridge.cli.record import hidden_expr
from bridge.model.labels import Matcher, MatchType
from bridge.remote.pseudonyms import Pseudonyms
from bridge.remote.recorded import Outcome
from tests.oracle.datasets import everyday
from tests.oracle.writer import write_prometheus
from tests.remote.stores import START, Reply, Store, reply, store, streamed_reply
from tests.remote.test_faults import FAULTS, SAMPLES, STREAM
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import free_port
from tests.servers.prometheus import PrometheusOptions

DATA = everyday()
QUERIES = (
    "node_load1",
    'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle",instance=~".*:9100"}[5m]))',
    "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    'topk(2, sum by (namespace) (kube_pod_info{namespace!~"kube.*"})) # the busiest',
    'sum by (nodename) (info(rate(node_cpu_seconds_total[5m]), {__name__="node_uname_info"}))',
    "absent(nothing_at_all)",
)
PASSWORD = "okapi-word-8"


@pytest.fixture(scope="module")
def url(prometheus_server: PrometheusFactory) -> str:
    """The remote read of a Prometheus with everyday data."""
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, DATA)
    return f"{server.url}/api/v1/read"


def configured(folder: Path, url: str, **entry: object) -> Path:
    file = folder / "prometheus.yml"
    given = {"name": "far", "url": url, "basic_auth": {"username": "me", "password": PASSWORD}}
    labels = {"external_labels": {"region": "north$east"}}
    file.write_text(yaml.safe_dump({"global": labels, "remote_read": [given | entry]}))
    return file


def span(seconds: int = 1800, step: int = 30) -> tuple[str, ...]:
    end = DATA.end // 1000
    return f"--start={end - seconds}", f"--end={end}", f"--step={step}"


def command(folder: Path, config: Path, expr: str, *more: str) -> list[str]:
    feature = "--enable-feature=promql-experimental-functions"
    return ["query", expr, f"--config.file={config}", f"--record={folder}", feature, *more]


def kept(folder: Path) -> bytes:
    """All that is in a recording."""
    return b"\n".join(file.read_bytes() for file in folder.iterdir())


def elsewhere(folder: Path) -> None:
    """Lets the recording name a store that is not there: nothing may be asked any more."""
    file = folder / "recording.json"
    page = json.loads(file.read_text())
    for entry in page["prometheus.yml"]["remote_read"]:
        entry["url"] = f"http://127.0.0.1:{free_port()}/read"
    file.write_text(json.dumps(page))


@pytest.mark.parametrize("expr", QUERIES)
@pytest.mark.parametrize("hide", [(), ("--record-hide-labels",)], ids=["plain", "hidden"])
def test_a_query_is_answered_offline_as_it_was(
    tmp_path: Path, url: str, expr: str, hide: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config = tmp_path / "made", configured(tmp_path, url)
    assert main(command(folder, config, expr, *span(), *hide)) == 0
    shown = capsys.readouterr()
    assert "warning" not in shown.err
    assert str(folder) in shown.err
    elsewhere(folder)
    assert main(["replay", str(folder)]) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[-1].endswith("the same answer")
    if not hide:
        assert again[1:-1] == shown.out.splitlines()
    assert PASSWORD.encode() not in kept(folder)


def test_an_instant_query_keeps_its_moment(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config = tmp_path / "made", configured(tmp_path, url)
    assert main(command(folder, config, "count(up)")) == 0
    assert float(recordings.read(folder).params["time"]) > 0
    assert main(["replay", str(folder)]) == 0
    assert "the same answer" in capsys.readouterr().out


def test_hidden_labels_stand_nowhere_and_values_stay(tmp_path: Path, url: str) -> None:
    expr = 'node_filesystem_avail_bytes{instance=~"node.*", mountpoint!="/boot"} # of node-1'
    folder, config = tmp_path / "made", configured(tmp_path, url, required_matchers={})
    assert main(command(folder, config, expr, *span(), "--record-hide-labels")) == 0
    held = recordings.read(folder)
    known = {
        value
        for one in DATA.series
        if one.labels["__name__"] == "node_filesystem_avail_bytes"
        for value in one.labels.values()
        if len(value) > 3 and value not in one.labels["__name__"]
    }
    assert known
    assert held.answer["data"]["result"]
    answers = b"".join(read.body for read in held.reads)
    text = (folder / "recording.json").read_text() + json.dumps(held.answer)
    assert not [one for one in known if one in text or one.encode() in answers]
    assert "#" not in held.expr
    assert "north" not in text
    assert url.split("/")[2] not in text


def stored(folder: Path, answers: tuple[Reply, ...], *more: str, **entry: object) -> Store:
    """The store that was asked `up` once, and its recording in the folder."""

    async def run() -> Store:
        async with store(*answers) as made:
            config = configured(folder, made.url, **entry)
            arguments = command(
                folder / "made", config, "up", f"--time={START // 1000 + 60}", *more
            )
            await asyncio.to_thread(main, arguments)
            return made

    return asyncio.run(run())


@pytest.mark.parametrize("answer", [one for one, _ in FAULTS.values()], ids=FAULTS.keys())
def test_a_fault_is_the_same_fault_again(
    tmp_path: Path, answer: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, (answer,))
    assert main(["replay", str(tmp_path / "made")]) == 0
    said = capsys.readouterr().out
    assert "unavailable: " in said
    assert said.splitlines()[-1].endswith("the same answer")


def test_a_store_out_of_time_is_out_of_time_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        """Says nothing."""

    stored(tmp_path, (silent,), remote_timeout="1s")
    assert [one.outcome for one in recordings.read(tmp_path / "made").reads] == [Outcome.TIMEOUT]
    assert main(["replay", str(tmp_path / "made")]) == 0
    assert "timeout: " in capsys.readouterr().out


ECHOES = {
    "an error": reply(f"no: {PASSWORD}".encode(), "text/plain", "401 Unauthorized"),
    "a status": reply(b"", "text/plain", f"401 {PASSWORD}"),
    "a type": reply(b"", PASSWORD),
    "a header": reply(b"no", "text/plain", "500 No", f"X-Echo: {PASSWORD}\r\n"),
    "behind a stream": streamed_reply(STREAM + PASSWORD.encode()),
}


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES.keys())
def test_a_credential_that_a_store_sends_back_is_not_kept(
    tmp_path: Path, answer: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = stored(tmp_path, (answer,)).asked[0].headers
    assert "authorization" in asked
    secret = asked["authorization"].removeprefix("Basic ")
    assert PASSWORD.encode() not in kept(tmp_path / "made")
    assert secret.encode() not in kept(tmp_path / "made")
    main(["replay", str(tmp_path / "made")])
    assert PASSWORD not in capsys.readouterr().out


def test_a_recording_has_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(tmp_path, (streamed_reply(STREAM),), "--record-limit=10B")
    assert "exceed --record-limit (10 bytes)" in capsys.readouterr().err
    assert not list(tmp_path.glob("made*"))


def test_a_taken_folder_is_left_alone(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config = tmp_path / "made", configured(tmp_path, url)
    folder.mkdir()
    (folder / "mine").write_text("mine")
    assert main(command(folder, config, "up")) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--record=x"], "--record needs --config.file"),
        (["--record-hide-labels"], "--record-hide-labels belongs to --record"),
        (["--record=x", "--config.file=y", "--explain"], "--explain reads nothing"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "up", *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A good recording."""
    stored(tmp_path, (reply(SAMPLES),))
    return tmp_path / "made"


Page = dict[str, Any]


def changes() -> Iterator[tuple[str, Callable[[Page], object], str]]:
    yield "another format", lambda page: page.update(format=2), "format 2 is not known"
    yield "no reads", lambda page: page.pop("reads"), "not a whole recording (KeyError"
    yield "a wrong time", lambda page: page.update(now="x"), "not a whole recording (ValueError"
    yield "a wrong path", lambda page: page["reads"][0].update(body="../x"), "is not the name of"
    yield "a lost body", lambda page: page["reads"][0].update(body="9999.body"), "No such file"
    yield "a wrong flag", lambda page: page["flags"].update(query_timeout="x"), "cannot be used"
    yield "no store", lambda page: page["prometheus.yml"].update(remote_read=[]), "remote_read"
    yield "another read", lambda page: page["reads"][0].update(start=1), "has no read of {"


@pytest.mark.parametrize(("change", "said"), [one[1:] for one in changes()])
def test_what_is_wrong_with_a_recording_is_said(
    made: Path, change: Callable[[Page], object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made / "recording.json"
    page = json.loads(file.read_text())
    change(page)
    file.write_text(json.dumps(page))
    capsys.readouterr()
    assert main(["replay", str(made)]) != 0
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
    assert "Traceback" not in shown.err


def test_a_recording_can_name_neither_files_nor_hosts(made: Path) -> None:
    file = made / "recording.json"
    page = json.loads(file.read_text())
    page["prometheus.yml"]["tracing"] = {"endpoint": "127.0.0.1:1"}
    page["prometheus.yml"]["remote_read"][0]["bearer_token_file"] = "/etc/hostname"
    page["prombridge.yml"]["cache"] = {"dir": "/tmp/never"}
    page["prombridge.yml"]["stores"]["far"]["metadata_url"] = "http://127.0.0.1:1"
    file.write_text(json.dumps(page))
    assert main(["replay", str(made)]) == 0


def test_an_answer_that_is_another_one_is_a_failure(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made / "answer.json"
    file.write_text(file.read_text().replace('"3"', '"4"'))
    assert main(["replay", str(made)]) == 1
    assert "another answer: 1 of 2 series differ" in capsys.readouterr().out


NAMES = Pseudonyms.of(
    (), (), [("job", "b"), ("job", "a"), ("pod", "é-1"), ("pod", "zone"), ("le", "0.5")]
)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ('up{job="a"}', 'up{job="1"}'),
        ("up{job=~'a|b|c',pod!~`é.*`} # é-1", 'up{job=~"1|2",pod!~"4"} '),
        ('up{pod=~"x.*"} + up{pod=~"x?|zone"}', 'up{pod=~"none"} + up{pod=~"3|"}'),
        ('up{pod=~".+"} > x{le="0.5"}', 'up{pod=~".+"} > x{le="0.5"}'),
        ('label_replace({"odd name", "job"!="b"}, "a", "b", "c", "d")',) * 2,
    ],
)
def test_matchers_take_numbers_as_they_took_values(expr: str, expected: str) -> None:
    made = hidden_expr(expr, NAMES)
    assert made == expected.replace('"job"!="b"', '"job"!="2"')


def test_numbers_stand_in_the_order_of_values() -> None:
    values = sorted(NAMES.numbers)
    assert sorted(NAMES.numbers.values()) == [NAMES.numbers[one] for one in values]
    assert NAMES.matcher(Matcher("job", MatchType.EQUAL, "b")).value == "2"
