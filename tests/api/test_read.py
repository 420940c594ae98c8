"""Remote read for others: its limits, its errors, and who goes away."""

import asyncio
from dataclasses import replace

import httpx
import pytest
import snappy

from bridge.api.routes import application
from bridge.cache.memory import Memory
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.errors import (
    BudgetUsedUp,
    LimitExceeded,
    Overloaded,
    StoreError,
    StoreFault,
)
from bridge.remote.proto.remote_pb2 import Query, ReadRequest, ReadResponse
from bridge.remote.server import ReadEndpoint, Serving
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from tests.api.world import NOW, START, api, store
from tests.cache.world import HOUR, Clock

QUERY = Query(start_timestamp_ms=START, end_timestamp_ms=NOW)
BODY = bytes(snappy.compress(ReadRequest(queries=[QUERY]).SerializeToString()))


async def answered(
    querier: Querier, serving: Serving | None = None, path: str = "/api/v1/read", body: bytes = BODY
) -> httpx.Response:
    """The response to a read."""
    async with api(querier) as made:
        serving = serving or Serving()
        reads = ReadEndpoint(querier, serving, serving.gate())
        one = replace(made, reads=reads)
        app = application(one, stores={"one": one})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.post(f"http://bridge{path}", content=body)


class Failing:
    """A store that fails, or answers in part."""

    def __init__(self, answer: Exception | Selection) -> None:
        self._answer = answer

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize("path", ["/api/v1/read", "/stores/one/api/v1/read"])
async def test_everything_can_be_read(path: str) -> None:
    response = await answered(store(), path=path)
    assert response.status_code == 200
    found = ReadResponse.FromString(snappy.uncompress(response.content))
    assert len(found.results[0].timeseries) == 4


async def test_the_sample_limit_counts() -> None:
    response = await answered(store(), Serving(sample_limit=10))
    assert (response.status_code, response.text) == (400, "exceeded sample limit (10)\n")


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreError("gone", StoreFault("a", 0, 1)), 500), (LimitExceeded("too much"), 400)],
)
async def test_errors_are_plain_text(error: Exception, status: int) -> None:
    response = await answered(Failing(error))
    assert (response.status_code, response.text) == (status, f"{error}\n")
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("too much", 7), 503), (BudgetUsedUp("used up", 7), 429)]
)
async def test_what_ends_with_time_says_when_to_ask_again(error: Exception, status: int) -> None:
    response = await answered(Failing(error))
    assert (response.status_code, response.text) == (status, f"{error}\n")
    assert response.headers["retry-after"] == "7"


async def test_a_part_is_no_answer() -> None:
    held = await store().select(Select((), START, NOW), ReadOptions())
    response = await answered(Failing(replace(held, warnings=("west is gone",))))
    assert (response.status_code, response.text) == (500, "west is gone\n")


async def test_what_is_no_request_is_told() -> None:
    response = await answered(store(), body=b"x" * 100)
    assert (response.status_code, response.text) == (400, "snappy: corrupt input\n")


class Counting:
    """A store that answers when it is told, and counts who is waiting."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.full, self.released = asyncio.Event(), asyncio.Event()

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside == 2:
            self.full.set()
        try:
            await self.released.wait()
            return await store().select(select, options)
        finally:
            self.inside -= 1


async def test_so_many_requests_are_answered_at_a_time() -> None:
    counting = Counting()
    serving = Serving(concurrent_limit=2)
    endpoint = ReadEndpoint(counting, serving, serving.gate())
    tasks = [asyncio.create_task(endpoint.answer(BODY)) for _ in range(5)]
    await counting.full.wait()
    counting.released.set()
    assert [one.status_code for one in await asyncio.gather(*tasks)] == [200] * 5
    assert counting.most == 2


async def test_the_header_tells_how_much_was_remembered() -> None:
    clock = Clock(NOW + 3 * HOUR)
    cache = SampleCache(store(), Memory(CacheSettings(), clock), "store")
    told = []
    for _ in range(2):
        told.append((await answered(cache)).headers["X-Prombridge-Cache"])
        await cache.settled()
    assert [one.split(";")[0] for one in told] == ["miss", "hit"]
    await cache.aclose()


async def test_an_error_tells_nothing_of_the_cache() -> None:
    response = await answered(store(), body=b"no request")
    assert response.status_code == 400
    assert "X-Prombridge-Cache" not in response.headers
