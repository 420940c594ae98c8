"""What is counted of queries: how many, their stages, what they cost whom."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.telemetry.durations import Durations
from bridge.telemetry.totals import Accounts

_MOMENTS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    10,
    60,
)
# Dashboards and users are named by requests: whoever invents some must not fill the memory.
_MOST_ORIGINS: Final = 500
OTHER: Final = "other"


class Bounded:
    """The first so many distinct values of labels; all others count as `other`."""

    def __init__(self, most: int, other: tuple[str, ...]) -> None:
        self._most = most
        self._other = other
        self._known: set[tuple[str, ...]] = set()

    def kept(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The labels themselves, or the others'."""
        if labels not in self._known:
            if len(self._known) >= self._most:
                return self._other
            self._known.add(labels)
        return labels


class QueryMetrics:
    """The metrics of queries."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_flight = Gauge(
            "prombridge_queries_in_flight", "Queries being answered now.", registry=registry
        )
        self.waiting = Gauge(
            "prombridge_queries_waiting", "Queries that wait for their turn.", registry=registry
        )
        self.concurrent_max = Gauge(
            "prombridge_queries_concurrent_max",
            "How many queries may be evaluated at a time.",
            registry=registry,
        )
        self._stage_duration = Durations(
            "prombridge_stage_duration_seconds",
            "Time that one stage of a request took.",
            "stage",
            _MOMENTS,
            registry,
        )
        # Tenants are those of a configuration: there are no more of them than that names.
        self._origins: dict[str, Bounded] = {}
        origin = ("dashboard", "user", "tenant")
        costs = {
            "prombridge_query_total": "Queries that are over.",
            "prombridge_query_seconds_total": "Time from a query to the end of its answer.",
            "prombridge_query_samples_total": (
                "Samples that queries read, from stores or from memory."
            ),
            "prombridge_query_received_bytes_total": "Bytes that stores sent for queries.",
        }
        self._costs = Accounts(costs, origin, registry)
        self.log_dropped = Counter(
            "prombridge_query_log_dropped_total",
            "Lines of query logs that were not written.",
            registry=registry,
        )

    def _kept(self, tenant: str) -> Bounded:
        """The origins of one tenant, which crowd out those of no other."""
        if tenant not in self._origins:
            self._origins[tenant] = Bounded(_MOST_ORIGINS, (OTHER, OTHER))
        return self._origins[tenant]

    def stages(self, ended: Iterable[tuple[str, float]]) -> None:
        """Counts the stages of one request."""
        for stage, seconds in ended:
            self._stage_duration.observe(stage, seconds)

    def ended(
        self, who: tuple[str, str], tenant: str, seconds: float, samples: int, received_bytes: int
    ) -> None:
        """Counts what one query cost; `who` is its dashboard and its user."""
        origin = (*self._kept(tenant).kept(who), tenant)
        self._costs.add(origin, 1, seconds, samples, received_bytes)
