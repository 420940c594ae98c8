"""All that is remembered in this process, of every store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.cache.beyond import Beyond
from bridge.cache.memory import Memory
from bridge.cache.purges import Purges
from bridge.cache.settings import CacheSettings
from bridge.cache.tiers import Tier
from bridge.model.labels import Matcher
from bridge.model.time import Window


@dataclass(frozen=True, slots=True, eq=False)
class Caches:
    """The memory of all stores, what is purged of it, and the tiers beyond it."""

    memory: Memory
    purges: Purges
    tiers: tuple[Tier, ...] = ()
    beyond: tuple[Beyond, ...] = ()

    @staticmethod
    def none() -> "Caches":
        """Nothing is remembered."""
        memory = Memory(CacheSettings(enabled=False))
        return Caches(memory, Purges((), memory.clock))

    async def purge(
        self, selectors: Sequence[Sequence[Matcher]], window: Window
    ) -> tuple[str, ...]:
        """Purges what any of these selects of a window, here and in all replicas.

        Returns the tiers that could not be told yet; they are told once they answer.
        """
        asked = (self.purges.purge(matchers, window) for matchers in selectors)
        found = await asyncio.gather(*asked)
        return tuple(dict.fromkeys(tier for tiers in found for tier in tiers))

    async def aclose(self) -> None:
        """Lets go of the tiers."""
        await self.purges.aclose()
        await asyncio.gather(*(tier.aclose() for tier in self.tiers))
