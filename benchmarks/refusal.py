"""`python -m benchmarks.refusal`: queries that are too heavy, while small ones go on beside them.

One of which the answer alone takes 10 GB, before and after its series are known: how long it takes
to be refused. Then 200 heavy ones at once, in an address space of 1 GiB more than the idle server
has: each ends as an answer, or with 503 and Retry-After. It fails if anything else happens.
"""

import argparse
import contextlib
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import numpy as np
import yaml

from benchmarks.hammer import Connection, anew
from benchmarks.yardstick import say
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import prometheus

STEP: Final = 15
SAMPLES: Final = 4000
HEAVY: Final = 200
# So many series that an answer of 11,000 points each, of 24 bytes, takes 10 GB.
MANY: Final = 40_000
POINTS: Final = 11_000
END: Final = int(time.time()) // STEP * STEP - 60
TOGETHER: Final = 512 << 20  # bytes that all queries may hold
HEADROOM: Final = 1 << 30
_SMALL: Final = {"query": "sum(heavy)", "time": str(END)}
_LATE: Final = 1.0  # seconds that a refusal may take
_TIMEOUT: Final = 600


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one query ended: seconds, status, error, seconds until it may come again, if told."""

    seconds: float
    status: int
    error: str
    again: str

    @property
    def name(self) -> str:
        """In a word or two."""
        if self.status == httpx.codes.SERVICE_UNAVAILABLE and self.again:
            return "503 with Retry-After"
        return str(self.status)


def data() -> Dataset:
    """Few series with many samples, and many with one."""
    times = (END - np.arange(SAMPLES, dtype=np.int64)[::-1] * STEP) * 1000
    values = np.arange(SAMPLES) / 7
    heavy = (SeriesData({"__name__": "heavy", "n": f"{n}"}, times, values) for n in range(HEAVY))
    last, one = times[-1:], np.ones(1)
    many = (SeriesData({"__name__": "many", "n": f"{n}"}, last, one) for n in range(MANY))
    return Dataset((*heavy, *many), int(times[0]), int(times[-1]))


def asked(server: Running, query: str, step: int, steps: int) -> Outcome:
    """What becomes of one range query; its answer is read and dropped."""
    span = {"start": str(END - step * (steps - 1)), "end": str(END), "step": str(step)}
    begun = time.perf_counter()
    url = f"{server.url}/api/v1/query_range"
    with httpx.stream("GET", url, params={"query": query, **span}, timeout=_TIMEOUT) as answer:
        error = answer.read().decode() if answer.is_error else ""
        for _ in () if error else answer.iter_raw():
            pass
    again = answer.headers.get("retry-after", "")
    return Outcome(time.perf_counter() - begun, answer.status_code, error, again)


@contextlib.contextmanager
def small_ones(server: Running) -> Iterator[list[float]]:
    """The seconds of small queries, asked one after the other for as long as the block lasts."""
    each: list[float] = []
    over = threading.Event()
    connection = Connection(server.url, "/api/v1/query", anew(_SMALL))

    def ask() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            connection.ask()
            each.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield each
        finally:
            over.set()
            asking.result()
            connection.close()


def told(each: Sequence[float]) -> str:
    """What became of small queries."""
    slowest = f"{max(each) * 1000:.0f} ms"
    return f"{len(each)} answered, median {median(each) * 1000:.1f} ms, slowest {slowest}"


def refused(server: Running, when: str) -> list[str]:
    """Asks the query of 10 GB; what is wrong with its end."""
    spent = server.processor_seconds()
    with small_ones(server) as each:
        found = asked(server, "many", 1, POINTS)
    processor = server.processor_seconds() - spent
    print(f"10 GB, {when}: {found.name} after {found.seconds:.3f} s: {found.error}")
    print(f"  the server took {processor:.2f} s of processor time in all")
    print(f"  small ones beside it: {told(each)}", flush=True)
    wrong = [] if found.status == httpx.codes.UNPROCESSABLE_ENTITY else [f"{found.name}, not 422"]
    return wrong + ([f"refused after {found.seconds:.2f} s"] if found.seconds > _LATE else [])


def crowded(server: Running, count: int) -> list[str]:
    """Asks heavy queries at once in a small address space; what is wrong with their ends."""
    idle = server.address_space()
    resource.prlimit(server.pid, resource.RLIMIT_AS, (idle + HEADROOM, idle + HEADROOM))
    with ThreadPoolExecutor(count) as pool:
        begun = time.perf_counter()
        asking = [pool.submit(asked, server, f"heavy + {n}", STEP, SAMPLES) for n in range(count)]
        found = [one.result() for one in asking]
    seconds = time.perf_counter() - begun
    outcomes = Counter(one.name for one in found)
    ends = ", ".join(f"{name}: {number}" for name, number in sorted(outcomes.items()))
    peak = (server.peak_memory() - server.memory()) >> 20
    print(f"{count} heavy ones at once: {ends}; {seconds:.1f} s, peak {peak} MiB above the rest")
    with small_ones(server) as each:
        time.sleep(1)
    print(f"  small ones after them: {told(each)}", flush=True)
    return [f"{name}: {n}" for name, n in outcomes.items() if name not in _GOOD]


_GOOD: Final = frozenset({"200", "503 with Retry-After"})


def main(arguments: Sequence[str]) -> int:
    """Measures; 1 if a query ends as it should not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refusal", description=__doc__)
    parser.add_argument("--heavy", type=int, default=200, help="queries at once (default 200)")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="refusal-") as name,
        prometheus(Path(name) / "store") as store,
    ):
        say(f"writing {HEAVY * SAMPLES + MANY} samples")
        write_prometheus(store.url, data())
        own = Path(name) / "prombridge.yml"
        query = {"max_total_bytes": TOGETHER, "max_queue_wait": "3s"}
        own.write_text(yaml.safe_dump({"query": query, "catalogue": {"bootstrap": False}}))
        config = reading(f"{store.url}/api/v1/read")
        with prombridge(Path(name) / "bridge", config, [f"--prombridge.config={own}"]) as server:
            httpx.get(f"{server.url}/api/v1/query", params=_SMALL).raise_for_status()
            with small_ones(server) as each:
                time.sleep(1)
            print(f"small ones alone: {told(each)}", flush=True)
            wrong = refused(server, "its series unknown")
            wrong += refused(server, "its series known")
            wrong += crowded(server, options.heavy)
    print(f"wrong: {'; '.join(wrong) or 'nothing'}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
