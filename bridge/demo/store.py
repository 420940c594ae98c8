"""The demo's store: a day of samples up to now, and more with every scrape interval that passes."""

from typing import Final

from bridge.demo.scrape import Scraper
from bridge.demo.signals import TICK_MS, TICKS_PER_DAY, TICKS_PER_HOUR
from bridge.demo.targets import targets
from bridge.storage.memory import MemoryStore

# A day, and what the first windows of a range of a day look back to.
_HELD_TICKS: Final = TICKS_PER_DAY + TICKS_PER_HOUR


class DemoStore:
    """Made-up samples in memory: `querier` answers from them, `extend` adds what came since."""

    def __init__(self, now_ms: int) -> None:
        self.querier = MemoryStore(name="demo")
        first = now_ms // TICK_MS - _HELD_TICKS
        self._scrapers = [Scraper(target, first) for target in targets(first)]
        self.extend(now_ms)

    def extend(self, now_ms: int) -> None:
        """Adds every scrape up to `now_ms` (Unix ms) that is not there yet."""
        for scraper in self._scrapers:
            for scrapes in scraper.due(now_ms):
                for labels, values in zip(scrapes.labels, scrapes.values, strict=True):
                    self.querier.append(labels, scrapes.timestamps, values)


def demo_store(now_ms: int) -> DemoStore:
    """A store with the day that ends at `now_ms` (Unix ms)."""
    return DemoStore(now_ms)
