"""Which series of two vectors belong together, and what a pair is called.

Source: VectorBinop and resultMetric in promql/engine.go of Prometheus.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from bridge.kernel import b1_in2, b1_out2, i8_in, i8_out2, kernel
from bridge.model.errors import ExecutionError
from bridge.model.labels import METADATA_LABELS, Grouping, Groups, Labels, LabelTable
from bridge.model.samples import Int64s
from bridge.model.vectors import Bools, Matrix
from bridge.promql.ast import Cardinality, VectorMatching

# How many series two vectors may have for it to be remembered how they match.
_FEW: Final = 1000

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """The match groups of both sides under common numbers: `left` int64 [L], `right` int64 [R]."""

    left: Int64s
    right: Int64s
    labels: tuple[Labels, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Which rows belong together, int64 [P] each, and the pairs' label sets."""

    many: Int64s
    one: Int64s
    labels: LabelTable


def signatures(left: LabelTable, right: LabelTable, matching: VectorMatching) -> Signatures:
    """Numbers the match groups of two sides; remembered if they are small."""
    grouping = Grouping(tuple(sorted(set(matching.labels))), not matching.on)
    # Not while the first table's lock is held: another thread may hold the second one's.
    groups = (left.grouped(grouping), right.grouped(grouping))
    return _remembered(left, right, (Signatures, grouping, right), lambda: _numbered(groups))


def paired(
    many: LabelTable,
    one: LabelTable,
    found: Signatures,
    matching: VectorMatching,
    *,
    drop_name: bool,
) -> Pairs:
    """The pairs that the match groups of two sides make; remembered if they are small."""
    key = (Pairs, matching, drop_name, one)
    return _remembered(
        many, one, key, lambda: _paired(many, one, found, matching, drop_name=drop_name)
    )


def _remembered(
    table: LabelTable, other: LabelTable, key: object, make: Callable[[], _Made]
) -> _Made:
    """What two tables make, kept with the first: a refresh matches the same ones again."""
    return table.remembered(key, make) if len(table) + len(other) <= _FEW else make()


def _paired(
    many: LabelTable,
    one: LabelTable,
    found: Signatures,
    matching: VectorMatching,
    *,
    drop_name: bool,
) -> Pairs:
    many_rows, one_rows = pairs(found.left, found.right)
    labels = LabelTable(
        result_labels(many[row], one[other], matching, drop_name=drop_name)
        for row, other in zip(many_rows.tolist(), one_rows.tolist(), strict=True)
    )
    return Pairs(many_rows, one_rows, labels)


def _numbered(groups: tuple[Groups, Groups]) -> Signatures:
    numbers: dict[Labels, int] = {}
    ids: list[Int64s] = []
    for side in groups:
        common = [numbers.setdefault(labels, len(numbers)) for labels in side.labels]
        ids.append(np.array(common, np.int64)[side.ids])
    return Signatures(ids[0], ids[1], tuple(numbers))


def present_groups(present: Bools, ids: Int64s, groups: int) -> Bools:
    """Whether any row of a group is present at a step; bool [groups, T]."""
    out = np.zeros((groups, present.shape[1]), np.bool_)
    _any_of_group(np.ascontiguousarray(present), ids, out)
    return out


def pairs(many: Int64s, one: Int64s) -> tuple[Int64s, Int64s]:
    """Row numbers of all pairs of one match group, ordered by the `many` side's rows."""
    order = np.argsort(one, kind="stable")
    first = np.searchsorted(one[order], many, "left")
    counts = np.searchsorted(one[order], many, "right") - first
    rows = np.repeat(np.arange(len(many)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[np.repeat(first, counts) + within]


def require_unique_one_side(
    one: Matrix, ids: Int64s, found: Signatures, many_any: Bools, matching: VectorMatching
) -> None:
    """Raises ExecutionError if two series of the one side share a group where it matters.

    It matters at steps at which the other side has anything; `many_any` bool [T].
    """
    if _distinct(ids):
        return
    clash = _first_clash(one.occupied & many_any, ids, len(found.labels))
    if clash is None:
        return
    group = found.labels[ids[clash[0]]]
    names = sorted(metric_text(one.labels[row]) for row in clash)
    side = "left" if matching.card is Cardinality.ONE_TO_MANY else "right"
    raise ExecutionError(
        f"found duplicate series for the match group {metric_text(group)} on the {side} hand-side"
        f" of the operation: [{names[0]}, {names[1]}];many-to-many matching not allowed: matching"
        " labels must be unique on one side"
    )


def require_unique_results(present: Bools, names: npt.NDArray[np.int64], text: str) -> None:
    """Raises ExecutionError if two results of one name are present at the same step."""
    if not _distinct(names) and _first_clash(present, names, int(names.max()) + 1) is not None:
        raise ExecutionError(text)


def _distinct(numbers: Int64s) -> bool:
    """Whether no two of these numbers, which count something from 0 on, are the same."""
    return not len(numbers) or int(np.bincount(numbers).max()) == 1


def result_labels(
    many: Labels, one: Labels, matching: VectorMatching, *, drop_name: bool
) -> Labels:
    """The label set of a pair's result."""
    labels = many.drop(METADATA_LABELS) if drop_name else many
    if matching.card is Cardinality.ONE_TO_ONE:
        named = frozenset(matching.labels)
        labels = labels.keep(named) if matching.on else labels.drop(named)
    for name in matching.include:
        labels = labels.with_label(name, one.get(name))
    return labels


def metric_text(labels: Labels) -> str:
    """A label set as Prometheus writes it in error texts."""
    return repr(labels)


def _first_clash(present: Bools, ids: Int64s, groups: int) -> tuple[int, int] | None:
    """The first two rows, at the earliest step, of one group that are present together."""
    first = np.full((groups, 1), -1, np.int64)
    clash = np.full((1, 3), -1, np.int64)
    _find_clash(np.ascontiguousarray(present), ids, first, clash)
    return None if clash[0, 0] < 0 else (int(clash[0, 0]), int(clash[0, 1]))


@kernel(b1_in2, i8_in, b1_out2)
def _any_of_group(present, ids, out):  # type: ignore[no-untyped-def]
    for row in range(present.shape[0]):
        for step in range(present.shape[1]):
            if present[row, step]:
                out[ids[row], step] = True


@kernel(b1_in2, i8_in, i8_out2, i8_out2)
def _find_clash(present, ids, first, clash):  # type: ignore[no-untyped-def]
    for step in range(present.shape[1]):
        first[:] = -1
        for row in range(present.shape[0]):
            if not present[row, step]:
                continue
            if first[ids[row], 0] >= 0:
                clash[0, 0], clash[0, 1] = first[ids[row], 0], row
                return
            first[ids[row], 0] = row
