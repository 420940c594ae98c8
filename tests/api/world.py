"""An API over an in-memory store, and a client of it without a network."""

import math
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from httpx import ASGITransport, AsyncClient, Response
from prometheus_client import CollectorRegistry

from bridge.api.answers import Answers, Shelf
from bridge.api.endpoint import Api
from bridge.api.ledger import Ledger
from bridge.api.routes import application
from bridge.api.settings import ApiSettings
from bridge.cache.caches import Caches
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Source
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings
from bridge.engine.stretch import Stretches, StretchShelf
from bridge.model.labels import Labels
from bridge.remote.server import ReadEndpoint, Serving
from bridge.storage.interface import Querier
from bridge.storage.memory import MemoryStore
from bridge.storage.view import View
from bridge.telemetry.metrics import Metrics
from tests.grafana.reader import read_exchange

# The clock of the tests, ms: ten minutes after the first sample.
NOW: Final = 1_700_000_600_000
START: Final = NOW - 600_000


def store() -> MemoryStore:
    """`up` of two instances and a label that needs escaping, every 15 s for ten minutes."""
    times = list(range(START, NOW + 1, 15_000))
    odd = {"__name__": "odd", "a<b": "x&y", "tab": "a\tb"}
    series = [
        ({"__name__": "up", "job": "web", "instance": "a"}, [1.0] * len(times)),
        ({"__name__": "up", "job": "web", "instance": "b"}, [0.0] * len(times)),
        ({"__name__": "requests_total", "job": "web"}, [float(n) for n in range(len(times))]),
        (odd, [math.inf] * len(times)),
    ]
    return MemoryStore((Labels.of(labels), times, values) for labels, values in series)


def labelled(labels: dict[str, str]) -> MemoryStore:
    """One series with these labels and one sample."""
    return MemoryStore([(Labels.of(labels), [NOW], [1.0])])


def catalogue_of(querier: Querier, now: int = NOW) -> Catalogue:
    """A catalogue of a store that is known to honour the series hint."""
    source = Source("memory", View(querier), hint=True)
    settings = CatalogueSettings(bootstrap_window=now)
    return Catalogue(querier, [source], settings, lambda: now)


@asynccontextmanager
async def api(
    querier: Querier | None = None,
    settings: ApiSettings | None = None,
    limits: EngineSettings | None = None,
    ready: Callable[[], bool] = lambda: True,
    caches: Caches | None = None,
) -> AsyncIterator[Api]:
    """An API over `querier`, else over `store()`."""
    limits = limits or EngineSettings()
    metrics = Metrics(CollectorRegistry(), "0")
    catalogue = catalogue_of(querier or store())
    with ThreadPoolExecutor(2) as workers:
        engine = Engine(catalogue, limits, workers, stretches=Stretches(StretchShelf(1 << 20)))
        yield Api(
            engine=engine,
            querier=catalogue,
            reads=ReadEndpoint(catalogue, Serving(), Serving().gate()),
            catalogue=catalogue,
            metrics=metrics,
            settings=settings or ApiSettings(),
            limits=limits,
            ready=ready,
            now=lambda: NOW,
            started=NOW,
            ledger=Ledger(metrics.queries, lambda: NOW),
            answers=Answers(Shelf(1 << 20, metrics.answers)),
            caches=caches or Caches.none(),
        )
        await catalogue.aclose()
        engine.close()


@asynccontextmanager
async def client(
    querier: Querier | None = None,
    settings: ApiSettings | None = None,
    limits: EngineSettings | None = None,
    ready: Callable[[], bool] = lambda: True,
    caches: Caches | None = None,
) -> AsyncIterator[AsyncClient]:
    """A client of such an API, which reads every answer as strictly as Grafana does."""
    async with api(querier, settings, limits, ready, caches) as made:
        transport = ASGITransport(application(made))
        hooks = {"response": [_read]}
        async with AsyncClient(
            transport=transport, base_url="http://bridge", event_hooks=hooks
        ) as connected:
            yield connected


async def _read(response: Response) -> None:
    body = await response.aread()
    if "/api/v1/" in response.url.path and response.request.method != "HEAD":
        kind = response.headers.get("content-type", "")
        read_exchange(response.url.path, response.status_code, kind, body)
