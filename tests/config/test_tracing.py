"""The `tracing` section, as Prometheus checks it; and the logs of queries."""

from pathlib import Path

import pytest
import yaml

from bridge.config.masked import masked_yaml
from bridge.telemetry.settings import QueryLogSettings, TracingSettings
from tests.config.files import errors, loaded

READ = "remote_read: [{url: 'http://a'}]\n"


def test_a_section_becomes_settings_with_files_beside_the_configuration(tmp_path: Path) -> None:
    section = (
        "tracing: {endpoint: 'c:4317', sampling_fraction: 0.5, timeout: 5s, compression: gzip,"
        " tls_config: {ca_file: ca.pem}, headers: {X-Key: hidden}}\n"
    )
    settings = loaded(tmp_path, READ + section).settings
    assert settings.tracing == TracingSettings(
        endpoint="c:4317",
        client_type="grpc",
        sampling_fraction=0.5,
        ca_file=str(tmp_path / "ca.pem"),
        headers=(("X-Key", "hidden"),),
        compression="gzip",
        timeout_ms=5000,
    )
    assert "hidden" not in repr(settings)
    shown = yaml.safe_load(masked_yaml(settings))["tracing"]
    assert shown["headers"] == {"X-Key": "<secret>"}


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("{}", "tracing: tracing endpoint must be set"),
        (
            "{endpoint: a, client_type: x}",
            "tracing.client_type: expected tracing client type to be to be http or grpc, but got x",
        ),
        (
            "{endpoint: a, compression: zstd}",
            "tracing: invalid compression type zstd provided, valid options: gzip",
        ),
        (
            "{endpoint: a, headers: {authorization: b}}",
            "tracing.headers: custom authorization header configuration is not yet supported",
        ),
        (
            "{endpoint: a, headers: {Host: b}}",
            "tracing.headers: Host is a reserved header. It must not be changed",
        ),
        (
            "{endpoint: a, sampling_fraction: x}",
            (
                "tracing.sampling_fraction: cannot unmarshal !!str `x` into float64;"
                " expected a number"
            ),
        ),
    ],
)
def test_a_section_that_cannot_be_used_is_refused(tmp_path: Path, section: str, text: str) -> None:
    assert errors(tmp_path, f"{READ}tracing: {section}\n") == [f"prometheus.yml:2: {text}"]


def test_logs_of_queries_stand_beside_the_file_that_names_them(tmp_path: Path) -> None:
    own = "query: {slow_after: 3s, slow_log_file: slow.log}"
    text = READ + "global: {query_log_file: query.log}\n"
    assert loaded(tmp_path, text, own).settings.query_log == QueryLogSettings(
        str(tmp_path / "query.log"), 3000, str(tmp_path / "slow.log")
    )
    assert loaded(tmp_path, READ).settings.query_log == QueryLogSettings()
