"""A dashboard of 28 queries over what a Prometheus scrapes: panels of several ranges and steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Panel:
    """A query over the last `seconds` by `step`; of one moment, `back` seconds ago, without one."""

    expr: str
    seconds: int = 0
    step: int = 0
    back: int = 0

    @property
    def path(self) -> str:
        """The end point."""
        return "/api/v1/query_range" if self.step else "/api/v1/query"

    def form(self, now: int) -> Mapping[str, str]:
        """The parameters at a time in ms; as Grafana does, ends stand on multiples of the step."""
        if not self.step:
            return {"query": self.expr, "time": f"{now / 1000 - self.back:.3f}"}
        end = now // 1000 // self.step * self.step
        times = {"start": str(end - self.seconds), "end": str(end), "step": str(self.step)}
        return {"query": self.expr, **times}


_CPU: Final = "node_cpu_seconds_total"
_IDLE: Final = f'{_CPU}{{mode="idle"}}'
_HTTP: Final = "prometheus_http_requests_total"
_BUCKETS: Final = "prometheus_http_request_duration_seconds_bucket"
_CHUNKS: Final = "prometheus_tsdb_head_samples_appended_total"

DASHBOARD: Final = (
    Panel("up", 480, 5),
    Panel("up", 300, 1),
    Panel("sum(up)", 480, 15),
    Panel("scrape_duration_seconds", 480, 2),
    Panel("max by (job) (scrape_duration_seconds)", 240, 1),
    Panel(f"sum by (mode) (rate({_CPU}[30s]))", 480, 5),
    Panel(f"1 - avg(rate({_IDLE}[1m]))", 480, 5),
    Panel(f"rate({_CPU}[15s])", 240, 2),
    Panel(f"sum(irate({_IDLE}[1m]))", 300, 1),
    Panel("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", 480, 5),
    Panel("node_load1", 480, 5),
    Panel("node_load1 - node_load15", 300, 5),
    Panel("deriv(node_load1[1m])", 480, 10),
    Panel("sum(rate(node_context_switches_total[30s]))", 480, 3),
    Panel("avg_over_time(node_memory_MemFree_bytes[1m])", 480, 5),
    Panel("quantile_over_time(0.9, node_load1[2m])", 480, 10),
    Panel("max_over_time(rate(node_context_switches_total[20s])[2m:10s])", 240, 5),
    Panel("process_resident_memory_bytes", 480, 5),
    Panel('process_resident_memory_bytes{job="prombridge"}', 480, 1),
    Panel(f"sum by (handler) (increase({_HTTP}[1m]))", 480, 15),
    Panel(f"histogram_quantile(0.9, sum by (le) (rate({_BUCKETS}[1m])))", 480, 5),
    Panel(f"histogram_quantile(0.5, sum by (le, handler) (rate({_BUCKETS}[2m])))", 300, 10),
    Panel(f"rate({_CHUNKS}[10s])", 240, 1),
    Panel(f"sum(rate({_CHUNKS}[1m] offset 1m))", 480, 5),
    Panel(f"topk(3, sum by (handler) (rate({_HTTP}[1m])))", back=90),
    Panel("count by (job) (up offset 2m)"),
    Panel("sum(process_resident_memory_bytes) by (job)", back=75),
    Panel("changes(node_boot_time_seconds[5m])", back=120),
)
