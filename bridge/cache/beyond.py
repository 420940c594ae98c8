"""Between blocks in memory and a tier that outlives the process: what is left, what is found."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from bridge.cache.blocks import Block
from bridge.cache.foreign import Foreign
from bridge.cache.intervals import common, without
from bridge.cache.keys import Place
from bridge.cache.memory import Held, Memory
from bridge.cache.observed import TierValue
from bridge.cache.policy import Moment
from bridge.cache.purges import Purges
from bridge.cache.stored import address, packed, unpacked
from bridge.cache.tiers import Tier
from bridge.model.time import Window

# A sealed block that has grown by less than this share of its slot is not written anew.
_GROWTH: Final = 8
# What is older than a year is not looked for.
_REACH: Final = 366 * 86_400_000


class _Notes:
    """What was already asked of the tier, and given to it, for one selector; by place."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.asked: dict[Place, int] = {}
        self.given: dict[Place, Window] = {}


class Beyond:
    """Finds sealed blocks in a tier before a store is asked, and leaves them there."""

    def __init__(self, tier: Tier, memory: Memory, purges: Purges) -> None:
        self._tier = tier
        self._memory = memory
        self._purges = purges
        self._notes: WeakKeyDictionary[Held, _Notes] = WeakKeyDictionary()

    async def recall(self, held: Held, missing: Sequence[Window], now: Moment) -> None:
        """Takes into memory what the tier has of these windows."""
        if not self._purges.knows(self._tier):
            return
        notes = self._notes.setdefault(held, _Notes())
        async with notes.lock:
            places = [self._place(held, slot) for slot in self._slots(held, missing, now)]
            places = [place for place in places if self._due(notes, place, now)]
            if not places:
                return
            notes.asked.update(dict.fromkeys(places, now.steady))
            values = await self._asked([address(place) for place in places])
            present = [(at, one) for at, one in zip(places, values, strict=True) if one is not None]
            if present:
                blocks = await asyncio.to_thread(self._unpacked, held, present, now)
                inside = [
                    block.within(window)
                    for place, block in blocks
                    # What was purged meanwhile is not at this place any more.
                    if place == self._place(held, place.slot)
                    for gap in missing
                    for window in _older(held, block, gap)
                ]
                self._memory.keep(held, inside, again=True)

    async def leave(self, held: Held) -> None:
        """Gives the tier what was sealed since it was last given something."""
        notes, now = self._notes.setdefault(held, _Notes()), self._memory.clock()
        for block in tuple(held.blocks):
            closed = held.policy.sealed(block, now)
            sealed = common(block.window, Window(block.window.start, closed))
            age = block.read.age(now)
            # Samples may be purged while those before them are written.
            if sealed is None or block.empty or age is None or block not in held.blocks:
                continue
            place = self._place(held, held.policy.slot(sealed.start, now))
            if _grown(notes.given.get(place), sealed, place.slot):
                notes.given[place] = sealed
                value = await asyncio.to_thread(self._packed, held, block.within(sealed), place)
                lifetime = held.policy.settings.sealed_ttl - age
                if value is not None:
                    self._tier.put(address(place), value, lifetime)

    def forsaken(self, held: Held, window: Window) -> list[str]:
        """The addresses of what the tier was given, or asked, of a window; no more used then."""
        notes = self._notes.pop(held, None) or _Notes()
        places = dict.fromkeys([*notes.given, *notes.asked])
        return [address(place) for place in places if common(place.slot, window)]

    async def drop(self, addresses: Sequence[str]) -> None:
        """Has the tier delete values."""
        await self._tier.drop(addresses)

    async def _asked(self, addresses: Sequence[str]) -> list[bytes | None]:
        observer, began = self._memory.observer, time.perf_counter()
        values = await self._tier.get(addresses)
        observer.tier_asked(self._tier.name, time.perf_counter() - began)
        for _ in range(values.count(None)):
            observer.tier_value(self._tier.name, TierValue.MISS)
        return values

    def _place(self, held: Held, slot: Window) -> Place:
        return Place(held.key, slot, self._purges.concerning(held.key, slot))

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

    def _due(self, notes: _Notes, place: Place, now: Moment) -> bool:
        """Whether a place was not asked for lately."""
        asked = notes.asked.get(place)
        return asked is None or now.steady - asked > self._memory.settings.young_ttl

    def _unpacked(
        self, held: Held, values: Sequence[tuple[Place, bytes]], now: Moment
    ) -> list[tuple[Place, Block]]:
        blocks = []
        for place, value in values:
            try:
                block = unpacked(value, place, held.names, held.policy, now)
            except Foreign:
                self._counted(TierValue.FOREIGN)
            else:
                self._counted(TierValue.HIT)
                blocks.append((place, block))
        return blocks

    def _counted(self, what: TierValue) -> None:
        self._memory.observer.tier_value(self._tier.name, what)

    def _packed(self, held: Held, block: Block, place: Place) -> bytes | None:
        return packed(block, place, held.names.labels(block.names), held.policy)


def _older(held: Held, found: Block, gap: Window) -> Iterator[Window]:
    """The parts of a gap for which a block that was found knows more than what is held by now."""
    inside = common(found.window, gap)
    if inside is not None:
        newer = (one.window for one in held.overlapping(inside) if one.read.wall >= found.read.wall)
        yield from without(inside, newer)


def _grown(given: Window | None, sealed: Window, slot: Window) -> bool:
    """Whether to write a slot's value again."""
    if given is None:
        return True
    more = (sealed.end - sealed.start) - (given.end - given.start)
    return more * _GROWTH >= slot.end - slot.start
