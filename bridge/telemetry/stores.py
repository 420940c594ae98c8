"""What is counted of stores: requests, bytes, samples, and how they fare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class _Received:
    """What one store is counted by, looked up once."""

    duration: Histogram
    size: Counter
    samples: Counter


class StoreMetrics:
    """The metrics of requests to stores; it is a ReadObserver of bridge.remote.requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "prombridge_upstream_requests_total",
            "Remote reads sent; code is the HTTP status, or what went wrong before there was one.",
            ("store", "code"),
            registry=registry,
        )
        self._bytes = Counter(
            "prombridge_upstream_received_bytes_total",
            "Bytes received from stores, as they came over the wire.",
            ("store",),
            registry=registry,
        )
        self._samples = Counter(
            "prombridge_upstream_samples_total",
            "Samples received from stores.",
            ("store",),
            registry=registry,
        )
        self._duration = Histogram(
            "prombridge_upstream_request_duration_seconds",
            "Time from sending a remote read to the end of its answer.",
            ("store",),
            buckets=SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "prombridge_upstream_in_flight",
            "Remote reads under way.",
            ("store",),
            registry=registry,
        )
        self._circuit = Gauge(
            "prombridge_upstream_circuit_open",
            "1 while a store that keeps failing is not asked.",
            ("store",),
            registry=registry,
        )

        self._stores: dict[str, _Received] = {}

    def watch(
        self, store: str, in_flight: Callable[[], int], circuit_open: Callable[[], bool]
    ) -> None:
        """Shows how a store fares."""
        self._in_flight.labels(store).set_function(in_flight)
        self._circuit.labels(store).set_function(circuit_open)

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """Counts one remote read; `code` is its HTTP status or what went wrong."""
        self._requests.labels(store, code).inc()
        received = self._stores.get(store) or self._received(store)
        received.duration.observe(seconds)
        received.size.inc(received_bytes)
        received.samples.inc(samples)

    def _received(self, store: str) -> _Received:
        made = _Received(
            self._duration.labels(store), self._bytes.labels(store), self._samples.labels(store)
        )
        self._stores[store] = made
        return made
