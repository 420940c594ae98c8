"""`python -m benchmarks.yardstick`: prombridge beside the Prometheus with remote_read it replaces.

One Prometheus holds the data. A second one, whose only content is `remote_read` to the first, and
prombridge in front of the first answer the same queries in pairs: first without a cache, then over
windows that move as a dashboard's do.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import httpx

from benchmarks import refresh
from benchmarks.measure import Contestant, Row, measure, measure_moving
from benchmarks.workload import Workload, counters, workloads
from tests.oracle.series import Dataset
from tests.oracle.writer import write_prometheus
from tests.servers.binaries import PROMETHEUS, version
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions, prometheus

_SETTLE = 120  # seconds at most until the store has compacted what was written
_MEBIBYTE = 1 << 20


def main(arguments: Sequence[str]) -> int:
    """Runs the comparison that the arguments describe."""
    options = _options(arguments)
    chosen = [one for one in workloads(options.hours) if options.queries in one.name]
    if not chosen:
        print(f"no query holds {options.queries!r}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="yardstick-") as name:
        if options.tables != "refresh":
            _run(Path(name), options, chosen)
        if options.tables != "queries":
            print(refresh.measured(Path(name), options.series, options.rounds, say))
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.yardstick", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=5, help="pairs a query (default 5)")
    parser.add_argument("--series", type=_positive, default=3000, help="default 3000")
    parser.add_argument("--hours", type=_hours, default=6.0, help="of data, at 15 s (default 6)")
    parser.add_argument("--queries", default="", metavar="TEXT", help="only those that hold TEXT")
    parser.add_argument(
        "--tables", choices=("all", "queries", "refresh"), default="all", help="which to make"
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _hours(text: str) -> float:
    hours = float(text)
    if not 3 <= hours <= 24:
        raise argparse.ArgumentTypeError("must be between 3 (the longest query) and 24")
    return hours


def _run(folder: Path, options: argparse.Namespace, chosen: Sequence[Workload]) -> None:
    # The store closes a head block of its own once it spans three hours: as in daily life.
    with prometheus(folder / "store") as store:
        load(store, options.series, options.hours, say)
        config = reading(f"{store.url}/api/v1/read")
        with (
            prometheus(folder / "before", PrometheusOptions(config=config)) as before,
            prombridge(folder / "after", config) as after,
        ):
            say("every server is ready")
            contestants = (
                Contestant("Prometheus + remote_read", before.url, {}),
                Contestant("prombridge", after.url, {"nocache": "1"}),
            )
            rows = [measure(*contestants, one, options.rounds, say) for one in chosen]
            remembering = (contestants[0], Contestant("prombridge, remembering", after.url, {}))
            warm = [measure_moving(*remembering, one, options.rounds, say) for one in chosen]
            print(table(rows, before, after, options))
            print(moving_table(warm))


def moving_table(rows: Sequence[Row]) -> str:
    """The result over moving windows, as Markdown; they end long ago, so nothing can change."""
    head = "| moved by one step | Prometheus + remote_read, s | prombridge, s | ratio | answers |"
    return "\n".join(["", head, "|---|---|---|---|---|", *map(_line, rows)])


def load(store: Running, series: int, hours: float, progress: Callable[[str], None]) -> Dataset:
    """Writes counters into the store, waits until its compactions have come to rest; gives them."""
    progress(f"making {series} counters of {hours:g} h")
    data = counters(series, hours)
    began = time.monotonic()
    shown = 0.0

    def show(share: float) -> None:
        nonlocal shown
        if share - shown >= 0.25 or share == 1:
            shown = share
            progress(f"{share:.0%} of {data.samples} samples written")

    write_prometheus(store.url, data, show)
    _settle(store, progress)
    progress(f"loaded in {time.monotonic() - began:.1f} s")
    return data


def _settle(store: Running, progress: Callable[[str], None]) -> None:
    """Waits until the head spans less than the three hours above which it is compacted."""
    began = time.monotonic()
    while (span := _head_hours(store)) >= 3:
        if time.monotonic() - began > _SETTLE:
            raise RuntimeError(f"{store.url}: the head still spans {span:.1f} h")
        progress(f"the store compacts: its head spans {span:.1f} h")
        time.sleep(2)


def _head_hours(store: Running) -> float:
    stats = httpx.get(f"{store.url}/api/v1/status/tsdb", timeout=60).json()["data"]["headStats"]
    hours: float = (stats["maxTime"] - stats["minTime"]) / 3_600_000
    return hours


def table(rows: Sequence[Row], before: Running, after: Running, options: argparse.Namespace) -> str:
    """The result as Markdown: medians in seconds, the median ratio of the pairs, peak memory."""
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    oracle = f"Prometheus {'.'.join(map(str, version(PROMETHEUS.locate())))}"
    ratio = after.peak_memory() / before.peak_memory()
    memory = f"| peak memory, MiB | {_mebibytes(before)} | {_mebibytes(after)} | {ratio:.2f} | |"
    data = f"{options.series} counters x {options.hours:g} h x 15 s, {options.rounds} pairs"
    head = "| query | Prometheus + remote_read, s | prombridge, s | ratio | answers |"
    body = [_line(row) for row in rows]
    return "\n".join(
        [f"{data}; {machine}, {oracle}", "", head, "|---|---|---|---|---|", *body, memory]
    )


def _line(row: Row) -> str:
    before, after = median(row.before), median(row.after)
    return (
        f"| {row.workload.name} | {before:.3f} | {after:.3f} | {row.ratio:.2f} | {row.likeness} |"
    )


def _mebibytes(server: Running) -> int:
    return server.peak_memory() // _MEBIBYTE


def say(text: str) -> None:
    """A line of progress; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
