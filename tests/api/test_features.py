"""Features by category: what the language has, and what is switched on."""

from collections.abc import Mapping

import pytest
from httpx import AsyncClient

from bridge.api.settings import ApiSettings
from bridge.engine.functions import FUNCTIONS
from bridge.engine.query import EngineSettings
from tests.api import world

Categories = Mapping[str, Mapping[str, bool]]


async def _features(client: AsyncClient) -> Categories:
    answer = (await client.get("/api/v1/features")).json()
    assert answer["status"] == "success"
    found: Categories = answer["data"]
    return found


@pytest.mark.parametrize("on", [False, True])
async def test_searching_is_told_of_as_it_is_switched(on: bool) -> None:
    async with world.client(settings=ApiSettings(enable_search=on)) as client:
        told = (await _features(client))["api"]
    assert told["search"] is on
    assert told["search_fuzz_alg_subsequence"]
    assert told["search_fuzz_alg_jarowinkler"]


async def test_every_function_is_told_of(client: AsyncClient) -> None:
    told = (await _features(client))["promql_functions"]
    assert told.keys() == FUNCTIONS.keys()
    assert {name for name, there in told.items() if not there} == {
        name for name, one in FUNCTIONS.items() if one.signature.experimental
    }


async def test_nothing_experimental_is_on_by_itself(client: AsyncClient) -> None:
    told = await _features(client)
    off = {name for name, there in told["promql"].items() if not there}
    assert off == {
        *("anchored", "smoothed", "fill", "fill_left", "fill_right"),
        *("delayed_name_removal", "per_step_stats", "type_and_unit_labels"),
    }
    operators = {name for name, there in told["promql_operators"].items() if not there}
    assert operators == {"limitk", "limit_ratio"}


async def test_what_is_switched_on_is_told_of() -> None:
    names = {
        *("promql-experimental-functions", "promql-extended-range-selectors"),
        *("promql-binop-fill-modifiers", "promql-delayed-name-removal"),
        *("promql-per-step-stats", "type-and-unit-labels"),
    }
    async with world.client(limits=EngineSettings(features=frozenset(names))) as client:
        told = await _features(client)
    assert all(all(told[kind].values()) for kind in ("promql", "promql_functions"))
    assert all(told["promql_operators"].values())
