"""An ordinary prometheus.yml: which sections it has, and what does not go together."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from bridge.config.document import Location
from bridge.config.fields import Section, refused
from bridge.config.global_section import GlobalSection
from bridge.config.own import OwnFile
from bridge.config.remote_read import RemoteReadSection
from bridge.config.tracing import TracingSection
from bridge.remote.settings import shown_url

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

    elsewhere = MappingProxyType(
        dict.fromkeys(OwnFile.model_fields, "the file --prombridge.config")
    )

    global_: GlobalSection | None = Field(None, alias="global")
    runtime: Any = None
    alerting: Any = None
    rule_files: Any = None
    scrape_config_files: Any = None
    scrape_configs: Any = None
    storage: Any = None
    tracing: TracingSection | None = None
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
