"""`python -m benchmarks.chaos`: dashboards on a live store while faults come at random.

A Prometheus scrapes a node exporter, prombridge and itself every second. Dashboards, alerts, names
and queries over 30 days are asked of prombridge, and the same of the Prometheus itself, which may
have to come back first. An answer is right, or an error of a store that is in trouble.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from benchmarks.live import DASHBOARD, Panel
from benchmarks.mischief import FAULTS, RARE
from benchmarks.soak import differing
from benchmarks.stage import QUERY_SECONDS, Stage, stage
from tests.servers.killable import Killable

_REFRESH: Final = 2.0  # seconds
_FAULT: Final = (0.5, 6.0)  # seconds that a fault lasts
_CALM: Final = (1.0, 8.0)  # seconds between two
_ARRIVING: Final = 10  # seconds: a scrape is stored a while after its time on a busy machine
_DIGITS: Final = 1e-9  # sums of a Prometheus without remote read add in another order
_HANGS: Final = 6 * QUERY_SECONDS  # seconds: the machine may be busy with others
_LAST_CALM: Final = 15.0  # seconds without faults at the end
_RETRY: Final = 0.3
_PATIENCE: Final = 90  # seconds for the store to come back
_LEAK: Final = 40  # descriptors or threads more than in the first calm moment
_TROUBLE: Final = frozenset({"unavailable", "timeout"})
_MONTH: Final = 30 * 86_400

_CHANCES: Final = (
    sorted(FAULTS),
    [1 if name in RARE else 3 for name in sorted(FAULTS)],
)

PANELS: Final = (
    *DASHBOARD,
    Panel("up == 0"),
    Panel("absent(up{job='none'})"),
    Panel("rate(prometheus_http_requests_total[1m]) > 1000"),
    Panel("sum(up)", _MONTH, 3600),
    Panel("max by (job) (max_over_time(scrape_duration_seconds[1h]))", _MONTH, 3600),
)
NAMES: Final = ("label/job/values", "labels", "series")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, when (Unix seconds), what came, and from where."""

    path: str
    form: Mapping[str, str]
    asked: float
    data: Any = None
    cache: str = ""


@dataclass(slots=True)
class Findings:
    """What came out."""

    answers: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    young: int = 0
    wrong: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lives: list[list["Vitals"]] = field(default_factory=list)

    @property
    def bad(self) -> list[str]:
        """All that should not be."""
        return [*self.wrong, *self.hangs, *self.tracebacks, *self._leaks()]

    def _leaks(self) -> Iterator[str]:
        for life in filter(None, self.lives):
            first, last = life[0], life[-1]
            if last.descriptors > first.descriptors + _LEAK:
                yield f"descriptors leak: {first.descriptors}, then {last.descriptors}"
            if last.threads > first.threads + _LEAK:
                yield f"threads leak: {first.threads}, then {last.threads}"


@dataclass(frozen=True, slots=True)
class Vitals:
    """A process at a calm moment: seconds since the start, open files, threads, bytes."""

    at: float
    descriptors: int
    threads: int
    resident: int

    @staticmethod
    def of(server: Killable, at: float) -> "Vitals":
        """Those of the process of now."""
        place = Path(f"/proc/{server.running.pid}")
        fields = dict(
            line.split(":", 1)
            for line in (place / "status").read_text().splitlines()
            if ":" in line
        )
        files = len(list((place / "fd").iterdir()))
        return Vitals(at, files, int(fields["Threads"]), int(fields["VmRSS"].split()[0]) << 10)


@dataclass(slots=True)
class Run:
    """One run: the servers, what is asked, what came of it."""

    stage: Stage
    seconds: float
    dice: random.Random
    findings: Findings = field(default_factory=Findings)
    began: float = field(default_factory=time.monotonic)
    _down: bool = False
    _weather: str = "calm"
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(6))

    async def run(self) -> Findings:
        """Asks and disturbs until the time is over; then waits until all is checked."""
        limits = httpx.Limits(max_connections=40)
        async with (
            httpx.AsyncClient(
                base_url=self.stage.bridge.url, timeout=2 * _HANGS, limits=limits
            ) as ours,
            httpx.AsyncClient(base_url=self.stage.store.url, timeout=60) as theirs,
            asyncio.TaskGroup() as group,
        ):
            self.findings.lives.append([])
            group.create_task(self._disturb())
            while self._left > 0:
                due = time.monotonic() + _REFRESH
                async with asyncio.TaskGroup() as refresh:
                    for path, form in self._questions():
                        refresh.create_task(self._question(ours, theirs, group, path, form))
                self._say()
                await asyncio.sleep(max(due - time.monotonic(), 0))
        return self.findings

    @property
    def _left(self) -> float:
        return self.seconds - (time.monotonic() - self.began)

    def _questions(self) -> Iterator[tuple[str, dict[str, str]]]:
        now = time.time_ns() // 1_000_000
        for panel in self.dice.sample(PANELS, 16):
            yield panel.path, dict(panel.form(now))
        span = {"start": f"{now / 1000 - 300:.3f}", "end": f"{now / 1000:.3f}"}
        yield f"/api/v1/{self.dice.choice(NAMES)}", {"match[]": "up", **span}

    async def _question(
        self,
        ours: httpx.AsyncClient,
        theirs: httpx.AsyncClient,
        group: asyncio.TaskGroup,
        path: str,
        form: dict[str, str],
    ) -> None:
        try:
            async with self._turns:
                asked, begun, down = time.time(), time.monotonic(), self._down
                response = await _sent(ours, path, form)
        except httpx.TransportError as error:
            if down or self._down or not self.stage.bridge.alive:
                self.findings.answers["prombridge was down"] += 1
            else:
                self._wrong(path, form, f"no answer: {type(error).__name__} {error}")
            return
        elapsed = time.monotonic() - begun
        self.findings.seconds.append(elapsed)
        if elapsed > _HANGS:
            self.findings.hangs.append(f"{path} {form}: {elapsed:.1f} s")
        self._sort(response, Answer(path, form, asked), group, theirs)

    def _sort(
        self,
        response: httpx.Response,
        asked: Answer,
        group: asyncio.TaskGroup,
        theirs: httpx.AsyncClient,
    ) -> None:
        findings, path, form = self.findings, asked.path, asked.form
        if "Traceback" in response.text:
            findings.tracebacks.append(f"{path} {form}: {response.text[:500]}")
        try:
            body = response.json()
        except ValueError:
            self._wrong(path, form, f"{response.status_code}: {response.text[:200]}")
            return
        if response.status_code == 200 and body.get("status") == "success":
            findings.answers["200"] += 1
            cache = response.headers.get("X-Prombridge-Cache", "")
            answer = replace(asked, data=body["data"], cache=cache)
            group.create_task(self._check(theirs, answer))
        elif response.status_code == 503 and body.get("errorType") in _TROUBLE:
            findings.answers[f"503 {body['errorType']}"] += 1
        else:
            self._wrong(path, form, f"{response.status_code}: {response.text[:300]}")

    async def _check(self, theirs: httpx.AsyncClient, answer: Answer) -> None:
        """Compares with the store's own answer, once it gives one."""
        deadline = time.monotonic() + _PATIENCE
        said = ""
        while time.monotonic() < deadline:
            try:
                response = await _sent(theirs, answer.path, dict(answer.form))
            except httpx.TransportError as error:
                said = str(error)
            else:
                if response.status_code == 200:
                    self.findings.checked += 1
                    for found in self._differences(answer, response.json()["data"]):
                        self._wrong(answer.path, answer.form, found)
                    return
                said = response.text[:200]
            await asyncio.sleep(_RETRY)
        self._wrong(answer.path, answer.form, f"the store could not be asked: {said}")

    def _differences(self, answer: Answer, data: Any) -> Iterator[str]:
        if isinstance(data, list):
            known = {json.dumps(one, sort_keys=True) for one in data}
            extra = [one for one in answer.data if json.dumps(one, sort_keys=True) not in known]
            if extra:
                yield f"names that the store does not know: {extra[:3]}"
            return
        found = list(differing(answer.data, data, _DIGITS))
        old = [one for one in found if answer.asked - one.time > _ARRIVING]
        self.findings.young += len(found) - len(old)
        if old:
            ages = sorted(answer.asked - one.time for one in old)
            shown = f"{len(old)} points differ, {ages[0]:.1f} to {ages[-1]:.1f} s old"
            yield f"{shown}, the first: {old[0]}; from the cache: {answer.cache}"

    def _wrong(self, path: str, form: Mapping[str, str], said: str) -> None:
        at = time.monotonic() - self.began
        self.findings.wrong.append(f"{at:.0f} s, {self._weather}: {path} {dict(form)}: {said}")

    async def _disturb(self) -> None:
        await self._calm()
        while self._left > (last_calm := min(_LAST_CALM, self.seconds / 3)):
            name = self.dice.choices(*_CHANCES)[0]
            self.findings.faults[name] += 1
            kills = name == "prombridge killed"
            if kills:
                self._down = True
                self.findings.lives.append([])
            began, self._weather = time.monotonic() - self.began, name
            async with FAULTS[name](self.stage, self.dice):
                self._down = False
                await asyncio.sleep(self.dice.uniform(*_FAULT))
            ended = time.monotonic() - self.began
            self._weather = f"after {name} ({began:.0f} to {ended:.0f} s)"
            if not self.stage.bridge.alive:
                self.findings.wrong.append(f"prombridge ended by itself during: {name}")
                return
            await self._calm()
        await asyncio.sleep(last_calm / 2)
        self._look()

    async def _calm(self) -> None:
        await asyncio.sleep(self.dice.uniform(*_CALM))
        self._look()

    def _look(self) -> None:
        at = time.monotonic() - self.began
        self.findings.lives[-1].append(Vitals.of(self.stage.bridge, at))

    def _say(self) -> None:
        if sys.stderr.isatty():
            findings, at = self.findings, time.monotonic() - self.began
            so_far = f"{dict(findings.answers)}, bad: {len(findings.bad)}"
            said = f"{at:.0f} of {self.seconds:.0f} s: {so_far}"
            sys.stderr.write(f"\r\033[K{said}")
            sys.stderr.flush()


async def _sent(client: httpx.AsyncClient, path: str, form: Mapping[str, str]) -> httpx.Response:
    if path.endswith(NAMES):
        return await client.get(path, params=form)
    return await client.post(path, data=form)


def main(arguments: Sequence[str]) -> int:
    """Runs for as long as the arguments say; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.randrange(1 << 30)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        findings = asyncio.run(ran(Path(name), given.minutes * 60, seed))
    print(table(findings, seed))
    print("\n".join(["", *(findings.bad[:50] or ["as it should be"])]))
    return 1 if findings.bad else 0


async def ran(folder: Path, seconds: float, seed: int) -> Findings:
    """What comes of a run."""
    dice = random.Random(seed)
    async with stage(folder, dice) as servers:
        findings = await Run(servers, seconds, dice).run()
    log = (folder / "bridge.log").read_text(errors="replace")
    if "Traceback" in log:
        at = log.index("Traceback")
        findings.tracebacks.append(f"in the log: {log[max(at - 300, 0) : at + 3000]}")
    return findings


def table(findings: Findings, seed: int) -> str:
    """The findings as Markdown."""
    ordered = sorted(findings.seconds) or [0.0]
    rows = [
        ("seed", seed),
        ("answers", dict(findings.answers)),
        ("compared with the store", findings.checked),
        ("points younger than 10 s that differ", findings.young),
        ("wrong", len(findings.wrong)),
        ("hangs", len(findings.hangs)),
        ("tracebacks", len(findings.tracebacks)),
        ("median and longest answer, ms", f"{median(ordered) * 1e3:.0f}, {ordered[-1] * 1e3:.0f}"),
        *((f"fault: {name}", count) for name, count in sorted(findings.faults.items())),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    lines += [
        "",
        "| life | seconds | descriptors | threads | resident, MiB |",
        "|---|---|---|---|---|",
    ]
    for number, life in enumerate(findings.lives, 1):
        if life:
            first, last = life[0], life[-1]
            lines.append(
                f"| {number} | {last.at - first.at:.0f} | {first.descriptors} → {last.descriptors}"
                f" | {first.threads} → {last.threads}"
                f" | {first.resident >> 20} → {last.resident >> 20} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
