"""The values of a range query at steps in a row, kept for when its window moves on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from cachetools import LRUCache

from bridge.engine.met import Met
from bridge.engine.plan import Plan
from bridge.engine.query import Query, Result
from bridge.model.annotations import Annotation, Annotations
from bridge.model.labels import METADATA_LABELS, METRIC_NAME, Labels, LabelTable
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.storage.interface import Select, Selection
from bridge.storage.warranty import Warranties, joined, reach

# No stretch may take more than this share of all, nor hang on more pieces than these.
_SHARE: Final = 16
_LINKS: Final = 8
# So many queries are known to have been asked before, or half as many.
_MET: Final = 10_000
# What Python needs for the objects of a stretch, and of each of its rows, about, bytes.
_OVERHEAD: Final = 4000
_ROW: Final = 200
# What it is to know a row of a value on the way.
_NAME: Final = 8

_TYPE: Final = METADATA_LABELS - {METRIC_NAME}


@dataclass(frozen=True, slots=True)
class Place:
    """What tells a query's stretches from others': all that decides a step's value, but its time.

    `phase` is how far the steps lie off the multiples of their `interval`; ms, as `lookback` is.
    """

    text: str
    interval: int
    phase: int
    lookback: int

    @staticmethod
    def of(query: Query) -> "Place":
        """That of a query."""
        interval, phase = query.steps.interval, query.steps.start % query.steps.interval
        return Place(query.text, interval, phase, query.lookback)


@dataclass(frozen=True, slots=True)
class Pledge:
    """What vouches for a read that goes from `back` before the first step to `lead` after the last.

    Both are ms.
    """

    select: Select
    back: int
    lead: int
    warranties: Warranties

    def like(self, other: "Pledge") -> bool:
        """Whether both are of the same read, at other steps."""
        same = self.select.matchers == other.select.matchers
        return same and (self.back, self.lead) == (other.back, other.lead)


@dataclass(frozen=True, slots=True)
class Link:
    """Steps up to `until` (ms) whose reads are vouched for together."""

    until: int
    pledges: tuple[Pledge, ...]

    async def reach(self, first: int) -> int:
        """The last time, ms, of a step from `first` on for which every read stands."""
        least = self.until
        for one in self.pledges:
            least = min(least, await reach(one.warranties, first - one.back) - one.lead)
        return least

    def joined(self, later: "Link", first: int) -> "Link | None":
        """One for the steps of both, from `first` on; None if nothing vouches for both."""
        pairs = list(zip(self.pledges, later.pledges, strict=False))
        if len(self.pledges) != len(later.pledges) or not all(a.like(b) for a, b in pairs):
            return None
        found = [
            joined(a.warranties, b.warranties, first - a.back, self.until + a.lead)
            for a, b in pairs
        ]
        kept = [one for one in found if one is not None]
        if len(kept) < len(found):
            return None
        pledges = zip(later.pledges, kept, strict=True)
        return Link(later.until, tuple(replace(one, warranties=held) for one, held in pledges))


def linked(planned: Plan, steps: Steps, answers: Sequence[Selection]) -> Link | None:
    """What vouches for a plan's reads at these steps; None if nothing does for one of them.

    Nor where series have a type or a unit as labels: these go with the name, so that rows may come
    to have the same labels.
    """
    vouched = [one.provenance.warranties for one in answers]
    known = [one for one in vouched if one is not None]
    typed = any(_typed(one.block.labels) for one in answers)
    if typed or len(known) < len(vouched) or any(one.warnings for one in answers):
        return None
    pledges = (
        Pledge(select, steps.start - select.start, select.end - steps.last, held)
        for select, held in zip(planned.selects, known, strict=True)
    )
    return Link(steps.last, tuple(pledges))


def _typed(table: LabelTable) -> bool:
    return table.remembered("typed", lambda: any(map(_has_type, table)))


def _has_type(labels: Labels) -> bool:
    return any(name in _TYPE for name, _ in labels.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A query's values at `steps`, what there was to remark on them, and what vouches for them.

    The `matrix` has rows in label order and no histograms; `links` are in order of time. `rows` are
    those of every value on the way, if the steps are separable only where these are alike.
    """

    steps: Steps
    matrix: Matrix
    remarks: tuple[Annotation, ...]
    links: tuple[Link, ...]
    rows: tuple[LabelTable, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        arrays = self.matrix.values.nbytes + self.matrix.present.nbytes
        rows = _ROW * len(self.matrix) + _NAME * sum(map(len, self.rows))
        return arrays + rows + _OVERHEAD * len(self.links)

    @property
    def warranties(self) -> Warranties | None:
        """What vouches for all values; None if not one thing does."""
        if len(self.links) != 1:
            return None
        return tuple(one for pledge in self.links[0].pledges for one in pledge.warranties)

    async def known(self, steps: Steps) -> int:
        """How many of these steps, from the first on, have the values that they would have now.

        If there was something to remark the last one is left: it tells whether there is still. So
        it is if rows count: those of a part that was never evaluated by itself may be fewer.
        """
        if steps.start < self.steps.start:
            return 0
        most = steps.last - steps.interval if self.remarks or self.rows else steps.last
        last = min(await self._reach(steps.start), most)
        return max((last - steps.start) // steps.interval + 1, 0)

    async def _reach(self, first: int) -> int:
        for link in self.links:
            if link.until >= first and (found := await link.reach(first)) < link.until:
                return found
        return self.steps.last

    def first(self, steps: Steps, count: int) -> "Stretch":
        """Of these steps the first ones, which are among its own."""
        at = (steps.start - self.steps.start) // steps.interval
        cut, held = slice(at, at + count), self.matrix
        matrix = Matrix(held.labels, held.values[:, cut], held.present[:, cut])
        known = Steps(steps.start, steps.start + (count - 1) * steps.interval, steps.interval)
        links = tuple(self._cut(known))
        return Stretch(known, matrix.without_empty_rows(), self.remarks, links, self.rows)

    def like(self, other: "Stretch") -> bool:
        """Whether there was the same to remark, and rows that count are the same."""
        pairs = zip(self.rows, other.rows, strict=False)
        alike = len(self.rows) == len(other.rows) and all(a.rows == b.rows for a, b in pairs)
        return alike and self.remarks == other.remarks

    def behind(self, steps: Steps) -> Steps:
        """Those of these steps that are behind its own."""
        return Steps(self.steps.last + steps.interval, steps.last, steps.interval)

    def _cut(self, steps: Steps) -> list[Link]:
        """The links of these steps."""
        links: list[Link] = []
        for link in self.links:
            if link.until >= steps.start:
                links.append(replace(link, until=min(link.until, steps.last)))
            if link.until >= steps.last:
                break
        return links

    def followed_by(self, more: "Stretch") -> "Stretch":
        """This one and the steps behind it."""
        steps = Steps(self.steps.start, more.steps.last, self.steps.interval)
        *links, last = self.links
        (link,) = more.links
        both = last.joined(link, steps.start)
        links += [last, link] if both is None else [both]
        matrix = _beside(self.matrix, more.matrix)
        return Stretch(steps, matrix, self.remarks, tuple(links), self.rows)


def stretch_of(
    result: Result, annotations: Annotations, link: Link | None, rows: tuple[LabelTable, ...]
) -> Stretch | None:
    """What is kept of a result; None if it cannot be continued.

    Remarks that tell how often there was a reason are about all steps together.
    """
    value, remarks = result.value, tuple(annotations)
    counted = any(one.detail is not None for one in remarks)
    if link is None or counted or not isinstance(value, Matrix) or value.histograms is not None:
        return None
    return Stretch(result.steps, value, remarks, (link,), rows)


def _beside(left: Matrix, right: Matrix) -> Matrix:
    """The steps of both, one behind the other; rows in label order."""
    if left.labels.rows == right.labels.rows:
        values = np.concatenate((left.values, right.values), axis=1)
        return Matrix(left.labels, values, np.concatenate((left.present, right.present), axis=1))
    labels = left.labels
    if not _places(labels).keys() >= set(right.labels.rows):
        labels = LabelTable(sorted({*labels.rows, *right.labels.rows}))
    places = _places(labels)
    values = np.empty((len(labels), left.steps + right.steps))
    present = np.zeros(values.shape, np.bool_)
    for one, cut in ((left, slice(None, left.steps)), (right, slice(left.steps, None))):
        same = one.labels is labels
        rows = slice(None) if same else [places[row] for row in one.labels.rows]
        values[rows, cut], present[rows, cut] = one.values, one.present
    return Matrix(labels, values, present)


def _places(labels: LabelTable) -> dict[Labels, int]:
    """Where each label set stands."""
    return labels.remembered("places", lambda: {row: at for at, row in enumerate(labels.rows)})


def _nbytes(stretch: Stretch) -> int:
    return stretch.nbytes


class StretchShelf:
    """The stretches of the queries asked last, whosever they are, within so many bytes.

    `met` are marks of queries that were asked; of one thread.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held: LRUCache[tuple[object, Place], Stretch] = LRUCache(max_bytes, _nbytes)
        self.met = Met(_MET)

    def __len__(self) -> int:
        return len(self.held)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return int(self.held.currsize)


class Stretches:
    """The stretches on a shelf that are of one Querier.

    A query is kept from the second time on: of one that nobody repeats there is nothing to be
    continued.
    """

    def __init__(self, shelf: StretchShelf) -> None:
        self.shelf = shelf
        self._owner = object()

    def apart(self) -> "Stretches":
        """Those over another Querier."""
        return Stretches(self.shelf)

    def expect(self, place: Place) -> bool:
        """Notes that a query is asked; whether it was before."""
        return self.shelf.met.again(hash((self._owner, place)))

    def find(self, place: Place) -> Stretch | None:
        """What is known of a query's steps."""
        return self.shelf.held.get((self._owner, place))

    def keep(self, place: Place, stretch: Stretch) -> None:
        """Keeps what was found out last of a query, unless it is too large."""
        if stretch.nbytes <= self.shelf.max_bytes // _SHARE and len(stretch.links) <= _LINKS:
            self.shelf.held[self._owner, place] = stretch
        else:
            self.shelf.held.pop((self._owner, place), None)
