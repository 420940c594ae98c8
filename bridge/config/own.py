"""The file of prombridge's own settings, `--prombridge.config`."""

from dataclasses import replace
from typing import Annotated, Any

from bridge.config.fields import Duration, Flag, Section, Size, Whole, choice
from bridge.config.own_cache import CacheSection, StoreCacheSection
from bridge.remote.settings import ResponseType, StoreSettings

ResponseName = Annotated[str, choice(*ResponseType, words="unknown response type")]


class QuerySection(Section):
    """`query`: limits of all queries."""

    max_bytes: Size | None = None


class StoreSection(Section):
    """One entry of `stores`: what is known or wanted of one store; what is absent stays default."""

    response_types: list[ResponseName] | None = None
    end_exclusive: Flag | None = None
    max_query_range: Duration | None = None
    max_response_bytes: Size | None = None
    retries: Whole | None = None
    cache: StoreCacheSection | None = None

    def applied(self, store: StoreSettings) -> StoreSettings:
        """The store's settings with these on top."""
        wanted: dict[str, Any] = {
            "response_types": self.response_types
            and tuple(map(ResponseType, dict.fromkeys(self.response_types))),
            "end_exclusive": self.end_exclusive,
            "max_query_range_ms": self.max_query_range,
            "max_response_bytes": self.max_response_bytes,
            "retries": self.retries,
        }
        return replace(store, **{name: held for name, held in wanted.items() if held is not None})


class OwnFile(Section):
    """A prombridge.yml; the keys of `stores` are names or URLs of `remote_read` entries."""

    query: QuerySection | None = None
    cache: CacheSection | None = None
    stores: dict[str, StoreSection | None] | None = None
