"""What is counted of queries."""

from prometheus_client import CollectorRegistry, generate_latest

from bridge.telemetry.queries import QueryMetrics


def test_a_query_is_counted_for_its_dashboard_and_user() -> None:
    registry = CollectorRegistry()
    QueryMetrics(registry).ended(("d", "ann"), "", 0.5, 100, 2000)
    shown = generate_latest(registry).decode().splitlines()
    for line in (
        'prombridge_query_total{dashboard="d",tenant="",user="ann"} 1.0',
        'prombridge_query_seconds_total{dashboard="d",tenant="",user="ann"} 0.5',
        'prombridge_query_samples_total{dashboard="d",tenant="",user="ann"} 100.0',
        'prombridge_query_received_bytes_total{dashboard="d",tenant="",user="ann"} 2000.0',
    ):
        assert line in shown


def test_cve_2022_21698_labels_that_clients_choose_are_bounded() -> None:
    registry = CollectorRegistry()
    metrics = QueryMetrics(registry)
    for number in range(2000):
        metrics.ended((f"d{number}", "ann"), "", 0.1, 1, 1)
    metrics.ended(("d3", "ann"), "", 0.1, 1, 1)
    shown = generate_latest(registry).decode().splitlines()
    counted = [line for line in shown if line.startswith("prombridge_query_total{")]
    assert len(counted) == 501
    assert 'prombridge_query_total{dashboard="other",tenant="",user="other"} 1500.0' in counted
    assert 'prombridge_query_total{dashboard="d3",tenant="",user="ann"} 2.0' in counted
