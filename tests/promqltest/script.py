"""A script as its commands: clear, load and eval.

Source of the grammar: promql/promqltest/test.go of Prometheus.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import re2

from bridge.model.time import Steps, parse_duration
from bridge.promql.ast import StringLiteral
from bridge.promql.parser import parse
from tests.promqltest.sequence import (
    ScriptError,
    SeriesLine,
    parse_series,
    parse_starts,
)


class Kind(StrEnum):
    """What an `expect` line is about."""

    ORDERED = "ordered"
    FAIL = "fail"
    WARN = "warn"
    NO_WARN = "no_warn"
    INFO = "info"
    NO_INFO = "no_info"


@dataclass(frozen=True, slots=True)
class Expectation:
    """An `expect` line: a whole text, or a pattern to be found."""

    kind: Kind
    message: str | None = None
    pattern: str = "^.*$"

    def matches(self, text: str) -> bool:
        """Whether a text is what was expected."""
        if self.message is not None:
            return self.message == text
        # A byte that is not UTF-8 is a character to Go's regular expressions, not to RE2's.
        return re2.search(self.pattern.encode(), text.encode(errors="replace")) is not None

    def __str__(self) -> str:
        return f"expect {self.kind}" + (
            f" msg: {self.message}" if self.message else f" regex: {self.pattern}"
        )


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all samples."""


@dataclass(frozen=True, slots=True)
class Load:
    """Series whose items stand `gap` ms apart, the first at 0."""

    gap: int
    series: tuple[SeriesLine, ...]
    custom_buckets: bool


@dataclass(frozen=True, slots=True)
class Eval:
    """A query and what it must give; `grid` are the times of the expected items."""

    line: int
    text: str
    steps: Steps
    grid: Steps
    expectations: tuple[Expectation, ...] = ()
    series: tuple[SeriesLine, ...] = ()
    scalar: float | None = None
    string: str | None = None
    range_vector: bool = False

    def expects(self, kind: Kind) -> tuple[Expectation, ...]:
        """The `expect` lines of one kind."""
        return tuple(one for one in self.expectations if one.kind is kind)


Command = Clear | Load | Eval

_LOAD: Final = re.compile(r"load(_with_nhcb)?\s+(.+)")
_INSTANT: Final = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)")
_RANGE: Final = re.compile(
    r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)"
)
_EXPECT: Final = re.compile(
    r"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?"
)
_EXPECT_RANGE: Final = re.compile(r"expect range vector from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)")
_LEGACY_FAIL: Final = re.compile(r"expected_fail_(message|regexp)\s+(.+)")
_NUMBER: Final = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan|0x[0-9a-f]+)", re.IGNORECASE
)


def parse_script(text: str) -> tuple[Command, ...]:
    """The commands of a script; raises ScriptError."""
    return tuple(_commands([_cleaned(line) for line in text.split("\n")]))


def _cleaned(line: str) -> str:
    line = line.strip()
    return "" if line.startswith("#") else line


def _commands(lines: list[str]) -> Iterator[Command]:
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end]:
            end += 1
        if end == at:
            at += 1
            continue
        try:
            command, used = _command(at + 1, lines[at:end])
        except (ScriptError, ValueError) as error:
            raise ScriptError(f"line {at + 1}: {error}") from error
        yield command
        at += used


def _command(number: int, block: list[str]) -> tuple[Command, int]:
    """The command that a block starts with, and how many of its lines are the command's."""
    word = block[0].split()[0].lower()
    if word == "clear":
        return Clear(), 1
    if word.startswith("load"):
        return _load(block), len(block)
    if word.startswith("eval"):
        return _Eval(number, block).parse()
    raise ScriptError(f"invalid command {block[0]!r}")


def _load(block: list[str]) -> Load:
    head = _LOAD.fullmatch(block[0])
    if head is None:
        raise ScriptError(f"invalid load command {block[0]!r}")
    series: dict[object, SeriesLine] = {}
    began: SeriesLine | None = None
    for line in block[1:]:
        if began is None and (began := parse_starts(line)) is not None:
            continue
        one = parse_series(line)
        series[one.labels] = one if began is None else _started(one, began)
        began = None
    return Load(parse_duration(head[2]), tuple(series.values()), head[1] is not None)


def _started(one: SeriesLine, began: SeriesLine) -> SeriesLine:
    """The series with the start timestamps of the line before."""
    if began.labels != one.labels or len(began.starts) != len(one.items):
        raise ScriptError(f"start timestamps do not fit {one.labels}")
    return replace(one, starts=began.starts)


@dataclass(slots=True)
class _Eval:
    """An eval command being read."""

    number: int
    block: list[str]
    expectations: list[Expectation] = field(default_factory=list)
    series: dict[object, SeriesLine] = field(default_factory=dict)
    scalar: float | None = None
    string: str | None = None
    grid: Steps | None = None

    def parse(self) -> tuple[Eval, int]:
        """The command, and how many lines it has."""
        modifier, text, steps = self._head()
        if modifier:
            self.expectations.append(Expectation(Kind(modifier)))
        used = 1
        while used < len(self.block) and not self._ends_with(self.block[used]):
            used += 1
        return Eval(
            self.number,
            text,
            steps,
            self.grid or steps,
            tuple(self.expectations),
            tuple(self.series.values()),
            self.scalar,
            self.string,
            self.grid is not None,
        ), min(used + 1, len(self.block))

    def _head(self) -> tuple[str | None, str, Steps]:
        instant, ranged = _INSTANT.fullmatch(self.block[0]), _RANGE.fullmatch(self.block[0])
        if instant is not None:
            return instant[1], instant[3], Steps.at(parse_duration(instant[2]))
        if ranged is None:
            raise ScriptError(f"invalid evaluation command {self.block[0]!r}")
        return ranged[1], ranged[5], _steps(*ranged.group(2, 3, 4))

    def _ends_with(self, line: str) -> bool:
        """Reads a line of the body; true if it ends the command."""
        if legacy := _LEGACY_FAIL.fullmatch(line):
            return self._legacy_fail(legacy)
        if expected := _EXPECT_RANGE.fullmatch(line):
            self.grid = _steps(*expected.group(1, 2, 3))
        elif line.startswith("expect string "):
            literal = parse(line.removeprefix("expect string "), {})
            assert isinstance(literal, StringLiteral)
            self.string = literal.value
        elif line.split(" ", maxsplit=1)[0] == "expect":
            self.expectations.append(_expectation(line))
        elif _NUMBER.fullmatch(line):
            self.scalar = float(int(line, 0)) if "x" in line else float(line)
            return True
        else:
            one = parse_series(line)
            self.series[one.labels] = one
        return False

    def _legacy_fail(self, found: re.Match[str]) -> bool:
        fail = Expectation(Kind.FAIL)
        if fail not in self.expectations:
            raise ScriptError(f"{found[0]!r} needs eval_fail")
        self.expectations.remove(fail)
        text = found[2].strip()
        exact = found[1] == "message"
        self.expectations.append(
            Expectation(Kind.FAIL, text) if exact else Expectation(Kind.FAIL, None, text)
        )
        return True


def _steps(start: str, end: str, interval: str) -> Steps:
    return Steps(parse_duration(start), parse_duration(end), parse_duration(interval))


def _expectation(line: str) -> Expectation:
    found = _EXPECT.fullmatch(line)
    if found is None:
        raise ScriptError(f"invalid expect statement {line!r}")
    kind, how, text = Kind(found[1]), found[2], (found[3] or "").strip()
    match how:
        case "msg":
            return Expectation(kind, text)
        case "regex":
            return Expectation(kind, None, text)
        case _:
            return Expectation(kind)


def share_of(path: Path, share: int) -> list[Command]:
    """The script with one of so many of its cases, always the same ones."""
    return [
        one
        for one in parse_script(path.read_text())
        if not isinstance(one, Eval) or zlib.crc32(f"{path.name}:{one.line}".encode()) % share == 0
    ]
