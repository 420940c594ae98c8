"""What is counted."""

from prometheus_client import CollectorRegistry, generate_latest

from bridge.telemetry.metrics import Metrics


def test_a_read_is_counted() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "1.2").stores.request_ended("main", "200", 0.2, 1000, 50)
    shown = generate_latest(registry).decode().splitlines()
    for line in (
        'prombridge_upstream_requests_total{code="200",store="main"} 1.0',
        'prombridge_upstream_received_bytes_total{store="main"} 1000.0',
        'prombridge_upstream_samples_total{store="main"} 50.0',
        'prombridge_upstream_request_duration_seconds_count{store="main"} 1.0',
    ):
        assert line in shown
    assert any(line.startswith('prombridge_build_info{python="3.') for line in shown)
