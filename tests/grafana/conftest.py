"""A bridge in front of the demo's store, as Grafana meets it; its clock stands still."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from bridge.api.answers import Answers, Shelf
from bridge.api.endpoint import Api
from bridge.api.ledger import Ledger
from bridge.api.routes import application
from bridge.api.settings import ApiSettings
from bridge.demo.store import demo_store
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings
from bridge.engine.stretch import Stretches, StretchShelf
from bridge.remote.server import ReadEndpoint, Serving
from bridge.telemetry.metrics import Metrics
from tests.api.world import catalogue_of
from tests.grafana.requests import NOW_MS


@contextmanager
def running(settings: ApiSettings) -> Iterator[ASGIApp]:
    with ThreadPoolExecutor(2) as workers:
        catalogue = catalogue_of(demo_store(NOW_MS).querier, NOW_MS)
        limits = EngineSettings()
        metrics = Metrics(CollectorRegistry(), "0")
        engine = Engine(catalogue, limits, workers, stretches=Stretches(StretchShelf(1 << 20)))
        yield application(
            Api(
                engine=engine,
                querier=catalogue,
                reads=ReadEndpoint(catalogue, Serving(), Serving().gate()),
                catalogue=catalogue,
                metrics=metrics,
                settings=settings,
                limits=limits,
                ready=lambda: True,
                now=lambda: NOW_MS,
                started=NOW_MS,
                ledger=Ledger(metrics.queries, lambda: NOW_MS),
                answers=Answers(Shelf(1 << 20, metrics.answers)),
            )
        )
        engine.close()


@pytest.fixture(scope="session")
def bridge() -> Iterator[ASGIApp]:
    with running(ApiSettings()) as app:
        yield app


@pytest.fixture
async def below_prefix() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a bridge whose paths all stand below /prometheus."""
    with running(ApiSettings(route_prefix="/prometheus")) as app:
        transport = httpx.ASGITransport(app)
        base = "http://bridge:9099/prometheus"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield client


@pytest.fixture
async def grafana(bridge: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what Grafana's own HTTP client always sends."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(bridge),
        base_url="http://bridge:9099",
        headers={"User-Agent": "Grafana/12.4.3", "Accept-Encoding": "gzip"},
    ) as client:
        yield client
