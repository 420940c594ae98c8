"""The metrics of the cache, and what promtool says of all of them."""

import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bridge.telemetry.metrics import Metrics
from tests.telemetry.happened import everything_once


@pytest.fixture
def shown() -> str:
    """The metrics of a bridge in which everything has happened once."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, "1.2")
    metrics.http("/query", 200, 0.1, 1)
    metrics.stores.request_ended("main", "200", 0.2, 1000, 50)
    everything_once(metrics.cache)
    return generate_latest(registry).decode()


@pytest.mark.parametrize(
    "line",
    [
        'prombridge_cache_reads_total{store="main",use="partial"} 1.0',
        'prombridge_cache_reads_total{store="main",use="hit"} 0.0',
        'prombridge_cache_gap_seconds_total{store="main"} 30.0',
        'prombridge_cache_gap_received_bytes_total{store="main"} 500.0',
        'prombridge_cache_shared_reads_total{store="main"} 1.0',
        'prombridge_cache_stale_answers_total{store="main"} 1.0',
        'prombridge_cache_evictions_total{reason="space"} 1.0',
        "prombridge_cache_refusals_total 1.0",
        "prombridge_cache_limit_bytes 1000.0",
        "prombridge_cache_owned_bytes 900.0",
        "prombridge_cache_samples_bytes 700.0",
        "prombridge_cache_blocks 3.0",
        "prombridge_cache_selectors 2.0",
        'prombridge_cache_tier_reads_total{result="hit",tier="valkey"} 1.0',
        'prombridge_cache_tier_read_duration_seconds_count{tier="valkey"} 1.0',
        'prombridge_cache_tier_errors_total{tier="valkey"} 1.0',
        'prombridge_cache_tier_dropped_writes_total{tier="valkey"} 1.0',
        'prombridge_cache_tier_breaker_open{tier="valkey"} 1.0',
    ],
)
def test_what_happens_in_the_cache_is_counted(shown: str, line: str) -> None:
    assert line in shown.splitlines()


def test_promtool_finds_no_fault_with_the_metrics(shown: str, promtool: Path) -> None:
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=shown, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
