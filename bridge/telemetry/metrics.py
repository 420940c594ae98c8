"""Every metric of the bridge."""

import sys
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from bridge.telemetry.cache import CacheMetrics

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Every metric of the bridge, in the registry that `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        # When a counter began is noise: it begins with the process.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self.http_requests = Counter(
            "prombridge_http_requests_total",
            "HTTP requests answered.",
            ("handler", "code"),
            registry=registry,
        )
        self.http_duration = Histogram(
            "prombridge_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("handler",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.queries_in_flight = Gauge(
            "prombridge_queries_in_flight", "Queries being answered now.", registry=registry
        )
        self.upstream_requests = Counter(
            "prombridge_upstream_requests_total",
            "Remote reads sent; code is the HTTP status, or what went wrong before there was one.",
            ("store", "code"),
            registry=registry,
        )
        self.upstream_bytes = Counter(
            "prombridge_upstream_received_bytes_total",
            "Bytes received from stores, as they came over the wire.",
            ("store",),
            registry=registry,
        )
        self.upstream_samples = Counter(
            "prombridge_upstream_samples_total",
            "Samples received from stores.",
            ("store",),
            registry=registry,
        )
        self.upstream_duration = Histogram(
            "prombridge_upstream_request_duration_seconds",
            "Time from sending a remote read to the end of its answer.",
            ("store",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.cache = CacheMetrics(registry)
        Info("prombridge_build", "The version that runs.", registry=registry).info(
            {"version": version, "python": sys.version.split(maxsplit=1)[0]}
        )
        ProcessCollector(namespace="prombridge", registry=registry)

    def http(self, handler: str, code: int, seconds: float) -> None:
        """Counts one answered request."""
        self.http_requests.labels(handler, str(code)).inc()
        self.http_duration.labels(handler).observe(seconds)

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """Counts one remote read; `code` is its HTTP status or what went wrong."""
        self.upstream_requests.labels(store, code).inc()
        self.upstream_duration.labels(store).observe(seconds)
        self.upstream_bytes.labels(store).inc(received_bytes)
        self.upstream_samples.labels(store).inc(samples)
