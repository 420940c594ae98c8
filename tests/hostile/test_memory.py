"""Queries that are too heavy: refused at once, or answered in turn, and never the end of it all."""

import asyncio
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
import yaml

from bridge.model.labels import Labels
from bridge.remote.server import read_app
from bridge.storage.memory import MemoryStore
from tests.servers.bridge import prombridge
from tests.servers.process import Running
from tests.servers.serving import served

STEP: Final = 15
SAMPLES: Final = 4000
SERIES: Final = 200
# So many series that an answer of 11,000 points each would need 10 GB.
MANY: Final = 40_000
TOGETHER: Final = 512 << 20
HEADROOM: Final = 1 << 30

Params = dict[str, str | int]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, int]]:
    """A bridge that may hold 512 MiB for all queries, and when the store's data end (s)."""
    end = int(time.time()) // STEP * STEP
    times = [(end - STEP * (SAMPLES - number)) * 1000 for number in range(SAMPLES)]
    values = [number / 7 for number in range(SAMPLES)]
    heavy = (
        (Labels.of({"__name__": "heavy", "n": str(number)}), times, values)
        for number in range(SERIES)
    )
    many = (
        (Labels.of({"__name__": "many", "n": str(number)}), times[-1:], [1.0])
        for number in range(MANY)
    )
    folder = tmp_path_factory.mktemp("memory")
    own = folder / "prombridge.yml"
    query = {"max_total_bytes": TOGETHER, "max_queue_wait": "3s"}
    settings = {"query": query, "catalogue": {"bootstrap": False}}
    own.write_text(yaml.safe_dump(settings))
    with served(read_app(MemoryStore((*heavy, *many)))) as url:
        config = {"remote_read": [{"name": "far", "url": f"{url}/api/v1/read"}]}
        with prombridge(folder, config, [f"--prombridge.config={own}"]) as running:
            yield running, end


async def test_a_query_that_needs_10_gb_is_refused_while_others_go_on(
    world: tuple[Running, int],
) -> None:
    running, end = world
    span: Params = {"start": end - 10_999, "end": end, "step": 1}
    async with httpx.AsyncClient(base_url=running.url, timeout=300) as client:
        # Kernels are loaded, names known.
        await client.get("/api/v1/query", params={"query": "count(many)", "time": end})
        small: Params = {"query": "sum(heavy)", "time": end}
        assert (await client.get("/api/v1/query", params=small)).status_code == 200
        huge = asyncio.create_task(
            client.get("/api/v1/query_range", params={"query": "many", **span})
        )
        others = 0
        while not huge.done():
            assert (await client.get("/api/v1/query", params=small)).status_code == 200
            others += 1
        refused = await huge
    assert refused.status_code == 422, refused.text
    told = re.fullmatch(
        r"a value of at least (\d+) series at 11000 steps needs (\d+) bytes, more than the"
        r" 4294967296 that query\.max_bytes allows",
        refused.json()["error"],
    )
    assert told is not None, refused.text
    series, needed = map(int, told.groups())
    assert 4294967296 < needed == series * 11_000 * 25 <= MANY * 11_000 * 25
    assert others > 0


async def test_heavy_queries_end_as_answers_or_are_asked_to_come_again(
    world: tuple[Running, int],
) -> None:
    running, end = world
    limits = httpx.Limits(max_connections=None)
    span: Params = {"start": end - SAMPLES * STEP, "end": end, "step": STEP}
    async with httpx.AsyncClient(base_url=running.url, timeout=600, limits=limits) as client:

        async def ask(number: int, text: str = "heavy") -> str:
            query: Params = {"query": f"{text} + {number}", **span}
            async with client.stream("GET", "/api/v1/query_range", params=query) as answer:
                size = 0
                async for piece in answer.aiter_raw():
                    size += len(piece)
                if answer.status_code == 200:
                    assert size > SAMPLES
                    return "answered"
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) > 0
                return "again"

        # All threads are there once so many light ones have run.
        await asyncio.gather(*(ask(number, "sum(heavy)") for number in range(30)))
        idle = running.address_space()
        resource.prlimit(running.pid, resource.RLIMIT_AS, (idle + HEADROOM, idle + HEADROOM))
        outcomes = Counter(await asyncio.gather(*(ask(number) for number in range(200))))
        assert outcomes["answered"] > 0
        assert outcomes.total() == 200
        small = await client.get("/api/v1/query", params={"query": "sum(heavy)", "time": end})
        assert small.status_code == 200
    assert "Traceback" not in running.log.read_text()
