"""`python -m benchmarks.rolling`: two replicas behind nginx, restarted in turn under load.

They share a Valkey. No request may fail, and both must give the same answers; what one has read the
other takes from the Valkey, and what is purged at one is purged at both.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx
import yaml

from benchmarks.workload import END, counters
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import bridge_command, reading
from tests.servers.killable import Killable, answers
from tests.servers.nginx import nginx
from tests.servers.process import free_port
from tests.servers.prometheus import PrometheusOptions, prometheus
from tests.servers.valkey import valkey

_CLIENTS: Final = 6
_STOPPING: Final = 60  # seconds until a server must have ended
_QUERIES: Final = ("sum(rate(x[5m]))", "sum by (container) (rate(x[5m]))", "max(x)", "x")
_HITS: Final = 'prombridge_cache_tier_reads_total{result="hit",tier="valkey"}'


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replicas and what stands before them."""

    replicas: tuple[Killable, Killable]
    front: Killable


@dataclass(slots=True)
class Findings:
    """What came of the requests."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    restarts: int = 0
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def pair(folder: Path, series: int, hours: float) -> Iterator[Pair]:
    """All servers, running until the block ends."""
    with (
        prometheus(folder / "store", PrometheusOptions()) as store,
        valkey(folder / "valkey") as (url, _),
    ):
        write_prometheus(store.url, counters(series, hours))
        own = folder / "prombridge.yml"
        own.write_text(yaml.safe_dump({"cache": {"valkey_url": url}}))
        flags = [f"--prombridge.config={own}", "--web.enable-admin-api"]
        config = reading(f"{store.url}/api/v1/read")
        ports = free_port(), free_port()
        one, other = (_replica(folder / f"bridge-{port}", config, port, flags) for port in ports)
        made = Pair((one, other), nginx(folder / "nginx", free_port(), ports))
        try:
            for server in (*made.replicas, made.front):
                server.start()
            yield made
        finally:
            for replica in made.replicas:
                replica.kill()
            if made.front.alive:
                # An nginx that is killed leaves its worker behind.
                made.front.stop(_STOPPING)


def _replica(folder: Path, config: Mapping[str, Any], port: int, flags: Sequence[str]) -> Killable:
    command, url = bridge_command(folder, config, port, flags), f"http://127.0.0.1:{port}"
    return Killable(command, url, answers(f"{url}/-/ready"), folder / "prombridge.log")


async def ran(servers: Pair, rounds: int) -> Findings:
    """Restarts each replica so many times while queries come through the front."""
    findings = Findings()
    await _alike(servers, findings)
    done = asyncio.Event()
    async with httpx.AsyncClient(base_url=servers.front.url, timeout=120) as client:
        clients = [
            asyncio.create_task(_asking(client, findings, done, number))
            for number in range(_CLIENTS)
        ]
        try:
            for _ in range(rounds):
                for one in servers.replicas:
                    await asyncio.sleep(1)
                    code = await asyncio.to_thread(one.stop, _STOPPING)
                    if code:
                        findings.faults.append(f"a replica ended with {code}")
                    await asyncio.to_thread(one.start)
                    findings.restarts += 1
        finally:
            done.set()
            await asyncio.gather(*clients)
    await _alike(servers, findings)
    await _purged(servers, findings)
    return findings


async def _asking(
    client: httpx.AsyncClient, findings: Findings, done: asyncio.Event, number: int
) -> None:
    while not done.is_set():
        number += 1
        begun = time.monotonic()
        try:
            answer = await client.post("/api/v1/query_range", data=_form(number))
        except httpx.TransportError as error:
            said = f"{type(error).__name__} {error}"
        else:
            said = f"{answer.status_code}"
            if not answer.is_success:
                findings.failed.append(answer.text[:300])
        findings.outcomes[said] += 1
        findings.seconds.append(time.monotonic() - begun)
        if said != "200":
            findings.failed.append(said)


def _form(number: int) -> dict[str, str]:
    end = END // 1000 - 60 * (number % 30)
    expr = _QUERIES[number % len(_QUERIES)]
    return {"query": expr, "start": str(end - 3600), "end": str(end), "step": "60"}


async def _alike(servers: Pair, findings: Findings) -> None:
    """Asks both the same, one after the other: the second need not read what the first did."""
    one, other = servers.replicas
    async with httpx.AsyncClient(timeout=120) as client:
        for number in range(len(_QUERIES)):
            held = [
                await client.post(f"{server.url}/api/v1/query_range", data=_form(number))
                for server in (one, other)
            ]
            if held[0].content != held[1].content or not held[0].is_success:
                findings.faults.append(f"{_form(number)}: the replicas differ")
        if not await _hits(client, other):
            findings.faults.append("the second replica took nothing from the Valkey")


async def _hits(client: httpx.AsyncClient, server: Killable) -> float:
    lines = (await client.get(f"{server.url}/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(_HITS))


async def _purged(servers: Pair, findings: Findings) -> None:
    """What one is told to forget the other has forgotten when that is answered."""
    one, other = servers.replicas
    async with httpx.AsyncClient(timeout=120) as client:

        async def use(server: Killable) -> str:
            answer = await client.post(f"{server.url}/api/v1/query_range", data=_form(0))
            return str(answer.headers.get("X-Prombridge-Cache", "")).partition(";")[0]

        before = [await use(server) for server in (one, other) for _ in range(2)][1::2]
        purged = await client.post(f"{one.url}/-/cache/purge", data={"match[]": "x"})
        after = await use(other)
    if before != ["hit", "hit"] or purged.status_code != 204 or after == "hit":
        said = f"{before}, {purged.status_code}, then {after}"
        findings.faults.append(f"a purge did not reach the other replica: {said}")


def main(arguments: Sequence[str]) -> int:
    """Restarts and prints what came of it; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rolling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="restarts of each replica")
    parser.add_argument("--series", type=int, default=300)
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="rolling-") as name,
        pair(Path(name), given.series, 4) as servers,
    ):
        findings = asyncio.run(ran(servers, given.rounds))
    print(table(findings))
    bad = findings.failed[:20] + findings.faults
    print("\n".join(["", *(bad or ["as it should be"])]))
    return 1 if bad else 0


def table(findings: Findings) -> str:
    """The findings as Markdown."""
    ordered = sorted(findings.seconds)
    rows = [
        ("restarts", findings.restarts),
        ("requests", findings.outcomes.total()),
        ("failed", len(findings.failed)),
        ("outcomes", dict(findings.outcomes)),
        ("median, ms", f"{median(ordered) * 1000:.0f}"),
        ("p99, ms", f"{quantiles(ordered, n=100)[98] * 1000:.0f}"),
        ("longest, ms", f"{ordered[-1] * 1000:.0f}"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
