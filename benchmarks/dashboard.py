"""`python -m benchmarks.dashboard`: dashboards and alerts against prombridge and Prometheus.

One Prometheus holds the data. A second one, whose only content is `remote_read` to the first, and
prombridge in front of the first get the same bursts in turn; each refresh moves on in time.
"""

import argparse
import http.client
import json
import os
import platform
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.boards import LAST, Board, Panel, boards, data
from benchmarks.measure import Likeness, alike
from tests.oracle.writer import write_prometheus
from tests.servers.binaries import PROMETHEUS, version
from tests.servers.bridge import prombridge, reading
from tests.servers.prometheus import PrometheusOptions, prometheus

_TIMEOUT = 120  # seconds one answer may take
_UNMEASURED = 2  # refreshes that warm both up


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered query: seconds until its end, and its body."""

    seconds: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Burst:
    """All answers of one refresh, and the seconds until the last."""

    seconds: float
    replies: Sequence[Reply]


@dataclass(frozen=True, slots=True)
class Row:
    """One board: every burst of both, and how many answers differ."""

    board: Board
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
        config = reading(f"{store.url}/api/v1/read")
        with (
            prometheus(folder / "before", PrometheusOptions(config=config)) as before,
            prombridge(folder / "after", config) as after,
            ThreadPoolExecutor(64) as pool,
        ):
            rows = [_measured(one, before.url, after.url, rounds, pool) for one in boards()]
    print(table(rows, len(held.series), held.samples))


def _measured(board: Board, before: str, after: str, rounds: int, pool: ThreadPoolExecutor) -> Row:
    bursts: dict[str, list[Burst]] = {before: [], after: []}
    different: list[str] = []
    for number in range(-_UNMEASURED, rounds):
        end = LAST - (rounds - number) * board.refresh
        order = (before, after) if number % 2 == 0 else (after, before)
        made = {url: _burst(board, url, end, pool) for url in order}
        if number < 0:
            continue
        for url, burst in made.items():
            bursts[url].append(burst)
        different += _different(board, made[before], made[after])
    _say(f"{board.name}: {rounds} refreshes, {len(different)} answers differ")
    return Row(board, bursts[before], bursts[after], different)


def _burst(board: Board, url: str, end: float, pool: ThreadPoolExecutor) -> Burst:
    began = time.perf_counter()
    asked = [pool.submit(_ask, url, panel, end, board.headers) for panel in board.panels]
    replies = [one.result() for one in asked]
    return Burst(time.perf_counter() - began, replies)


def _ask(url: str, panel: Panel, end: float, headers: Any) -> Reply:
    path, form = panel.request(end)
    host = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPConnection(host, timeout=_TIMEOUT)
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    try:
        began = time.perf_counter()
        connection.request("POST", path, form, sent)
        response = connection.getresponse()
        body = response.read()
        return Reply(time.perf_counter() - began, body)
    finally:
        connection.close()


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
    lines = []
    for name, measure in measures:
        before, after = measure(row.before) * 1000, measure(row.after) * 1000
        lines.append(
            f"| {row.board.name} | {name} | {before:.1f} | {after:.1f} | {after / before:.2f} |"
        )
    return lines


def _seconds(bursts: Sequence[Burst]) -> list[float]:
    return [reply.seconds for burst in bursts for reply in burst.replies]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
