"""Two tenants who must not see each other: no request shows one a byte of the other's data.

Their matchers exclude each other, or the store tells them apart by a header that is sent on. CI
asks some hundred times, `make tenants` 10,000 times: a store that is only read, and one with an
API of its own.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from httpx import AsyncClient, Response

from tests.tenants.requests import (
    MARK,
    STEP,
    Asker,
    Asking,
    operators_only,
    plain,
    shows_hidden,
)
from tests.tenants.world import (
    HEADER,
    INSTANCES,
    ONE_TENANT,
    TENANTS,
    bridge,
    store_of,
    store_of_each,
)

REQUESTS: Final = int(os.environ.get("TENANT_REQUESTS", "300"))
# All are one tenant to the bridge: the store tells them apart by what is sent on.
SENT_ON: Final[dict[str, Any]] = {"tenants": ONE_TENANT, "forwarded": [HEADER]}
# How many series each tenant has: four of every instance.
SERIES: Final = {team: 4 * count for team, count in INSTANCES.items()}


async def answered(client: AsyncClient, asking: Asking, tenant: str) -> Response:
    headers = {**asking.headers, HEADER: tenant, "Accept-Encoding": "identity"}
    return await client.request(asking.method, asking.path, content=asking.body, headers=headers)


def shown(answer: Response) -> bytes:
    """All that an answer says: its body as it is read, and its headers."""
    body = plain(answer.content, answer.headers.get("content-encoding", ""))
    return body + repr(answer.headers.raw).encode()


def current() -> int:
    return int(time.time() * 1000) // STEP * STEP


def counted(answer: Response) -> int:
    """The most series that an answer says there are."""
    if answer.headers.get("content-type") != "application/json" or answer.status_code != 200:
        return 0
    return max(_series(answer.json().get("data")), default=0)


def _series(data: Any) -> Iterator[int]:
    match data:
        case {"headStats": {"numSeries": int(number)}}:
            yield number
        case {"selects": [*selects]}:
            for select in selects:
                yield from (one["series"] or 0 for one in select["stores"])
        case _:
            pass


@pytest.mark.parametrize("apart", ["matchers", "header"])
@pytest.mark.parametrize("api", [False, True], ids=["reads", "api"])
@pytest.mark.parametrize("seed", [7])
async def test_a_tenant_sees_what_it_would_see_of_a_store_without_the_others(
    tmp_path: Path, seed: int, api: bool, apart: str
) -> None:
    end = current()
    asker, other = Asker(seed, end), Asker(seed + 1, end)
    stores = store_of if apart == "matchers" else store_of_each
    told: Any = {"tenants": TENANTS} if apart == "matchers" else SENT_ON
    with stores(end, "alpha", "beta") as both, stores(end, "alpha") as alone:
        async with (
            bridge(tmp_path / "both", both, api=api, **told) as shared,
            bridge(tmp_path / "alone", alone, api=api, **told) as single,
        ):
            marked = compared = pushed = 0
            for _ in range(REQUESTS):
                asking = asker.ask()
                # The other one's question first: what it leaves behind must serve nobody else.
                for question in (asking, other.ask()):
                    theirs = await answered(shared, question, "beta")
                    marked += shows_hidden(shown(theirs))
                ours = await answered(shared, asking, "alpha")
                assert not shows_hidden(shown(ours)), asking
                assert b"internal error" not in ours.content, asking
                assert counted(ours) <= SERIES["alpha"], asking
                assert not both.unnarrowed, asking
                assert ours.status_code == 403 or not operators_only(asking), asking
                pushed += ours.headers.get("x-prombridge-source", "").startswith("store")
                if asking.steady:
                    expected = await answered(single, asking, "alpha")
                    assert ours.content == expected.content, asking
                    compared += 1
    # The generator asks what would show what is hidden, and what can be compared.
    assert marked > REQUESTS // 5
    assert compared > REQUESTS // 4
    assert not api or pushed > REQUESTS // 100


async def test_names_learned_for_one_tenant_are_no_others(tmp_path: Path) -> None:
    end = current()
    with store_of(end, "alpha", "beta") as store:
        async with bridge(tmp_path, store) as client:
            for tenant, count in (("beta", 8), ("alpha", 6), ("ops", 11)):
                got = await client.get("/api/v1/label/__name__/values", headers={HEADER: tenant})
                names = got.json()["data"]
                assert len(names) == count, (tenant, names)
                hidden = [name for name in names if MARK in name]
                assert len(hidden) == (0 if tenant == "alpha" else INSTANCES["beta"])
                counts = await client.get("/api/v1/status/tsdb", headers={HEADER: tenant})
                series = counts.json()["data"]["headStats"]["numSeries"]
                assert series == SERIES.get(tenant, sum(SERIES.values()))


async def test_operators_see_all_and_tenants_are_refused_what_tells_of_all(tmp_path: Path) -> None:
    end = current()
    with store_of(end, "alpha", "beta") as store:
        async with bridge(tmp_path, store) as client:
            for path in (
                "/metrics",
                "/api/v1/status/active_queries",
                "/api/v1/status/budgets",
                "/api/v1/status/cache",
                "/api/v1/status/config",
                "/api/v1/status/flags",
                "/api/v1/status/runtimeinfo",
                "/api/v1/status/self_metrics",
                "/api/v1/status/stores",
            ):
                refused = await client.get(path, headers={HEADER: "alpha"})
                assert (refused.status_code, refused.json()["errorType"]) == (403, "forbidden")
                text = 'tenant "alpha" is no operator: this tells of all tenants'
                assert refused.json()["error"] == text
                assert (await client.get(path, headers={HEADER: "ops"})).status_code == 200
            for path in ("/-/cache/purge?match[]=up", "/-/reload", "/-/quit"):
                refused = await client.post(path, headers={HEADER: "alpha"})
                assert (refused.status_code, refused.json()["errorType"]) == (403, "forbidden")
            purged = await client.post("/-/cache/purge?match[]=up", headers={HEADER: "ops"})
            assert purged.status_code == 204


async def test_metrics_and_active_queries_tell_tenants_apart(tmp_path: Path) -> None:
    end = current()
    with store_of(end, "alpha", "beta") as store:
        async with bridge(tmp_path, store) as client:
            asked = {"query": "up", "time": str(end // 1000)}
            for tenant in ("alpha", "alpha", "beta"):
                await client.get("/api/v1/query", params=asked, headers={HEADER: tenant})
            lines = (await client.get("/metrics", headers={HEADER: "ops"})).text.splitlines()
            for tenant, count in (("alpha", 2), ("beta", 1)):
                labels = f'{{dashboard="",tenant="{tenant}",user=""}}'
                assert f"prombridge_query_total{labels} {count}.0" in lines


async def test_each_tenant_has_limits_of_its_own(tmp_path: Path) -> None:
    end = current()
    limited = {**TENANTS["names"]["alpha"], "limits": {"max_series": 2}}
    tenants = {**TENANTS, "names": {**TENANTS["names"], "alpha": limited}}
    with store_of(end, "alpha", "beta") as store:
        async with bridge(tmp_path, store, tenants) as client:
            asked = {"query": "up", "time": str(end // 1000)}
            ours = await client.get("/api/v1/query", params=asked, headers={HEADER: "alpha"})
            assert (ours.status_code, ours.json()["error"]) == (
                422,
                "the number of series read is 3, more than query.max_series (2) allows",
            )
            theirs = await client.get("/api/v1/query", params=asked, headers={HEADER: "beta"})
            assert theirs.status_code == 200
