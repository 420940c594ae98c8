"""`prombridge query --profile`: where the time of a query went."""

from pathlib import Path

import pytest

from bridge.cli import main
from bridge.cli.stages import stage_lines
from tests.servers.process import free_port

SAMPLES = {"samplesRead": 7200, "totalQueryableSamples": 14400, "peakSamples": 9000}
STAGES = {"api.encode": 0.01, "engine.fetch": 0.06, "remote.read": 0.09, "engine.evaluate": 0.03}


def shown(**stages: float) -> list[str]:
    return list(stage_lines({"stats": {"samples": SAMPLES, "stages": stages}}, 80))


def test_stages_stand_in_their_order_with_their_shares() -> None:
    _, *rows, gap, sentence = shown(**STAGES)
    assert [row.split()[:3] for row in rows] == [
        ["engine.fetch", "60.00", "60%"],
        ["remote.read", "90.00", "90%"],
        ["engine.evaluate", "30.00", "30%"],
        ["api.encode", "10.00", "10%"],
    ]
    assert gap == ""
    assert sentence == "100.0 ms; 7,200 samples read, 14,400 seen by all steps, 9,000 held at most."


def test_what_goes_on_within_another_stage_is_indented_and_not_counted_twice() -> None:
    _, _, read, *_ = shown(**STAGES)
    assert read.startswith("  remote.read")
    assert read.count("█") == 18


@pytest.mark.parametrize("data", [{}, {"stats": {"timings": {}, "samples": {}}}])
def test_a_server_without_stages_is_said_to_have_none(data: dict[str, object]) -> None:
    assert list(stage_lines(data, 80)) == [
        "The server tells no stages: it is no prombridge, or a store evaluated the query."
    ]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration whose store is out of reach."""
    file = tmp_path / "prometheus.yml"
    file.write_text(f"remote_read: [{{name: far, url: 'http://127.0.0.1:{free_port()}/read'}}]\n")
    return f"--config.file={file}"


def test_a_profile_follows_the_answer(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("query", "vector(7)", config, "--profile")) == 0
    answer, _, *profile = capsys.readouterr().out.partition("STAGE")
    assert "7" in answer
    assert "engine.evaluate" in profile[0]


def test_explained_and_profiled_the_costs_come_first_and_no_answer(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("query", "vector(7)", config, "--explain", "--profile")) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "This query reads no samples."
    assert [line.split()[0] for line in rest if "engine." in line]
    assert not any(line.startswith("{}") for line in rest)
