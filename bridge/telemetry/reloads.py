"""What is shown of reloading the configuration."""

from prometheus_client import CollectorRegistry, Gauge


class ReloadMetrics:
    """The same two that Prometheus has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._successful = Gauge(
            "prombridge_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
            registry=registry,
        )
        self._moment = Gauge(
            "prombridge_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
            registry=registry,
        )

    def succeeded(self, now: int) -> None:
        """A configuration is in force since `now`, Unix ms."""
        self._successful.set(1)
        self._moment.set(now / 1000)

    def failed(self) -> None:
        """The old one stays."""
        self._successful.set(0)
