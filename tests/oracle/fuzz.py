"""`python -m tests.oracle.fuzz`: random expressions to Prometheus and to prombridge's engine.

Case N of seed S is always the same question, so `--seed S --only N` asks one again. The engine
runs in this process and reads from the same Prometheus by remote read.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

import httpx

from bridge.api.encode import encode_data
from bridge.api.errors import ErrorType, failure_of
from bridge.api.params import parameter
from bridge.engine.engine import Engine
from bridge.engine.functions import FUNCTIONS
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import ParseError
from bridge.model.time import Steps
from bridge.promql.ast import Expr
from bridge.promql.printer import to_text
from bridge.remote.client import RemoteStore
from bridge.remote.settings import StoreSettings
from tests.oracle import fuzz_words
from tests.oracle.compare import Question
from tests.oracle.differences import DIFFERENCES, FUNCTIONS_OF_3_5, Case, called_otherwise
from tests.oracle.fuzz_data import END, START, nasty
from tests.oracle.fuzz_expressions import Expressions
from tests.oracle.fuzz_replies import (
    Reply,
    explained_by_chance,
    first_difference,
    reply,
    same,
    vary,
)
from tests.oracle.fuzz_shrink import smaller
from tests.oracle.writer import write_prometheus
from tests.servers.prometheus import prometheus

_ANSWERS: Final = 3  # how often Prometheus is asked when the first answer is another than ours
_MORE_ANSWERS: Final = 12  # and how often when its own answers differ
_DAMAGED: Final = 0.04  # the share of texts that are damaged on purpose
_ATTEMPTS: Final = 150  # how many smaller expressions are tried for a difference
_WORDS: Final = fuzz_words.words(nasty(), START, END)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` name the known differences; `detail` tells of others and is empty if equal."""

    empty: bool
    reasons: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, the smallest that differs like it, and the verdict about that one."""

    number: int
    question: Question
    smallest: Question
    verdict: Verdict


@dataclass(slots=True)
class Summary:
    """What came of all questions."""

    asked: int = 0
    non_empty: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    differing: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Counts one."""
        self.asked += 1
        self.non_empty += not outcome.verdict.empty
        self.reasons.update(outcome.verdict.reasons)
        if outcome.verdict.detail:
            self.differing.append(outcome)

    def __str__(self) -> str:
        explained = ", ".join(f"{name} {count}" for name, count in self.reasons.most_common())
        return (
            f"{self.asked} asked, {len(self.differing)} differ, "
            f"{self.non_empty / max(self.asked, 1):.1%} of the oracle's answers non-empty"
            f"; explained: {explained or 'none'}"
        )


def question(seed: int, number: int) -> Question:
    """Question `number` of a seed."""
    chance = Random(f"{seed}:{number}")
    made = Expressions(chance, _WORDS)
    is_range = chance.random() < 0.5
    text = made.ranged() if is_range else made.instant()
    if chance.random() < _DAMAGED:
        text = made.damaged(text)
    first, last = START / 1000, END / 1000
    if not is_range:
        moment = round(chance.uniform(first + 600, last + 200), chance.choice((0, 0, 3)))
        return Question(text, moment, moment)
    step = chance.choice(fuzz_words.STEPS)
    start = round(chance.uniform(first - 100, last), chance.choice((0, 0, 3)))
    length = min(chance.uniform(0, 3000), step * 150)
    return Question(text, start, round(start + length, 3), step)


@dataclass(frozen=True, slots=True)
class Sides:
    """Prometheus and the engine in front of it; `older` has functions as they were in 3.5."""

    client: httpx.AsyncClient
    engine: Engine
    older: Engine

    async def theirs(self, asked: Question) -> Reply:
        """Prometheus' reply."""
        answer = await self.client.post(asked.path, data=dict(asked.parameters))
        return reply(answer.status_code, answer.content)

    async def ours(self, asked: Question, engine: Engine | None = None) -> Reply:
        """The reply that the API would give; a crash is told with its traceback."""
        try:
            with parameter("query"):
                engine = engine or self.engine
                result = await engine.query(asked.expr, _steps(asked), QueryOptions())
            data = encode_data(result)
        except Exception as error:  # noqa: BLE001 - a crash is one more difference
            failed = failure_of(error)
            crashed = failed.type is ErrorType.INTERNAL
            text = "".join(traceback.format_exception(error)[-4:]) if crashed else failed.text
            return Reply(failed.status, b"", (failed.type.value, text), frozenset())
        return Reply(200, data, None, frozenset((*result.warnings, *result.infos)))

    def parsed(self, text: str) -> Expr | None:
        """The tree, or None if there is none."""
        try:
            return self.engine.parse(text)
        except ParseError:
            return None

    async def judged(self, asked: Question) -> Verdict:
        """Compares; Prometheus is asked again for as long as another answer may be its own too."""
        ours, first = await asyncio.gather(self.ours(asked), self.theirs(asked))
        verdict = await self._compared(asked, first, ours)
        older = called_otherwise(self.parsed(asked.expr)) if verdict.detail else ()
        if older:
            changed = await self._compared(asked, first, await self.ours(asked, self.older))
            if not changed.detail:
                return replace(changed, reasons=(*changed.reasons, *older))
        return verdict

    async def _compared(self, asked: Question, first: Reply, ours: Reply) -> Verdict:
        expr, said = self.parsed(asked.expr), [first]
        while True:
            cases = [_explained(Case(asked.expr, expr, one, ours)) for one in said]
            reasons, case = cases[-1]
            if same(expr, case.theirs, case.ours):
                return Verdict(first.empty, reasons)
            if len(said) >= (_MORE_ANSWERS if vary(said) else _ANSWERS):
                break
            said.append(await self.theirs(asked))
        if explained_by_chance([one.theirs for _, one in cases], case.ours):
            return Verdict(first.empty, (*reasons, "chance"))
        return Verdict(first.empty, reasons, first_difference(case.theirs, case.ours))

    async def asked(self, number: int, asked: Question) -> Outcome:
        """The outcome of a question; if it differs, of the smallest that still does."""
        verdict, smallest = await self.judged(asked), asked
        if verdict.detail:
            smallest, verdict = await self._shrunk(asked, verdict)
        return Outcome(number, asked, smallest, verdict)

    async def _shrunk(self, asked: Question, verdict: Verdict) -> tuple[Question, Verdict]:
        """A smaller question that is answered differently, if one is found soon."""
        left, expr = _ATTEMPTS, self.parsed(asked.expr)
        candidates = smaller(expr) if expr is not None else iter(())
        for candidate in candidates:
            attempt = replace(asked, expr=to_text(candidate))
            parsed, left = self.parsed(attempt.expr), left - 1
            if left < 0:
                break
            if parsed is None or len(attempt.expr) >= len(asked.expr):
                continue
            found = await self.judged(attempt)
            if found.detail:
                return await self._shrunk(attempt, found)
        return asked, verdict


def _steps(asked: Question) -> Steps:
    end = round(asked.end * 1000)
    if asked.step is None:
        return Steps.at(end)
    return Steps(round(asked.start * 1000), end, round(asked.step * 1000))


def _explained(case: Case) -> tuple[tuple[str, ...], Case]:
    """The names of the differences that apply, and what is left of the case without them."""
    names = []
    if same(case.expr, case.theirs, case.ours):
        return (), case
    for difference in DIFFERENCES:
        translated = difference.translate(case)
        if translated != case:
            names.append(difference.name)
            case = translated
    return tuple(names), case


@contextlib.asynccontextmanager
async def sides(url: str) -> AsyncIterator[Sides]:
    """Both sides, of the Prometheus at `url`."""
    store = RemoteStore(StoreSettings("oracle", f"{url}/api/v1/read"))
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        tables = (FUNCTIONS, {**FUNCTIONS, **FUNCTIONS_OF_3_5})
        engines = [Engine(store, EngineSettings(), workers, table) for table in tables]
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
            yield Sides(client, *engines)
        await store.aclose()
        for engine in engines:
            engine.close()


async def fuzz(
    url: str,
    seed: int,
    numbers: Iterable[int],
    jobs: int = 1,
    progress: Callable[[Summary, Outcome], None] = lambda _summary, _outcome: None,
) -> Summary:
    """Asks these questions of a seed, `jobs` at a time."""
    summary, left = Summary(), iter(numbers)
    async with sides(url) as both, asyncio.TaskGroup() as group:

        async def work() -> None:
            for number in left:
                outcome = await both.asked(number, question(seed, number))
                summary.add(outcome)
                progress(summary, outcome)

        for _ in range(jobs):
            group.create_task(work())
    return summary


@contextlib.contextmanager
def oracle(folder: Path) -> Iterator[str]:
    """The URL of a Prometheus with the nasty data."""
    with prometheus(folder) as server:
        write_prometheus(server.url, nasty())
        yield server.url


def _told(every: float) -> Callable[[Summary, Outcome], None]:
    """Prints each difference at once, and a line every so many seconds."""
    last = time.monotonic()

    def tell(summary: Summary, outcome: Outcome) -> None:
        nonlocal last
        if outcome.verdict.detail:
            print(f"#{outcome.number} {describe(outcome)}", flush=True)
        if time.monotonic() - last >= every:
            last = time.monotonic()
            print(f"… {summary}", flush=True)

    return tell


def describe(outcome: Outcome) -> str:
    """A difference with all it takes to ask again."""
    asked = ", ".join(f"{name}={value}" for name, value in outcome.smallest.parameters.items())
    return f"{asked}\n    {outcome.verdict.detail}"


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many expressions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="how many questions at a time")
    parser.add_argument("--only", type=int, help="ask this one of the seed")
    parser.add_argument("--url", help="a Prometheus that holds the data already")
    chosen = parser.parse_args(arguments)
    numbers = range(chosen.count) if chosen.only is None else [chosen.only]
    if chosen.only is not None:
        print(question(chosen.seed, chosen.only))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = chosen.url or stack.enter_context(oracle(folder))
        summary = asyncio.run(fuzz(url, chosen.seed, numbers, chosen.jobs, _told(10)))
    print(summary)
    return 1 if summary.differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
