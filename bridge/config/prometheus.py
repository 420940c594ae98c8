"""An ordinary prometheus.yml: which keys it has, and what prombridge does with them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.config.document import Location
from bridge.config.fields import (
    Duration,
    Flag,
    Section,
    Text,
    UnitedSize,
    Url,
    Whole,
    choice,
    refused,
    without_faults,
)
from bridge.config.headers import check_entry_headers
from bridge.config.http import HttpSection
from bridge.remote.settings import (
    DEFAULT_CHUNKED_READ_LIMIT,
    DEFAULT_TIMEOUT_MS,
    StoreSettings,
    shown_url,
)

_SCRAPE_PROTOCOLS: Final = (
    "OpenMetricsText0.0.1",
    "OpenMetricsText1.0.0",
    "PrometheusProto",
    "PrometheusText0.0.4",
    "PrometheusText1.0.0",
)


def _check_protocols(names: list[str] | None) -> list[str] | None:
    if names is None:
        return None
    if not names:
        raise refused("scrape_protocols cannot be empty for global config")
    shown = f"[{' '.join(names)}]"
    if len({name.lower() for name in names}) < len(names):
        raise refused(f"duplicated protocol in scrape_protocols, got {shown} for global config")
    for name in names:
        if name not in _SCRAPE_PROTOCOLS:
            supported = f"[{' '.join(_SCRAPE_PROTOCOLS)}]"
            raise refused(
                f"scrape_protocols: unknown scrape protocol {name}, supported: {supported} "
                "for global config"
            )
    return names


def _check_label_names(labels: dict[str, str] | None) -> dict[str, str]:
    if "" in (labels or {}):
        raise refused('"" is not a valid label name')
    return labels or {}


LabelSet = Annotated[dict[str, Text] | None, AfterValidator(_check_label_names)]
ValidationScheme = Annotated[
    str, choice("", "legacy", "utf8", words="unrecognized ValidationScheme")
]


class GlobalSection(Section):
    """`global`; prombridge uses `evaluation_interval` and `external_labels`."""

    scrape_interval: Duration = 0
    scrape_timeout: Duration = 0
    scrape_protocols: Annotated[list[Text] | None, AfterValidator(_check_protocols)] = None
    evaluation_interval: Duration = 0
    rule_query_offset: Duration = 0
    query_log_file: Text = ""
    scrape_failure_log_file: Text = ""
    external_labels: LabelSet = None
    body_size_limit: UnitedSize = 0
    sample_limit: Whole = 0
    target_limit: Whole = 0
    label_limit: Whole = 0
    label_name_length_limit: Whole = 0
    label_value_length_limit: Whole = 0
    keep_dropped_targets: Whole = 0
    metric_name_validation_scheme: ValidationScheme = ""
    metric_name_escaping_scheme: Text = ""
    scrape_native_histograms: Flag = False
    convert_classic_histograms_to_nhcb: Flag = False
    always_scrape_classic_histograms: Flag = False
    extra_scrape_metrics: Flag = False

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        return without_faults(self, self._faults())

    def _faults(self) -> Iterator[str]:
        if self.scrape_timeout > (self.scrape_interval or 60_000):
            yield "global scrape timeout greater than scrape interval"
        legacy = self.metric_name_validation_scheme == "legacy"
        for name in self.external_labels or {}:
            if legacy and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
                yield f'"{name}" is not a valid label name'


class RemoteReadSection(HttpSection):
    """One entry of `remote_read`."""

    url: Url = ""
    remote_timeout: Duration = DEFAULT_TIMEOUT_MS
    chunked_read_limit: Whole = DEFAULT_CHUNKED_READ_LIMIT
    headers: Annotated[dict[str, Text] | None, AfterValidator(check_entry_headers)] = None
    read_recent: Flag = False
    name: Text = ""
    required_matchers: LabelSet = None
    filter_external_labels: Flag = False

    @model_validator(mode="after")
    def _usable(self) -> Self:
        return without_faults(self, self._read_faults())

    def _read_faults(self) -> Iterator[str]:
        if not self.url:
            yield "url for remote_read is empty; expected a URL such as https://host/api/v1/read"
        if self.remote_timeout == 0:
            yield "remote_timeout must be greater than 0; expected a duration such as 1m"
        if self.chunked_read_limit == 0:
            yield "chunked_read_limit must be greater than 0; expected a number of bytes"

    def settings(
        self, name: str, folder: Path, external_labels: tuple[tuple[str, str], ...]
    ) -> StoreSettings:
        """The settings; file names are relative to `folder`."""
        return StoreSettings(
            name=name,
            url=self.url,
            remote_timeout_ms=self.remote_timeout,
            chunked_read_limit=self.chunked_read_limit,
            headers=tuple((self.headers or {}).items()),
            http=self.http_settings(folder),
            required_matchers=tuple(sorted((self.required_matchers or {}).items())),
            filter_external_labels=self.filter_external_labels,
            external_labels=external_labels,
            read_recent=self.read_recent,
        )


_NOTHING_TO_READ: Final = (
    "no remote_read section: prombridge has nothing to read from; "
    "expected remote_read: [{url: https://host/api/v1/read}]"
)


def _not_null(entry: RemoteReadSection | None) -> RemoteReadSection:
    if entry is None:
        raise refused("empty or null remote read config section")
    return entry


class PrometheusFile(Section):
    """A prometheus.yml; the sections of type Any are accepted and not used."""

    global_: GlobalSection | None = Field(None, alias="global")
    runtime: Any = None
    alerting: Any = None
    rule_files: Any = None
    scrape_config_files: Any = None
    scrape_configs: Any = None
    storage: Any = None
    tracing: Any = None
    remote_write: Any = None
    remote_read: list[Annotated[RemoteReadSection | None, AfterValidator(_not_null)]] | None = None
    otlp: Any = None

    @property
    def reads(self) -> list[RemoteReadSection]:
        """The entries of `remote_read`."""
        return [entry for entry in self.remote_read or [] if entry]

    def conflicts(self) -> Iterator[tuple[Location, str]]:
        """What does not go together between sections, and where it stands."""
        if not self.reads:
            yield (), _NOTHING_TO_READ
        for index, entry in enumerate(self.reads):
            earlier = self.reads[:index]
            if entry.name and entry.name in {other.name for other in earlier}:
                text = f'found multiple remote read configs with job name "{entry.name}"'
                yield ("remote_read", index, "name"), text
            elif entry in earlier:
                text = (
                    "duplicate remote read configs are not allowed, found duplicate for URL: "
                    f"{shown_url(entry.url)}"
                )
                yield ("remote_read", index), text


# What prombridge leaves undone, for each section that it accepts and does not use.
UNUSED: Final = {
    "rule_files": "evaluates no recording or alerting rules",
    "alerting": "sends no alerts",
    "scrape_configs": "scrapes no targets",
    "scrape_config_files": "scrapes no targets",
    "remote_write": "writes no samples",
    "storage": "has no storage of its own: neither TSDB nor exemplars",
    "tracing": "sends no traces",
    "otlp": "receives no OTLP data",
    "runtime": "has no Go runtime to tune",
}
