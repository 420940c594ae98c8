"""The cache as clients see it: through HTTP, over a store whose past is on record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response

from bridge.api.settings import ApiSettings
from bridge.cache.caches import Caches
from tests.api import world
from tests.cache.asking import World, last
from tests.cache.test_stale import Stale
from tests.cache.world import HOUR, MINUTE, SECOND, START
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

NAME = "metric_0"
OLD = START - 150 * MINUTE


@pytest.fixture
def past() -> World:
    """A clock, a store with six hours of nine metrics, and a cache before it."""
    return World()


def caches(past: World) -> Caches:
    return Caches(past.memory, past.purges)


@pytest.fixture
async def client(past: World) -> AsyncIterator[AsyncClient]:
    async with world.client(past.cache, caches=caches(past)) as made:
        yield made


class Asking:
    """Asks, waits until all that was read is remembered, and looks at the header."""

    def __init__(self, past: World, client: AsyncClient) -> None:
        self.past = past
        self.client = client

    async def at(self, time: int, query: str = NAME, **headers: str) -> Response:
        return await self._asked("query", {"query": query, "time": f"{time / 1000}"}, headers)

    async def over(self, start: int, end: int, query: str = NAME, **headers: str) -> Response:
        params = {"query": query, "start": f"{start / 1000}", "end": f"{end / 1000}", "step": "60"}
        return await self._asked("query_range", params, headers)

    async def _asked(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.client.get(f"/api/v1/{path}", params=params, headers=named)
        await self.past.cache.settled()
        assert response.status_code == 200, response.text
        return response


@pytest.fixture
def ask(past: World, client: AsyncClient) -> Asking:
    return Asking(past, client)


def told(response: Response) -> str | None:
    header: str | None = response.headers.get("x-prombridge-cache")
    return header


def value(response: Response) -> Any:
    return response.json()["data"]["result"][0]["value"][1]


async def test_the_header_tells_misses_hits_and_parts(ask: Asking) -> None:
    assert told(await ask.over(OLD - HOUR, OLD)) == "miss; blocks=0; gaps=1"
    assert told(await ask.over(OLD - HOUR, OLD)) == "hit; blocks=1; gaps=0"
    assert told(await ask.at(OLD - HOUR)) == "hit; blocks=1; gaps=0"
    assert told(await ask.over(OLD - HOUR, OLD + 10 * MINUTE)) == "partial; blocks=1; gaps=1"


async def test_the_header_tells_of_all_reads_of_a_query(ask: Asking) -> None:
    await ask.at(OLD)
    assert told(await ask.at(OLD, "metric_0 + metric_1")) == "partial; blocks=1; gaps=1"
    assert told(await ask.at(OLD, "metric_0 + metric_1")) == "hit; blocks=2; gaps=0"


async def test_federation_tells_too() -> None:
    async with world.client() as plain:
        there = await plain.get("/federate?match[]=up")
        nothing = await plain.get("/federate?match[]=none")
    assert [told(one) for one in (there, nothing)] == ["bypass; blocks=0; gaps=0"] * 2
    assert (nothing.status_code, nothing.content) == (200, b"")


async def test_what_reads_nothing_has_no_header(ask: Asking) -> None:
    assert told(await ask.at(OLD, "1 + time()")) is None


async def test_reads_past_the_cache_are_bypasses(ask: Asking, client: AsyncClient) -> None:
    await ask.at(OLD)
    params = {"query": NAME, "time": f"{OLD / 1000}", "nocache": "1"}
    response = await client.get("/api/v1/query", params=params)
    assert told(response) == "bypass; blocks=0; gaps=0"


async def test_a_store_without_a_cache_is_always_a_bypass() -> None:
    async with world.client() as plain:
        response = await plain.get("/api/v1/query?query=up")
    assert told(response) == "bypass; blocks=0; gaps=0"


@pytest.mark.parametrize("headers", [{"FromAlert": "true"}, {"Cache-Control": "no-cache"}])
async def test_alerts_see_what_arrived_a_moment_ago(
    past: World, ask: Asking, headers: dict[str, str]
) -> None:
    labels = next(iter(past.store.data))
    before = value(await ask.at(START))
    past.store.put(labels, {START: 77.0})
    past.clock.advance(SECOND // 2)
    # The burst that serves a refresh's panels is not for alerts.
    assert value(await ask.at(START)) == before
    asked = await ask.client.get(
        "/api/v1/query", params={"query": NAME, "time": f"{START / 1000}"}, headers=headers
    )
    assert value(asked) == "77"
    assert told(asked) == "miss; blocks=0; gaps=1"


@pytest.mark.parametrize(
    "headers", [{"FromAlert": "true"}, {"Cache-Control": "max-age=0,no-cache"}]
)
async def test_alerts_see_late_samples_within_the_out_of_order_window(
    past: World, ask: Asking, headers: dict[str, str]
) -> None:
    late, labels = START - 30 * MINUTE, next(iter(past.store.data))
    await ask.over(late - HOUR, START)
    past.clock.advance(2 * SECOND)
    past.store.put(labels, {late: 77.0})
    assert value(await ask.at(late)) != "77"
    params = {"query": NAME, "time": f"{late / 1000}"}
    asked = await ask.client.get("/api/v1/query", params=params, headers=headers)
    assert value(asked) == "77"


async def test_alerts_over_a_range_read_the_tail_and_what_may_change(
    past: World, ask: Asking
) -> None:
    await ask.over(START - 3 * HOUR, START)
    past.clock.advance(SECOND // 2)
    params = {
        "query": f"max_over_time({NAME}[3h])",
        "time": f"{START / 1000}",
    }
    response = await ask.client.get("/api/v1/query", params=params, headers={"FromAlert": "true"})
    assert told(response) == "partial; blocks=2; gaps=1"
    read = past.store.asked[-1]
    assert (read.start, read.end) == (START - HOUR, START)


async def test_nocache_neither_takes_nor_gives(past: World, ask: Asking) -> None:
    params = {"query": NAME, "time": f"{OLD / 1000}", "nocache": "1"}
    await ask.client.get("/api/v1/query", params=params)
    await past.cache.settled()
    assert told(await ask.at(OLD)) == "miss; blocks=0; gaps=1"
    past.store.put(next(iter(past.store.data)), {OLD: 77.0})
    assert value(await ask.client.get("/api/v1/query", params=params)) == "77"
    # Nor does it disturb what is remembered.
    assert value(await ask.at(OLD)) != "77"


PURGE = "/-/cache/purge"


@pytest.fixture
async def admin(past: World) -> AsyncIterator[AsyncClient]:
    """A client of an API that lets requests change what is remembered."""
    settings = ApiSettings(enable_admin_api=True)
    async with world.client(past.cache, settings, caches=caches(past)) as made:
        yield made


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_purged_samples_are_read_anew(
    past: World, ask: Asking, admin: AsyncClient, method: str
) -> None:
    await ask.at(OLD)
    await ask.at(OLD - HOUR)
    past.store.put(next(iter(past.store.data)), {OLD: 77.0, OLD - HOUR: 78.0})
    params = {"match[]": NAME, "start": f"{OLD / 1000 - 1}", "end": f"{OLD / 1000 + 1}"}
    purged = await admin.request(method, PURGE, params=params)
    assert (purged.status_code, purged.content) == (204, b"")
    assert value(await ask.at(OLD)) == "77"
    assert value(await ask.at(OLD - HOUR)) != "78"


async def test_a_form_may_name_several_selectors(
    past: World, ask: Asking, admin: AsyncClient
) -> None:
    for name in ("metric_0", "metric_1", "metric_2"):
        await ask.at(OLD, name)
    data = {"match[]": ["metric_0", '{__name__="metric_1",pod="1"}']}
    assert (await admin.post(PURGE, data=data)).status_code == 204
    uses = [told(await ask.at(OLD, f"metric_{at}")) or "" for at in range(3)]
    assert [use.partition(";")[0] for use in uses] == ["miss", "miss", "hit"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "no match[] parameter provided"),
        (
            "match[]=",
            'invalid parameter "match[]": unknown position: parse error: unexpected end of',
        ),
        ("match[]=up&start=x", "invalid parameter \"start\": invalid time value for 'start': "),
        ("match[]=up&end=x", "invalid parameter \"end\": invalid time value for 'end': "),
        ("match[]=%zz", 'error parsing form values: invalid URL escape "%zz"'),
    ],
)
async def test_a_purge_that_says_not_what_is_refused(
    admin: AsyncClient, query: str, text: str
) -> None:
    response = await admin.post(f"{PURGE}?{query}")
    assert (response.status_code, response.json()["errorType"]) == (400, "bad_data")
    assert response.json()["error"].startswith(text)


async def test_reading_purges_nothing(admin: AsyncClient) -> None:
    assert (await admin.get(f"{PURGE}?match[]=up")).status_code == 405


async def test_without_the_flag_a_purge_is_refused_in_prometheus_words(
    client: AsyncClient, prometheus_server: PrometheusFactory
) -> None:
    server = prometheus_server(PrometheusOptions())
    async with AsyncClient(base_url=server.url) as prometheus:
        theirs = await prometheus.post("/api/v1/admin/tsdb/delete_series?match[]=up")
    ours = await client.post(f"{PURGE}?match[]=up")
    assert (ours.status_code, ours.json()) == (503, theirs.json())


async def test_status_tells_what_is_remembered_of_each_store(
    past: World, ask: Asking, client: AsyncClient
) -> None:
    await ask.over(OLD - HOUR, OLD)
    await ask.over(OLD - 2 * HOUR, OLD - 110 * MINUTE)
    await ask.at(OLD, 'metric_1{pod="1"}')
    past.clock.advance(90 * SECOND)
    data = (await client.get("/api/v1/status/cache")).json()["data"]
    (store,) = data["stores"]
    first, second = store["held"]
    assert (store["store"], store["selectors"], store["blocks"]) == ("logged", 2, 3)
    assert data["ownedBytes"] == store["ownedBytes"] == first["ownedBytes"] + second["ownedBytes"]
    assert 0 < data["samplesBytes"] < data["ownedBytes"] < data["maxBytes"] == 512 << 20
    assert first["selector"] == "metric_0"
    assert first["coverage"] == [
        {"start": "2026-01-05T07:25:00.001Z", "end": "2026-01-05T07:40:00.000Z"},
        {"start": "2026-01-05T08:25:00.001Z", "end": "2026-01-05T09:30:00.000Z"},
    ]
    assert (first["series"], first["samples"], first["oldestAgeSeconds"]) == (2, 640, 90)
    assert second["selector"] == 'metric_1{pod="1"}'
    assert second["coverageOmitted"] == 0


async def test_status_is_bounded(past: World, ask: Asking, client: AsyncClient) -> None:
    await ask.at(OLD, "metric_0 + metric_1 + metric_2")
    data = (await client.get("/api/v1/status/cache?limit=2")).json()["data"]
    assert (data["stores"][0]["selectors"], len(data["stores"][0]["held"])) == (3, 2)
    for limit, text in (("0", "limit must be a positive number"), ("1e9", "limit must be a")):
        refused = await client.get(f"/api/v1/status/cache?limit={limit}")
        assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
        assert refused.json()["error"].startswith(text)


async def test_status_shows_no_time_that_is_over(
    past: World, ask: Asking, client: AsyncClient
) -> None:
    await ask.at(OLD)
    past.clock.advance(25 * HOUR)
    data = (await client.get("/api/v1/status/cache")).json()["data"]
    (held,) = data["stores"][0]["held"]
    assert (held["coverage"], held["oldestAgeSeconds"]) == ([], None)


async def test_status_of_a_bridge_without_a_cache() -> None:
    async with world.client() as plain:
        data = (await plain.get("/api/v1/status/cache")).json()["data"]
    assert (data["stores"], data["ownedBytes"]) == ([], 0)


async def test_while_the_store_is_down_the_answer_says_how_old_it_is() -> None:
    past = Stale()
    await past.filled(last(2 * HOUR, OLD))
    past.clock.advance(26 * HOUR)
    async with world.client(past.cache) as client:
        params = {"query": f"count({NAME})", "time": f"{OLD / 1000}"}
        response = await client.get("/api/v1/query", params=params)
        assert value(response) == "2"
        (warning,) = response.json()["warnings"]
        assert warning == (
            'store "logged": connection refused;'
            " answered from the cache, with samples read up to 1d2h ago"
        )
        refused = await client.get("/api/v1/query", params=params, headers={"FromAlert": "true"})
        assert (refused.status_code, refused.json()["errorType"]) == (503, "unavailable")
