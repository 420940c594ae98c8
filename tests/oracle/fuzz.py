"""`python -m tests.oracle.fuzz`: random expressions to Prometheus and to prombridge's engine.

Case N of seed S is always the same question, so `--seed S --only N` asks one again. The engine
runs in this process and reads from the same Prometheus by remote read.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from bridge.remote.settings import ResponseType
from tests.cache.warmed import Warmed
from tests.oracle import fuzz_words
from tests.oracle.fuzz_data import GROUNDS
from tests.oracle.fuzz_expressions import Expressions
from tests.oracle.fuzz_sides import Before, Question, Sides, Verdict, sides
from tests.oracle.fuzz_words import Words, words
from tests.oracle.series import Dataset
from tests.oracle.writer import write_prometheus
from tests.servers.prometheus import PrometheusOptions, prometheus

# What the oracle has to be started with for all grounds.
OPTIONS: Final = PrometheusOptions(
    flags=("--enable-feature=native-histograms,promql-experimental-functions",)
)
_DAMAGED: Final = 0.04  # the share of texts that are damaged on purpose


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


def question(words: Words, seed: int, number: int, damaged: float = _DAMAGED) -> Question:
    """Question `number` of a seed; a share of texts is damaged."""
    chance = Random(f"{seed}:{number}")
    made = Expressions(chance, words)
    is_range = chance.random() < 0.5
    text = made.ranged() if is_range else made.instant()
    if chance.random() < damaged:
        text = made.damaged(text)
    lookback = chance.choice((1, 15_000, 60_000, 1_200_000)) if chance.random() < 0.1 else 0
    if not is_range:
        moment = _moment(chance, words.start + 600_000, words.end + 200_000)
        return Question(text, moment, moment, lookback=lookback)
    step, start = chance.choice(fuzz_words.STEPS), _moment(chance, words.start - 100_000, words.end)
    length = min(chance.randrange(3_000_000), step * 150)
    return Question(text, start, start + length, step, lookback)


def _moment(chance: Random, first: int, last: int) -> int:
    """A time in ms, often one of many scrapes, now and then where no data are."""
    if chance.random() < 0.005:
        return chance.choice((0, 1, -1, -1_500, -3_600_000, 9 * 10**12, -(9 * 10**12)))
    moment = chance.randrange(first, last)
    round_to = chance.choice((1, 1_000, 1_000, 15_000, 60_000))
    return moment // round_to * round_to


async def _outcome(both: Sides, number: int, asked: Question) -> Outcome:
    verdict, smallest = await both.judged(asked), asked
    if verdict.detail:
        smallest, verdict = await both.shrunk(asked, verdict)
    return Outcome(number, asked, smallest, verdict)


async def fuzz(
    url: str,
    questions: Iterable[tuple[int, Question]],
    jobs: int = 1,
    progress: Callable[[Summary, Outcome], None] = lambda _summary, _outcome: None,
    forms: Sequence[ResponseType] = tuple(ResponseType),
    before: Before = lambda store: store,
) -> Summary:
    """Asks these questions, which are numbered, `jobs` at a time."""
    summary, left = Summary(), iter(questions)
    async with sides(url, forms, before) as both, asyncio.TaskGroup() as group:

        async def work() -> None:
            for number, asked in left:
                outcome = await _outcome(both, number, asked)
                summary.add(outcome)
                progress(summary, outcome)

        for _ in range(jobs):
            group.create_task(work())
    return summary


@contextlib.contextmanager
def oracle(folder: Path, data: Dataset) -> Iterator[str]:
    """The URL of a Prometheus with the data."""
    with prometheus(folder, OPTIONS) as server:
        write_prometheus(server.url, data)
        yield server.url


def _told(every: float, shown: int | None) -> Callable[[Summary, Outcome], None]:
    """Prints each difference at once, question `shown`, and a line every so many seconds."""
    last = time.monotonic()

    def tell(summary: Summary, outcome: Outcome) -> None:
        nonlocal last
        if outcome.verdict.detail or outcome.number == shown:
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
    parser.add_argument("--data", choices=sorted(GROUNDS), default="nasty")
    parser.add_argument("--jobs", type=int, default=1, help="how many questions at a time")
    parser.add_argument("--damaged", type=float, default=_DAMAGED, help="share of damaged texts")
    parser.add_argument("--only", type=int, help="ask this one of the seed")
    parser.add_argument("--url", help="a Prometheus that holds the data already")
    parser.add_argument("--cached", action="store_true", help="through a cache filled in pieces")
    chosen = parser.parse_args(arguments)
    numbers = range(chosen.count) if chosen.only is None else [chosen.only]
    data = GROUNDS[chosen.data].make()
    ground = GROUNDS[chosen.data]
    known = words(data, ground.start, ground.end, experimental=ground.experimental)
    asked = ((number, question(known, chosen.seed, number, chosen.damaged)) for number in numbers)
    before = (lambda store: Warmed(store, ground.end)) if chosen.cached else (lambda store: store)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = chosen.url or stack.enter_context(oracle(folder, data))
        told = _told(10, chosen.only)
        summary = asyncio.run(fuzz(url, asked, chosen.jobs, told, ground.forms, before))
    print(summary)
    return 1 if summary.differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
