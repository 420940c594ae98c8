"""Stores that hold the same data, as one store: one answers, or each fills the others' gaps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.model.errors import BridgeError
from bridge.model.time import Window
from bridge.storage.fanout import FAILURES, PartialResponse, joined
from bridge.storage.filling import lacked
from bridge.storage.interface import (
    NOTHING,
    Estimate,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.view import View


class ReplicaMode(StrEnum):
    """How replicas are read: one after the other until one answers, or all for each gap."""

    FIRST = "first"
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class ReplicaSettings:
    """A group of stores, by their names in order of preference; times in ms.

    `gap`: a sample of a later replica counts only if no sample of an earlier one is that near.
    `hedge`: how long one replica is waited for before the next is asked too (0: until it fails).
    """

    name: str
    stores: tuple[str, ...]
    mode: ReplicaMode = ReplicaMode.FIRST
    gap: int = 0
    hedge: int = 2000
    partial: PartialResponse = PartialResponse.FAIL


@dataclass(frozen=True, slots=True)
class Replica:
    """One of the stores; `view` tells what it is asked for."""

    querier: Querier
    view: View


@dataclass(frozen=True, slots=True)
class Replicas:
    """A Querier over stores with the same data."""

    replicas: tuple[Replica, ...]
    settings: ReplicaSettings

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """What the replicas hold; raises the first one's error if none answers."""
        asked = [one for one in self.replicas if one.view.concerns(select)]
        window = Window(select.start, select.end)
        whole = [one for one in asked if one.view.covers(window)]
        if not asked:
            return NOTHING
        # What one of them sends is not certain to be in the answer.
        options = replace(options, watch=None)
        if whole and self.settings.mode is ReplicaMode.FIRST:
            return await self._first(whole, select, options)
        return await self._filled(asked, select, options)

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What the replicas would be asked for, as long as none fails."""
        asked = [one for one in self.replicas if one.view.concerns(select)]
        window = Window(select.start, select.end)
        whole = [one for one in asked if one.view.covers(window)]
        if whole and self.settings.mode is ReplicaMode.FIRST:
            asked = whole[:1]
        found = await asyncio.gather(*(estimated(one.querier, select, options) for one in asked))
        return tuple(one for estimates in found for one in estimates)

    async def _first(
        self, replicas: Sequence[Replica], select: Select, options: ReadOptions
    ) -> Selection:
        """The first whole answer, else the first with warnings.

        The next replica is asked when one fails, or lets us wait too long.
        """
        waiting = list(replicas)
        running: list[asyncio.Task[Selection]] = []
        preferred: asyncio.Task[Selection] | None = None
        errors: list[BridgeError] = []
        doubtful: list[Selection] = []
        try:
            while waiting or running:
                if waiting:
                    replica = waiting.pop(0)
                    running.append(asyncio.create_task(replica.querier.select(select, options)))
                    preferred = preferred or running[0]
                for task in await self._ended(running, hedging=bool(waiting)):
                    running.remove(task)
                    try:
                        found = task.result()
                    except FAILURES as error:
                        errors.append(error)
                        continue
                    if not found.warnings:
                        return found if task is preferred else _of_another(found)
                    doubtful.append(found)
            if doubtful:
                return doubtful[0]
            raise errors[0]
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _ended(
        self, running: Sequence[asyncio.Task[Selection]], *, hedging: bool
    ) -> list[asyncio.Task[Selection]]:
        """The reads that are over, in order of preference; none if they take too long."""
        hedge = self.settings.hedge
        timeout = hedge / 1000 if hedging and hedge else None
        done, _ = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return [task for task in running if task in done]

    async def _filled(
        self, replicas: Sequence[Replica], select: Select, options: ReadOptions
    ) -> Selection:
        """All answers; a replica that fails leaves its gaps, with a warning."""
        tasks = [asyncio.create_task(one.querier.select(select, options)) for one in replicas]
        try:
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
        found: list[Selection] = []
        errors: list[BridgeError] = []
        for task in tasks:
            try:
                found.append(task.result())
            except FAILURES as error:
                errors.append(error)
        if not found:
            raise errors[0]
        warnings = tuple(f"{error}; gaps of its replicas may remain" for error in errors)
        return await self._joined([*found, replace(NOTHING, warnings=warnings)], select)

    async def _joined(self, found: Sequence[Selection], select: Select) -> Selection:
        whole = found[0]
        for more in found[1:]:
            block, gap = more.block, self.settings.gap
            if gap and len(whole.block) and len(block):
                block = await asyncio.to_thread(lacked, block, whole.block, gap)
            whole = await joined([whole, replace(more, block=block)], select.purpose)
        if not self.settings.gap:
            return whole
        # At its edges a window does not show what lies near beyond them.
        return replace(whole, provenance=whole.provenance.undivided())


def _of_another(found: Selection) -> Selection:
    """The answer of a replica that was asked in place of one that may answer again later."""
    return replace(found, provenance=found.provenance.unvouched())
