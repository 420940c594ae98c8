"""`python -m benchmarks.scaling`: how many live dashboards one process carries.

Boards of 28 panels over the last hour, each of one machine, are open at once and refresh every
30 s, spread evenly over that time, while the store goes on taking samples. Requests are sent when
they are due, whether or not earlier ones are answered; latencies count from that moment.
"""

import argparse
import http.client
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

import httpx

from benchmarks.boards import Panel, data
from benchmarks.refresh import Feed
from tests.oracle.queries import expressions
from tests.oracle.series import Dataset
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import prometheus

_REFRESH: Final = 30  # seconds between two refreshes of one board
_SPAN: Final = 3600  # seconds a panel shows
_STEP: Final = 15
_SCRAPE: Final = 15  # seconds between two arrivals of samples
_COPIES: Final = 10  # times the three machines of the data
_MACHINE: Final = "node-a:9100"
_CLIENTS: Final = 128  # requests in flight at most; more are late, which counts
_TIMEOUT: Final = 120
_RECEIVED: Final = "prombridge_upstream_received_bytes_total"


@dataclass(frozen=True, slots=True)
class Load:
    """What so many open boards came to: seconds of each request, and the process' use of a core."""

    boards: int
    seconds: Sequence[float]
    lasted: float
    cores: float
    received: float
    failed: int

    def line(self) -> str:
        """A row of the table."""
        cuts = quantiles(self.seconds, n=100)
        return (
            f"| {self.boards} | {len(self.seconds) / self.lasted:.0f} | {cuts[49] * 1000:.0f}"
            f" | {cuts[98] * 1000:.0f} | {self.cores:.2f}"
            f" | {self.received / self.lasted / 1e6:.2f} | {self.failed} |"
        )


def main(arguments: Sequence[str]) -> int:
    """Measures each number of boards; 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--boards", type=int, nargs="+", default=[1, 10, 50, 100])
    parser.add_argument("--seconds", type=int, default=60, help="of each (default 60)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="scaling-") as name:
        loads = _measured(Path(name), given.boards, given.seconds)
    print(table(loads))
    return 1 if any(one.failed for one in loads) else 0


def _measured(folder: Path, sizes: Sequence[int], seconds: int) -> Sequence[Load]:
    held = _live(len(sizes) * (seconds + _REFRESH) * 2)
    with (
        prometheus(folder / "store") as store,
        prombridge(folder / "bridge", reading(f"{store.url}/api/v1/read")) as bridge,
    ):
        feed = Feed(store, held)
        feed.until_now()
        _say(f"{len(held.series)} series are written up to now")
        done = threading.Event()
        scraper = threading.Thread(target=_fed, args=(feed, done))
        scraper.start()
        try:
            return [_loaded(bridge, size, seconds) for size in sizes]
        finally:
            done.set()
            scraper.join()


def _live(ahead: int) -> Dataset:
    """The machines' data, moved so that they end `ahead` seconds after now."""
    held = data(_COPIES)
    moved = (time.time_ns() // 1_000_000 - held.end) + ahead * 1000
    series = tuple(
        replace(one, timestamps=one.timestamps + moved)
        for one in held.series
        if one.labels.get("job") == "node"
    )
    return Dataset(series, held.start + moved, held.end + moved)


def _fed(feed: Feed, done: threading.Event) -> None:
    while not done.wait(_SCRAPE):
        feed.until_now()


def _loaded(bridge: Running, boards: int, seconds: int) -> Load:
    """One refresh of every board unmeasured, then `seconds` of them."""
    with ThreadPoolExecutor(_CLIENTS) as pool:
        _refreshed(bridge.url, boards, _REFRESH, pool)
        spent, held = bridge.processor_seconds(), _received(bridge.url)
        begun = time.perf_counter()
        answers = _refreshed(bridge.url, boards, seconds, pool)
        lasted = time.perf_counter() - begun
    cores = (bridge.processor_seconds() - spent) / lasted
    good = [one for one in answers if one is not None]
    load = Load(boards, good, lasted, cores, _received(bridge.url) - held, len(answers) - len(good))
    _say(load.line())
    return load


def _refreshed(url: str, boards: int, seconds: int, pool: ThreadPoolExecutor) -> list[float | None]:
    """Seconds of every request from when it was due; None of one that failed."""
    begun = time.time()
    due = sorted(
        (begun + _REFRESH * board / boards + again * _REFRESH, board)
        for again in range(seconds // _REFRESH)
        for board in range(boards)
    )
    asked = []
    for moment, board in due:
        time.sleep(max(moment - time.time(), 0))
        asked += [pool.submit(_ask, url, panel, moment) for panel in _panels(board)]
    answers = [one.result() for one in asked]
    time.sleep(max(begun + seconds - time.time(), 0))
    return answers


def _panels(board: int) -> Sequence[Panel]:
    """The panels of one board: each shows another machine until all are shown."""
    number = board % _COPIES + 1
    machine = _MACHINE if number == 1 else f"{_MACHINE}-{number}"
    return [
        Panel(expr.replace(_MACHINE, machine), _SPAN, _STEP) for expr in expressions("nodes.promql")
    ]


def _ask(url: str, panel: Panel, due: float) -> float | None:
    path, form = panel.request(due)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, form, headers)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return None
    finally:
        connection.close()
    return time.time() - due if answer.status == http.HTTPStatus.OK else None


def _received(url: str) -> float:
    lines = httpx.get(f"{url}/metrics", timeout=_TIMEOUT).text.splitlines()
    return sum(float(one.split()[-1]) for one in lines if one.startswith(_RECEIVED))


def table(loads: Sequence[Load]) -> str:
    """The loads as Markdown."""
    title = (
        f"28 panels a board over {_SPAN // 60} min by {_STEP} s, refreshed every {_REFRESH} s;"
        f" {os.cpu_count()} CPUs, Python {platform.python_version()}"
    )
    head = (
        "| Boards | Queries a second | Median, ms | p99, ms | Cores in use"
        " | Read from the store, MB/s | Failed |"
    )
    return "\n".join([title, "", head, "|---" * 7 + "|", *(one.line() for one in loads)])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
