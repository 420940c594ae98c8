"""Many stores as one: who is asked, how the answers become one, and what a failure means."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bridge.model.errors import BridgeError, StoreError, StoreLimit, StoreTimeout
from bridge.model.samples import EMPTY_BLOCK, SeriesBlock
from bridge.storage.allowance import allow
from bridge.storage.interface import (
    NOTHING,
    Estimate,
    Provenance,
    Purpose,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.merge import Rows, merge

# What says that a store failed, rather than that the query asks for too much.
FAILURES: Final = (StoreError, StoreTimeout, StoreLimit)


class PartialResponse(StrEnum):
    """What a store's failure means: the read fails, or goes without it and says so."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Member:
    """One store among several, and what its failure means."""

    querier: Querier
    partial: PartialResponse = PartialResponse.FAIL

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The store's answer; where that is allowed, a warning in place of its failure."""
        try:
            return await self.querier.select(select, options)
        except FAILURES as error:
            if self.partial is PartialResponse.FAIL:
                raise
            return replace(NOTHING, warnings=(lacking(error),))

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What the store would be asked for."""
        return await estimated(self.querier, select, options)


def lacking(error: BridgeError) -> str:
    """The warning of an answer without the data of a store that failed."""
    return f"{error}; the answer lacks its data"


@dataclass(frozen=True, slots=True)
class Fanout:
    """Several stores, asked at the same time.

    Series with the same labels are merged; of samples at the same time the earlier store's stays.
    """

    members: tuple[Member, ...]

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """One answer of all stores; the first failure that counts ends the other reads."""
        if len(self.members) == 1:
            return await self.members[0].select(select, options)
        found = await _all(self.members, select, options)
        allow(sum(selection.block.samples for selection in found), options)
        return await joined(found, select.purpose)

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What each store would be asked for."""
        asked = (member.estimate(select, options) for member in self.members)
        return tuple(one for found in await asyncio.gather(*asked) for one in found)


async def joined(found: Sequence[Selection], purpose: Purpose) -> Selection:
    """Several answers as one; of samples at the same time that of the first stays."""
    return Selection(
        block=await _one([selection.block for selection in found], purpose),
        warnings=tuple(warning for selection in found for warning in selection.warnings),
        received_bytes=sum(selection.received_bytes for selection in found),
        stores=tuple(store for selection in found for store in selection.stores),
        provenance=Provenance.total(selection.provenance for selection in found),
    )


async def _all(members: Sequence[Member], select: Select, options: ReadOptions) -> list[Selection]:
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
    pieces = [piece for block in held for piece in Rows.of(block)]
    keep_empty = purpose is Purpose.SERIES
    return await asyncio.to_thread(merge, pieces, first_wins=True, keep_empty=keep_empty)
