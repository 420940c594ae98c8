"""What a result must be like: values, annotations, errors; each check names what is wrong, or None.

Source of the rules: promql/promqltest/test.go and util/almost of Prometheus.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from bridge.engine.query import Result
from bridge.model.histogram import Histogram, Histograms
from bridge.model.histogram_operators import products
from bridge.model.labels import Labels
from bridge.model.samples import STALE_NAN_BITS
from bridge.model.vectors import Matrix, Scalar, String, Windows
from bridge.promql.ast import ValueType
from tests.promqltest.script import Eval, Expectation, Kind
from tests.promqltest.sequence import Gap, Item, Native
from tests.promqltest.shown import Shown

_EPSILON: Final = 1e-6
_SMALLEST: Final = sys.float_info.min

Point = float | Histogram | Shown
Points = dict[int, Point]


class Annotated(Protocol):
    """What has warnings and infos."""

    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def infos(self) -> tuple[str, ...]: ...


def almost_equal(one: float, other: float) -> bool:
    """Equal but for rounding; a staleness marker equals only another, NaN any other NaN."""
    if _is_stale(one) or _is_stale(other):
        return _is_stale(one) and _is_stale(other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    if one == other:
        return True
    total, difference = abs(one) + abs(other), abs(one - other)
    if 0.0 in (one, other) or total < _SMALLEST:
        return difference < _EPSILON * _SMALLEST
    return difference / min(total, sys.float_info.max) < _EPSILON


def _is_stale(value: float) -> bool:
    return int(np.array([value]).view(np.int64)[0]) == STALE_NAN_BITS


def check_error(case: Eval, error: Exception) -> str | None:
    """Whether the query had to fail, and in these words."""
    expected = case.expects(Kind.FAIL)
    if not expected:
        return f"failed: {error}"
    return None if expected[0].matches(str(error)) else f"{expected[0]}\nfailed with: {error}"


def check(case: Eval, result: Result) -> str | None:
    """Whether a result is what the case expects."""
    if case.expects(Kind.FAIL):
        return f"{case.expects(Kind.FAIL)[0]}\ndid not fail: {shown(result)}"
    return check_annotations(case, result) or check_value(case, result)


def check_annotations(case: Eval, result: Annotated) -> str | None:
    """Whether warnings and infos are those expected."""
    return (
        _texts("warning", case.expects(Kind.WARN), result.warnings)
        or _texts("info", case.expects(Kind.INFO), result.infos)
        or _none("warning", case.expects(Kind.NO_WARN), result.warnings)
        or _none("info", case.expects(Kind.NO_INFO), result.infos)
    )


def _texts(kind: str, expected: tuple[Expectation, ...], actual: tuple[str, ...]) -> str | None:
    for one in expected:
        if not any(one.matches(text) for text in actual):
            return f"{one}\n{kind}s: {list(actual)}"
    for text in actual:
        if expected and not any(one.matches(text) for one in expected):
            return f"unexpected {kind}: {text}"
    return None


def _none(kind: str, expected: tuple[Expectation, ...], actual: tuple[str, ...]) -> str | None:
    return f"expect no {kind}\n{kind}s: {list(actual)}" if expected and actual else None


def check_value(case: Eval, result: Result) -> str | None:
    """Whether the value is the one expected."""
    match result.value:
        case String(value=text):
            return None if text == case.string else f"expected {case.string!r}\nactual   {text!r}"
        case Scalar(values=values):
            return check_scalar(case, float(values[0]))
        case _ if case.scalar is not None:
            return f"expected scalar {case.scalar}\nactual   {shown(result)}"
        case _ if result.type is ValueType.VECTOR:
            return check_vector(case, rows(result))
        case _:
            return check_matrix(case, rows(result))


def check_scalar(case: Eval, value: float) -> str | None:
    """Whether a number is the one expected."""
    if case.scalar is None:
        return f"expected {_expected_text(case)}\nactual   scalar {value}"
    same = almost_equal(case.scalar, value)
    return None if same else f"expected scalar {case.scalar}\nactual   scalar {value}"


def check_vector(case: Eval, actual: list[tuple[Labels, Points]]) -> str | None:
    """Whether series and values of one step are those expected; order only if it is asked for."""
    wanted = {one.labels: one.items[0] for one in case.series if one.items}
    found = {labels: next(iter(points.values())) for labels, points in actual}
    good = len(found) == len(actual) and wanted.keys() == found.keys()
    good = good and all(_item_equals(wanted[labels], value) for labels, value in found.items())
    if good and case.expects(Kind.ORDERED):
        good = [one.labels for one in case.series] == [labels for labels, _ in actual]
    return None if good else f"expected {_expected_text(case)}\nactual   {_text(actual)}"


def _item_equals(item: Item | Shown, value: Point) -> bool:
    match item, value:
        case Native(), Histogram():
            return _histograms_equal(item, value)
        case Shown(), Shown():
            return item.exact == value.exact and all(map(almost_equal, item.numbers, value.numbers))
        case float(), float():
            return almost_equal(item, value)
        case _:
            return False


def _histograms_equal(expected: Native, actual: Histogram) -> bool:
    """Equal but for rounding and empty buckets; hints count only if one is expected."""
    one, other = _compacted(expected.value), _compacted(actual)
    exact = ("schema", "zero_threshold", "positive_spans", "negative_spans", "bounds")
    if any(getattr(one, name) != getattr(other, name) for name in exact):
        return False
    if expected.hinted and expected.value.hint != actual.hint:
        return False
    numbers = [(*h.positive, *h.negative, h.count, h.sum, h.zero_count) for h in (one, other)]
    return all(map(almost_equal, *numbers))


def _compacted(one: Histogram) -> Histogram:
    every = np.zeros(1, np.int64)
    table = Histograms.of([one]).arrays
    return Histograms.frozen(products(table, every, np.ones(1), True)).literal(0)


def check_matrix(case: Eval, actual: list[tuple[Labels, Points]]) -> str | None:
    """Whether all series are there, sorted by labels, with the points expected."""
    if case.expects(Kind.ORDERED):
        return "expected an ordered vector, got a matrix"
    order = [labels.pairs for labels, _ in actual]
    if order != sorted(order):
        return f"not sorted by labels: {order}"
    times = case.grid.times().tolist()
    wanted = {
        one.labels: {
            time: item
            for time, item in zip(times, one.items, strict=False)
            if not isinstance(item, Gap)
        }
        for one in case.series
    }
    good = wanted.keys() == dict(actual).keys()
    good = good and all(_same_points(wanted[labels], points) for labels, points in actual)
    return None if good else f"expected {_text(list(wanted.items()))}\nactual   {_text(actual)}"


def _same_points(wanted: Mapping[int, Item], points: Points) -> bool:
    return wanted.keys() == points.keys() and all(
        _item_equals(wanted[time], value) for time, value in points.items()
    )


def rows(result: Result) -> list[tuple[Labels, Points]]:
    """Every series of a result with its points."""
    value = result.value
    if isinstance(value, Windows):
        return [(labels, _window(value, row)) for row, labels in enumerate(value.labels)]
    assert isinstance(value, Matrix)
    times = result.steps.times()
    found: list[tuple[Labels, Points]] = []
    for row, labels in enumerate(value.labels):
        shown = value.present[row]
        points: Points = dict(
            zip(times[shown].tolist(), value.values[row][shown].tolist(), strict=True)
        )
        if value.histograms is not None:
            index = value.histograms.index[row]
            for step in np.flatnonzero(index >= 0).tolist():
                points[int(times[step])] = value.histograms.table.literal(int(index[step]))
        found.append((labels, dict(sorted(points.items()))))
    return found


def _window(value: Windows, row: int) -> Points:
    """The samples of a row of windows of one step."""
    lo, hi = int(value.lo[row, 0]), int(value.hi[row, 0])
    times, values = value.columns.timestamps[lo:hi], value.columns.values[lo:hi]
    points: Points = dict(zip(times.tolist(), values.tolist(), strict=True))
    if value.histograms is not None:
        columns = value.histograms.columns
        for at in range(int(value.histograms.lo[row, 0]), int(value.histograms.hi[row, 0])):
            points[int(columns.timestamps[at])] = columns.table.literal(at)
    return dict(sorted(points.items()))


def shown(result: Result) -> str:
    """A result as a failure's text shows it."""
    if isinstance(result.value, Scalar | String):
        return str(result.value)
    return _text(rows(result))


def _text(series: Sequence[tuple[Labels, Mapping[int, Item | Point]]]) -> str:
    lines = [
        f"  {labels} " + " ".join(f"{value!r}@{time}" for time, value in points.items())
        for labels, points in series
    ]
    return "\n".join(["", *lines]) if lines else "nothing"


def _expected_text(case: Eval) -> str:
    times = case.grid.times().tolist()
    return _text(
        [
            (
                one.labels,
                {t: v for t, v in zip(times, one.items, strict=False) if not isinstance(v, Gap)},
            )
            for one in case.series
        ]
    )
