"""An entry of `remote_read` in a prometheus.yml."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from bridge.config.fields import Duration, Flag, LabelSet, Text, Url, Whole, without_faults
from bridge.config.headers import check_entry_headers
from bridge.config.http import HttpSection
from bridge.config.own import StoreSection
from bridge.config.settings import LabelPairs
from bridge.remote.settings import DEFAULT_CHUNKED_READ_LIMIT, DEFAULT_TIMEOUT_MS, StoreSettings


class RemoteReadSection(HttpSection):
    """One entry of `remote_read`."""

    elsewhere = MappingProxyType(
        dict.fromkeys(StoreSection.model_fields, "stores.<name> of the file --prombridge.config")
    )

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

    def settings(self, name: str, folder: Path, external_labels: LabelPairs) -> StoreSettings:
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
