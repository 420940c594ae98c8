"""The section `catalogue` of prombridge's own settings: how names are learned and kept."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from bridge.catalogue.settings import CatalogueSettings
from bridge.config.fields import (
    Duration,
    FileName,
    Flag,
    Section,
    Size,
    Text,
    Whole,
    joined,
    refused,
)
from bridge.model.errors import BadData
from bridge.model.labels import METRIC_NAME, Matcher, MatchType


def _check_pattern(text: str) -> str:
    try:
        Matcher.checked(METRIC_NAME, MatchType.REGEXP, text)
    except BadData as error:
        raise refused(str(error)) from None
    return text


Pattern = Annotated[Text, AfterValidator(_check_pattern)]


class CatalogueSection(Section):
    """`catalogue`: what is remembered of series, and how more is learned."""

    path: FileName | None = None
    max_series: Whole | None = None
    max_bytes: Size | None = None
    ttl: Duration | None = None
    seeds: list[Pattern] | None = None
    seed_files: list[FileName] | None = None
    bootstrap: Flag | None = None
    bootstrap_window: Duration | None = None
    bootstrap_max_series: Whole | None = None
    bootstrap_max_bytes: Size | None = None
    refresh: Duration | None = None
    probe_window: Duration | None = None
    probes: Whole | None = None
    crawl: Duration | None = None

    def applied(self, settings: CatalogueSettings, folder: Path) -> CatalogueSettings:
        """The catalogue's settings with these on top; files are relative to `folder`."""
        wanted: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        wanted["path"] = joined(folder, self.path or "")
        wanted["seeds"] = self.seeds and tuple(self.seeds)
        files = (joined(folder, file) for file in self.seed_files or ())
        wanted["seed_files"] = tuple(filter(None, files)) or None
        return replace(
            settings, **{name: held for name, held in wanted.items() if held is not None}
        )
