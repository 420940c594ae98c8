"""Budgets over the whole bridge: what was read is counted, what is remembered is still answered."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from httpx import AsyncClient, Response

from bridge.remote.settings import ResponseType
from bridge.remote.wire import read_request
from bridge.storage.interface import Select
from tests.hostile.world import QUIET, bridge
from tests.remote.stores import END, START, Store, equals, store, streamed_reply
from tests.remote.test_faults import STREAM

AT = START // 1000 + 60
BODY = len(STREAM)
DOWN = Select((equals("__name__", "down"),), START, END)


async def ask(client: AsyncClient, text: str = "up", **headers: str) -> Response:
    params = {"query": text, "time": f"{AT}"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.get("/api/v1/query", params=params, headers=named)


def budgeted(**budgets: Mapping[str, Any]) -> Mapping[str, Any]:
    return QUIET | {"budgets": budgets}


def asked(made: Store) -> int:
    return len(made.asked)


async def remembered(client: AsyncClient) -> None:
    """Waits until what was read is in the cache."""
    for _ in range(1000):
        found = (await client.get("/api/v1/status/cache")).json()["data"]
        if found["blocks"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is remembered")


async def test_a_used_up_budget_refuses_reads_but_not_what_is_remembered(tmp_path: Path) -> None:
    own = budgeted(dashboard={"bytes_per_hour": 1})
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, own=own) as client,
    ):
        first = await ask(client, x_dashboard_uid="cheap")
        assert first.status_code == 200
        await remembered(client)
        count = asked(made)
        assert (await ask(client, x_dashboard_uid="cheap")).text == first.text
        refused = await ask(client, "down", x_dashboard_uid="cheap")
        assert asked(made) == count
        assert refused.status_code == 429, refused.text
        assert 0 < int(refused.headers["retry-after"]) <= 3900
        error = refused.json()
        assert error["errorType"] == "too_many_requests"
        assert error["error"].startswith(
            f'the budget of dashboard "cheap" is used up: within the last hour stores sent {BODY}'
            " bytes for it, and budgets.dashboard.bytes_per_hour (1) allows no more; it is free"
        )
        assert (await ask(client, "down", x_dashboard_uid="other")).status_code == 200
        assert (await ask(client, "down")).status_code == 200


async def test_operators_see_what_was_taken(tmp_path: Path) -> None:
    own = budgeted(tenant={"bytes_per_day": 2 * BODY}, user={"samples_per_hour": 1})
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, own=own) as client,
    ):
        await ask(client, x_grafana_user="ann")
        assert (await ask(client, "down", x_grafana_user="ann")).status_code == 429
        told = (await client.get("/api/v1/status/budgets")).json()["data"]
        assert told["remembered"] == 2
        ann, everybody = told["budgets"]
        assert (ann["whose"], ann["name"], ann["usedUp"]) == ("user", "ann", True)
        assert ann["limits"]["samples_per_hour"]["used"] >= 1
        assert 0 < ann["limits"]["samples_per_hour"]["freeInSeconds"] <= 3900
        assert everybody["limits"] == {
            "bytes_per_day": {"limit": 2 * BODY, "used": BODY, "freeInSeconds": 0}
        }
        metrics = (await client.get("/metrics")).text
        labels = '{period="hour",quantity="samples",tenant="",whose="user"}'
        assert f"prombridge_budget_refusals_total{labels} 1.0" in metrics
        labels = '{period="day",quantity="bytes",tenant=""}'
        assert f"prombridge_budget_used_ratio{labels} 0.5" in metrics


async def test_names_that_are_known_are_told_with_a_warning(tmp_path: Path) -> None:
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, own=budgeted(tenant={"bytes_per_hour": 1})) as client,
    ):
        await ask(client)
        params = {"match[]": "up", "start": f"{AT - 60}", "end": f"{AT}"}
        told = (await client.get("/api/v1/series", params=params)).json()
        assert [one["__name__"] for one in told["data"]] == ["up"] * len(told["data"]) != []
        assert "is used up" in told["warnings"][0]
        refused = await client.get("/api/v1/series", params=params | {"match[]": "down"})
        assert refused.status_code == 429, refused.text


async def test_federation_and_remote_read_are_refused_too(tmp_path: Path) -> None:
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}, own=budgeted(tenant={"bytes_per_hour": 1})) as client,
    ):
        await ask(client)
        federated = await client.get("/federate", params={"match[]": "up"})
        read = read_request(DOWN, (ResponseType.SAMPLES,))
        for refused in (federated, await client.post("/api/v1/read", content=read)):
            assert refused.status_code == 429, refused.text
            assert int(refused.headers["retry-after"]) > 0
            assert refused.text.startswith("the budget of all requests is used up")
