"""What the bridge says about itself: its metrics and its log."""

import json
import logging
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

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


@dataclass(frozen=True, slots=True)
class _Line:
    """One log line: the fields that every line has, then those given as `extra`."""

    fields: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(record: logging.LogRecord) -> "_Line":
        moment = datetime.fromtimestamp(record.created, UTC)
        level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(record.levelname, record.levelname)
        fields = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            given["exception"] = logging.Formatter().formatException(record.exc_info)
        return _Line(fields | given)


_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _LogfmtFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_logfmt(value)}" for key, value in _Line.of(record).fields.items())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_Line.of(record).fields, default=str)


def _logfmt(value: object) -> str:
    text = str(value)
    plain = text and text.isprintable() and not any(char in ' "=' for char in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends the whole process' log to stderr (or `stream`); libraries speak from WARNING on.

    `level` is debug, info, warn or error; `form` is logfmt or json.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _LogfmtFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("bridge").setLevel("WARNING" if level == "warn" else level.upper())
