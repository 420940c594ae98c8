"""Tiers of every kind, with nothing in them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import redis

from bridge.cache.disk import DiskTier
from bridge.cache.tiers import Tier
from bridge.cache.valkey import ValkeyTier, connector
from tests.servers.valkey import valkey

Make = Callable[[], Tier]

PATIENCE: Final = 30.0  # seconds


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey(tmp_path_factory.mktemp("valkey")) as (url, _):
        yield url


@pytest.fixture
def server(running: str) -> str:
    """The URL of a Valkey with nothing in it."""
    with redis.Redis.from_url(running) as client:
        client.flushall()
    return running


def patient(url: str) -> ValkeyTier:
    """A tier that gives a busy machine the time it needs."""
    return ValkeyTier(connector(url, PATIENCE), timeout=PATIENCE)


@pytest.fixture(params=["disk", "valkey"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "disk":
        return lambda: DiskTier(tmp_path, 1 << 20, timeout=PATIENCE)
    url = request.getfixturevalue("server")
    return lambda: patient(url)
