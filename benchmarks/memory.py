"""`python -m benchmarks.memory`: what a query over ten million samples takes above an idle server.

Sixty series of 29 days are summed cold, while they are being remembered, and remembered. It fails
above 400 MiB.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.growth import counters
from benchmarks.measure import Contestant
from benchmarks.workload import Workload
from benchmarks.yardstick import say
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import prometheus

_SERIES, _DAYS = 60, 29
_DAY = 86_400_000
_MOST = 400  # MiB
_REST = 5  # seconds until a server that has started is at rest
_RESET = "5"  # what /proc/PID/clear_refs takes to forget a peak


def main() -> int:
    """Measures; 1 if it is too much."""
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        folder = Path(name)
        with prometheus(folder / "store") as store:
            data = counters("d", _SERIES, _DAYS * _DAY)
            say(f"writing {data.samples} samples")
            write_prometheus(store.url, data)
            config = reading(f"{store.url}/api/v1/read")
            with prombridge(folder / "prombridge", config) as server:
                time.sleep(_REST)
                return int(max(_peaks(server)) > _MOST)


def _peaks(server: Running) -> list[int]:
    """MiB above idle, way by way; printed as they are found."""
    idle, found = server.memory(), []
    question = Workload("sum(rate(d[1h]))", _DAYS * 24 - 1, 3600)
    ways: Sequence[tuple[str, dict[str, str]]] = (
        ("cold", {"nocache": "1"}),
        ("while remembering", {}),
        ("remembered", {}),
    )
    for way, extra in ways:
        Path(f"/proc/{server.pid}/clear_refs").write_text(_RESET)
        seconds, _ = Contestant("prombridge", server.url, extra).ask(question)
        time.sleep(1)
        found.append((server.peak_memory() - idle) >> 20)
        print(f"{way}: {found[-1]} MiB above idle (at most {_MOST}), {seconds:.2f} s", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
