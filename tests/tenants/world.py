"""A whole bridge with two tenants over a store with the data of both, or of one of them alone.

They are tenants of the bridge, or of the store: then a header of theirs is sent on to it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app.service import Service
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.config.settings import Settings
from bridge.model.labels import Labels
from bridge.storage.memory import MemoryStore
from tests.tenants.requests import HIDDEN, MARK, SAMPLES, STEP
from tests.tenants.store import ASKER, FarStore, serving, serving_each

HEADER: Final = "X-Scope-OrgID"
FLAGS: Final = Flags(
    enable_feature=("promql-experimental-functions", "search-api"),
    web_enable_lifecycle=True,
    web_enable_admin_api=True,
)
TENANTS: Final[dict[str, Any]] = {
    "header": HEADER,
    "names": {
        team: {
            "header_values": [team],
            "matchers": f'{{team="{team}"}}',
            "headers": {ASKER: team},
        }
        for team in ("alpha", "beta")
    }
    | {"ops": {"header_values": ["ops"], "operator": True}},
}
# For the bridge all are the same, and nobody is an operator.
ONE_TENANT: Final[dict[str, Any]] = {"default": "all", "names": {"all": {}}}
# The hidden one has more, so that counts tell whose they are.
INSTANCES: Final = {"alpha": 3, "beta": 5}
# How many samples a query may hold before it goes to a store that may evaluate it.
LEAST: Final = 60
# How long after the requests begin there are samples still, ms.
_AFTER: Final = 2 * 3_600_000


def series_of(team: str, end: int) -> Iterator[tuple[Labels, list[int], list[float]]]:
    """A tenant's data; of the hidden one's labels and values only its team is no secret."""
    mark, start = (f"_{MARK}" if team == "beta" else ""), end - SAMPLES * STEP
    times = list(range(start, end + _AFTER, STEP))
    shift = HIDDEN if team == "beta" else 0.0
    shared = {"team": team, "job": f"web{mark}"}
    for number in range(INSTANCES[team]):
        instance = {**shared, "instance": f"{team[0]}{number}{mark}"}
        for name in ("up", "requests_total", f"own{mark}_{team}_{number}"):
            labels = Labels.of({"__name__": name, **instance, f"label{mark}": f"x{mark}"})
            yield labels, times, [shift + number + at for at in range(len(times))]
        info = {"__name__": "target_info", **instance, "owner": f"o{mark}"}
        yield Labels.of(info), times, [1.0] * len(times)


@contextlib.contextmanager
def store_of(end: int, *teams: str) -> Iterator[FarStore]:
    """A store of these tenants' data."""
    with serving(MemoryStore(one for team in teams for one in series_of(team, end))) as store:
        yield store


@contextlib.contextmanager
def store_of_each(end: int, *teams: str) -> Iterator[FarStore]:
    """A store that shows each of these tenants, whom it knows by the header, his own data."""
    data = {team: MemoryStore(series_of(team, end)) for team in teams}
    with serving_each(data, HEADER) as store:
        yield store


def settings_of(
    folder: Path,
    url: str,
    tenants: Mapping[str, Any],
    flags: Flags,
    *,
    api: bool,
    forwarded: Sequence[str] = (),
) -> Settings:
    """What stands in the two files of a bridge; the store is known to honour the series hint.

    With `api` its own API gives names, metadata, exemplars, and answers to what is too much here.
    """
    folder.mkdir(exist_ok=True)
    config, own = folder / "prometheus.yml", folder / "prombridge.yml"
    read = {"name": "far", "url": f"{url}/api/v1/read"}
    config.write_text(yaml.safe_dump({"remote_read": [read]}))
    ways = {"metadata_url": url, "query_url": url, "pushdown": "over_limit"} if api else {}
    store = {"profile": "prometheus", "forward_headers": list(forwarded), **ways}
    stores = {"far": store}
    own.write_text(yaml.safe_dump({"stores": stores, "tenants": dict(tenants)}))
    limited = replace(flags, query_max_samples=LEAST) if api else flags
    return load(config, own, limited).settings


@contextlib.asynccontextmanager
async def bridge(
    folder: Path,
    store: FarStore,
    tenants: Mapping[str, Any] = TENANTS,
    flags: Flags = FLAGS,
    *,
    api: bool = False,
    forwarded: Sequence[str] = (),
) -> AsyncIterator[AsyncClient]:
    """A bridge with tenants."""
    settings = settings_of(folder, store.url, tenants, flags, api=api, forwarded=forwarded)
    service = Service(settings, warming=False)
    async with (
        service.router.lifespan_context(service),
        AsyncClient(
            transport=ASGITransport(service), base_url="http://bridge", timeout=300
        ) as client,
    ):
        yield client
    # The loop's threads were this bridge's; another one may go on in it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
