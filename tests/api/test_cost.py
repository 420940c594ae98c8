"""What a query would read, told beforehand: it must be what the query then reads."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.settings import CatalogueSettings
from bridge.model.time import Window
from bridge.storage.fanout import Fanout, Member
from bridge.storage.view import View
from tests.api import world
from tests.cache.asking import PLAIN, World, last
from tests.cache.world import HOUR, MINUTE, START

COST = "/api/v1/query_cost"
NAME = "metric_0"
OLD = START - 150 * MINUTE


@pytest.fixture
def past() -> World:
    return World()


@pytest.fixture
async def client(past: World) -> AsyncIterator[AsyncClient]:
    async with world.client(past.cache) as made:
        yield made


async def asked(client: AsyncClient, path: str = COST, **params: str) -> Any:
    response = await client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()["data"]


async def test_nothing_is_known_of_what_was_never_read(past: World, client: AsyncClient) -> None:
    data = await asked(client, query=NAME, time=f"{OLD / 1000}")
    window = {"start": (OLD - 5 * MINUTE + 1) / 1000, "end": OLD / 1000}
    sizes = {"samples": None, "readSamples": None, "readBytes": None}
    assert data["selects"] == [
        {
            "selector": NAME,
            **window,
            "stores": [
                {
                    "store": "logged",
                    "cache": "miss",
                    "held": [],
                    "gaps": [window],
                    "series": None,
                    **sizes,
                }
            ],
        }
    ]
    total = {"selects": 1, "gaps": 1, "gapSeconds": 300, **sizes}
    assert data["total"] == total
    assert data["stores"] == [{"store": "logged", **total}]
    assert past.store.asked == []
    assert not list(past.memory.selectors())


async def test_what_is_said_beforehand_is_what_is_read(past: World, client: AsyncClient) -> None:
    span = {"start": f"{(START - 3 * HOUR) / 1000}", "end": f"{OLD / 1000}", "step": "60"}
    await asked(client, "/api/v1/query_range", query=NAME, **span)
    await past.cache.settled()
    before = len(past.store.asked)
    wider = span | {"end": f"{(OLD + HOUR) / 1000}"}
    data = await asked(client, query=f"rate({NAME}[10m])", **wider)
    ((one,),) = [select["stores"] for select in data["selects"]]
    assert len(past.store.asked) == before
    assert one["cache"] == "partial"
    await asked(client, "/api/v1/query_range", query=f"rate({NAME}[10m])", **wider)
    reads = past.store.asked[before:]
    assert [(read.start / 1000, read.end / 1000) for read in reads] == [
        (gap["start"], gap["end"]) for gap in one["gaps"]
    ]
    sent = [sum(1 for _ in past.store.truth(read)) for read in reads]
    assert one["series"] == 2
    assert one["readSamples"] == pytest.approx(sum(sent), rel=0.02)
    # The store of these tests sends ten bytes a sample.
    assert one["readBytes"] == pytest.approx(10 * sum(sent), rel=0.02)
    first, last = data["selects"][0]["start"], data["selects"][0]["end"]
    assert one["samples"] == pytest.approx(2 * (last - first) / 15, rel=0.02)


async def test_what_is_held_costs_nothing(past: World, client: AsyncClient) -> None:
    await asked(client, "/api/v1/query", query=NAME, time=f"{OLD / 1000}")
    await past.cache.settled()
    data = await asked(client, query=NAME, time=f"{OLD / 1000}")
    ((one,),) = [select["stores"] for select in data["selects"]]
    assert (one["cache"], one["gaps"], one["samples"]) == ("hit", [], 40)
    assert (one["readSamples"], one["readBytes"]) == (0, 0)
    assert data["total"]["gapSeconds"] == 0


async def test_a_narrower_selector_takes_its_share_of_a_wider_one(
    past: World, client: AsyncClient
) -> None:
    await asked(client, "/api/v1/query", query=NAME, time=f"{OLD / 1000}")
    await past.cache.settled()
    data = await asked(client, query=f'{NAME}{{pod="1"}}', time=f"{OLD / 1000}")
    ((one,),) = [select["stores"] for select in data["selects"]]
    assert (one["cache"], one["series"], one["samples"]) == ("hit", 1, 20)


async def test_reads_past_the_cache_cost_all_of_it(past: World, client: AsyncClient) -> None:
    await asked(client, "/api/v1/query", query=NAME, time=f"{OLD / 1000}")
    await past.cache.settled()
    data = await asked(client, query=NAME, time=f"{OLD / 1000}", nocache="1")
    ((one,),) = [select["stores"] for select in data["selects"]]
    assert (one["cache"], one["held"], one["readSamples"]) == ("miss", [], 40)


async def test_alerts_read_what_may_have_changed(past: World, client: AsyncClient) -> None:
    params = {"query": NAME, "time": f"{(START - 30 * MINUTE) / 1000}"}
    await client.get("/api/v1/query", params=params)
    await past.cache.settled()
    plain = (await client.get(COST, params=params)).json()["data"]
    fresh = await client.get(COST, params=params, headers={"FromAlert": "true"})
    assert plain["total"]["gaps"] == 0
    assert fresh.json()["data"]["total"]["gaps"] == 1


async def test_each_selector_of_a_query_is_told_once(client: AsyncClient) -> None:
    data = await asked(client, query=f"{NAME} + rate({NAME}[1h]) + metric_1", time="100000")
    assert [one["selector"] for one in data["selects"]] == [NAME, "metric_1"]
    first = data["selects"][0]
    assert (first["start"], first["end"]) == (100_000 - 3600 + 0.001, 100_000)


async def test_a_query_without_a_selector_reads_nothing(client: AsyncClient) -> None:
    data = await asked(client, query="1 + time()")
    assert (data["selects"], data["stores"], data["total"]["samples"]) == ([], [], 0)


async def test_the_catalogue_knows_series_that_the_cache_does_not() -> None:
    past = World()
    view = View(past.cache)
    catalogue = Catalogue(view, [], CatalogueSettings(), lambda: START)
    block = (await past.store.select(last(6 * HOUR), PLAIN)).block
    catalogue.learn(block, Window(OLD - HOUR, START))
    await catalogue.settled()
    async with world.client(Fanout((Member(catalogue),))) as client:
        data = await asked(client, query=f'{NAME}{{pod="1"}}', time=f"{OLD / 1000}")
    ((one,),) = [select["stores"] for select in data["selects"]]
    assert (one["series"], one["samples"]) == (1, None)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"query": "sum("}, 'invalid parameter "query": 1:5: parse error'),
        ({"query": NAME, "start": "0"}, 'invalid parameter "end": cannot parse ""'),
        ({"query": NAME, "time": "x"}, 'invalid parameter "time": invalid time value'),
        (
            {"query": f"{NAME}[5m]", "start": "0", "end": "1", "step": "1"},
            'invalid parameter "query": invalid expression type "range vector"',
        ),
    ],
)
async def test_refusals_are_those_of_the_query(
    client: AsyncClient, params: dict[str, str], text: str
) -> None:
    response = await client.get(COST, params=params)
    assert (response.status_code, response.json()["errorType"]) == (400, "bad_data")
    assert response.json()["error"].startswith(text)


async def test_a_store_that_says_nothing_would_be_read(client: AsyncClient) -> None:
    async with world.client() as plain:
        data = await asked(plain, query="up", time="1700000600")
    assert [one["cache"] for one in data["selects"][0]["stores"]] == ["miss"]
