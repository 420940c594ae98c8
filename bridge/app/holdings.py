"""What is read: a realm for each tenant, one for everybody without tenants, and their memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from bridge.api.tenancy import EVERYBODY, Tenant
from bridge.app.caches import caches_of
from bridge.app.derived import DerivedRealms
from bridge.app.realm import Common, Realm, Store
from bridge.cache.caches import Caches
from bridge.catalogue.background import Background
from bridge.catalogue.seeds import Seeds, seeds_of
from bridge.config.settings import Settings
from bridge.engine.functions import signatures
from bridge.promql.parser import parse
from bridge.remote.client import RemoteStore
from bridge.remote.profiles import profile_of
from bridge.remote.recorded import Connect
from bridge.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger(__name__)


class Holdings:
    """All stores of a configuration.

    With `before`, what its memory holds stays if the cache is set up as it was. `connect` makes
    another way to a store than a connection.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        before: "Holdings | None" = None,
        connect: Connect | None = None,
    ) -> None:
        self.settings = settings
        held = before.caches if before is not None else None
        self.caches: Caches = caches_of(settings, metrics.cache, held)
        seeds = _seeds(settings)
        turns = {
            one.name: asyncio.Semaphore(max(profile_of(one).concurrency, 1))
            for one in settings.stores
        }
        common = Common(settings, metrics, self.caches, seeds, turns, connect)
        tenants = settings.tenancy.tenants or (EVERYBODY,)
        self.realms = tuple(Realm.of(tenant, common) for tenant in tenants)
        most, learned = settings.forwarding.max_sets, settings.catalogue.max_bytes
        self.derived = {
            realm.tenant.name: DerivedRealms(realm, most, learned, metrics.forwarding)
            for realm in self.realms
            if realm.forwarded
        }
        self._watch(metrics)
        self._holders = 0
        self._learning: asyncio.Task[None] | None = None

    def serves(self, settings: Settings) -> bool:
        """Whether nothing about stores, cache and catalogue is different there."""
        held = self.settings
        return (
            held.stores == settings.stores
            and held.replicas == settings.replicas
            and held.cache == settings.cache
            and held.store_caches == settings.store_caches
            and held.catalogue == settings.catalogue
            and held.tenancy == settings.tenancy
            and held.forwarding == settings.forwarding
        )

    def hold(self, warm: Callable[[], Awaitable[None]] | None) -> None:
        """One more works with them; with the first, what goes on without a request begins.

        That waits for `warm`, for it reads names with kernels that are compiled.
        """
        self._holders += 1
        if self._holders == 1:
            self._learning = asyncio.create_task(self._learn(warm))

    async def release(self) -> None:
        """One less; with the last, what was read reaches its tiers and connections are closed."""
        self._holders -= 1
        if self._holders:
            return
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        await asyncio.gather(*(derived.aclose() for derived in self.derived.values()))
        await asyncio.gather(*(realm.aclose() for realm in self.realms))
        await self.caches.aclose()

    async def _learn(self, warm: Callable[[], Awaitable[None]] | None) -> None:
        if warm is not None:
            await warm()
        learning = [
            Background(one.catalogue, _place(one, realm.tenant))
            for realm in self.realms
            for one in realm.stores
        ]
        await asyncio.gather(*(one.run() for one in learning))

    def _watch(self, metrics: Metrics) -> None:
        """Shows how each store fares, whosever requests it answers, and what is kept apart."""
        for name in (one.name for one in self.settings.stores):
            _watch(metrics, name, partial(self._named, name))
        metrics.forwarding.forget()
        for tenant, derived in self.derived.items():
            metrics.forwarding.watch(tenant, derived, self.settings.forwarding.max_sets)

    def _named(self, name: str) -> Iterator[RemoteStore]:
        """The clients of a store."""
        realms = [*self.realms, *(one for held in self.derived.values() for one in held.realms())]
        stores = (store for realm in realms for store in realm.own)
        return (store.remote for store in stores if store.settings.name == name)


def _watch(metrics: Metrics, name: str, asked: Callable[[], Iterator[RemoteStore]]) -> None:
    metrics.stores.watch(
        name,
        lambda: sum(one.in_flight for one in asked()),
        lambda: any(one.breaker.is_open for one in asked()),
    )


def _place(store: Store, tenant: Tenant) -> str:
    """What tells a store's part of the catalogue's file, for each tenant another."""
    place = f"{store.settings.name} {store.settings.shown_url}"
    return f"{place} {tenant.name}" if tenant.name else place


def _seeds(settings: Settings) -> Seeds:
    given, files = settings.catalogue.seeds, settings.catalogue.seed_files
    known = signatures()
    seeds, faults = seeds_of(given, files, lambda text: parse(text, known))
    for fault in faults:
        _LOG.warning("a file of seeds cannot be used", extra={"error": fault})
    return seeds
