"""`python -m tests.oracle`: a Prometheus with the generated data to try things against.

`serve` keeps it running and prints its address; `compare ORACLE BRIDGE [TEXT]` asks both servers
the questions (those whose expression holds TEXT) and prints where they differ.
"""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.oracle.compare import Outcome, Verdict, compare
from tests.oracle.datasets import END, START, everyday
from tests.oracle.queries import questions
from tests.oracle.writer import write_prometheus
from tests.servers.prometheus import prometheus


def serve() -> int:
    """Runs until Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as server:
        print(f"writing to {server.url} …", flush=True)
        write_prometheus(server.url, everyday())
        print(f"remote read: {server.url}/api/v1/read; data from {START} to {END} ms; Ctrl-C ends")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


def run(oracle: str, bridge: str, text: str = "") -> int:
    """Prints each differing question as it is found, then the figures."""
    chosen = [question for question in questions() if text in question.expr]
    report = compare(oracle, bridge, chosen, _show)
    print(report.summary())
    return 1 if report.different else 0


def _show(outcome: Outcome) -> None:
    if outcome.verdict is not Verdict.EQUAL:
        print(f"{outcome.question}\n    {outcome.detail}", flush=True)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["serve"]:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            return serve()
        case ["compare", oracle, bridge, *text] if len(text) < 2:
            return run(oracle, bridge, *text)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
