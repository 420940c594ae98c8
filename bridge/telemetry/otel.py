"""Spans for OpenTelemetry collectors; needs the packages of `prombridge[otel]`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bridge.telemetry.settings import TracingSettings
from bridge.telemetry.trace import NO_SPAN_ID, NO_TRACE_ID, Attribute, Caller, Pairs, Span

_FLUSH_SECONDS: Final = 5.0


class OtelTracer:
    """A tracer whose spans a provider of OpenTelemetry takes."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("prombridge")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, Attribute], caller: Caller | None = None
    ) -> Iterator[Span]:
        """A span within the current one, or within the caller's."""
        answering: dict[str, Any] = {}
        if caller is not None:
            context = self._propagator.extract(dict(caller.headers))
            answering = {"context": context, "kind": SpanKind.SERVER}
        with self._tracer.start_as_current_span(
            name, attributes=dict(attributes), **answering
        ) as span:
            yield span

    def headers(self) -> Pairs:
        """The current span's."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return tuple(carrier.items())

    def ids(self) -> tuple[str, str]:
        """The current span's."""
        held = get_current_span().get_span_context()
        if not held.is_valid:
            return NO_TRACE_ID, NO_SPAN_ID
        return format_trace_id(held.trace_id), format_span_id(held.span_id)

    def close(self) -> None:
        """Sends what waits, for a few seconds at most."""
        self._provider.force_flush(int(_FLUSH_SECONDS * 1000))
        self._provider.shutdown()


def exporting(settings: TracingSettings, version: str) -> OtelTracer:
    """A tracer that sends its spans to a collector; raises OSError for a file it cannot read."""
    provider = sampling(settings.sampling_fraction, version)
    provider.add_span_processor(BatchSpanProcessor(_exporter(settings)))
    return OtelTracer(provider)


def sampling(fraction: float, version: str) -> TracerProvider:
    """A provider that follows its callers' decision, and else keeps this share of traces."""
    named: dict[str, Attribute] = {
        "service.name": "prombridge",
        "service.version": version,
        "process.pid": os.getpid(),
    }
    return TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(fraction)), resource=Resource.create(named)
    )


def _exporter(settings: TracingSettings) -> SpanExporter:
    usual: dict[str, Any] = {"headers": dict(settings.headers)}
    if settings.timeout_ms:
        usual["timeout"] = settings.timeout_ms / 1000
    if settings.client_type == "http":
        return _over_http(settings, usual)
    return _over_grpc(settings, usual)


def _over_http(settings: TracingSettings, usual: Mapping[str, Any]) -> SpanExporter:
    scheme = "http" if settings.insecure else "https"
    return HttpExporter(
        endpoint=f"{scheme}://{settings.endpoint}/v1/traces",
        certificate_file=settings.ca_file or None,
        client_certificate_file=settings.cert_file or None,
        client_key_file=settings.key_file or None,
        compression=Compression.Gzip if settings.compression else Compression.NoCompression,
        **usual,
    )


def _over_grpc(settings: TracingSettings, usual: Mapping[str, Any]) -> SpanExporter:
    secured = None
    if not settings.insecure:
        secured = grpc.ssl_channel_credentials(
            *(_content(name) for name in (settings.ca_file, settings.key_file, settings.cert_file))
        )
    squeezed = grpc.Compression.Gzip if settings.compression else grpc.Compression.NoCompression
    return GrpcExporter(
        endpoint=settings.endpoint,
        insecure=settings.insecure,
        credentials=secured,
        compression=squeezed,
        **usual,
    )


def _content(file: str) -> bytes | None:
    return Path(file).read_bytes() if file else None
