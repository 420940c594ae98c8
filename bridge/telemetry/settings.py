"""What an operator decides about logs and traces."""

from dataclasses import dataclass, field
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Where spans go, as in Prometheus' `tracing` section; `timeout_ms` is that of one export.

    `client_type` is grpc or http; `endpoint` is host:port; `compression` is gzip or empty. Files
    are empty where not given.
    """

    endpoint: str
    client_type: str = "grpc"
    sampling_fraction: float = 0.0
    insecure: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    compression: str = ""
    timeout_ms: int = 0


def otel_installed() -> bool:
    """Whether the packages of `prombridge[otel]` are there."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


@dataclass(frozen=True, slots=True)
class QueryLogSettings:
    """Which queries are logged: all in `file`, those slower than `slow_after_ms` in `slow_file`.

    An empty `file` logs none, an empty `slow_file` stands for the process' own log; 0 ms for never.
    """

    file: str = ""
    slow_after_ms: int = 10_000
    slow_file: str = ""
