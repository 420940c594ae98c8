"""The same questions to Prometheus and to prombridge, and whether the answers are the same text."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

_ANSWERS = 3  # Prometheus sums some groups in random order: one of so many answers must match

Json = Any  # tuples of pairs for objects, tuples for arrays, ("number", text) for numbers


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the query API: a range if `step` (seconds) is set, else an instant at `end`.

    The order of an instant vector is the store's where the expression does not sort it
    (api.go encodes it as evaluated): then answers are compared as sets.
    """

    expr: str
    start: float
    end: float
    step: float | None = None
    ordered: bool = False

    @property
    def path(self) -> str:
        """The end point."""
        return "/api/v1/query" if self.step is None else "/api/v1/query_range"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The form."""
        if self.step is None:
            return {"query": self.expr, "time": f"{self.end:.3f}"}
        times = {"start": f"{self.start:.3f}", "end": f"{self.end:.3f}", "step": str(self.step)}
        return {"query": self.expr, **times}

    def __str__(self) -> str:
        kind = "instant" if self.step is None else f"range/{self.step:g}s"
        return f"{kind:12} {' '.join(self.expr.split())}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server said: status, `data` (order and number texts kept), error, annotations."""

    status: int
    data: Json
    error: Json
    annotations: frozenset[str]

    @property
    def empty(self) -> bool:
        """Nothing came back, though nothing went wrong."""
        return self.error == (None, None) and dict(self.data or ()).get("result") == ()


class Verdict(StrEnum):
    """How the two compare."""

    EQUAL = "equal"
    DIFFERENT = "DIFFERENT"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, the verdict, and where the answers part."""

    question: Question
    verdict: Verdict
    empty: bool
    annotations_equal: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes of a comparison."""

    outcomes: tuple[Outcome, ...]

    @property
    def different(self) -> tuple[Outcome, ...]:
        """Those whose answers differ."""
        return tuple(one for one in self.outcomes if one.verdict is not Verdict.EQUAL)

    @property
    def non_empty(self) -> float:
        """The share of Prometheus' answers that hold something."""
        return sum(not one.empty for one in self.outcomes) / len(self.outcomes)

    def summary(self) -> str:
        """One line of figures."""
        unlike = sum(not one.annotations_equal for one in self.outcomes)
        return (
            f"{len(self.outcomes)} questions, {len(self.different)} answered differently, "
            f"{self.non_empty:.1%} of the oracle's answers non-empty, "
            f"{unlike} with other warnings or infos"
        )

    def table(self) -> str:
        """The differing questions, one block each, below the summary."""
        blocks = (f"{one.question}\n    {one.detail}" for one in self.different)
        return "\n".join([self.summary(), *blocks])


def compare(
    oracle: str,
    bridge: str,
    questions: Iterable[Question],
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Asks the Prometheus at `oracle` three times, the one at `bridge` once, for each question."""
    outcomes = []
    with httpx.Client(timeout=120) as client:
        for question in questions:
            expected = [ask(client, oracle, question) for _ in range(_ANSWERS)]
            outcomes.append(_judge(question, expected, ask(client, bridge, question)))
            progress(outcomes[-1])
    return Report(tuple(outcomes))


def ask(client: httpx.Client, url: str, question: Question) -> Answer:
    """One answer of the server at `url`. Raises ValueError if it is not JSON."""
    response = client.post(url + question.path, data=dict(question.parameters))
    try:
        body = dict(read(response.text))
    except json.JSONDecodeError as error:
        raise ValueError(f"{url}: {question}: {response.text[:200]!r}") from error
    return Answer(
        response.status_code,
        _comparable(body.get("data"), question),
        (body.get("errorType"), body.get("error")),
        frozenset((*body.get("warnings", ()), *body.get("infos", ()))),
    )


def read(text: str) -> Json:
    """JSON with the order of keys and the text of numbers kept."""
    return _frozen(
        json.loads(text, object_pairs_hook=tuple, parse_int=_number, parse_float=_number)
    )


def _number(text: str) -> tuple[str, str]:
    return ("number", text)


def _frozen(value: Json) -> Json:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _comparable(data: Json, question: Question) -> Json:
    """`data` as it is, or with its vector sorted where the order is unspecified."""
    if data is None or question.ordered or question.step is not None:
        return data
    return tuple(
        (key, tuple(sorted(value, key=repr))) if _is_vector(key, value) else (key, value)
        for key, value in data
    )


def _is_vector(key: str, value: Json) -> bool:
    """A vector's elements are objects, a scalar's or string's are a time and a text."""
    return key == "result" and bool(value) and isinstance(value[0][0], tuple)


def _judge(question: Question, expected: Sequence[Answer], got: Answer) -> Outcome:
    first = expected[0]
    same = any(
        (one.status, one.data, one.error) == (got.status, got.data, got.error) for one in expected
    )
    return Outcome(
        question,
        Verdict.EQUAL if same else Verdict.DIFFERENT,
        first.empty,
        first.annotations == got.annotations,
        "" if same else _difference(first, got),
    )


def _difference(expected: Answer, got: Answer) -> str:
    if expected.status != got.status or expected.error != got.error:
        return f"expected {expected.status} {expected.error}, got {got.status} {got.error}"
    wanted, given = _rows(expected.data), _rows(got.data)
    if len(wanted) != len(given):
        odd = set(map(repr, _names(wanted))) ^ set(map(repr, _names(given)))
        return f"expected {len(wanted)} rows, got {len(given)}: {sorted(odd)[:2]}"
    for one, other in zip(wanted, given, strict=True):
        if one != other:
            return _first_difference(one, other)
    return f"expected {str(expected.data)[:200]}, got {str(got.data)[:200]}"


def _rows(data: Json) -> Json:
    return dict(data or ()).get("result", ())


def _names(rows: Json) -> Json:
    return [row[0] for row in rows]


def _first_difference(one: Json, other: Json, path: str = "") -> str:
    """Walks two trees to the first leaf that differs."""
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            if left != right:
                return _first_difference(left, right, f"{path}/{place}")
    if isinstance(one, tuple) and isinstance(other, tuple):
        return f"{path}: expected {len(one)} items, got {len(other)}; {one[:2]} … {other[:2]}"
    return f"{path}: expected {one}, got {other}"
