"""A whole bridge with two tenants over a store with the data of both, or of one of them alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app.service import Service
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.config.settings import Settings
from bridge.model.labels import Labels
from bridge.remote.server import read_app
from bridge.storage.memory import MemoryStore
from tests.servers.serving import served
from tests.tenants.requests import MARK, SAMPLES, STEP

HEADER: Final = "X-Scope-OrgID"
FLAGS: Final = Flags(
    enable_feature=("promql-experimental-functions", "search-api"),
    web_enable_lifecycle=True,
    web_enable_admin_api=True,
)
TENANTS: Final[dict[str, Any]] = {
    "header": HEADER,
    "names": {
        "alpha": {"header_values": ["alpha"], "matchers": '{team="alpha"}'},
        "beta": {"header_values": ["beta"], "matchers": '{team="beta"}'},
        "ops": {"header_values": ["ops"], "operator": True},
    },
}


def series_of(team: str, end: int) -> Iterator[tuple[Labels, list[int], list[float]]]:
    """A tenant's data; of the hidden one's labels and values only its team is no secret."""
    mark, start = (f"_{MARK}" if team == "beta" else ""), end - SAMPLES * STEP
    times = list(range(start, end, STEP))
    shift = 7e6 if team == "beta" else 0.0
    shared = {"team": team, "job": f"web{mark}"}
    for number in range(3):
        instance = {**shared, "instance": f"{team[0]}{number}{mark}"}
        for name in ("up", "requests_total", f"own{mark}_{team}_{number}"):
            labels = Labels.of({"__name__": name, **instance, f"label{mark}": f"x{mark}"})
            yield labels, times, [shift + number + at for at in range(len(times))]
        info = {"__name__": "target_info", **instance, "owner": f"o{mark}"}
        yield Labels.of(info), times, [1.0] * len(times)


@contextlib.contextmanager
def store_of(end: int, *teams: str) -> Iterator[str]:
    """A store's address for remote read."""
    store = MemoryStore(one for team in teams for one in series_of(team, end))
    with served(read_app(store)) as url:
        yield f"{url}/api/v1/read"


def settings_of(folder: Path, url: str, tenants: Mapping[str, Any], flags: Flags) -> Settings:
    """What stands in the two files of a bridge; the store is known to honour the series hint."""
    folder.mkdir(exist_ok=True)
    config, own = folder / "prometheus.yml", folder / "prombridge.yml"
    config.write_text(yaml.safe_dump({"remote_read": [{"name": "far", "url": url}]}))
    stores = {"far": {"profile": "prometheus"}}
    own.write_text(yaml.safe_dump({"stores": stores, "tenants": dict(tenants)}))
    return load(config, own, flags).settings


@contextlib.asynccontextmanager
async def bridge(
    folder: Path, url: str, tenants: Mapping[str, Any] = TENANTS, flags: Flags = FLAGS
) -> AsyncIterator[AsyncClient]:
    """A bridge with tenants."""
    service = Service(settings_of(folder, url, tenants, flags), warming=False)
    async with (
        service.router.lifespan_context(service),
        AsyncClient(
            transport=ASGITransport(service), base_url="http://bridge", timeout=300
        ) as client,
    ):
        yield client
    # The loop's threads were this bridge's; another one may go on in it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
