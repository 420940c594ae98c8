"""`python -m benchmarks.load`: a rate of cached queries, beside slow readers and idle connections.

Requests are sent at their time, whether or not earlier ones are answered, over connections that are
kept; an answer's latency counts from the moment its request was due. The generator is one process
that looks at answers as bytes only; its own processor time is told, for it shares the cores. So is
what the machine's host kept from it: while that is much, latencies are the host's.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

import numpy as np
import uvloop

from benchmarks.workload import END, counters
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions, prometheus

_CONNECTIONS: Final = 64
_REFRESHES: Final = 20  # whose windows are asked for again and again
_SERIES: Final = 150
_HOURS: Final = 4
_TICK: Final = 0.005  # seconds between two looks at what is due
_WARM: Final = 0.2  # of the run, until memory is flat
_HEAD_END: Final = b"\r\n\r\n"
_QUERIES: Final = (
    ("query", "sum(x)", 0),
    ("query", "count by (container) (x)", 0),
    ("query", 'x{pod="pod-00001"}', 0),
    ("query_range", "sum(rate(x[5m]))", 3600),
    ("query_range", "sum by (container) (rate(x[5m]))", 3600),
    ("query_range", 'rate(x{pod="pod-00002"}[5m])', 3600),
    ("query_range", "max(x)", 1800),
    ("query_range", 'x{pod=~"pod-0000[1-4]"}', 1800),
)


def _request(number: int) -> bytes:
    """The request of this number: the queries in turn, at the moments of refreshes that move on.

    One in eight is for a moment that no other one is for, so that its answer is known to nobody.
    """
    path, expr, seconds = _QUERIES[number % len(_QUERIES)]
    round_ = number // len(_QUERIES)
    end = END - 600_000 - (_REFRESHES - 1 - round_ % _REFRESHES) * 15_000
    if (number + round_) % len(_QUERIES) == 0:
        end -= 1 + round_ % 3_600_000
    return _asked(path, expr, seconds) % ((end - 1000 * seconds) / 1000, end / 1000)


@cache
def _asked(path: str, expr: str, seconds: int) -> bytes:
    """A request with the places of its start and end."""
    form = urlencode({"query": expr}).replace("%", "%%")
    times = "start=%.3f&end=%.3f&step=60" if seconds else "start=%.3f&time=%.3f"
    return f"GET /api/v1/{path}?{form}&{times} HTTP/1.1\r\nHost: bridge\r\n\r\n".encode()


def _large() -> bytes:
    """A request whose answer, some 5 MB, does not fit into a socket's buffers."""
    end = END // 1000
    form = {"query": "x", "start": end - 3 * 3600, "end": end, "step": 8}
    return f"GET /api/v1/query_range?{urlencode(form)} HTTP/1.1\r\nHost: b\r\n\r\n".encode()


@dataclass(slots=True)
class Tally:
    """What came of the requests: statuses, latencies in seconds, memory of the server in bytes."""

    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    memory: list[tuple[float, int]] = field(default_factory=list)
    server_seconds: float = 0.0
    own_seconds: float = 0.0
    stolen_seconds: float = 0.0

    def p(self, share: float) -> float:
        """A quantile of the latencies, ms."""
        return float(np.quantile(self.latencies, share)) * 1000 if self.latencies else 0.0

    def slope(self) -> float:
        """By how much the server's memory grows after warming up, MiB a minute."""
        points = np.array(self.memory[int(len(self.memory) * _WARM) :])
        if len(points) < 3:
            return 0.0
        return float(np.polyfit(points[:, 0] / 60, points[:, 1] / 2**20, 1)[0])


class _Connection(asyncio.Protocol):
    """A kept connection: requests in order, answers in the same order."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.due: deque[float] = deque()
        self.transport: asyncio.Transport | None = None
        self._held = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of it.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.tally.lost += len(self.due)
        self.due.clear()
        self.transport = None

    def send(self, request: bytes, due: float) -> None:
        """Sends a request that was due at a moment."""
        if self.transport is None:
            self.tally.lost += 1
            return
        self.due.append(due)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing >= len(data) and not self._held:
            self._missing -= len(data)
            if not self._missing:
                self._answered()
            return
        data = self._held + data
        while data:
            if self._missing:
                taken = min(self._missing, len(data))
                self._missing -= taken
                data = data[taken:]
                if not self._missing:
                    self._answered()
                continue
            end = data.find(_HEAD_END)
            if end < 0:
                break
            head = data[:end].lower()
            at = head.find(b"content-length:")
            if at < 0:
                # The queries are small: none of their answers is sent in chunks.
                self.tally.statuses["without a length"] += 1
                if self.transport is not None:
                    self.transport.abort()
                return
            self.tally.statuses[head[9:12].decode()] += 1
            self._missing = int(head[at + 15 :].split(b"\r", 1)[0])
            data = data[end + 4 :]
            if not self._missing:
                self._answered()
        self._held = data

    def _answered(self) -> None:
        if self.due:
            self.tally.latencies.append(time.perf_counter() - self.due.popleft())


async def loaded(server: Running, rate: int, seconds: float, slow: int, idle: int) -> Tally:
    """What comes of so many requests a second for a time."""
    tally, loop = Tally(), asyncio.get_running_loop()
    place = urlsplit(server.url)
    host, port = str(place.hostname), place.port or 80
    made = [
        (await loop.create_connection(lambda: _Connection(tally), host, port))[1]
        for _ in range(_CONNECTIONS)
    ]
    beside = [await asyncio.open_connection(host, port, limit=1024) for _ in range(slow + idle)]
    for _, writer in beside[:slow]:
        # Asks for much and takes nothing of it.
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(_large())
    for number in range(_REFRESHES * len(_QUERIES)):
        made[number % len(made)].send(_request(number), time.perf_counter())
    await asyncio.sleep(2)
    tally.latencies.clear()
    tally.statuses.clear()
    before, own, stolen = server.processor_seconds(), time.process_time(), _stolen()
    began, sent, total = time.perf_counter(), 0, int(rate * seconds)
    looked = 0.0
    while sent < total:
        now = time.perf_counter()
        while sent < total and began + sent / rate <= now:
            made[sent % len(made)].send(_request(sent), began + sent / rate)
            sent += 1
        if now - looked > 1:
            looked = now
            tally.memory.append((now - began, server.memory()))
            _say(f"\r\033[K{now - began:.0f} of {seconds:.0f} s, {len(tally.latencies)} answers")
        await asyncio.sleep(_TICK)
    # What is late may come for a while yet.
    for _ in range(600):
        if not any(one.due for one in made):
            break
        await asyncio.sleep(0.05)
    tally.lost += sum(len(one.due) for one in made)
    tally.server_seconds = server.processor_seconds() - before
    tally.own_seconds = time.process_time() - own
    tally.stolen_seconds = _stolen() - stolen
    for one in made:
        if one.transport is not None:
            one.due.clear()
            one.transport.abort()
    for _, writer in beside:
        writer.transport.abort()
    _say("\r\033[K")
    return tally


def _stolen() -> float:
    """Processor time that this machine wanted and its host gave to others so far, seconds."""
    # The first line sums all processors; its eighth number is `steal`, in ticks. See proc_stat(5).
    ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    return ticks / os.sysconf("SC_CLK_TCK")


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()


def faults(tally: Tally, rate: int, seconds: float) -> list[str]:
    """What is not as it should be: errors, and answers that never came."""
    found = [f"{count} × HTTP {code}" for code, count in tally.statuses.items() if code != "200"]
    if tally.lost:
        found.append(f"{tally.lost} requests without an answer")
    if len(tally.latencies) + tally.lost < int(rate * seconds):
        found.append(f"{len(tally.latencies)} answers to {int(rate * seconds)} requests")
    return found


def table(tally: Tally, seconds: float) -> str:
    """The findings as Markdown."""
    answers = len(tally.latencies)
    rows = [
        ("answers", answers),
        ("a second", f"{answers / seconds:.0f}"),
        ("statuses", dict(tally.statuses)),
        ("without an answer", tally.lost),
        ("median, ms", f"{tally.p(0.5):.1f}"),
        ("p99, ms", f"{tally.p(0.99):.1f}"),
        ("longest, ms", f"{tally.p(1):.1f}"),
        ("processor time of prombridge, a request, ms", f"{_each(tally.server_seconds, answers)}"),
        ("of the generator", f"{_each(tally.own_seconds, answers)}"),
        ("kept by the machine's host, of one processor", f"{tally.stolen_seconds / seconds:.1%}"),
        ("memory, MiB", " → ".join(f"{tally.memory[at][1] / 2**20:.0f}" for at in (0, -1))),
        ("slope of memory, MiB a minute", f"{tally.slope():.2f}"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _each(seconds: float, answers: int) -> str:
    return f"{seconds / max(answers, 1) * 1000:.3f}"


def main(arguments: Sequence[str]) -> int:
    """Loads a prombridge and prints what came of it; 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="requests a second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--slow", type=int, default=500, help="readers that take nothing")
    parser.add_argument("--idle", type=int, default=500, help="connections without a request")
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="load-") as name,
        prometheus(Path(name, "store"), PrometheusOptions()) as store,
    ):
        write_prometheus(store.url, counters(_SERIES, _HOURS))
        config = reading(f"{store.url}/api/v1/read")
        # None may wait in the backlog: the readers and idle ones come besides those under load.
        most = f"--web.max-connections={given.slow + given.idle + 2 * _CONNECTIONS}"
        with prombridge(Path(name, "bridge"), config, (most,)) as bridge:
            run = loaded(bridge, given.rate, given.seconds, given.slow, given.idle)
            tally = uvloop.run(run)
    print(f"{os.cpu_count()} cores, {given.rate} a second, {given.slow} slow, {given.idle} idle\n")
    print(table(tally, given.seconds))
    bad = faults(tally, given.rate, given.seconds)
    print("\n".join(["", *(bad or ["no request failed"])]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
