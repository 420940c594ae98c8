"""What the two sides say to a question, and whether it is the same but for Prometheus' own chance.

Prometheus collects the results of a range query's nodes in maps, so that later sums and ties see
them in random order. Its answers to the same question are therefore a set, `said`. Ours must be one
of them. Only if they differ among themselves, a value may also be no further from those that
Prometheus gave for the same series and time than they are apart; and where it gave different
series, as `topk` does among equals, ours must show the same values at each time. Which of several
groups is the first that cannot be matched is chance too.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.promql.ast import AggregateExpr, Call, Expr, ParenExpr

Rows = Sequence[tuple[str, Sequence[tuple[str, str]]]]  # labels as text; times and values as text
Cells = Mapping[tuple[str, str], str]  # by labels and time

_GROUP = re.compile(r"match group \{.*\} on the (left|right) hand-side of the operation: \[.*\]")
_SORTING = frozenset({"sort", "sort_desc"})
_PICKING = frozenset({"topk", "bottomk"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The status, the JSON of `data` (empty for an error), the error and all annotations."""

    status: int
    data: bytes
    error: tuple[str, str] | None
    annotations: frozenset[str]

    @property
    def empty(self) -> bool:
        """There is nothing in it."""
        return self.error is not None or b'"result":[]' in self.data


def reply(status: int, body: bytes) -> Reply:
    """The reply in the body of an HTTP answer; `data` is kept as it was written."""
    head = b'{"status":"success","data":'
    if not body.startswith(head):
        failed = json.loads(body)
        return Reply(status, b"", (failed["errorType"], failed["error"]), frozenset())
    # No text inside `data` holds these bytes: quotes are escaped there.
    ends = [at for at in (body.find(b',"warnings":['), body.find(b',"infos":[')) if at >= 0]
    end = min(ends, default=len(body) - 1)
    notes = json.loads(b"{" + body[end:].lstrip(b",")) if ends else {}
    texts = frozenset((*notes.get("warnings", ()), *notes.get("infos", ())))
    return Reply(status, body[len(head) : end], None, texts)


def same(expr: Expr | None, one: Reply, other: Reply) -> bool:
    """Whether both say the same; an instant vector is a set unless the expression sorts it."""
    if (one.status, one.error, _shown_notes(one)) != (
        other.status,
        other.error,
        _shown_notes(other),
    ):
        return False
    return one.data == other.data or _listed(expr, one) == _listed(expr, other)


def _shown_notes(one: Reply) -> frozenset[str]:
    """The annotations; of more than ten of a kind, which ten are shown is chance."""
    kept = one.annotations
    for kind in ("warning", "info"):
        if any(note.endswith(f"more {kind} annotations omitted") for note in kept):
            kept = frozenset(note for note in kept if not note.startswith(f"PromQL {kind}:"))
    return kept


def explained_by_chance(said: Sequence[Reply], ours: Reply) -> bool:
    """Whether Prometheus' answers differ among themselves, and ours no further than allowed."""
    if not vary(said) or any(one.annotations != ours.annotations for one in said):
        return False
    if ours.error is not None:
        return any(one.error and _ungrouped(one) == _ungrouped(ours) for one in said)
    if any(one.error for one in said):
        return False
    theirs, given = [_cells(one) for one in said], _cells(ours)
    if all(cells.keys() == given.keys() for cells in theirs):
        return all(_near([cells[key] for cells in theirs], given[key]) for key in given)
    return any(_shown(cells) == _shown(given) for cells in theirs)


def vary(said: Sequence[Reply]) -> bool:
    """Whether replies to the same question differ."""
    return len({(one.data, one.error) for one in said}) > 1


def _ungrouped(one: Reply) -> str:
    return _GROUP.sub(r"\1", one.error[1]) if one.error else ""


def first_difference(one: Reply, other: Reply) -> str:
    """Where two replies part, in one line."""
    if (one.status, one.error) != (other.status, other.error):
        return f"expected {one.status} {_said(one)}\n     got {other.status} {_said(other)}"
    theirs, given = _cells(one), _cells(other)
    missing, added = theirs.keys() - given.keys(), given.keys() - theirs.keys()
    if missing or added:
        return f"missing {sorted(missing)[:2]} ({len(missing)}), too much {sorted(added)[:2]}"
    for key, value in theirs.items():
        if given[key] != value:
            return f"at {key}: expected {value}, got {given[key]}"
    if one.annotations != other.annotations:
        gone, new = one.annotations - other.annotations, other.annotations - one.annotations
        return f"annotations missing {sorted(gone)}, too much {sorted(new)}"
    return f"expected {one.data[:300]!r}, got {other.data[:300]!r}"


def _said(one: Reply) -> str:
    return str(one.error) if one.error else one.data[:300].decode(errors="replace")


def _listed(expr: Expr | None, one: Reply) -> Any:
    if one.error is not None:
        return None
    kind, rows = _rows(one)
    if kind != "vector":
        return kind, rows
    # Which of equals comes first is an accident of the sorting; -0 and 0 are equal.
    order = [_comparable(points[0][1]) for _, points in rows] if _orders(expr) else []
    return kind, sorted(rows), order


def _comparable(text: str) -> float | str:
    return text if text == "NaN" else float(text)


def _orders(expr: Expr | None) -> bool:
    """Whether the order of an instant vector's values says something."""
    while isinstance(expr, ParenExpr):
        expr = expr.expr
    if isinstance(expr, AggregateExpr):
        return expr.op in _PICKING and not expr.grouping and not expr.without
    return isinstance(expr, Call) and expr.func in _SORTING


def _rows(one: Reply) -> tuple[str, Rows]:
    data = json.loads(one.data, parse_float=str, parse_int=str)
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        return kind, [("", [(str(result[0]), result[1])])]
    return kind, [(json.dumps(row["metric"]), list(_points(row))) for row in result]


def _points(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("value", "histogram"):
        points = row.get(f"{kind}s", [row[kind]] if kind in row else [])
        for time, value in points:
            yield time, value if kind == "value" else json.dumps(value)


def _cells(one: Reply) -> Cells:
    if one.error is not None:
        return {}
    return {(labels, time): value for labels, points in _rows(one)[1] for time, value in points}


def _near(theirs: Sequence[str], given: str) -> bool:
    if given in theirs:
        return True
    mine, others = numbers_of(given), [numbers_of(one) for one in theirs]
    if mine is None or any(one is None or len(one) != len(mine) for one in others):
        return False
    columns = zip(*(one for one in others if one is not None), strict=True)
    return all(map(_no_further, columns, mine))


def _no_further(numbers: Sequence[float], number: float) -> bool:
    if len(set(numbers)) < 2 or not all(map(math.isfinite, (*numbers, number))):
        return number in numbers
    low, high = min(numbers), max(numbers)
    return low - (high - low) <= number <= high + (high - low)


def numbers_of(text: str) -> list[float] | None:
    """The numbers of a value: one, or those of a histogram; None if it is no value."""
    try:
        held = json.loads(text) if text.startswith("{") else text
        if isinstance(held, str):
            return [float(held)]
        edges = [float(edge) for bucket in held.get("buckets", ()) for edge in bucket]
        return [float(held["count"]), float(held["sum"]), *edges]
    except ValueError:
        return None


def _shown(cells: Cells) -> Mapping[str, list[str]]:
    """The values at each time, whichever series they are of."""
    shown = defaultdict(list)
    for (_, time), value in cells.items():
        shown[time].append(value)
    return {time: sorted(values) for time, values in shown.items()}
