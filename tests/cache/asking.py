"""A store with six hours of nine metrics, a cache before it, and what it is asked."""

from itertools import product

from bridge.cache.memory import Memory
from bridge.cache.purges import Purges
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.storage.interface import ReadOptions, Select
from tests.cache.world import (
    HOUR,
    SECOND,
    START,
    Clock,
    LoggedStore,
    Noted,
    Samples,
    contents,
)

NAMES = tuple(f"metric_{number}" for number in range(9))
PLAIN = ReadOptions()


class World:
    """A clock, a store with six hours of nine metrics, and a cache before it."""

    def __init__(self, max_bytes: int = 512 << 20) -> None:
        self.clock = Clock()
        self.store = LoggedStore(self.clock)
        for name, pod in product(NAMES, ("1", "2")):
            labels = Labels.of({"__name__": name, "pod": pod})
            times = range(START - 6 * HOUR, START + 1, 15 * SECOND)
            self.store.put(labels, {time: float(time % 1009) for time in times})
        self.noted = Noted()
        self.memory = Memory(CacheSettings(max_bytes=max_bytes), self.clock, self.noted)
        self.purges = Purges((), self.clock)
        self.cache = SampleCache(self.store, self.memory, "logged", purges=self.purges)

    async def ask(
        self, select: Select, options: ReadOptions = PLAIN, settle: bool = True
    ) -> Samples:
        selection = await self.cache.select(select, options)
        if settle:
            await self.cache.settled()
        return contents(selection.block)

    async def right(self, select: Select, options: ReadOptions = PLAIN) -> int:
        """Asks, compares with the truth, and says how many reads it took."""
        before = len(self.store.asked)
        assert await self.ask(select, options) == self.store.truth(select)
        return len(self.store.asked) - before

    def advance(self, seconds: int) -> None:
        """Time goes on, and so do all series."""
        for _ in range(seconds // 15):
            self.clock.advance(15 * SECOND)
            for labels in self.store.data:
                self.store.put(labels, {self.clock.wall: 1.0})


def of(name: str, **more: str) -> tuple[Matcher, ...]:
    pairs = {"__name__": name, **more}
    return tuple(sorted(Matcher(key, MatchType.EQUAL, value) for key, value in pairs.items()))


X = of(NAMES[0])


def last(length: int, end: int = START, matchers: tuple[Matcher, ...] = X) -> Select:
    return Select(matchers, end - length, end)
