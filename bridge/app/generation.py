"""The bridge under one configuration: an engine and an API over the stores."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.answers import Answers, Shelf
from bridge.api.endpoint import Api
from bridge.api.forwarding import Forwarding
from bridge.api.ledger import Ledger
from bridge.api.lifecycle import Lifecycle
from bridge.api.routes import application as http
from bridge.api.routes import for_anyone
from bridge.api.settings import ApiSettings
from bridge.api.status import VERSION
from bridge.api.tenancy import EVERYBODY, Tenancy
from bridge.app.budgeting import budgets_of, put_in_force
from bridge.app.derived import DerivedApps
from bridge.app.holdings import Holdings
from bridge.app.machine import memory_of_machine
from bridge.app.realm import Realm, Store, now
from bridge.app.warmth import Warmth
from bridge.catalogue.joint import JointCatalogue
from bridge.config.masked import masked_yaml
from bridge.config.settings import Settings
from bridge.console import pages as console
from bridge.engine.engine import Engine
from bridge.engine.stretch import Stretches, StretchShelf
from bridge.model.errors import BridgeError
from bridge.remote.server import Gate, ReadEndpoint
from bridge.storage.budgets import Budgets
from bridge.storage.fanout import Fanout
from bridge.storage.pool import Pool
from bridge.telemetry.lines import LineFile
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.queries import QueryMetrics
from bridge.telemetry.settings import QueryLogSettings, TracingSettings
from bridge.telemetry.trace import PassedOn

if TYPE_CHECKING:
    from bridge.telemetry.otel import OtelTracer


class CannotLog(BridgeError):
    """A log of queries that cannot be written; the text says why."""


def _metrics() -> Metrics:
    return Metrics(CollectorRegistry(), VERSION)


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """What lasts as long as the process, whatever is reloaded; `started` is Unix ms."""

    lifecycle: Lifecycle
    metrics: Metrics = field(default_factory=_metrics)
    warmth: Warmth = field(default_factory=Warmth)
    started: int = field(default_factory=now)
    memory: Pool = field(default_factory=Pool)
    budgets: Budgets = field(default_factory=Budgets)


class Generation:
    """Answers requests under one configuration until it is retired.

    Raises CannotLog if a log of queries cannot be opened.
    """

    def __init__(self, settings: Settings, process: Process, holdings: Holdings) -> None:
        self.holdings = holdings
        self._budgets = budgets_of(settings)
        self._ledger = _ledger(settings.query_log, process.metrics.queries)
        self._tracer = _tracer(settings.tracing)
        self._workers = ThreadPoolExecutor(os.cpu_count(), "worker")
        self._shelf = Shelf(settings.cache.answers_max_bytes, process.metrics.answers)
        stretches = Stretches(StretchShelf(settings.cache.answers_max_bytes))
        self._engine = Engine(Fanout(()), settings.engine, self._workers, stretches=stretches)
        self._app = self._application(settings, process)
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        self._answering += 1
        self._idle.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    def begin(self, process: Process) -> None:
        """Takes over: new requests are this generation's."""
        asyncio.get_running_loop().set_default_executor(self._workers)
        engine = self._engine
        total = engine.settings.max_total_bytes
        process.memory.total = memory_of_machine() // 2 if total is None else total
        put_in_force(process.budgets, self._budgets, process.metrics.budgets)
        process.metrics.answers.watch(self._shelf, engine.stretches.shelf, self._shelf.max_bytes)
        process.metrics.queries.waiting.set_function(lambda: engine.turns.waiting)
        process.metrics.queries.in_flight.set_function(lambda: len(self._ledger.active))
        process.metrics.queries.concurrent_max.set(engine.settings.turns.concurrency)

    async def idle(self) -> None:
        """Waits until no request is being answered."""
        await self._idle.wait()

    async def aclose(self) -> None:
        """Lets go of the holdings, of threads, logs and spans."""
        await self.holdings.release()
        self._engine.close()
        await asyncio.to_thread(self._ledger.close)
        if self._tracer is not None:
            await asyncio.to_thread(self._tracer.close)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _application(self, settings: Settings, process: Process) -> ASGIApp:
        gate, tenancy, pages = settings.serving.gate(), settings.tenancy, console.routes()
        shown = _api_settings(settings)
        anyone = for_anyone(shown, _ready(process), process.lifecycle, pages)
        apps: dict[str, ASGIApp] = {}
        for realm in self.holdings.realms:
            name = realm.tenant.name
            api = self._of(realm, settings, process, gate)
            apps[name] = _served(api, realm, pages)
            if (derived := self.holdings.derived.get(name)) is not None:
                made = DerivedApps(derived, partial(_sending, api))
                apps[name] = Forwarding(
                    settings.forwarding,
                    realm.forwarded,
                    shown.route_prefix,
                    apps[name],
                    made.at,
                    anyone,
                )
        return Tenancy(tenancy, apps, anyone) if tenancy.tenants else apps[EVERYBODY.name]

    def _of(self, realm: Realm, settings: Settings, process: Process, gate: Gate) -> Api:
        """What the requests of one tenant are answered with."""
        own = settings.tenant_engines.get(realm.tenant.name)
        limits = own or settings.engine
        check, options = limits.limits.check_selects, limits.reading()
        tracer = self._tracer
        return Api(
            engine=self._engine.over(realm.querier, own),
            querier=realm.querier,
            reads=ReadEndpoint(realm.querier, settings.serving, gate, check, options),
            catalogue=realm.catalogue,
            metrics=process.metrics,
            settings=_api_settings(settings),
            limits=limits,
            ready=_ready(process),
            now=now,
            started=process.started,
            delegations=tuple(one.delegation for one in realm.stores),
            apis=tuple(api for one in realm.stores for api in one.apis),
            caches=self.holdings.caches,
            ledger=self._ledger,
            answers=Answers(self._shelf, realm.name),
            tracer=PassedOn if tracer is None else lambda _caller: tracer,
            lifecycle=process.lifecycle,
            stores=[one.remote for one in realm.stores],
            tenant=realm.tenant,
            memory=process.memory,
            budgets=process.budgets,
        )


def _ready(process: Process) -> Callable[[], bool]:
    return lambda: process.warmth.complete and not process.lifecycle.stopping


def _served(api: Api, realm: Realm, pages: Sequence[BaseRoute] = ()) -> ASGIApp:
    """What answers by all stores of a realm, and by each alone."""
    alone = {one.settings.name: _alone(api, one) for one in realm.stores}
    return http(api, stores=alone, console=pages)


def _sending(api: Api, realm: Realm) -> ASGIApp:
    """The same tenant's, for requests that bear what this realm sends on."""
    derived = replace(
        api,
        engine=api.engine.over(realm.querier),
        querier=realm.querier,
        reads=replace(api.reads, querier=realm.querier),
        catalogue=realm.catalogue,
        delegations=tuple(one.delegation for one in realm.stores),
        apis=tuple(api for one in realm.stores for api in one.apis),
        answers=Answers(api.answers.shelf, realm.name),
        stores=[one.remote for one in realm.stores],
    )
    return _served(derived, realm)


def _alone(api: Api, store: Store) -> Api:
    """The API of one store by itself."""
    querier = Fanout((store.member,))
    return replace(
        api,
        engine=api.engine.over(querier),
        querier=querier,
        reads=replace(api.reads, querier=querier),
        delegations=(store.delegation,),
        apis=store.apis,
        catalogue=JointCatalogue(((store.catalogue, store.settings.partial),)),
        stores=[store.remote],
        answers=api.answers.apart(store.settings.name),
    )


def _ledger(settings: QueryLogSettings, metrics: QueryMetrics) -> Ledger:
    def lines(file: str) -> LineFile | None:
        try:
            return LineFile(Path(file), metrics.log_dropped.inc) if file else None
        except OSError as error:
            raise CannotLog(f"can't create json log file: open {file}: {error.strerror}") from None

    log, slow = lines(settings.file), lines(settings.slow_file)
    return Ledger(metrics, now, log, slow, settings.slow_after_ms / 1000)


def _tracer(settings: TracingSettings | None) -> "OtelTracer | None":
    if settings is None:
        return None
    from bridge.telemetry.otel import exporting  # noqa: PLC0415 - an optional dependency

    return exporting(settings, VERSION)


def _api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        route_prefix=settings.web.route_prefix.rstrip("/"),
        cors_origin=settings.web.cors_origin,
        enable_admin_api=settings.web.enable_admin_api,
        enable_lifecycle=settings.web.enable_lifecycle,
        enable_search=settings.web.enable_search,
        search_max_limit=settings.web.search_max_limit,
        max_notifications_subscribers=settings.web.max_notifications_subscribers,
        config_yaml=masked_yaml(settings),
        flags=settings.flags,
        external_labels=settings.external_labels,
    )
