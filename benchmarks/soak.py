"""`python -m benchmarks.soak`: a dashboard over live data, each answer beside one past the cache.

A Prometheus scrapes a node exporter, prombridge and itself every second; prombridge stands before
it. 28 panels are refreshed every five seconds. What differs must be younger than the horizon that
is set, and memory must neither exceed its budget nor go on growing.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import yaml

from benchmarks.live import DASHBOARD, Panel
from tests.servers.bridge import prombridge, reading
from tests.servers.node_exporter import node_exporter
from tests.servers.process import Running, free_port
from tests.servers.prometheus import PrometheusOptions, prometheus

_REFRESH: Final = 5.0  # seconds
_FRESHNESS: Final = 60  # seconds; the run is too short for the usual ten minutes
_ARRIVING: Final = 5  # seconds: a scrape is stored a moment after its time
_LIMIT: Final = 64 << 20  # bytes for the cache
_CACHE: Final = {
    "max_bytes": _LIMIT,
    "freshness": f"{_FRESHNESS}s",
    "out_of_order_window": "2m",
    "young_ttl": "90s",
}
_FLAT: Final = 1.05  # by how much the last quarter may lie above the one before


@dataclass(frozen=True, slots=True)
class Reading:
    """Memory at one moment: seconds since the start, bytes of the process and of the cache."""

    at: float
    resident: int
    owned: float
    blocks: float


@dataclass(slots=True)
class Findings:
    """What came out: answers by status, steps that differ by how old they were, memory."""

    answers: int = 0
    refreshes: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    forbidden: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    uncached: list[float] = field(default_factory=list)
    memory: list[Reading] = field(default_factory=list)

    def note(self, panel: Panel, asked: float, steps: Iterator[float]) -> None:
        """Sorts steps (seconds) at which two answers of a moment differ by their age."""
        for step in steps:
            age = asked - step
            if age <= _ARRIVING:
                self.differing["still arriving"] += 1
            elif age <= _FRESHNESS:
                self.differing["younger than the horizon"] += 1
            else:
                self.differing["OLDER"] += 1
                self.forbidden.append(f"{panel.expr} at {step}: {age:.1f} s old")


def main(arguments: Sequence[str]) -> int:
    """Runs for as long as the arguments say; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes: float = parser.parse_args(arguments).minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        findings = _run(Path(name), minutes * 60)
    print(table(findings))
    faults = findings.forbidden + list(memory_faults(findings.memory))
    print("\n".join(["", *(faults or ["as it should be"])]))
    return 1 if faults else 0


def _run(folder: Path, seconds: float) -> Findings:
    # The store scrapes prombridge, which is configured to read the store: its port comes first.
    store_port = free_port()
    settings = folder / "prombridge.yml"
    settings.write_text(yaml.safe_dump({"cache": _CACHE}))
    config = reading(f"http://127.0.0.1:{store_port}/api/v1/read")
    with (
        node_exporter(folder / "node") as node,
        prombridge(folder / "bridge", config, [f"--prombridge.config={settings}"]) as bridge,
        prometheus(folder / "store", scraping(node.url, bridge.url, store_port)),
    ):
        return asyncio.run(_refreshed(bridge, seconds))


def scraping(node: str, bridge: str, port: int) -> PrometheusOptions:
    """A Prometheus on this port that scrapes these two and itself every second."""
    targets = {"node": node, "prombridge": bridge, "self": f"http://127.0.0.1:{port}"}
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [url.removeprefix("http://")]}]}
        for job, url in targets.items()
    ]
    every = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    flags = [f"--web.listen-address=127.0.0.1:{port}"]
    return PrometheusOptions(config={"global": every, "scrape_configs": jobs}, flags=flags)


async def _refreshed(bridge: Running, seconds: float) -> Findings:
    findings, began = Findings(), time.monotonic()
    turns = asyncio.Semaphore(6)  # as many as a browser opens connections to a host
    async with httpx.AsyncClient(base_url=bridge.url, timeout=60) as client:
        while (elapsed := time.monotonic() - began) < seconds:
            due = began + (elapsed // _REFRESH + 1) * _REFRESH
            await asyncio.gather(*(_compared(client, turns, one, findings) for one in DASHBOARD))
            findings.refreshes += 1
            findings.memory.append(await _memory(client, bridge, elapsed))
            if findings.refreshes % 12 == 0:
                print(f"{elapsed:.0f} s: {dict(findings.differing)}", file=sys.stderr, flush=True)
            await asyncio.sleep(max(due - time.monotonic(), 0))
    return findings


async def _compared(
    client: httpx.AsyncClient, turns: asyncio.Semaphore, panel: Panel, findings: Findings
) -> None:
    """Asks with and without the cache at the same instant."""
    async with turns:
        now = time.time_ns() // 1_000_000
        cached, seconds = await _asked(client, panel.path, panel.form(now))
        plain, longer = await _asked(client, panel.path, {**panel.form(now), "nocache": "1"})
    findings.answers += 1
    findings.seconds.append(seconds)
    findings.uncached.append(longer)
    findings.uses[cached.headers.get("X-Prombridge-Cache", "").split(";")[0]] += 1
    findings.note(
        panel,
        now / 1000,
        (one.time for one in differing(cached.json()["data"], plain.json()["data"])),
    )


async def _asked(
    client: httpx.AsyncClient, path: str, form: Mapping[str, str]
) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    answer = await client.post(path, data=form)
    answer.raise_for_status()
    return answer, time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Difference:
    """What two answers say of a series (as JSON) at a time, s; None for what is not there."""

    series: str
    time: float
    one: str | None
    other: str | None

    def __str__(self) -> str:
        return f"{self.series} at {self.time:.3f}: {self.one}, not {self.other}"


def differing(
    one: Mapping[str, Any], other: Mapping[str, Any], tolerance: float = 0.0
) -> Iterator[Difference]:
    """The points that are not the same in two answers.

    Numbers may differ by a share of the larger one.
    """
    held, others = _points(one), _points(other)
    for place in sorted(held.keys() | others.keys()):
        if not _alike(held.get(place), others.get(place), tolerance):
            yield Difference(*place, held.get(place), others.get(place))


def _alike(one: str | None, other: str | None, tolerance: float) -> bool:
    if one == other or one is None or other is None or not tolerance:
        return one == other
    return math.isclose(float(one), float(other), rel_tol=tolerance)


def _points(data: Mapping[str, Any]) -> dict[tuple[str, float], str]:
    return {
        (json.dumps(row["metric"], sort_keys=True), time): value
        for row in data["result"]
        for time, value in row.get("values") or [row["value"]]
    }


async def _memory(client: httpx.AsyncClient, bridge: Running, at: float) -> Reading:
    text = (await client.get("/metrics")).text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    owned, blocks = (float(figures[f"prombridge_cache_{name}"]) for name in _FIGURES)
    return Reading(at, bridge.memory(), owned, blocks)


_FIGURES: Final = ("owned_bytes", "blocks")


def memory_faults(readings: Sequence[Reading]) -> Iterator[str]:
    """What is wrong with the memory of a run."""
    most = max(one.owned for one in readings)
    if most > _LIMIT:
        yield f"the cache owned {most:.0f} bytes, more than its {_LIMIT}"
    quarter = len(readings) // 4
    if not quarter:
        return
    # The first quarter loads what is compiled, and fills the cache.
    third, last = (
        median(one.resident for one in readings[-at * quarter :][:quarter]) for at in (2, 1)
    )
    if last > _FLAT * third:
        yield f"memory goes on growing: {third / 2**20:.0f}, then {last / 2**20:.0f} MiB"


def table(findings: Findings) -> str:
    """The findings as Markdown, and the curve of memory in some thirty lines."""
    with_cache, without = median(findings.seconds), median(findings.uncached)
    rows = [
        ("refreshes", findings.refreshes),
        ("answers compared", findings.answers),
        ("answers by use of the cache", dict(findings.uses)),
        ("steps that differ, by age", dict(findings.differing) or "none"),
        ("median answer, ms", f"{with_cache * 1000:.0f}"),
        ("median answer past the cache, ms", f"{without * 1000:.0f}"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    highest = max(one.resident for one in findings.memory)
    lines += ["", "| second | resident, MiB | cache, KiB | blocks | |", "|---|---|---|---|---|"]
    for one in findings.memory[:: max(len(findings.memory) // 30, 1)]:
        bar = "#" * round(40 * one.resident / highest)
        figures = f"{one.resident >> 20} | {one.owned / 1024:.0f} | {one.blocks:.0f}"
        lines.append(f"| {one.at:.0f} | {figures} | {bar} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
