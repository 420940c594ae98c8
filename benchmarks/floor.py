"""`python -m benchmarks.floor`: how fast small queries can be, alone and beside large ones.

One Prometheus holds 30 days of a few counters. It and prombridge in front of it are asked the same
instant queries over connections that stay open; prombridge answers from its cache: what nobody
asked before, and once more what somebody did.
"""

import argparse
import contextlib
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hammer import Blows, Form, again, anew, hammered
from benchmarks.measure import Contestant
from benchmarks.workload import END, Workload, counters
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import prometheus

_INSTANT = "/api/v1/query"
_SMALL = (
    "1",
    'x{pod="pod-00001",container="c0"}',
    'rate(x{pod="pod-00001"}[5m])',
    'sum by (container) (rate(x{pod=~"pod-0000[0-4]"}[5m]))',
    'absent(x{pod="nowhere"})',
)
_LARGE = "sum by (container) (rate(x[5m]))"
_UNMEASURED = 200  # requests that warm a server up
_AGO = 600  # seconds before the end of the data that small queries are about
_CLIENTS = 4  # connections that are busy at a time


@dataclass(frozen=True, slots=True)
class Row:
    """One query at one server: one client, several clients, one client beside a large query."""

    server: str
    query: str
    alone: Blows
    crowd: Blows
    beside: Blows


def main(arguments: Sequence[str]) -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="a measurement (default 2000)")
    parser.add_argument("--series", type=int, default=30, help="counters (default 30)")
    parser.add_argument("--days", type=int, default=30, help="of data, at 15 s (default 30)")
    parser.add_argument("--queries", default="", metavar="TEXT", help="only those that hold TEXT")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="floor-") as name:
        _run(Path(name), options)
    return 0


def _run(folder: Path, options: argparse.Namespace) -> None:
    with prometheus(folder / "store") as store:
        _say(f"writing {options.days} days of {options.series} counters")
        write_prometheus(store.url, counters(options.series, options.days * 24))
        with prombridge(folder / "bridge", reading(f"{store.url}/api/v1/read")) as bridge:
            print("| query | | p50, ms | p99, ms | CPU, ms | a second | p50 beside | p99 beside |")
            print("|---|---|---|---|---|---|---|---|", flush=True)
            for query in (one for one in _SMALL if options.queries in one):
                form = {"query": query, "time": str(END // 1000 - _AGO)}
                for server, name, forms in (
                    (store, "Prometheus", _anew(form)),
                    (bridge, "prombridge", _anew(form)),
                    (bridge, "prombridge, asked before", [again(form)] * _CLIENTS),
                ):
                    print(_line(_measured(server, name, query, forms, options)), flush=True)


def _anew(form: Form) -> list[Iterator[Form]]:
    """What each client asks, none what another does."""
    return [anew(form, first, _CLIENTS) for first in range(_CLIENTS)]


def _measured(
    server: Running,
    name: str,
    query: str,
    forms: Sequence[Iterator[Form]],
    options: argparse.Namespace,
) -> Row:
    # An hour of samples is at hand.
    held = Workload(query, hours=1, end=END // 1000 - _AGO)
    Contestant(name, server.url, {}).ask(held)
    hammered(server, _INSTANT, forms[:1], _UNMEASURED)
    alone = hammered(server, _INSTANT, forms[:1], options.requests)
    crowd = hammered(server, _INSTANT, forms, options.requests)
    with _large(server, options.days) as large:
        beside = hammered(server, _INSTANT, forms[:1], options.requests)
    _say(f"{name}: {query}, {len(large)} large ones beside")
    return Row(name, query, alone, crowd, beside)


@contextlib.contextmanager
def _large(server: Running, days: int) -> Iterator[list[float]]:
    """A query over all days, a step further back once it is answered; gives the seconds of each."""
    asked, seconds = Workload(_LARGE, hours=24 * days, step=300), list[float]()
    contestant, enough = Contestant("the large query", server.url, {}), threading.Event()
    contestant.ask(asked)

    def ask() -> None:
        while not enough.is_set():
            seconds.append(contestant.ask(asked.moved_back(len(seconds)))[0])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seconds
    finally:
        enough.set()
        thread.join()


def _line(row: Row) -> str:
    times = (row.alone.median, row.alone.p99, row.alone.cost)
    beside = (row.beside.median, row.beside.p99)
    return (
        " | ".join(
            (
                f"| `{row.query.replace('|', '')}`",
                row.server,
                *(f"{one * 1000:.2f}" for one in times),
                f"{row.crowd.rate:.0f}",
                *(f"{one * 1000:.2f}" for one in beside),
            )
        )
        + " |"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
