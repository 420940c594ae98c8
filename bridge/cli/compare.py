"""`prombridge compare`: the same queries to a Prometheus and to prombridge, and what differs."""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from bridge.cli.differences import difference
from bridge.cli.flags import duration
from bridge.cli.terminal import Table
from bridge.model.errors import BadData, BridgeError, Unavailable
from bridge.model.time import format_duration, parse_time

if TYPE_CHECKING:
    from bridge.cli.flags import Commands

_SERVER: Final = "http://127.0.0.1:9099"
_RANGE_MS: Final = 3_600_000
_STEPS: Final = 250
_AT_A_TIME: Final = 4
# What came in last may differ between two reads a moment apart.
_SETTLED_MS: Final = 5 * 60_000
_TIMEOUT_SECONDS: Final = 600
_DOCUMENTS: Final = frozenset({".json", ".yaml", ".yml"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One request: an expression, at one time or over a range."""

    expr: str
    kind: str
    params: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The path of the API that answers it."""
        return "api/v1/query" if self.kind == "instant" else "api/v1/query_range"


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "compare",
        help="put the same queries to a Prometheus and to prombridge",
        description="Puts the same queries to a Prometheus and to prombridge, instant and over a"
        " range, and prints what differs. The exit code is 1 if anything does.",
    )
    parser.add_argument("url", metavar="URL", help="the Prometheus whose answers count")
    parser.add_argument(
        "--queries",
        metavar="FILE",
        type=Path,
        action="append",
        required=True,
        help="a Grafana dashboard (.json), a file of rules (.yml), or an expression a line; may be"
        " repeated",
    )
    parser.add_argument(
        "--server", metavar="URL", default=_SERVER, help=f"a running prombridge (default {_SERVER})"
    )
    when = parser.add_argument_group("when")
    when.add_argument("--end", metavar="TIME", help="where ranges end (default 5m ago)")
    for flag, usual, text in (
        ("range", _RANGE_MS, f"how long they are (default {format_duration(_RANGE_MS)})"),
        ("step", None, f"their step (default: {_STEPS} steps)"),
    ):
        when.add_argument(f"--{flag}", metavar="DURATION", type=duration, default=usual, help=text)
    parser.add_argument(
        "--tolerance",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="by how much numbers may differ, such as 1e-12 (default 0: not in a digit)",
    )
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    questions = list(_questions(asked))
    if not questions:
        raise BadData("the files hold no PromQL expressions")
    verdicts = asyncio.run(_Comparison(asked, questions).verdicts())
    rows = [
        (one.expr.replace("\n", " "), one.kind, said)
        for one, said in zip(questions, verdicts, strict=True)
        if said
    ]
    if rows:
        for line in _lines(rows):
            print(line)
    print(f"{len(questions) - len(rows)} of {len(questions)} answers are the same")
    return 1 if rows else 0


def _lines(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """A table for the differences."""
    table = Table(("EXPRESSION", "KIND", "DIFFERENCE"), tuple(rows), words=3)
    return table.lines(shutil.get_terminal_size((200, 24)).columns)


def _questions(asked: argparse.Namespace) -> Iterator[Question]:
    end = parse_time(asked.end) if asked.end else _now() - _SETTLED_MS
    length = asked.range
    step = asked.step or max(length // _STEPS, 1000)
    moment = f"{end / 1000:.3f}"
    span = (("start", f"{(end - length) / 1000:.3f}"), ("end", moment), ("step", f"{step / 1000}"))
    for expr in dict.fromkeys(expr for file in asked.queries for expr in _expressions(file)):
        yield Question(expr, "instant", (("time", moment),))
        yield Question(expr, "range", span)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _expressions(file: Path) -> Sequence[str]:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "not text in UTF-8"
        raise BadData(f"{file}: {what}") from None
    if file.suffix not in _DOCUMENTS:
        lines = (line.strip() for line in text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]
    return _of_document(file, text)


def _of_document(file: Path, text: str) -> Sequence[str]:
    import yaml

    from bridge.catalogue.seeds import expressions_in
    from bridge.engine.functions import signatures
    from bridge.promql.features import Features
    from bridge.promql.parser import parse

    known, features = signatures(), Features(experimental_functions=True)
    try:
        return expressions_in(text, lambda expr: parse(expr, known, features))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadData(f"{file}: {error}") from None


class _Comparison:
    """Asks both sides the same, a few questions at a time, and says how far it is."""

    def __init__(self, asked: argparse.Namespace, questions: Sequence[Question]) -> None:
        self._sides = (asked.url, asked.server)
        self._tolerance = asked.tolerance
        self._questions = questions
        self._turns = asyncio.Semaphore(_AT_A_TIME)
        self._done = 0

    async def verdicts(self) -> list[str]:
        """What differs for each question; empty where nothing does."""
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            tasks = [asyncio.create_task(self._verdict(client, one)) for one in self._questions]
            try:
                return list(await asyncio.gather(*tasks))
            finally:
                for task in tasks:
                    task.cancel()
                self._say("\r\033[K")

    async def _verdict(self, client: httpx.AsyncClient, question: Question) -> str:
        async with self._turns:
            theirs, ours = await asyncio.gather(
                *(_answer(client, side, question) for side in self._sides)
            )
        self._done += 1
        self._say(f"\r{self._done} of {len(self._questions)}")
        return difference(theirs, ours, self._tolerance)

    @staticmethod
    def _say(text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(text)
            sys.stderr.flush()


async def _answer(client: httpx.AsyncClient, side: str, question: Question) -> Json:
    url = f"{side.rstrip('/')}/{question.path}"
    data = {"query": question.expr, **dict(question.params)}
    try:
        response = await client.post(url, data=data)
        answer: Json = response.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = str(error) or type(error).__name__
        raise Unavailable(f"no answer from {side}: {what}") from None
    except ValueError:
        raise BridgeError(
            f"{url} is no Prometheus API: it answered {response.status_code}"
        ) from None
    return answer
