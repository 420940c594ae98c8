"""What is read: the stores, each with its clients, its cache and its catalogue."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from bridge.app.caches import cached, caches_of
from bridge.cache.caches import Caches
from bridge.cache.samples import SampleCache
from bridge.catalogue.background import Background
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.joint import JointCatalogue
from bridge.catalogue.passed import PassedNames
from bridge.catalogue.seeds import Seeds, seeds_of
from bridge.catalogue.sources import Source
from bridge.config.settings import Settings
from bridge.engine.functions import signatures
from bridge.promql.parser import parse
from bridge.remote.client import RemoteStore
from bridge.remote.profiles import profile_of
from bridge.remote.query_api import QueryApi
from bridge.remote.recorded import Connect
from bridge.remote.settings import Hints, StoreSettings
from bridge.storage.delegation import Delegation
from bridge.storage.fanout import Fanout, Member
from bridge.storage.flights import SharedReads
from bridge.storage.interface import Querier
from bridge.storage.replicas import Replica, Replicas, ReplicaSettings
from bridge.storage.view import View
from bridge.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger(__name__)
# How long what was read may take to reach its tiers when all ends, seconds.
_FLUSH_SECONDS: Final = 5.0


def now() -> int:
    """The machine's clock, Unix ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """All that belongs to one store: its clients, its cache, its catalogue."""

    settings: StoreSettings
    remote: RemoteStore
    surveyor: RemoteStore
    reader: SampleCache | SharedReads
    view: View
    catalogue: Catalogue
    names: QueryApi | None = None
    queries: QueryApi | None = None

    @property
    def apis(self) -> tuple[QueryApi, ...]:
        """Where exemplars, rules and alerts come from."""
        return () if self.names is None else (self.names,)

    @property
    def delegation(self) -> Delegation:
        """Which queries the store may be given."""
        return Delegation(self.view, self.queries, self.settings.pushdown)

    @property
    def member(self) -> Member:
        """The store as one of those that a read goes to."""
        return Member(self.catalogue, self.settings.partial)

    async def aclose(self) -> None:
        """Ends what goes on behind the answers, and closes connections."""
        if isinstance(self.reader, SampleCache):
            with suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self.reader.settled()
            await self.reader.aclose()
        await self.catalogue.aclose()
        await self.remote.aclose()
        await self.surveyor.aclose()
        for api in (self.names, self.queries):
            if api is not None:
                await api.aclose()


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
        self.stores = tuple(
            _store(one, settings, metrics, self.caches, seeds, connect) for one in settings.stores
        )
        self.querier = Fanout(tuple(_members(self.stores, settings.replicas)))
        self.catalogue = JointCatalogue(
            tuple((one.catalogue, one.settings.partial) for one in self.stores)
        )
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
        await asyncio.gather(*(store.aclose() for store in self.stores))
        await self.caches.aclose()

    async def _learn(self, warm: Callable[[], Awaitable[None]] | None) -> None:
        if warm is not None:
            await warm()
        learning = [Background(one.catalogue, _place(one.settings)) for one in self.stores]
        await asyncio.gather(*(one.run() for one in learning))


def _members(stores: Sequence[Store], groups: Sequence[ReplicaSettings]) -> Iterator[Member]:
    """Who is read: each store, or in place of a group's first store the group."""
    by_name = {one.settings.name: one for one in stores}
    group_of = {name: group for group in groups for name in group.stores}
    for store in stores:
        group = group_of.get(store.settings.name)
        if group is None:
            yield store.member
        elif group.stores[0] == store.settings.name:
            held = [by_name[name] for name in group.stores]
            replicas = tuple(Replica(one.catalogue, one.view) for one in held)
            yield Member(Replicas(replicas, group), group.partial)


def _place(store: StoreSettings) -> str:
    """What tells a store's part of the catalogue's file."""
    return f"{store.name} {store.shown_url}"


def _watch(metrics: Metrics, store: RemoteStore) -> None:
    metrics.stores.watch(
        store.settings.name, lambda: store.in_flight, lambda: store.breaker.is_open
    )


def _store(
    store: StoreSettings,
    settings: Settings,
    metrics: Metrics,
    caches: Caches,
    seeds: Seeds,
    connect: Connect | None,
) -> Store:
    remote = RemoteStore(store, observer=metrics.stores, connect=connect)
    surveyor = _surveyor(store, settings, metrics, connect)
    _watch(metrics, remote)
    reader = cached(remote, settings, caches)
    view = _view(store, reader)
    # A profile that was only recognised may be wrong: whether it honours hints is found out.
    hint = profile_of(store).hints is Hints.SERIES if store.profile else None
    source = Source(store.name, view, surveyor, hint)
    names = QueryApi(store, store.metadata_url) if store.metadata_url else None
    queries = QueryApi(store, store.query_url) if store.query_url else None
    passed = None if names is None else PassedNames(names, view, now)
    catalogue = Catalogue(view, [source], settings.catalogue, now, seeds, passed)
    return Store(store, remote, surveyor, reader, view, catalogue, names, queries)


def _view(store: StoreSettings, reader: Querier) -> View:
    return View(
        reader,
        required_matchers=store.required_matchers,
        external_labels=store.external_labels if store.filter_external_labels else (),
        labels=store.labels,
        dropped=frozenset(store.drop_labels),
        oldest=store.min_time,
        newest=store.max_time,
        now=now,
    )


def _surveyor(
    store: StoreSettings, settings: Settings, metrics: Metrics, connect: Connect | None
) -> RemoteStore:
    """The same store with the limits of a read of all names."""
    limits = settings.catalogue
    limited = replace(
        store,
        max_series=_least(store.max_series, limits.bootstrap_max_series),
        max_response_bytes=_least(store.max_response_bytes, limits.bootstrap_max_bytes),
        retries=0,
    )
    return RemoteStore(limited, observer=metrics.stores, connect=connect)


def _least(*limits: int) -> int:
    """The narrowest of some limits, where 0 is none."""
    return min(filter(None, limits), default=0)


def _seeds(settings: Settings) -> Seeds:
    given, files = settings.catalogue.seeds, settings.catalogue.seed_files
    known = signatures()
    seeds, faults = seeds_of(given, files, lambda text: parse(text, known))
    for fault in faults:
        _LOG.warning("a file of seeds cannot be used", extra={"error": fault})
    return seeds
