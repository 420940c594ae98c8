"""promtool's query commands print the same for prombridge as for Prometheus."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.oracle.datasets import END, START
from tests.servers.process import Running

_RANGE = (f"--start={END // 1000 - 3600}", f"--end={END // 1000}")

COMMANDS = {
    "instant vector": ("instant", f"--time={END // 1000}", "URL", "sum by (mode) (node_load1)"),
    "instant selector": ("instant", f"--time={END // 1000}", "URL", "up"),
    "instant scalar": ("instant", f"--time={END // 1000}", "URL", "1 + 1"),
    "instant unicode": ("instant", f"--time={END // 1000}", "URL", "node_uname_info"),
    "range": ("range", *_RANGE, "--step=60s", "URL", "rate(http_requests_total[5m])"),
    "range json": ("-o", "json", "range", *_RANGE, "--step=60s", "URL", "sum(up)"),
    "series": ("series", *_RANGE, "--match=up", "--match=node_load1", "URL"),
    "series regex": ("series", *_RANGE, '--match={__name__=~"odd_.+"}', "URL"),
    "label values": ("labels", *_RANGE, "--match=node_cpu_seconds_total", "URL", "mode"),
    "label names": ("labels", *_RANGE, "--match={job='api'}", "URL", "__name__"),
    "parse error": ("instant", "URL", "sum("),
    "execution error": (
        "instant",
        f"--time={START // 1000 + 60}",
        "URL",
        'label_replace(up, "x", "$1", "job", "(")',
    ),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())
def test_output_is_the_same(
    promtool: Path, oracle: Running, bridge: Running, arguments: Sequence[str]
) -> None:
    assert _query(promtool, bridge.url, arguments) == _query(promtool, oracle.url, arguments)


@pytest.mark.parametrize(
    ("kind", "holds"), [("range", "=>"), ("series", "odd_gappy"), ("label values", "idle")]
)
def test_the_oracle_answers(promtool: Path, oracle: Running, kind: str, holds: str) -> None:
    arguments = COMMANDS["series regex" if kind == "series" else kind]
    code, lines, _ = _query(promtool, oracle.url, arguments)
    assert code == 0
    assert any(holds in line or "@[" in line for line in lines)


def _query(promtool: Path, url: str, arguments: Sequence[str]) -> tuple[int, list[str], str]:
    """Exit code, sorted lines (the order of an instant vector is the store's), errors."""
    filled = [url if one == "URL" else one for one in arguments]
    command = [str(promtool), "query", *filled]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, sorted(done.stdout.splitlines()), done.stderr.replace(url, "URL")
