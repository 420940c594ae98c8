"""The metrics of the sample cache."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bridge.telemetry.totals import Totals

_MOMENTS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)


class Remembered(Protocol):
    """What a memory of samples tells of itself."""

    @property
    def nbytes(self) -> int: ...

    @property
    def samples_bytes(self) -> int: ...

    @property
    def blocks(self) -> int: ...

    def selectors(self) -> Iterator[object]: ...


class CacheMetrics:
    """The metrics of the sample cache; it is told as bridge.cache.observed says."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"prombridge_cache_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"prombridge_cache_{name}", text, labels, registry=registry)

        self._reads = Totals(
            "prombridge_cache_reads_total",
            "Reads of a store, by how much of them was remembered.",
            ("store", "use"),
            registry,
        )
        self._gap_seconds = counter(
            "gap_seconds_total", "Length of the gaps that were read of a store.", "store"
        )
        self._gap_bytes = counter(
            "gap_received_bytes_total", "Bytes received from a store for gaps.", "store"
        )
        self._joined = counter(
            "shared_reads_total", "Reads that waited for one that was under way.", "store"
        )
        self._stale = counter(
            "stale_answers_total", "Reads answered from memory while the store was down.", "store"
        )
        self._evicted = counter("evictions_total", "Blocks that are held no more.", "reason")
        self._refused = counter("refusals_total", "Reads not remembered for want of room.")
        self._limit = gauge("limit_bytes", "What the memory of samples may own.")
        self._owned = gauge("owned_bytes", "Memory owned by samples, their index and labels.")
        self._held = gauge("samples_bytes", "Memory of the samples alone.")
        self._blocks = gauge("blocks", "Blocks that are remembered.")
        self._selectors = gauge("selectors", "Selectors of which something is remembered.")
        self._values = counter(
            "tier_reads_total", "Values that a tier was asked for.", "tier", "result"
        )
        self._failures = counter("tier_errors_total", "What a tier failed to do.", "tier")
        self._dropped = counter("tier_dropped_writes_total", "Values not written.", "tier")
        self._open = gauge("tier_breaker_open", "1 while a tier is left alone.", "tier")
        self._duration = Histogram(
            "prombridge_cache_tier_read_duration_seconds",
            "Time in which a tier answered.",
            ("tier",),
            buckets=_MOMENTS,
            registry=registry,
        )

    def watch(self, memory: Remembered, limit: int, stores: Iterable[str]) -> None:
        """Shows what a memory holds, and the counters of these stores from 0 on."""
        self._limit.set(limit)
        self._owned.set_function(lambda: memory.nbytes)
        self._held.set_function(lambda: memory.samples_bytes)
        self._blocks.set_function(lambda: memory.blocks)
        self._selectors.set_function(lambda: sum(1 for _ in memory.selectors()))
        for store in stores:
            for use in ("hit", "partial", "miss", "bypass"):
                self._reads.add((store, use), 0)
            for metric in (self._gap_seconds, self._gap_bytes, self._joined, self._stale):
                metric.labels(store)

    def watch_tier(self, tier: str, left_alone: Callable[[], bool]) -> None:
        """Shows a tier, whose counters begin at 0."""
        self._open.labels(tier).set_function(lambda: float(left_alone()))
        for metric in (self._failures, self._dropped, self._duration):
            metric.labels(tier)
        for result in ("hit", "miss", "foreign"):
            self._values.labels(tier, result)

    def cache_used(self, store: str, use: str) -> None:
        """Counts a read of a store that was answered."""
        self._reads.add((store, use))

    def gap_read(self, store: str, milliseconds: int, received_bytes: int) -> None:
        """Counts a gap that was read."""
        self._gap_seconds.labels(store).inc(milliseconds / 1000)
        self._gap_bytes.labels(store).inc(received_bytes)

    def read_joined(self, store: str) -> None:
        """Counts a read that waited for another."""
        self._joined.labels(store).inc()

    def stale_served(self, store: str) -> None:
        """Counts a read that was answered from memory while the store was down."""
        self._stale.labels(store).inc()

    def block_gone(self, why: str) -> None:
        """Counts a block that is held no more."""
        self._evicted.labels(why).inc()

    def blocks_refused(self) -> None:
        """Counts a read that is not remembered."""
        self._refused.inc()

    def tier_asked(self, tier: str, seconds: float) -> None:
        """Counts a question to a tier."""
        self._duration.labels(tier).observe(seconds)

    def tier_value(self, tier: str, what: str) -> None:
        """Counts a value that a tier was asked for."""
        self._values.labels(tier, what).inc()

    def tier_failed(self, tier: str) -> None:
        """Counts a failure of a tier."""
        self._failures.labels(tier).inc()

    def tier_write_dropped(self, tier: str) -> None:
        """Counts a value that was not written."""
        self._dropped.labels(tier).inc()
