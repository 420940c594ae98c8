"""What is shown of headers that are sent on to stores: how many sets of values, never which."""

from collections.abc import Sized
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

_PREFIX: Final = "prombridge_forwarded_sets"
_LABELS: Final = ("tenant",)


class ForwardingMetrics:
    """The metrics of sets of forwarded values, by tenant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sets = Gauge(
            _PREFIX,
            "Sets of forwarded headers' values whose names and reads are kept apart now.",
            _LABELS,
            registry=registry,
        )
        self._limit = Gauge(
            f"{_PREFIX}_limit", "How many of them there may be of a tenant.", registry=registry
        )
        self._made = Counter(
            f"{_PREFIX}_made_total",
            "Sets of values that were new, or had made room for others.",
            _LABELS,
            registry=registry,
        )
        self._refused = Counter(
            f"{_PREFIX}_refused_total",
            "Requests refused because all sets that there may be were in use.",
            _LABELS,
            registry=registry,
        )

    def forget(self) -> None:
        """Shows no tenant's sets any more."""
        self._sets.clear()

    def watch(self, tenant: str, sets: Sized, limit: int) -> None:
        """Shows the sets of a tenant, whose counters begin at 0."""
        self._limit.set(limit)
        self._sets.labels(tenant).set_function(lambda: len(sets))
        for counter in (self._made, self._refused):
            counter.labels(tenant)

    def made(self, tenant: str) -> None:
        """Counts a set that was made."""
        self._made.labels(tenant).inc()

    def refused(self, tenant: str) -> None:
        """Counts a request that was refused."""
        self._refused.labels(tenant).inc()
