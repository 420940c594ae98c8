"""Timing of two servers in pairs, and how alike their answers are."""

import gzip
import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any, Protocol

from benchmarks.workload import Workload

_TIMEOUT = 300  # seconds for one answer
_NUMBER = re.compile(r"(-?[0-9][0-9.e+-]*)")
_CLOSE = 1e-12  # relative; sums in another order differ by less


class Likeness(StrEnum):
    """How two answers compare."""

    EQUAL = "equal"
    ORDER = "equal but for the order"
    DIGITS = "last digits differ"
    DIFFERENT = "DIFFERENT"


class Asked(Protocol):
    """A range query: what it is called, its form, and whether the answer may be compressed."""

    @property
    def name(self) -> str: ...

    @property
    def form(self) -> Mapping[str, str]: ...

    @property
    def gzip(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server that answers `query_range`, and what is added to each request to it."""

    name: str
    url: str
    extra: Mapping[str, str]

    def ask(self, workload: Asked) -> tuple[float, bytes]:
        """Seconds until the whole answer was read, and its body, decompressed."""
        host = urllib.parse.urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=_TIMEOUT)
        body = urllib.parse.urlencode({**workload.form, **self.extra})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept-Encoding": "gzip" if workload.gzip else "identity",
        }
        try:
            began = time.perf_counter()
            connection.request("POST", "/api/v1/query_range", body, headers)
            response = connection.getresponse()
            content = response.read()
            seconds = time.perf_counter() - began
        finally:
            connection.close()
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{self.name}: {response.status} {content[:500]!r}")
        return seconds, content


@dataclass(frozen=True, slots=True)
class Row:
    """One query: the seconds of both, pair by pair, and the likeness of the answers."""

    workload: Asked
    before: Sequence[float]
    after: Sequence[float]
    likeness: Likeness

    @property
    def ratio(self) -> float:
        """The median over the pairs of after / before; below 1 the newcomer is faster."""
        return median(b / a for a, b in zip(self.before, self.after, strict=True))


def measure(
    before: Contestant,
    after: Contestant,
    workload: Asked,
    rounds: int,
    progress: Callable[[str], None],
) -> Row:
    """Asks both once unmeasured, then in alternating order, `rounds` times each."""
    expected, got = before.ask(workload)[1], after.ask(workload)[1]
    likeness = alike(expected, got)
    pairs = []
    for number in range(rounds):
        order = (before, after) if number % 2 == 0 else (after, before)
        seconds = {one.name: one.ask(workload)[0] for one in order}
        pairs.append((seconds[before.name], seconds[after.name]))
        progress(f"{workload.name} {number + 1}/{rounds}: {pairs[-1][0]:.3f} {pairs[-1][1]:.3f}")
    return Row(workload, [a for a, _ in pairs], [b for _, b in pairs], likeness)


def measure_moving(
    before: Contestant,
    after: Contestant,
    workload: Workload,
    rounds: int,
    progress: Callable[[str], None],
) -> Row:
    """The same over a window that moves on by one step each time, as a dashboard's does."""
    first = workload.moved_back(rounds)
    before.ask(first)
    after.ask(first)
    pairs, found = [], Likeness.EQUAL
    for number in range(rounds):
        window = workload.moved_back(rounds - 1 - number)
        order = (before, after) if number % 2 == 0 else (after, before)
        answers = {one.name: one.ask(window) for one in order}
        (one, expected), (other, got) = answers[before.name], answers[after.name]
        found = max(found, alike(expected, got), key=list(Likeness).index)
        pairs.append((one, other))
        progress(f"moved: {workload.name} {number + 1}/{rounds}: {one:.3f} {other:.3f}")
    return Row(workload, [a for a, _ in pairs], [b for _, b in pairs], found)


def alike(expected: bytes, got: bytes) -> Likeness:
    """Compares the `data` of two answers, text first, then without order, then as numbers."""
    if expected == got:
        return Likeness.EQUAL
    one, other = (json.loads(text)["data"] for text in (expected, got))
    if one == other:
        return Likeness.EQUAL
    rows, others = _by_labels(one), _by_labels(other)
    if rows == others:
        return Likeness.ORDER
    if rows.keys() == others.keys() and all(_close(rows[key], others[key]) for key in rows):
        return Likeness.DIGITS
    return Likeness.DIFFERENT


def _by_labels(data: dict[str, Any]) -> dict[str, list[list[Any]]]:
    return {
        json.dumps(row["metric"], sort_keys=True): [
            *row.get("values", ()),
            *([time, json.dumps(held)] for time, held in row.get("histograms", ())),
        ]
        for row in data["result"]
    }


def _close(one: list[list[Any]], other: list[list[Any]]) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and (a[1] == b[1] or _all_near(a[1], b[1]))
        for a, b in zip(one, other, strict=True)
    )


def _all_near(a: str, b: str) -> bool:
    """Whether two values, numbers or histograms, are the same but for the last digits."""
    if not a.startswith("{"):
        return not b.startswith("{") and _near(float(a), float(b))
    numbers, others = (_NUMBER.split(text) for text in (a, b))
    return numbers[::2] == others[::2] and all(
        _near(float(x), float(y)) for x, y in zip(numbers[1::2], others[1::2], strict=True)
    )


def _near(a: float, b: float) -> bool:
    return a == b or (a != a and b != b) or abs(a - b) <= _CLOSE * max(abs(a), abs(b))
