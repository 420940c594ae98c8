"""Many stores as one: who is asked, what of, and how the answers become one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.model.errors import BridgeError
from bridge.model.labels import Matcher, MatchType
from bridge.model.samples import EMPTY_BLOCK, SeriesBlock
from bridge.storage.allowance import allow
from bridge.storage.interface import Provenance, Purpose, Querier, ReadOptions, Select, Selection
from bridge.storage.merge import Rows, merge

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One store among several.

    It is asked only if each pair of `required_matchers` is an equality matcher of the select. Each
    pair of `external_labels` that the select has no matcher for is asked for as well, and its label
    taken off the answer; give them only where `filter_external_labels` is set.
    """

    querier: Querier
    required_matchers: Pairs = ()
    external_labels: Pairs = ()

    def concerns(self, select: Select) -> bool:
        """Whether this store is to be asked."""
        return all(
            Matcher(name, MatchType.EQUAL, value) in select.matchers
            for name, value in self.required_matchers
        )

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The store's answer, without the external labels that were asked for on top."""
        named = {matcher.name for matcher in select.matchers}
        added = tuple(
            Matcher(name, MatchType.EQUAL, value)
            for name, value in self.external_labels
            if name not in named
        )
        if not added:
            return await self.querier.select(select, options)
        asked = replace(select, matchers=select.matchers + added)
        selection = await self.querier.select(asked, options)
        names = frozenset(matcher.name for matcher in added)
        pieces = [
            replace(piece, labels=tuple(labels.drop(names) for labels in piece.labels))
            for piece in Rows.of(selection.block)
        ]
        return replace(selection, block=await _merged(pieces, select.purpose))


@dataclass(frozen=True, slots=True)
class Fanout:
    """Several stores, asked at the same time; if one fails, the read fails.

    Series with the same labels are merged; of samples at the same time the earlier store's stays.
    """

    members: tuple[Member, ...]

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """One answer of all stores that the select concerns."""
        asked = [member for member in self.members if member.concerns(select)]
        if len(asked) == 1:
            return await asked[0].select(select, options)
        found = await _all(asked, select, options)
        allow(sum(selection.block.samples for selection in found), options)
        return Selection(
            block=await _one([selection.block for selection in found], select.purpose),
            warnings=tuple(warning for selection in found for warning in selection.warnings),
            received_bytes=sum(selection.received_bytes for selection in found),
            stores=tuple(store for selection in found for store in selection.stores),
            provenance=Provenance.total(selection.provenance for selection in found),
        )


async def _all(members: Sequence[Member], select: Select, options: ReadOptions) -> list[Selection]:
    """All answers; the first failure cancels the other reads and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(member.select(select, options)) for member in members]
    except ExceptionGroup as failures:
        causes = failures.exceptions
        known = next((error for error in causes if isinstance(error, BridgeError)), causes[0])
        raise known from None
    return [task.result() for task in tasks]


async def _one(blocks: Sequence[SeriesBlock], purpose: Purpose) -> SeriesBlock:
    held = [block for block in blocks if len(block)]
    if len(held) <= 1:
        return held[0] if held else EMPTY_BLOCK
    return await _merged([piece for block in held for piece in Rows.of(block)], purpose)


async def _merged(pieces: Sequence[Rows], purpose: Purpose) -> SeriesBlock:
    keep_empty = purpose is Purpose.SERIES
    return await asyncio.to_thread(merge, pieces, first_wins=True, keep_empty=keep_empty)
