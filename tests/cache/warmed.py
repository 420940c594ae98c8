"""A cache that was filled in random pieces before each answer, with evictions in between."""

import zlib
from dataclasses import dataclass, field
from random import Random

from bridge.cache.memory import Memory
from bridge.cache.policy import Moment
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.time import Window
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select, Selection
from tests.cache.world import START

_MOST_PIECES = 5


@dataclass
class Warmed:
    """A Querier before a store that does not change; what is read when depends on the select only.

    `now` is the time by the cache's clock, ms. `pieces` counts what was read ahead.
    """

    querier: Querier
    now: int = START
    pieces: int = 0
    memory: Memory = field(init=False)
    cache: SampleCache = field(init=False)

    def __post_init__(self) -> None:
        moment = Moment(self.now, self.now)
        self.memory = Memory(CacheSettings(), lambda: moment)
        self.cache = SampleCache(self.querier, self.memory, "warmed")

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The cache's answer once it holds pieces of the window, or all of it."""
        if select.purpose is Purpose.SAMPLES and select.start <= select.end:
            await self._fill(select)
        return await self.cache.select(select, options)

    async def _fill(self, select: Select) -> None:
        chance = Random(zlib.crc32(repr(select).encode()))
        for piece in _pieces(Window(select.start, select.end), chance):
            part = Select(select.matchers, piece.start, piece.end)
            await self.cache.select(part, ReadOptions())
            await self.cache.settled()
            self.pieces += 1
            while chance.random() < 0.2:
                self.memory.evict()


def _pieces(window: Window, chance: Random) -> list[Window]:
    """Some windows of about this one's length: inside, over its edges, all of it."""
    length = window.end - window.start
    made = []
    for _ in range(chance.randrange(_MOST_PIECES)):
        start = window.start + chance.randint(-length // 4, length)
        made.append(Window(start, start + chance.randint(0, length)))
    return [*made, window] if chance.random() < 0.5 else made
