"""The questions: every expression of `expressions/`, asked at moments and over windows in turn.

The expressions follow what dashboards ask (nodes, Kubernetes, services, probes, storage) and then
go through every aggregation, function and operator. In the files a blank line parts two of them.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.oracle.compare import Question
from tests.oracle.datasets import START

_FOLDER = Path(__file__).parent / "expressions"
_SORTED = ("sort(", "sort_desc(", "topk(", "bottomk(")
_INSTANT_ONLY = ('"a string"', "[30m:1m]", "}[5m]")  # a string or a range vector as the answer
_MINUTES = (360.0, 134.0, 245.5, 90.0)  # moments of instant queries, since the start
_RANGES = ((300.0, 360.0, 30.0), (0.0, 360.0, 120.0), (100.0, 220.0, 15.0), (170.0, 200.0, 7.0))


def expressions(files: str = "*.promql") -> tuple[str, ...]:
    """All expressions of `files`, one file after the other."""
    texts = (path.read_text() for path in sorted(_FOLDER.glob(files)))
    return tuple(expr.strip("\n") for text in texts for expr in text.split("\n\n"))


def questions() -> Iterator[Question]:
    """Each expression as an instant and, if it may, as a range query."""
    for number, expr in enumerate(expressions()):
        yield instant(expr, number)
        if not expr.endswith(_INSTANT_ONLY):
            yield over_range(expr, number)


def instant(expr: str, number: int) -> Question:
    """The instant query of `expr` at one of four moments."""
    moment = START / 1000 + _MINUTES[number % len(_MINUTES)] * 60
    return Question(expr, moment, moment, ordered=expr.startswith(_SORTED))


def over_range(expr: str, number: int) -> Question:
    """The range query of `expr` over one of four windows."""
    since, until, step = _RANGES[number % len(_RANGES)]
    return Question(expr, START / 1000 + since * 60, START / 1000 + until * 60, step)
