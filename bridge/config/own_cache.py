"""The sections `cache` of prombridge's own settings: of all stores, and of a single one."""

from dataclasses import replace

from bridge.cache.settings import CacheSettings
from bridge.config.fields import Duration, FileName, Flag, Section, Size, ValkeyUrl


class StoreCacheSection(Section):
    """`cache` of one of `stores`: what depends on how a store takes in samples, or fails."""

    freshness: Duration | None = None
    burst: Duration | None = None
    out_of_order_window: Duration | None = None
    stale_if_error: Flag | None = None

    def applied(self, cache: CacheSettings) -> CacheSettings:
        """The cache's settings with these on top."""
        wanted = {name: getattr(self, name) for name in type(self).model_fields}
        return replace(cache, **{name: held for name, held in wanted.items() if held is not None})


class CacheSection(StoreCacheSection):
    """`cache`: what is remembered of samples, and for how long."""

    enabled: Flag | None = None
    max_bytes: Size | None = None
    answers_max_bytes: Size | None = None
    sealed_ttl: Duration | None = None
    young_ttl: Duration | None = None
    read_ahead: Duration | None = None
    dir: FileName | None = None
    dir_max_bytes: Size | None = None
    valkey_url: ValkeyUrl | None = None
