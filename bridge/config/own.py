"""The file of prombridge's own settings, `--prombridge.config`."""

from dataclasses import replace
from typing import Annotated, Any

from bridge.config.fields import Duration, Flag, Section, Size, Whole, choice
from bridge.config.own_cache import CacheSection, StoreCacheSection
from bridge.config.own_catalogue import CatalogueSection
from bridge.remote.profiles import PROFILES
from bridge.remote.settings import NameMatchers, ResponseType, StoreSettings

ResponseName = Annotated[str, choice(*ResponseType, words="unknown response type")]
ProfileName = Annotated[str, choice(*PROFILES, words="unknown profile")]
NameMatchersName = Annotated[str, choice(*NameMatchers, words="unknown kind of name matchers")]


class QuerySection(Section):
    """`query`: limits of all queries."""

    max_bytes: Size | None = None


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
        }
        return replace(store, **{name: held for name, held in wanted.items() if held is not None})


class OwnFile(Section):
    """A prombridge.yml; the keys of `stores` are names or URLs of `remote_read` entries."""

    query: QuerySection | None = None
    cache: CacheSection | None = None
    catalogue: CatalogueSection | None = None
    stores: dict[str, StoreSection | None] | None = None
