"""`python -m benchmarks.promql`: Prometheus' own benchmark of range queries, beside Prometheus.

One Prometheus holds the data. Cold: prombridge reads them from it by remote read, anew each time.
From memory: a prombridge that holds them itself. Both answer over HTTP, in pairs with Prometheus.
Answers whose last digits differ count as different, unless a line of its changelog explains them.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import cast

from benchmarks.measure import Contestant, Likeness, Row, measure
from benchmarks.promql_cases import INTERVALS, Case, cases, data
from tests.oracle.differences import SUMS_OF_HISTOGRAMS
from tests.oracle.histogram_sums import Ask, explained
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running, running
from tests.servers.prometheus import PrometheusOptions, prometheus

_FEATURES = "promql-experimental-functions"
_HEAD = "| query, steps | Prometheus, ms | cold, ms | ratio | memory, ms | ratio | answers |"
_ENOUGH = 0.002  # seconds that a query of few series or steps may take from memory


def main(arguments: Sequence[str]) -> int:
    """Prints a table; 1 if a case is slower from memory than it may be."""
    options = _options(arguments)
    chosen = [one for one in cases(options.intervals) if options.queries in one.expr]
    with tempfile.TemporaryDirectory(prefix="promql-") as name:
        return _run(Path(name), options, chosen)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.promql", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs a query (default 5)")
    parser.add_argument("--intervals", type=int, default=INTERVALS, help="of 10 s (default 18640)")
    parser.add_argument("--native", type=int, default=300, help="series of native histograms")
    parser.add_argument("--queries", default="", metavar="TEXT", help="only those that hold TEXT")
    return parser.parse_args(arguments)


def _run(folder: Path, options: argparse.Namespace, chosen: Sequence[Case]) -> int:
    flags = (f"--enable-feature=native-histograms,{_FEATURES}",)
    with prometheus(folder / "store", PrometheusOptions(flags=flags)) as store:
        write_prometheus(store.url, data(options.intervals, options.native), _written)
        config = reading(f"{store.url}/api/v1/read")
        with (
            prombridge(folder / "cold", config, (f"--enable-feature={_FEATURES}",)) as cold,
            _from_memory(folder, options) as held,
        ):
            say("every server is ready")
            oracle = Contestant("Prometheus", store.url, {})
            bridges = (
                Contestant("cold", cold.url, {"nocache": "1"}),
                Contestant("memory", held.url, {}),
            )
            print(f"{_HEAD}\n|---|---|---|---|---|---|---|", flush=True)
            rows = []
            for one in chosen:
                cold_row, row = (
                    measure(oracle, bridge, one, options.rounds, say) for bridge in bridges
                )
                rows.append(row)
                answers = (
                    _likeness(cold_row, oracle, bridges[0]),
                    _likeness(row, oracle, bridges[1]),
                )
                print(_line(cold_row, row, answers), flush=True)
    return 1 if _told(rows, chosen) else 0


def _likeness(row: Row, oracle: Contestant, bridge: Contestant) -> str:
    """In words; of last digits that differ: what they come from."""
    if row.likeness is not Likeness.DIGITS:
        return row.likeness
    case = cast("Case", row.workload)
    if not explained(case.expr, _asking(oracle, case), _asking(bridge, case)):
        return Likeness.DIFFERENT
    return f"{row.likeness}: {SUMS_OF_HISTOGRAMS.since}, {SUMS_OF_HISTOGRAMS.change}"


def _asking(contestant: Contestant, case: Case) -> Ask:
    """Asks for the same range and steps of other expressions."""
    return lambda text: json.loads(contestant.ask(replace(case, expr=text))[1])["data"]


@contextmanager
def _from_memory(folder: Path, options: argparse.Namespace) -> Iterator[Running]:
    arguments = (str(options.intervals), str(options.native))

    def command(port: int) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.memory_server", str(port), *arguments]

    with running(command, "/-/ready", folder / "memory.log") as server:
        yield server


def _line(cold: Row, held: Row, answers: Sequence[str]) -> str:
    times = [f"{median(one) * 1000:.1f}" for one in (cold.before, cold.after, held.after)]
    likeness = ", ".join(dict.fromkeys(answers))
    return (
        f"| {cold.workload.name} | {times[0]} | {times[1]} | {cold.ratio:.2f} | {times[2]} |"
        f" {held.ratio:.2f} | {likeness} |"
    )


def _told(rows: Sequence[Row], chosen: Sequence[Case]) -> int:
    """Says which cases are too slow from memory, and how many."""
    slow = [
        row
        for row, one in zip(rows, chosen, strict=True)
        if (row.ratio > 1 if one.big else median(row.after) > _ENOUGH)
    ]
    print(f"\nFrom memory {len(rows) - len(slow)} of {len(rows)} are fast enough.")
    for row in slow:
        print(f"* {row.workload.name}: {median(row.after) * 1000:.1f} ms, ratio {row.ratio:.2f}")
    return len(slow)


def _written(share: float) -> None:
    if round(share * 1000) % 100 == 0:
        say(f"{share:.0%} written")


def say(text: str) -> None:
    """A line of progress; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
