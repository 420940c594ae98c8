"""Where traces go: the `tracing` section of a prometheus.yml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from bridge.config.fields import (
    Duration,
    FileName,
    Flag,
    Number,
    Section,
    Text,
    joined,
    refused,
    unsupported,
    without_faults,
)
from bridge.config.headers import CONNECTION_HEADERS
from bridge.telemetry.settings import TracingSettings

_CLIENTS: Final = ("http", "grpc")
_NotHere = Annotated[None, unsupported("use ca_file, cert_file and key_file")]


def _check_client(name: str) -> str:
    if name not in _CLIENTS:
        known = " or ".join(_CLIENTS)
        raise refused(f"expected tracing client type to be to be {known}, but got {name}")
    return name


def _check_headers(headers: dict[str, str] | None) -> dict[str, str]:
    """The headers; raises the texts of Prometheus' validateHeadersForTracing."""
    for name in headers or {}:
        if name.lower() == "authorization":
            raise refused("custom authorization header configuration is not yet supported")
        if name.lower() in CONNECTION_HEADERS:
            raise refused(f"{name} is a reserved header. It must not be changed")
    return headers or {}


class CollectorTlsSection(Section):
    """`tls_config` of `tracing`; OpenTelemetry's exporters take files only."""

    ca: _NotHere = None
    ca_file: FileName = ""
    ca_ref: _NotHere = None
    cert: _NotHere = None
    cert_file: FileName = ""
    cert_ref: _NotHere = None
    key: _NotHere = None
    key_file: FileName = ""
    key_ref: _NotHere = None
    server_name: _NotHere = None
    insecure_skip_verify: _NotHere = None
    min_version: _NotHere = None
    max_version: _NotHere = None


class TracingSection(Section):
    """`tracing`."""

    client_type: Annotated[Text, AfterValidator(_check_client)] = "grpc"
    endpoint: Text = ""
    sampling_fraction: Number = 0.0
    insecure: Flag = False
    tls_config: CollectorTlsSection | None = None
    headers: Annotated[dict[str, Text] | None, AfterValidator(_check_headers)] = None
    compression: Text = ""
    timeout: Duration = 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return without_faults(self, self._faults())

    def _faults(self) -> Iterator[str]:
        if not self.endpoint:
            yield "tracing endpoint must be set"
        if self.compression not in {"", "gzip"}:
            yield f"invalid compression type {self.compression} provided, valid options: gzip"

    def settings(self, folder: Path) -> TracingSettings:
        """The settings; file names are relative to `folder`."""
        tls = self.tls_config or CollectorTlsSection()
        return TracingSettings(
            endpoint=self.endpoint,
            client_type=self.client_type,
            sampling_fraction=min(max(self.sampling_fraction, 0.0), 1.0),
            insecure=self.insecure,
            ca_file=joined(folder, tls.ca_file) or "",
            cert_file=joined(folder, tls.cert_file) or "",
            key_file=joined(folder, tls.key_file) or "",
            headers=tuple((self.headers or {}).items()),
            compression=self.compression,
            timeout_ms=self.timeout,
        )
