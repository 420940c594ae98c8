"""The wiring: Settings to an ASGI application."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bridge.api.endpoint import Api
from bridge.api.ledger import Ledger
from bridge.api.routes import application as http
from bridge.api.settings import ApiSettings
from bridge.api.status import VERSION
from bridge.app.caches import cached, caches_of
from bridge.app.warmth import Warmth
from bridge.cache.caches import Caches
from bridge.cache.samples import SampleCache
from bridge.catalogue.background import Background
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.joint import JointCatalogue
from bridge.catalogue.seeds import Seeds, seeds_of
from bridge.catalogue.sources import Source
from bridge.config.masked import masked_yaml
from bridge.config.settings import Settings
from bridge.engine.engine import Engine
from bridge.engine.functions import signatures
from bridge.model.errors import BridgeError
from bridge.promql.parser import parse
from bridge.remote.client import RemoteStore
from bridge.remote.profiles import profile_of
from bridge.remote.server import ReadEndpoint
from bridge.remote.settings import Hints, StoreSettings
from bridge.storage.fanout import Fanout, Member
from bridge.storage.flights import SharedReads
from bridge.storage.interface import Querier
from bridge.storage.replicas import Replica, Replicas, ReplicaSettings
from bridge.storage.view import View
from bridge.telemetry.lines import LineFile
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.queries import QueryMetrics
from bridge.telemetry.settings import QueryLogSettings, TracingSettings
from bridge.telemetry.trace import PassedOn

if TYPE_CHECKING:
    from bridge.telemetry.otel import OtelTracer

_LOG: Final = logging.getLogger(__name__)


class CannotLog(BridgeError):
    """A log of queries that cannot be written; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Store:
    """All that belongs to one store: its clients, its cache, its catalogue."""

    settings: StoreSettings
    remote: RemoteStore
    surveyor: RemoteStore
    reader: SampleCache | SharedReads
    view: View
    catalogue: Catalogue

    @property
    def member(self) -> Member:
        """The store as one of those that a read goes to."""
        return Member(self.catalogue, self.settings.partial)

    async def aclose(self) -> None:
        """Ends what goes on behind the answers, and closes connections."""
        if isinstance(self.reader, SampleCache):
            await self.reader.aclose()
        await self.catalogue.aclose()
        await self.remote.aclose()
        await self.surveyor.aclose()


def application(settings: Settings, *, warming: bool = True) -> Starlette:
    """The whole bridge; its lifespan warms its kernels, if wanted, and closes its stores."""
    metrics = Metrics(CollectorRegistry(), VERSION)
    caches, seeds = caches_of(settings, metrics.cache), _seeds(settings)
    stores = [_store(one, settings, metrics, caches, seeds) for one in settings.stores]
    workers = ThreadPoolExecutor(os.cpu_count(), "worker")
    fanout = Fanout(tuple(_members(stores, settings.replicas)))
    engine = Engine(fanout, settings.engine, workers)
    metrics.queries.waiting.set_function(lambda: engine.turns.waiting)
    metrics.queries.concurrent_max.set(settings.engine.max_concurrency)
    ledger = _ledger(settings.query_log, metrics.queries)
    tracer = _tracer(settings.tracing)
    warmth = Warmth()
    serving = replace(settings.serving, max_bytes=settings.engine.max_bytes)
    api = Api(
        engine=engine,
        querier=fanout,
        reads=ReadEndpoint(fanout, serving, serving.gate()),
        catalogue=JointCatalogue(tuple((one.catalogue, one.settings.partial) for one in stores)),
        metrics=metrics,
        settings=_api_settings(settings),
        limits=settings.engine,
        ready=lambda: warmth.complete,
        now=_now,
        started=_now(),
        caches=caches,
        ledger=ledger,
        tracer=PassedOn if tracer is None else lambda _caller: tracer,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(workers)
        learning = [Background(one.catalogue, _place(one.settings)) for one in stores]
        background = [asyncio.create_task(_work(warmth if warming else None, learning))]
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await asyncio.gather(*(store.aclose() for store in stores))
            await caches.aclose()
            engine.close()
            await asyncio.to_thread(ledger.close)
            if tracer is not None:
                await asyncio.to_thread(tracer.close)
            workers.shutdown(wait=False, cancel_futures=True)

    return http(api, lifespan, {one.settings.name: _alone(api, one) for one in stores})


def _alone(api: Api, store: _Store) -> Api:
    """The API of one store by itself."""
    querier = Fanout((store.member,))
    return replace(
        api,
        engine=api.engine.over(querier),
        querier=querier,
        reads=replace(api.reads, querier=querier),
        catalogue=JointCatalogue(((store.catalogue, store.settings.partial),)),
    )


def _members(stores: Sequence[_Store], groups: Sequence[ReplicaSettings]) -> Iterator[Member]:
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


def _ledger(settings: QueryLogSettings, metrics: QueryMetrics) -> Ledger:
    def lines(file: str) -> LineFile | None:
        try:
            return LineFile(Path(file), metrics.log_dropped.inc) if file else None
        except OSError as error:
            raise CannotLog(f"can't create json log file: open {file}: {error.strerror}") from None

    return Ledger(
        metrics,
        _now,
        lines(settings.file),
        lines(settings.slow_file),
        settings.slow_after_ms / 1000,
    )


def _tracer(settings: TracingSettings | None) -> "OtelTracer | None":
    if settings is None:
        return None
    from bridge.telemetry.otel import exporting  # noqa: PLC0415 - an optional dependency

    return exporting(settings, VERSION)


async def _work(warmth: Warmth | None, learning: Sequence[Background]) -> None:
    """What goes on without a request; names are read with kernels that are compiled."""
    if warmth is not None:
        await warmth.bring()
    rest = [] if warmth is None else [warmth.bring_rest()]
    await asyncio.gather(*(one.run() for one in learning), *rest)


def _store(
    store: StoreSettings,
    settings: Settings,
    metrics: Metrics,
    caches: Caches,
    seeds: Seeds,
) -> _Store:
    remote, surveyor = (
        RemoteStore(store, observer=metrics.stores),
        _surveyor(store, settings, metrics),
    )
    _watch(metrics, remote)
    reader = cached(remote, settings, caches)
    view = _view(store, reader)
    # A profile that was only recognised may be wrong: whether it honours hints is found out.
    hint = profile_of(store).hints is Hints.SERIES if store.profile else None
    source = Source(store.name, view, surveyor, hint)
    catalogue = Catalogue(view, [source], settings.catalogue, _now, seeds)
    return _Store(store, remote, surveyor, reader, view, catalogue)


def _view(store: StoreSettings, reader: Querier) -> View:
    return View(
        reader,
        required_matchers=store.required_matchers,
        external_labels=store.external_labels if store.filter_external_labels else (),
        labels=store.labels,
        dropped=frozenset(store.drop_labels),
        oldest=store.min_time,
        newest=store.max_time,
        now=_now,
    )


def _surveyor(store: StoreSettings, settings: Settings, metrics: Metrics) -> RemoteStore:
    """The same store with the limits of a read of all names."""
    limits = settings.catalogue
    limited = replace(
        store,
        max_series=_least(store.max_series, limits.bootstrap_max_series),
        max_response_bytes=_least(store.max_response_bytes, limits.bootstrap_max_bytes),
        retries=0,
    )
    return RemoteStore(limited, observer=metrics.stores)


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


def _api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        route_prefix=settings.web.route_prefix.rstrip("/"),
        config_yaml=masked_yaml(settings),
        enable_admin_api=settings.web.enable_admin_api,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
