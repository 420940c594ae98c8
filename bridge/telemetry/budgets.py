"""What is shown of budgets of what stores may send."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

_LABELS = ("tenant", "quantity", "period")


class BudgetMetrics:
    """The metrics of budgets; users and dashboards, which requests name, are no labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "prombridge_budget_refusals_total",
            "Reads refused because a budget of a tenant, user or dashboard was used up.",
            ("tenant", "whose", "quantity", "period"),
            registry=registry,
        )
        self._used = Gauge(
            "prombridge_budget_used_ratio",
            "What part of a tenant's budget is used up.",
            _LABELS,
            registry=registry,
        )

    def forget(self) -> None:
        """Shows no tenant's budget any more."""
        self._used.clear()

    def watch(self, tenant: str, quantity: str, period: str, ratio: Callable[[], float]) -> None:
        """Shows a tenant's budget."""
        self._used.labels(tenant, quantity, period).set_function(ratio)

    def refused(self, tenant: str, whose: str, quantity: str, period: str) -> None:
        """Counts a read that was refused."""
        self._refusals.labels(tenant, whose, quantity, period).inc()
