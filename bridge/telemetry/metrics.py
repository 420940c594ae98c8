"""Every metric of the bridge."""

import sys

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from bridge.telemetry.answers import AnswerMetrics
from bridge.telemetry.budgets import BudgetMetrics
from bridge.telemetry.cache import CacheMetrics
from bridge.telemetry.durations import Durations
from bridge.telemetry.forwarding import ForwardingMetrics
from bridge.telemetry.notices import NoticeMetrics
from bridge.telemetry.queries import QueryMetrics
from bridge.telemetry.reloads import ReloadMetrics
from bridge.telemetry.stores import SECONDS, StoreMetrics
from bridge.telemetry.totals import Totals


class Metrics:
    """Every metric of the bridge, in the registry that `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        # When a counter began is noise: it begins with the process.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self._http_requests = Totals(
            "prombridge_http_requests_total",
            "HTTP requests answered.",
            ("handler", "code"),
            registry,
        )
        self._http_duration = Durations(
            "prombridge_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            "handler",
            SECONDS,
            registry,
        )
        self.http_sent = Totals(
            "prombridge_http_response_bytes_total",
            "Bytes of answers, as they go over the wire.",
            ("handler",),
            registry,
        )
        self.slow_readers = Counter(
            "prombridge_http_slow_readers_total",
            "Connections ended because the client took nothing of its answer for too long.",
            registry=registry,
        )
        self.queries = QueryMetrics(registry)
        self.cache = CacheMetrics(registry)
        self.answers = AnswerMetrics(registry)
        self.stores = StoreMetrics(registry)
        self.budgets = BudgetMetrics(registry)
        self.forwarding = ForwardingMetrics(registry)
        self.reloads = ReloadMetrics(registry)
        self.notices = NoticeMetrics(registry)
        Info("prombridge_build", "The version that runs.", registry=registry).info(
            {"version": version, "python": sys.version.split(maxsplit=1)[0]}
        )
        ProcessCollector(namespace="prombridge", registry=registry)

    def http(self, handler: str, code: int, seconds: float, sent_bytes: int) -> None:
        """Counts one answered request."""
        self._http_requests.add((handler, str(code)))
        self._http_duration.observe(handler, seconds)
        self.http_sent.add((handler,), sent_bytes)
