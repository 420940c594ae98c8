"""`python -m benchmarks.dashboard`: dashboards and alerts against prombridge and Prometheus.

One Prometheus holds the data. A second one, whose only content is `remote_read` to the first, and
prombridge in front of the first get the same bursts in turn; each refresh moves on in time. The
first is asked over loopback, and then once more as if it were 50 ms away.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop

from benchmarks.boards import LAST, Board, boards, data
from benchmarks.burst import Browser, Burst, post
from benchmarks.delay import distant
from benchmarks.measure import Likeness, alike
from tests.oracle.writer import write_prometheus
from tests.servers.binaries import PROMETHEUS, version
from tests.servers.bridge import prombridge, reading
from tests.servers.prometheus import PrometheusOptions, prometheus

_TIMEOUT = 120  # seconds one answer may take
_UNMEASURED = 2  # refreshes that warm both up
_ROUND_TRIP = 0.05  # seconds to a store that is not on the same machine


@dataclass(frozen=True, slots=True)
class Row:
    """One board: every burst of both, and how many answers differ."""

    board: Board
    where: str
    before: Sequence[Burst]
    after: Sequence[Burst]
    different: Sequence[str]


def main(arguments: Sequence[str]) -> int:
    """Runs the replay that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="refreshes a board (default 10)")
    parser.add_argument("--copies", type=int, default=10, help="times the data (default 10)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="dashboard-") as name:
        _run(Path(name), options.rounds, options.copies)
    return 0


def _run(folder: Path, rounds: int, copies: int) -> None:
    with prometheus(folder / "store") as store:
        held = data(copies)
        _say(f"writing {held.samples} samples of {len(held.series)} series")
        write_prometheus(store.url, held)
        with distant(store.url, _ROUND_TRIP) as far:
            near_rows = _beside(folder / "near", store.url, "loopback", rounds)
            far_rows = _beside(folder / "far", far, f"{_ROUND_TRIP * 1000:.0f} ms away", rounds)
    print(table([*near_rows, *far_rows], len(held.series), held.samples))


def _beside(folder: Path, store: str, where: str, rounds: int) -> list[Row]:
    """The boards over a store that is so far away."""
    config = reading(f"{store}/api/v1/read")
    with (
        prometheus(folder / "before", PrometheusOptions(config=config)) as before,
        prombridge(folder / "after", config) as after,
    ):
        return uvloop.run(_all(where, before.url, after.url, rounds))


async def _all(where: str, before: str, after: str, rounds: int) -> list[Row]:
    browsers = {url: Browser(url) for url in (before, after)}
    rows = [await _measured(one, where, browsers, rounds) for one in boards()]
    for one in browsers.values():
        one.close()
    return rows


async def _measured(board: Board, where: str, browsers: Mapping[str, Browser], rounds: int) -> Row:
    bursts: dict[str, list[Burst]] = {url: [] for url in browsers}
    before, after = browsers
    different: list[str] = []
    for number in range(-_UNMEASURED, rounds):
        end = LAST - (rounds - number) * board.refresh
        made: dict[str, Burst] = {}
        for url in (before, after) if number % 2 == 0 else (after, before):
            asked = [post(url, *panel.request(end), board.headers) for panel in board.panels]
            made[url] = await browsers[url].ask(asked, _TIMEOUT)
        if number < 0:
            continue
        for url, burst in made.items():
            bursts[url].append(burst)
        different += _different(board, made[before], made[after])
    _say(f"{board.name}, {where}: {rounds} refreshes, {len(different)} answers differ")
    return Row(board, where, bursts[before], bursts[after], different)


def _different(board: Board, before: Burst, after: Burst) -> list[str]:
    """The expressions whose answers are not the same."""
    pairs = zip(board.panels, before.replies, after.replies, strict=True)
    return [panel.expr for panel, one, other in pairs if not _same(one.body, other.body)]


def _same(one: bytes, other: bytes) -> bool:
    first, second = json.loads(one), json.loads(other)
    if first["status"] == second["status"] == "success" and _is_matrix(first):
        return alike(one, other) is not Likeness.DIFFERENT
    return _sorted(first) == _sorted(second)


def _is_matrix(answer: dict[str, Any]) -> bool:
    return bool(answer["data"]["resultType"] == "matrix")


def _sorted(answer: dict[str, Any]) -> object:
    """An instant answer without the order of its rows; of an error its type."""
    if answer["status"] == "error":
        return answer["errorType"]
    result = answer["data"]["result"]
    return result if answer["data"]["resultType"] == "scalar" else sorted(map(_rounded, result))


def _rounded(row: dict[str, Any]) -> str:
    """A sample as text; sums in another order differ in the last digits."""
    time_, value = row["value"]
    return json.dumps([row["metric"], time_, f"{float(value):.10g}"], sort_keys=True)


def table(rows: Sequence[Row], series: int, samples: int) -> str:
    """The result as Markdown, in milliseconds."""
    oracle = f"Prometheus {'.'.join(map(str, version(PROMETHEUS.locate())))}"
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    head = "| load | | Prometheus + remote_read, ms | prombridge, ms | ratio |"
    lines = [line for row in rows for line in _lines(row)]
    title = f"{series} series, {samples} samples of 6 h; {machine}, {oracle}"
    return "\n".join([title, "", head, "|---|---|---|---|---|", *lines])


def _lines(row: Row) -> list[str]:
    measures: tuple[tuple[str, Callable[[Sequence[Burst]], float]], ...] = (
        ("query, median", lambda bursts: median(_seconds(bursts))),
        ("query, p99", lambda bursts: quantiles(_seconds(bursts), n=100)[-1]),
        ("whole burst, median", lambda bursts: median(one.seconds for one in bursts)),
    )
    load, lines = f"{row.board.name}, {row.where}", []
    for name, measure in measures:
        before, after = measure(row.before) * 1000, measure(row.after) * 1000
        cells = (load, name, f"{before:.1f}", f"{after:.1f}", f"{after / before:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _seconds(bursts: Sequence[Burst]) -> list[float]:
    return [reply.seconds for burst in bursts for reply in burst.replies]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
