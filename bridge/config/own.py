"""The file of prombridge's own settings, `--prombridge.config`."""

from dataclasses import replace
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, model_validator

from bridge.config.fields import (
    Duration,
    FileName,
    Flag,
    LabelSet,
    Section,
    Size,
    Text,
    TimeBound,
    Url,
    Whole,
    choice,
    refused,
    without_faults,
)
from bridge.config.own_budgets import BudgetsSection
from bridge.config.own_cache import CacheSection, StoreCacheSection
from bridge.config.own_catalogue import CatalogueSection
from bridge.config.own_forwarding import ForwardHeaders, ForwardingSection
from bridge.config.own_limits import LimitsSection
from bridge.config.own_replicas import PartialName, ReplicasSection
from bridge.config.own_tenants import TenantsSection
from bridge.config.sigv4 import SigV4Section
from bridge.engine.query import EngineSettings
from bridge.model.labels import METRIC_NAME
from bridge.remote.profiles import PROFILES
from bridge.remote.settings import NameMatchers, ResponseType, StoreSettings
from bridge.storage.delegation import Pushdown
from bridge.storage.fanout import PartialResponse

_Names = TypeVar("_Names", dict[str, str] | None, list[str] | None)


def _not_the_name(names: _Names) -> _Names:
    if names and METRIC_NAME in names:
        raise refused(f"{METRIC_NAME} is the metric's name, which stays")
    return names


ResponseName = Annotated[str, choice(*ResponseType, words="unknown response type")]
ProfileName = Annotated[str, choice(*PROFILES, words="unknown profile")]
NameMatchersName = Annotated[str, choice(*NameMatchers, words="unknown kind of name matchers")]
PushdownName = Annotated[str, choice(*Pushdown, words="unknown pushdown")]
FixedLabels = Annotated[LabelSet, AfterValidator(_not_the_name)]


class QuerySection(LimitsSection):
    """`query`: limits of all queries, and which are logged as slow."""

    max_total_bytes: Size | None = None
    cpu_slots: Whole | None = None
    small_lane: Whole | None = None
    small_samples: Whole | None = None
    slow_after: Duration | None = None
    slow_log_file: FileName = ""

    def applied(self, engine: EngineSettings) -> EngineSettings:
        """The engine's settings with these on top."""
        own = super().applied(engine)
        turns = {"lane": self.small_lane, "small_samples": self.small_samples}
        kept = {name: held for name, held in turns.items() if held is not None}
        slots = own.cpu_slots if self.cpu_slots is None else self.cpu_slots
        return replace(
            own,
            turns=replace(own.turns, **kept),
            cpu_slots=slots,
            max_total_bytes=self.max_total_bytes,
        )


class StoreSection(Section):
    """One entry of `stores`: what is known or wanted of one store; what is absent stays default."""

    profile: ProfileName | None = None
    response_types: list[ResponseName] | None = None
    end_exclusive: Flag | None = None
    name_matchers: NameMatchersName | None = None
    anchor_regex: Flag | None = None
    missing_label_ok: Flag | None = None
    max_query_range: Duration | None = None
    min_query_range: Duration | None = None
    split_interval: Duration | None = None
    max_concurrency: Whole | None = None
    max_samples: Whole | None = None
    max_series: Whole | None = None
    max_response_bytes: Size | None = None
    retries: Whole | None = None
    labels: FixedLabels = None
    drop_labels: Annotated[list[Text] | None, AfterValidator(_not_the_name)] = None
    min_time: TimeBound = None
    max_time: TimeBound = None
    partial_response: PartialName | None = None
    sigv4: SigV4Section | None = None
    metadata_url: Url | None = None
    query_url: Url | None = None
    pushdown: PushdownName | None = None
    forward_headers: ForwardHeaders = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pushed = self.pushdown and self.pushdown != Pushdown.NEVER
        faults = ["pushdown needs a query_url"] if pushed and not self.query_url else []
        return without_faults(self, faults)

    cache: StoreCacheSection | None = None

    def applied(self, store: StoreSettings) -> StoreSettings:
        """The store's settings with these on top."""
        wanted: dict[str, Any] = {
            "profile": self.profile,
            "response_types": self.response_types
            and tuple(map(ResponseType, dict.fromkeys(self.response_types))),
            "end_exclusive": self.end_exclusive,
            "name_matchers": self.name_matchers and NameMatchers(self.name_matchers),
            "anchor_regex": self.anchor_regex,
            "missing_label_ok": self.missing_label_ok,
            "max_query_range_ms": self.max_query_range,
            "min_query_range_ms": self.min_query_range,
            "split_interval_ms": self.split_interval,
            "max_concurrency": self.max_concurrency,
            "max_samples": self.max_samples,
            "max_series": self.max_series,
            "max_response_bytes": self.max_response_bytes,
            "retries": self.retries,
            "labels": self.labels and tuple(sorted(self.labels.items())),
            "drop_labels": self.drop_labels and tuple(dict.fromkeys(self.drop_labels)),
            "min_time": self.min_time,
            "max_time": self.max_time,
            "metadata_url": self.metadata_url,
            "query_url": self.query_url,
            "pushdown": self.pushdown and Pushdown(self.pushdown),
            "forward_headers": self.forward_headers and tuple(self.forward_headers),
            "partial": self.partial_response and PartialResponse(self.partial_response),
        }
        if self.sigv4 is not None:
            wanted["http"] = replace(store.http, sigv4=self.sigv4.settings())
        return replace(store, **{name: held for name, held in wanted.items() if held is not None})


class WebSection(Section):
    """`web`: who may ask, beyond what a web configuration file says."""

    tokens_file: FileName = ""


class OwnFile(Section):
    """A prombridge.yml; the keys of `stores` are names or URLs of `remote_read` entries."""

    query: QuerySection | None = None
    budgets: BudgetsSection | None = None
    web: WebSection | None = None
    cache: CacheSection | None = None
    catalogue: CatalogueSection | None = None
    forwarding: ForwardingSection | None = None
    stores: dict[str, StoreSection | None] | None = None
    replicas: dict[str, ReplicasSection | None] | None = None
    tenants: TenantsSection | None = None
