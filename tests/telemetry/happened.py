"""A cache in which everything has happened once."""

from collections.abc import Iterator

from bridge.telemetry.cache import CacheMetrics


class Holding:
    """A memory that holds something."""

    nbytes, samples_bytes, blocks = 900, 700, 3

    def selectors(self) -> Iterator[object]:
        return iter(["a", "b"])


def everything_once(cache: CacheMetrics) -> None:
    """Tells the metrics of one of each."""
    cache.watch(Holding(), 1000, ["main"])
    cache.watch_tier("valkey", lambda: True)
    cache.cache_used("main", "partial")
    cache.gap_read("main", 30_000, 500)
    cache.read_joined("main")
    cache.stale_served("main")
    cache.block_gone("space")
    cache.blocks_refused()
    cache.tier_asked("valkey", 0.002)
    cache.tier_value("valkey", "hit")
    cache.tier_failed("valkey")
    cache.tier_write_dropped("valkey")
