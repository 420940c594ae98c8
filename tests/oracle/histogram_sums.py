"""Why sums of native histograms have other last digits since Prometheus 3.10: shown by adding up.

The summands are what the older server itself answers. Added plainly, in their order, they must give
its sum, and by Neumaier's algorithm the newer one, to the last digit; else the reason is another.

Source: Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, 1974.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bridge.engine.functions import signatures
from bridge.promql.ast import AggregateExpr, Call, Expr
from bridge.promql.parser import parse
from bridge.promql.printer import to_text

Answer = Any  # the `data` of an answer to `query_range`
Ask = Callable[[str], Answer]
Place = tuple[Any, ...]  # a bucket's rule and bounds; or "count", "sum"
Numbers = Mapping[Place, float]  # a histogram
Sums = Mapping[float, Numbers]  # by time

_PARTS: Final = {"histogram_count": ("count",), "histogram_sum": ("sum",)}


def explained(text: str, theirs: Ask, ours: Ask) -> bool:
    """Whether rounding alone makes two range queries' answers differ.

    `text` must be a `sum` of native histograms over all series, or the count or sum of one.
    """
    expr, part = _without_part(parse(text, signatures()))
    if not isinstance(expr, AggregateExpr) or expr.op != "sum" or expr.grouping or expr.without:
        return False
    summands = _summands(theirs(to_text(expr.expr)))
    plain, exact = (
        {time: _summed(those, add) for time, those in summands.items()}
        for add in (_added_plainly, _added_by_neumaier)
    )
    said = [_sums(ask(text), part) for ask in (theirs, ours)]
    return bool(summands) and said == [_only(part, plain), _only(part, exact)]


def _without_part(expr: Expr) -> tuple[Expr, Place | None]:
    if isinstance(expr, Call) and expr.func in _PARTS:
        return expr.args[0], _PARTS[expr.func]
    return expr, None


def _summands(answer: Answer) -> Mapping[float, list[Numbers]]:
    """The histograms of each time, in the order of their series; none if there are floats too."""
    found: dict[float, list[Numbers]] = {}
    for row in answer["result"]:
        if "values" in row:
            return {}
        for time, one in row["histograms"]:
            found.setdefault(time, []).append(_numbers(one))
    return found


def _sums(answer: Answer, part: Place | None) -> Sums:
    """The one series of a sum, by time; with a `part` the answer is of floats."""
    (row,) = answer["result"]
    if part is None:
        return {time: _numbers(one) for time, one in row.get("histograms", ())}
    return {time: {part: float(one)} for time, one in row.get("values", ())}


def _numbers(one: Mapping[str, Any]) -> Numbers:
    buckets = {(rule, *bounds): float(count) for rule, *bounds, count in one.get("buckets", ())}
    return {("count",): float(one["count"]), ("sum",): float(one["sum"]), **buckets}


def _summed(those: Iterable[Numbers], add: Callable[[Iterable[float]], float]) -> Numbers:
    columns: dict[Place, list[float]] = {}
    for one in those:
        for place, number in one.items():
            columns.setdefault(place, []).append(number)
    return {place: add(column) for place, column in columns.items()}


def _only(part: Place | None, sums: Sums) -> Sums:
    if part is None:
        return sums
    return {time: {part: numbers[part]} for time, numbers in sums.items()}


def _added_plainly(numbers: Iterable[float]) -> float:
    total = 0.0
    for number in numbers:
        total += number
    return total


def _added_by_neumaier(numbers: Iterable[float]) -> float:
    total = lost = 0.0
    for number in numbers:
        new = total + number
        lost += (total - new) + number if abs(total) >= abs(number) else (number - new) + total
        total = new
    return total + lost
