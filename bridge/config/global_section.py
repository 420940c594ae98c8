"""The `global` section of a prometheus.yml."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from bridge.config.fields import (
    Duration,
    FileName,
    Flag,
    LabelSet,
    Section,
    Text,
    UnitedSize,
    Whole,
    choice,
    refused,
    without_faults,
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
    query_log_file: FileName = ""
    scrape_failure_log_file: FileName = ""
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
