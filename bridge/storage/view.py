"""One store as queries see it: when it is asked, for which times, which labels its series bear."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from bridge.model.labels import Labels, LabelTable, Matcher, MatchType, matches_all
from bridge.model.samples import SeriesBlock
from bridge.model.time import Bound, Window
from bridge.storage.interface import (
    NOTHING,
    Estimate,
    Purpose,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.merge import Rows, merge
from bridge.storage.warranty import NOTHING_STANDS, WHOLE, Warranty

Pairs = tuple[tuple[str, str], ...]


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class View:
    """A Querier around a store.

    The store is asked only if each pair of `required_matchers` is an equality matcher of the
    select, and only for times from `oldest` to `newest`. Each pair of `external_labels` that the
    select has no matcher for is asked for as well, and its label taken off the answer; give them
    only where `filter_external_labels` is set.

    Every series gets `labels` in place of its own of these names, and loses those in `dropped`; so
    matchers on them are decided here. Series that become the same are merged, the first's sample
    staying where two have the same time. `now` is the clock in ms.

    Every select is narrowed by `enforced`, as if its matchers stood in it: who reads through this
    view sees no other series.
    """

    querier: Querier
    required_matchers: Pairs = ()
    external_labels: Pairs = ()
    labels: Pairs = ()
    dropped: frozenset[str] = frozenset()
    oldest: Bound | None = None
    newest: Bound | None = None
    enforced: tuple[Matcher, ...] = ()
    now: Callable[[], int] = field(default=_now, compare=False)
    _open: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        narrows = (
            self.required_matchers,
            self.external_labels,
            self.labels,
            self.dropped,
            self.oldest,
            self.newest,
            self.enforced,
        )
        object.__setattr__(self, "_open", not any(narrows))

    def concerns(self, select: Select) -> bool:
        """Whether the store is to be asked."""
        window = self.within(Window(select.start, select.end))
        wanted = self._wanted(select)
        return (
            window.start <= window.end
            and all(one in wanted for one in self.required)
            and all(one.matches(self.fixed[one.name]) for one in wanted if one.name in self.fixed)
        )

    def covers(self, window: Window) -> bool:
        """Whether the store may have data of the whole window."""
        return self.within(window) == window

    def within(self, window: Window) -> Window:
        """The part of a window that the store is asked for; its end is before its start if none."""
        now = self.now() if self.oldest or self.newest else 0
        start = max(window.start, self.oldest.at(now)) if self.oldest else window.start
        end = min(window.end, self.newest.at(now)) if self.newest else window.end
        return Window(start, end)

    @property
    def required(self) -> tuple[Matcher, ...]:
        """The matchers without which the store is not asked."""
        pairs = self.required_matchers
        return tuple(Matcher(name, MatchType.EQUAL, value) for name, value in pairs)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The store's answer; an empty one without asking if the select does not concern it."""
        if self._open and select.start <= select.end:
            # The store as it is: nothing to decide.
            return await self.querier.select(select, options)
        if not self.concerns(select):
            return self._vouched(NOTHING, select)
        asked = self._asked(select)
        if self.fixed:
            # Series may become the same.
            options = replace(options, watch=None)
        selection = self._vouched(await self.querier.select(asked, options), select)
        gone = self.dropped | {matcher.name for matcher in self._added(select)}
        if not (gone or self.labels) or not len(selection.block):
            return selection
        block = await asyncio.to_thread(self._relabelled, selection.block, gone, select.purpose)
        return replace(selection, block=block)

    def _vouched(self, selection: Selection, select: Select) -> Selection:
        """An answer that is the same only while the store is asked for the same times."""
        if not (self.oldest or self.newest):
            return selection
        asked = Window(select.start, select.end)
        unmoved = _Unmoved(self, asked, self.within(asked))
        return replace(selection, provenance=selection.provenance.vouched(unmoved))

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What the store would be asked for; nothing if the select does not concern it."""
        if not self.concerns(select):
            return ()
        return await estimated(self.querier, self._asked(select), options)

    def _asked(self, select: Select) -> Select:
        """What the store is asked for."""
        window = self.within(Window(select.start, select.end))
        return Select(self.sent(select), window.start, window.end, select.purpose)

    @property
    def plain(self) -> bool:
        """Whether the store's series are shown as they are."""
        return not (self.fixed or self.external_labels)

    def sent(self, select: Select) -> tuple[Matcher, ...]:
        """The matchers that the store is sent."""
        fixed = self.fixed
        kept = tuple(one for one in self._wanted(select) if one.name not in fixed)
        return kept + self._added(select)

    def shows(self, labels: Labels) -> bool:
        """Whether a series, as queries see it, may be seen through this view."""
        return matches_all(self.enforced, labels)

    def _wanted(self, select: Select) -> tuple[Matcher, ...]:
        """The matchers of a select, and those that are enforced."""
        if not self.enforced:
            return select.matchers
        return tuple(dict.fromkeys((*select.matchers, *self.enforced)))

    def relabelled(self, labels: Labels) -> Labels:
        """A series' labels as queries see them, but for external labels."""
        rest = labels.drop(frozenset(self.fixed))
        return Labels.of((*rest.pairs, *self.labels)) if self.labels else rest

    def _added(self, select: Select) -> tuple[Matcher, ...]:
        named = {matcher.name for matcher in self._wanted(select)}
        return tuple(
            Matcher(name, MatchType.EQUAL, value)
            for name, value in self.external_labels
            if name not in named
        )

    @property
    def fixed(self) -> dict[str, str]:
        """The labels of which every series has the same value, empty if it has none."""
        return dict.fromkeys(self.dropped, "") | dict(self.labels)

    def _relabelled(
        self, block: SeriesBlock, gone: frozenset[str], purpose: Purpose
    ) -> SeriesBlock:
        replaced = gone | {name for name, _ in self.labels}

        def change(labels: Labels) -> Labels:
            rest = labels.drop(replaced)
            return Labels.of((*rest.pairs, *self.labels)) if self.labels else rest

        table = block.labels.mapped((self.labels, replaced), change)
        if table.remembered("rising", lambda: _rising(table)):
            return SeriesBlock(table, block.parts)
        named = SeriesBlock(table, block.parts)
        keep_empty = purpose is Purpose.SERIES
        return merge(Rows.of(named), first_wins=True, keep_empty=keep_empty)


@dataclass(frozen=True, slots=True)
class _Unmoved:
    """Vouches as long as of a window the store is asked for the same part."""

    view: View
    window: Window
    part: Window

    @property
    def complete(self) -> bool:
        return True

    async def reach(self, _since: int) -> int:
        return WHOLE if self.view.within(self.window) == self.part else NOTHING_STANDS

    def joined(self, later: Warranty, _since: int, _until: int) -> Warranty | None:
        """For two windows that the store is asked for as they are, one over both."""
        if not isinstance(later, _Unmoved) or later.view is not self.view:
            return None
        if self.part != self.window or later.part != later.window:
            return None
        both = self.window.union(later.window)
        return _Unmoved(self.view, both, both)


def _rising(table: LabelTable) -> bool:
    return all(left.pairs < right.pairs for left, right in pairwise(table))
