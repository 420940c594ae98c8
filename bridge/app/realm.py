"""What one tenant reads: the stores, each with its clients, its cache and its catalogue."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from bridge.api.forwarding import Values
from bridge.api.tenancy import Tenant
from bridge.app.caches import cached
from bridge.app.marks import mark
from bridge.cache.caches import Caches
from bridge.cache.samples import SampleCache
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.joint import JointCatalogue
from bridge.catalogue.passed import PassedNames
from bridge.catalogue.seeds import Seeds
from bridge.catalogue.sources import Source
from bridge.config.settings import Settings
from bridge.model.secret import Secret
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


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """What the realms of all tenants are made of.

    `turns` count the requests to each store, by its name, whosever they are; `connect` makes
    another way to a store than a connection.
    """

    settings: Settings
    metrics: Metrics
    caches: Caches
    seeds: Seeds
    turns: Mapping[str, asyncio.Semaphore]
    connect: Connect | None


class Realm:
    """Everything that a tenant's requests read: no object that samples or names pass is another's.

    The memory and its tiers are shared; their keys tell tenants apart. `own` are those of the
    stores that are no other realm's; of a realm for headers that clients send, the others are those
    of the tenant's realm for all other requests. `name` tells it from all others.
    """

    def __init__(
        self,
        tenant: Tenant,
        common: Common,
        name: tuple[str, ...],
        stores: Sequence[Store],
        own: Sequence[Store],
    ) -> None:
        self.tenant = tenant
        self.name = name
        self.stores = tuple(stores)
        self.own = tuple(own)
        self.querier = Fanout(tuple(_members(self.stores, common.settings.replicas)))
        self.catalogue = JointCatalogue(
            tuple((one.catalogue, one.settings.partial) for one in self.stores)
        )
        self._common = common

    @staticmethod
    def of(tenant: Tenant, common: Common) -> "Realm":
        """That of a tenant's requests, as far as they bear no header that is sent on."""
        stores = [
            _store(_own(one, tenant), tenant, common)
            for one in common.settings.stores
            if not tenant.stores or one.name in tenant.stores
        ]
        return Realm(tenant, common, (tenant.name,), stores, stores)

    @property
    def forwarded(self) -> frozenset[str]:
        """The names, in small letters, of the headers that some store is sent on."""
        named = (name for store in self.stores for name in store.settings.forward_headers)
        return frozenset(map(str.lower, named))

    @property
    def learned_bytes(self) -> int:
        """Bytes of memory for the names of its own stores, about."""
        return sum(store.catalogue.learned.index.nbytes for store in self.own)

    def sending(self, values: Values) -> "Realm":
        """That of the same tenant's requests whose headers have these values."""
        given = dict(values)
        stores = [_sending(store, given, self.tenant, self._common) for store in self.stores]
        own = [one for one in stores if one not in self.stores]
        return Realm(self.tenant, self._common, (*self.name, "sending", mark(values)), stores, own)

    async def aclose(self) -> None:
        """Ends what goes on behind the answers, and closes connections."""
        await asyncio.gather(*(store.aclose() for store in self.own))


def _sending(store: Store, given: Mapping[str, Secret], tenant: Tenant, common: Common) -> Store:
    """The store that is sent what it wants of these headers; the same one if it wants none."""
    names = store.settings.forward_headers
    found = tuple((name, given[name.lower()]) for name in names if name.lower() in given)
    return _store(replace(store.settings, forwarded=found), tenant, common) if found else store


def _own(store: StoreSettings, tenant: Tenant) -> StoreSettings:
    """The store with the headers of a tenant."""
    own = {name.lower() for name, _ in tenant.headers}
    kept = tuple(pair for pair in store.headers if pair[0].lower() not in own)
    return replace(store, headers=(*kept, *tenant.headers))


def _members(stores: Sequence[Store], groups: Sequence[ReplicaSettings]) -> Iterator[Member]:
    """Who is read: each store, or in place of a group's first store the group."""
    by_name = {one.settings.name: one for one in stores}
    group_of = {name: group for group in groups for name in group.stores}
    for store in stores:
        group = group_of.get(store.settings.name)
        if group is None:
            yield store.member
            continue
        held = [by_name[name] for name in group.stores if name in by_name]
        if held[0] is store:
            replicas = tuple(Replica(one.catalogue, one.view) for one in held)
            yield Member(Replicas(replicas, group), group.partial)


def _store(store: StoreSettings, tenant: Tenant, common: Common) -> Store:
    settings, turns = common.settings, common.turns[store.name]
    remote = RemoteStore(store, observer=common.metrics.stores, connect=common.connect, turns=turns)
    surveyor = _surveyor(store, common)
    reader = cached(remote, settings, common.caches, tenant.name)
    view = _view(store, reader, tenant)
    # A profile that was only recognised may be wrong: whether it honours hints is found out.
    hint = profile_of(store).hints is Hints.SERIES if store.profile else None
    source = Source(store.name, view, surveyor, hint)
    names = QueryApi(store, store.metadata_url) if store.metadata_url else None
    queries = QueryApi(store, store.query_url) if store.query_url else None
    passed = None if names is None else PassedNames(names, view, now)
    narrow = tenant.matchers or tenant.headers or store.forwarded
    seeds = common.seeds.unnamed() if narrow else common.seeds
    catalogue = Catalogue(view, [source], settings.catalogue, now, seeds, passed)
    return Store(store, remote, surveyor, reader, view, catalogue, names, queries)


def _view(store: StoreSettings, reader: Querier, tenant: Tenant) -> View:
    return View(
        reader,
        required_matchers=store.required_matchers,
        external_labels=store.external_labels if store.filter_external_labels else (),
        labels=store.labels,
        dropped=frozenset(store.drop_labels),
        oldest=store.min_time,
        newest=store.max_time,
        enforced=tenant.matchers,
        now=now,
    )


def _surveyor(store: StoreSettings, common: Common) -> RemoteStore:
    """The same store with the limits of a read of all names."""
    limits = common.settings.catalogue
    limited = replace(
        store,
        max_series=_least(store.max_series, limits.bootstrap_max_series),
        max_response_bytes=_least(store.max_response_bytes, limits.bootstrap_max_bytes),
        retries=0,
    )
    return RemoteStore(limited, observer=common.metrics.stores, connect=common.connect)


def _least(*limits: int) -> int:
    """The narrowest of some limits, where 0 is none."""
    return min(filter(None, limits), default=0)
