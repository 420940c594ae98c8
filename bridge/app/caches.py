"""The caches before the stores: one memory, the tiers beyond it, and what is purged in all."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bridge.app.marks import mark
from bridge.cache.beyond import Beyond
from bridge.cache.caches import Caches
from bridge.cache.disk import DiskTier
from bridge.cache.memory import Memory
from bridge.cache.observed import CacheObserver
from bridge.cache.policy import Policy
from bridge.cache.purges import Purges
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.cache.tiers import Tier
from bridge.cache.valkey import ValkeyTier, connector
from bridge.config.settings import Settings
from bridge.remote.client import RemoteStore
from bridge.remote.settings import StoreSettings
from bridge.storage.flights import SharedReads
from bridge.telemetry.cache import CacheMetrics


def caches_of(settings: Settings, metrics: CacheMetrics, before: Caches | None = None) -> Caches:
    """One memory for all stores and the tiers beyond it, shown in the metrics.

    The memory of `before` stays if it is set up alike: its keys tell stores apart by address and
    credentials.
    """
    cache, tiers = settings.cache, tuple(_tiers(settings.cache, metrics))
    memory = before.memory if before is not None else None
    if memory is None or memory.settings != cache:
        memory = Memory(cache, observer=metrics)
    if cache.enabled:
        metrics.watch(memory, cache.max_bytes, [store.name for store in settings.stores])
    for tier in tiers:
        metrics.watch_tier(tier.name, tier.left_alone)
    known = before.purges if before is not None else None
    purges = Purges(tiers, memory.clock, cache.sealed_ttl, before=known)
    beyond = tuple(Beyond(tier, memory, purges) for tier in tiers)
    return Caches(memory, purges, tiers, beyond)


def cached(
    store: RemoteStore, settings: Settings, caches: Caches, tenant: str
) -> SampleCache | SharedReads:
    """A store whose reads are shared and, if so set, remembered; apart for each tenant."""
    shared, name = SharedReads(store), store.settings.name
    if not settings.cache.enabled:
        return shared
    policy = Policy(settings.store_caches.get(name, settings.cache))
    identity = _identity(store.settings, tenant)
    # What a store answers to a client's own headers stays in this process.
    beyond = () if store.settings.forwarded else caches.beyond
    return SampleCache(shared, caches.memory, name, policy, beyond, identity, caches.purges)


def _tiers(cache: CacheSettings, observer: CacheObserver) -> Iterator[Tier]:
    """Where sealed samples outlive this process, the nearest first."""
    if cache.enabled and cache.dir:
        yield DiskTier(Path(cache.dir), cache.dir_max_bytes, observer=observer)
    if cache.enabled and cache.valkey_url and cache.valkey_url.reveal():
        yield ValkeyTier(connector(cache.valkey_url.reveal()), observer=observer)


def _identity(store: StoreSettings, tenant: str) -> str:
    """What tells apart what bears the same name: the store's address, credentials, the tenant.

    And what clients are sent on with, by a mark that nobody else can make.
    """
    told = [store.url, store.headers, asdict(store.http), *([tenant] if tenant else [])]
    if store.forwarded:
        return mark(told, store.forwarded)
    text = json.dumps(told, default=lambda held: held.reveal(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
