"""A bridge in front of the demo's store, as Grafana meets it; its clock stands still."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bridge.api.endpoint import Api
from bridge.api.routes import application
from bridge.api.settings import ApiSettings
from bridge.catalogue.seen import SeenLabels
from bridge.demo.store import demo_store
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings
from bridge.telemetry import Metrics
from tests.grafana.requests import NOW_MS


@pytest.fixture(scope="session")
def bridge() -> Iterator[Starlette]:
    with ThreadPoolExecutor(2) as workers:
        seen = SeenLabels(demo_store(NOW_MS).querier)
        limits = EngineSettings()
        engine = Engine(seen, limits, workers)
        yield application(
            Api(
                engine=engine,
                querier=seen,
                seen=seen,
                metrics=Metrics(CollectorRegistry(), "0"),
                settings=ApiSettings(),
                limits=limits,
                ready=lambda: True,
                now=lambda: NOW_MS,
                started=NOW_MS,
            )
        )
        engine.close()


@pytest.fixture
async def grafana(bridge: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what Grafana's own HTTP client always sends."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(bridge),
        base_url="http://bridge:9099",
        headers={"User-Agent": "Grafana/12.4.3", "Accept-Encoding": "gzip"},
    ) as client:
        yield client
