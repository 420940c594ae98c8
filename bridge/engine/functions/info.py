"""Labels of info metrics, added to the series of the same instance and job.

Source: promql/info.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from bridge.engine.function import VECTOR, CallSite, function
from bridge.engine.merge import merge_equal_labels
from bridge.model.errors import ExecutionError
from bridge.model.labels import METRIC_NAME, Labels, LabelTable, Matcher, MatchType, matches_all
from bridge.model.samples import Int64s
from bridge.model.vectors import Bools, Matrix, Value, Windows
from bridge.promql.ast import AggregateExpr, Call, Expr, SubqueryExpr, VectorSelector, children

_IDENTIFYING: Final = ("instance", "job")
_DEFAULT_NAME: Final = Matcher(METRIC_NAME, MatchType.EQUAL, "target_info")
_ANY_INFO: Final = Matcher(METRIC_NAME, MatchType.REGEXP, ".+_info")
_NEVER: Final = np.iinfo(np.int64).min

# The values of the identifying labels of a series.
_Identity = tuple[str, ...]


def _info_selector(call: Call) -> VectorSelector:
    """What selects the info series: their names and data labels, at the time of the base series.

    Which instances are asked about is known only later: of all others they are too many.
    """
    wanted = cast("VectorSelector", call.args[1]) if len(call.args) > 1 else None
    given = () if wanted is None else wanted.matchers
    names = tuple(matcher for matcher in given if matcher.name == METRIC_NAME)
    if not names:
        names = (_DEFAULT_NAME,)
    elif all(one.type in (MatchType.NOT_EQUAL, MatchType.NOT_REGEXP) for one in names):
        names = (_ANY_INFO, *names)
    data = tuple(matcher for matcher in given if matcher.name != METRIC_NAME)
    offset, timestamp = next(_times(call.args[0]), (0, None))
    return VectorSelector("", (*names, *data), offset=offset, timestamp=timestamp, pos=call.pos)


def _times(expr: Expr) -> Iterator[tuple[int, int | None]]:
    """Of each selector its offset and its `@`, subqueries around it included."""
    if isinstance(expr, VectorSelector):
        yield expr.offset, expr.timestamp
        return
    inner = children(expr)
    for child in reversed(inner) if isinstance(expr, AggregateExpr) else inner:
        for offset, timestamp in _times(child):
            if isinstance(expr, SubqueryExpr) and timestamp is None:
                yield offset + expr.offset, expr.timestamp
            else:
                yield offset, timestamp


@function(
    "info",
    (VECTOR, VECTOR),
    variadic=1,
    experimental=True,
    keeps_name=True,
    labels_argument=1,
    of_labels=_info_selector,
)
def info(site: CallSite, values: tuple[Value, ...]) -> Value:
    base, found = cast("Matrix", values[0]).without_empty_rows(), cast("Windows", values[1])
    matchers = cast("VectorSelector", site.argument(1)).matchers
    names = [matcher for matcher in matchers if matcher.name == METRIC_NAME]
    ignored = [matches_all(names, labels) for labels in base.labels]
    asked = {_identity(base.labels[row]) for row, is_info in enumerate(ignored) if not is_info}
    matters: Bools = np.logical_or.reduce(base.occupied, axis=0)
    data = tuple(matcher for matcher in matchers if matcher.name != METRIC_NAME)
    joined = _Join(base, _newest(found, asked, matters), found.labels, data).result(ignored)
    return merge_equal_labels(joined, by_time=True)


def _identity(labels: Labels) -> _Identity:
    return tuple(labels.get(name) for name in _IDENTIFYING)


def _newest(found: Windows, asked: set[_Identity], matters: Bools) -> dict[_Identity, Int64s]:
    """For each identity the info series in force, one line a metric: rows or -1, int64 [K, T].

    Raises ExecutionError if two of one metric are equally new at a step that `matters` bool [T], or
    one is a histogram there.
    """
    values = [{one[index] for one in asked} - {""} for index in range(len(_IDENTIFYING))]
    in_force: dict[tuple[str, _Identity], _InForce] = {}
    clashes: list[tuple[int, int, int]] = []
    present, native = found.hi > found.lo, found.histograms
    for row, labels in enumerate(found.labels):
        identity = _identity(labels)
        known = (not held or value in held for value, held in zip(identity, values, strict=True))
        if not any(values) or not all(known):
            continue
        if native is not None and ((native.hi[row] > native.lo[row]) & matters).any():
            raise ExecutionError("info sample should be float")
        if not present[row].any():
            continue
        times = np.where(present[row], found.columns.timestamps[found.hi[row] - 1], _NEVER)
        key = (labels.get(METRIC_NAME), identity)
        held = in_force.setdefault(key, _InForce.nothing(len(times)))
        clash = np.flatnonzero((times == held.times) & present[row] & matters)
        clashes += [(step, row, int(held.rows[step])) for step in clash[:1].tolist()]
        held.take(row, times)
    if clashes:
        raise _duplicate(found, *min(clashes))
    lines: dict[_Identity, list[Int64s]] = {}
    for (_, identity), held in in_force.items():
        lines.setdefault(identity, []).append(held.rows)
    return {identity: np.array(rows) for identity, rows in lines.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _InForce:
    """The newest of the series so far at each step: its row or -1, and its sample's time."""

    rows: Int64s
    times: Int64s

    @staticmethod
    def nothing(steps: int) -> "_InForce":
        return _InForce(np.full(steps, -1, np.int64), np.full(steps, _NEVER, np.int64))

    def take(self, row: int, times: Int64s) -> None:
        newer = times > self.times
        self.rows[newer] = row
        self.times[newer] = times[newer]


def _duplicate(found: Windows, step: int, row: int, existing: int) -> ExecutionError:
    time = found.columns.timestamps[found.hi[row, step] - 1]
    return ExecutionError(
        f"found duplicate series for info metric: existing {found.labels[existing]} @ {time},"
        f" new {found.labels[row]} @ {time}"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Join:
    """Base series and the info series in force for them, to be put together."""

    base: Matrix
    in_force: dict[_Identity, Int64s]
    info_labels: LabelTable
    data: tuple[Matcher, ...]

    def result(self, ignored: list[bool]) -> Matrix:
        """Each base row, once for each set of info series that it meets over time."""
        rows: list[int] = []
        labels: list[Labels] = []
        present: list[Bools] = []
        occupied = self.base.occupied
        combinations = {identity: _combined(lines) for identity, lines in self.in_force.items()}
        everywhere = np.ones(self.base.steps, np.bool_)
        for row, plain in enumerate(self.base.labels):
            met = combinations.get(_identity(plain), [((), everywhere)])
            for infos, steps in [((), everywhere)] if ignored[row] else met:
                shown = occupied[row] & steps
                if not shown.any() or not (infos or ignored[row] or self._may_stay_alone()):
                    continue
                rows.append(row)
                labels.append(self._enriched(plain, infos))
                present.append(shown)
        if not rows:
            return Matrix.empty(self.base.steps)
        taken = self.base.take(np.array(rows, np.int64))
        return taken.masked(np.array(present)).relabelled(LabelTable(labels))

    def _may_stay_alone(self) -> bool:
        """Whether a series without info is kept: if every data label may be missing."""
        return all(matcher.matches("") for matcher in self.data)

    def _enriched(self, labels: Labels, infos: tuple[int, ...]) -> Labels:
        """The labels with those of the info series that it lacks; raises ExecutionError."""
        own = {name for name, _ in labels.pairs}
        wanted = {matcher.name for matcher in self.data}
        added: dict[str, str] = {}
        for row in infos:
            for name, value in self.info_labels[row].pairs:
                if name == METRIC_NAME or (wanted and name not in wanted) or name in own:
                    continue
                if added.setdefault(name, value) != value:
                    raise ExecutionError(f"conflicting label: {name}")
        return Labels.of([*labels.pairs, *added.items()]) if added else labels


def _combined(lines: Int64s) -> list[tuple[tuple[int, ...], Bools]]:
    """The sets of rows that are in force together, and at which steps bool [T]."""
    if (lines == lines[:, :1]).all():
        always = np.ones(lines.shape[1], np.bool_)
        return [(tuple(row for row in lines[:, 0].tolist() if row >= 0), always)]
    sets, which = np.unique(lines, axis=1, return_inverse=True)
    which = which.reshape(-1)
    return [
        (tuple(row for row in column if row >= 0), which == number)
        for number, column in enumerate(sets.T.tolist())
    ]
