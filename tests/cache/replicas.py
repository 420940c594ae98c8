"""Processes of their own before the same store, which share a tier."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bridge.cache.beyond import Beyond
from bridge.cache.disk import DiskTier
from bridge.cache.memory import Memory
from bridge.cache.purges import Purges
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.cache.tiers import Tier
from bridge.storage.interface import Querier, Select
from tests.cache.asking import PLAIN, World, last
from tests.cache.conftest import PATIENCE
from tests.cache.world import HOUR, START, Clock, Noted, contents

OLD = last(3 * HOUR, START - 2 * HOUR)


class Process:
    """A cache over a memory of its own, which lives until it is closed; time passes by `clock`."""

    def __init__(
        self, querier: Querier, clock: Clock, settings: CacheSettings, tier: Tier | None
    ) -> None:
        self.clock = clock
        self.tiers = [] if tier is None else [tier]
        self.memory = Memory(settings, clock)
        self.purges = Purges(self.tiers, clock, wait=self._wait)
        beyond = [Beyond(one, self.memory, self.purges) for one in self.tiers]
        self.cache = SampleCache(querier, self.memory, "store", beyond=beyond, purges=self.purges)

    async def _wait(self, seconds: float) -> None:
        self.clock.advance(round(seconds * 1000))

    async def aclose(self) -> None:
        await self.cache.aclose()
        await self.purges.aclose()
        for tier in self.tiers:
            await tier.aclose()


class Replica:
    """A process of its own before the same store and the same tier."""

    def __init__(self, world: World, tier: Tier) -> None:
        self.world = world
        self.tier = tier
        self.noted = Noted()
        self.memory = Memory(CacheSettings(), world.clock, self.noted)
        self.waits: list[float] = []
        self.purges = Purges([tier], world.clock, wait=self._wait)
        self.beyond = Beyond(tier, self.memory, self.purges)
        self.cache = SampleCache(
            world.store, self.memory, "logged", beyond=[self.beyond], purges=self.purges
        )

    async def _wait(self, seconds: float) -> None:
        """Time passes for all replicas."""
        self.waits.append(seconds)
        self.world.clock.advance(round(seconds * 1000))

    async def right(self, select: Select = OLD) -> int:
        """Asks for what is old, compares with the truth, and says how many reads it took."""
        before = len(self.world.store.asked)
        selection = await self.cache.select(select, PLAIN)
        await self.cache.settled()
        await self.tier.settled()
        assert contents(selection.block) == self.world.store.truth(select)
        return len(self.world.store.asked) - before

    async def aclose(self) -> None:
        await self.cache.aclose()
        await self.purges.aclose()
        await self.tier.aclose()


async def remembered(world: World, tier: Tier) -> None:
    """Leaves what is old in a tier: the replica that read it has ended."""
    replica = Replica(world, tier)
    await replica.right()
    await replica.aclose()


class SlowDisk(DiskTier):
    """A folder whose answers wait for `gate`; `asked` tells that one has been looked up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 1 << 20, timeout=PATIENCE)
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """What there is, once the gate is open."""
        found = await super().get(places)
        self.asked.set()
        await self.gate.wait()
        return found
