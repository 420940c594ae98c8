"""Between blocks in memory and a tier that outlives the process: what is left, what is found."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from bridge.cache.blocks import Block
from bridge.cache.intervals import common
from bridge.cache.memory import Held, Memory
from bridge.cache.observed import TierValue
from bridge.cache.policy import Moment
from bridge.cache.stored import FORMAT, Foreign, packed, unpacked
from bridge.cache.tiers import Tier
from bridge.model.time import Window

# A sealed block that has grown by less than this share of its slot is not written anew.
_GROWTH: Final = 8
# What is older than a year is not looked for.
_REACH: Final = 366 * 86_400_000


class _Notes:
    """What was already asked of the tier, and given to it, for one selector; by slot."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.asked: dict[Window, int] = {}
        self.given: dict[Window, Window] = {}


class Beyond:
    """Finds sealed blocks in a tier before a store is asked, and leaves them there."""

    def __init__(self, tier: Tier, memory: Memory) -> None:
        self._tier = tier
        self._memory = memory
        self._notes: WeakKeyDictionary[Held, _Notes] = WeakKeyDictionary()

    async def recall(self, held: Held, missing: Sequence[Window], now: Moment) -> None:
        """Takes into memory what the tier has of these windows."""
        notes = self._notes.setdefault(held, _Notes())
        async with notes.lock:
            slots = [slot for slot in self._slots(held, missing, now) if self._due(held, slot, now)]
            if not slots:
                return
            notes.asked.update(dict.fromkeys(slots, now.steady))
            began = time.perf_counter()
            values = await self._tier.get([place(held, slot) for slot in slots])
            self._memory.observer.tier_asked(self._tier.name, time.perf_counter() - began)
            present = [value for value in values if value is not None]
            for _ in range(len(values) - len(present)):
                self._counted(TierValue.MISS)
            if present:
                blocks = await asyncio.to_thread(self._unpacked, held, present, now)
                inside = [
                    block.within(window)
                    for block in blocks
                    for gap in missing
                    if (window := common(block.window, gap))
                ]
                self._memory.keep(held, inside, again=True)

    async def leave(self, held: Held) -> None:
        """Gives the tier what was sealed since it was last given something."""
        notes, now = self._notes.setdefault(held, _Notes()), self._memory.clock()
        for block in tuple(held.blocks):
            sealed = common(block.window, Window(block.window.start, block.sealed))
            age = block.read.age(now)
            if sealed is None or block.empty or age is None:
                continue
            slot = held.policy.slot(sealed.start, now)
            if _grown(notes.given.get(slot), sealed, slot):
                notes.given[slot] = sealed
                value = await asyncio.to_thread(self._packed, held, block.within(sealed))
                lifetime = held.policy.settings.sealed_ttl - age
                self._tier.put(place(held, slot), value, lifetime)

    async def forget(self, held: Held, window: Window) -> None:
        """Drops what the tier has of a window."""
        now = self._memory.clock()
        self._notes.pop(held, None)
        await self._tier.drop([place(held, slot) for slot in self._every(held, window, now)])

    def _slots(self, held: Held, missing: Sequence[Window], now: Moment) -> Iterator[Window]:
        """The slots of the sealed past in which something lacks."""
        closed = held.policy.closed(now)
        for gap in missing:
            if past := common(gap, Window(gap.start, closed)):
                yield from self._every(held, past, now)

    def _every(self, held: Held, window: Window, now: Moment) -> Iterator[Window]:
        at = max(window.start, now.wall - _REACH)
        while at <= window.end:
            slot = held.policy.slot(at, now)
            yield slot
            at = slot.end + 1

    def _due(self, held: Held, slot: Window, now: Moment) -> bool:
        """Whether a slot was not asked for lately."""
        asked = self._notes[held].asked.get(slot)
        return asked is None or now.steady - asked > held.policy.settings.young_ttl

    def _unpacked(self, held: Held, values: Sequence[bytes], now: Moment) -> list[Block]:
        blocks = []
        for value in values:
            try:
                block = unpacked(value, held.key, held.names, held.policy, now)
            except Foreign:
                self._counted(TierValue.FOREIGN)
            else:
                self._counted(TierValue.HIT)
                blocks.append(block)
        return blocks

    def _counted(self, what: TierValue) -> None:
        self._memory.observer.tier_value(self._tier.name, what)

    def _packed(self, held: Held, block: Block) -> bytes:
        return packed(block, held.key, held.names.labels(block.names))


def _grown(given: Window | None, sealed: Window, slot: Window) -> bool:
    """Whether to write a slot's value again."""
    if given is None:
        return True
    more = (sealed.end - sealed.start) - (given.end - given.start)
    return more * _GROWTH >= slot.end - slot.start


def place(held: Held, slot: Window) -> str:
    """Where the value of a selector's slot stands, whoever writes it."""
    return json.dumps([FORMAT, *held.key.document(), slot.start, slot.end])
