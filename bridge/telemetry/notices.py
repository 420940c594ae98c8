"""What is shown of those who are told notices as they come."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class NoticeMetrics:
    """The same three that Prometheus has; without a registry nobody sees them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.subscribers = Gauge(
            "prombridge_api_notification_active_subscribers",
            "The current number of active notification subscribers.",
            registry=registry,
        )
        self.sent = Counter(
            "prombridge_api_notification_updates_sent_total",
            "Total number of notification updates sent.",
            registry=registry,
        )
        self.dropped = Counter(
            "prombridge_api_notification_updates_dropped_total",
            "Total number of notification updates dropped.",
            registry=registry,
        )
