"""What a query would read, shown in a terminal."""

from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.cli.costs import cost_lines
from tests.servers.process import free_port

START = 1_767_603_600.001


def read(**changed: Any) -> dict[str, Any]:
    """A read of one store, an hour of which lacks eleven minutes."""
    gap = {"start": START + 3000, "end": START + 3659.999}
    one = {
        "store": "main",
        "cache": "partial",
        "held": [],
        "gaps": [gap],
        "series": 3000,
        "samples": 720_000,
        "readSamples": 132_000,
        "readBytes": 290_400,
    }
    window = {"start": START, "end": START + 3599.999}
    return {"selector": 'up{job="node"}', **window, "stores": [one | changed]}


def data(*selects: dict[str, Any], **total: Any) -> dict[str, Any]:
    stores = {one["store"] for select in selects for one in select["stores"]}
    usual = {"selects": len(selects), "gaps": 1, "gapSeconds": 660.0}
    sizes = {"samples": 720_000, "readSamples": 132_000, "readBytes": 290_400}
    return {
        "selects": list(selects),
        "stores": [{"store": name} for name in stores],
        "total": usual | sizes | total,
    }


def test_a_row_for_each_read_and_a_sentence_for_all() -> None:
    header, row, empty, sentence = cost_lines(data(read()), 140)
    assert header == (
        "SELECTOR        STORE  FROM                  LENGTH    CACHE  GAPS  SERIES  SAMPLES"
        "     READ      BYTES"
    )
    assert row == (
        'up{job="node"}  main   2026-01-05 09:00:00Z      1h  partial   11m   3,000  720,000'
        "  132,000  283.6 KiB"
    )
    assert empty == ""
    assert sentence == (
        "1 read of 1 store: 11m to read in 1 gap, about 132,000 samples in 283.6 KiB."
    )


def test_what_is_not_known_is_called_unknown() -> None:
    unknown = dict.fromkeys(("series", "samples", "readSamples", "readBytes"))
    _, row, _, sentence = cost_lines(data(read(**unknown), readSamples=None), 140)
    assert row.split()[-4:] == ["unknown"] * 4
    assert sentence.endswith("how much that is cannot be known beforehand.")


def test_a_hit_needs_no_store() -> None:
    held = read(cache="hit", gaps=[], readSamples=0, readBytes=0)
    _, row, _, sentence = cost_lines(data(held, gaps=0), 140)
    assert row.split()[5:7] == ["hit", "-"]
    assert sentence == "1 read of 1 store, all from memory: nothing is asked of the store."


def test_a_query_that_reads_nothing() -> None:
    assert list(cost_lines(data(), 80)) == ["This query reads no samples."]


def test_explaining_asks_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(f"remote_read: [{{name: far, url: 'http://127.0.0.1:{free_port()}/read'}}]\n")
    asked = ("query", "rate(up[5m])", f"--config.file={file}", "--time=1767603600", "--explain")
    assert main(asked) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == [
        "up", "far", "2026-01-05", "08:55:00Z", "5m", "miss", "5m", *["unknown"] * 4,
    ]  # fmt: skip
    assert shown[-1].startswith("1 read of 1 store: 5m to read in 1 gap, how much")
