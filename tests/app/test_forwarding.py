"""Headers that are sent on: the whole bridge before a store that tells tenants apart by one."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Receive, Scope, Send

from bridge.app.service import Service
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.model.labels import Labels
from bridge.remote.server import read_app
from bridge.storage.memory import MemoryStore
from tests.hostile.world import NAME, served
from tests.remote.stores import START
from tests.servers import serving
from tests.tenants.store import FarStore, serving_each

ORG: Final = "X-Scope-OrgID"
FLAGS: Final = Flags(enable_feature=("search-api",))
AT: Final = START // 1000 + 300
QUERY: Final = {"query": "up", "time": f"{AT}"}
SPAN: Final = {"start": f"{AT - 300}", "end": f"{AT}"}
RANGED: Final = {"query": "up", "step": "60", **SPAN}
# Longer than what is hidden of any secret, and nowhere else.
A, B = "okapi-one", "okapi-two"


def data_of(org: str) -> MemoryStore:
    times = [START + 15_000 * at for at in range(21)]
    labels = Labels.of({"__name__": "up", "of": org[-3:]})
    return MemoryStore([(labels, times, [1.0] * len(times))])


@contextmanager
def far_store() -> Iterator[FarStore]:
    with serving_each({org: data_of(org) for org in (A, B)}, ORG) as far:
        yield far


def own(*, far: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    quiet = {"profile": "prometheus", "retries": 0, "forward_headers": [ORG]}
    unlearned = {"catalogue": {"bootstrap": False, "crawl": "0s"}}
    return unlearned | sections | {"stores": {NAME: quiet | (far or {})}}


@asynccontextmanager
async def bridge(
    folder: Path, far: FarStore, sections: dict[str, Any], flags: Flags = FLAGS
) -> AsyncIterator[tuple[Service, AsyncClient]]:
    entry = {"url": f"{far.url}/api/v1/read"}
    async with (
        served(folder, entry, flags, sections) as service,
        AsyncClient(transport=ASGITransport(service), base_url="http://bridge") as client,
    ):
        yield service, client


@asynccontextmanager
async def two_stores(
    folder: Path, far: FarStore, other: dict[str, Any], sections: dict[str, Any]
) -> AsyncIterator[AsyncClient]:
    reads = [{"name": NAME, "url": f"{far.url}/api/v1/read"}, other]
    files = folder / "prometheus.yml", folder / "prombridge.yml"
    for file, content in zip(files, ({"remote_read": reads}, sections), strict=True):
        file.write_text(json.dumps(content))
    service = Service(load(*files).settings, warming=False)
    async with (
        service.router.lifespan_context(service),
        AsyncClient(transport=ASGITransport(service), base_url="http://bridge") as client,
    ):
        yield client


async def ask(client: AsyncClient, org: str | None, params: Any = QUERY) -> Response:
    headers = {} if org is None else {ORG: org}
    return await client.get("/api/v1/query", params=params, headers=headers)


async def value(client: AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    (found,) = (line.split()[-1] for line in lines if line.startswith(f"{name} "))
    return float(found)


def orgs(answer: Response) -> list[str]:
    """Whose series an answer has."""
    assert answer.status_code == 200, answer.text
    return [one["metric"]["of"] for one in answer.json()["data"]["result"]]


ASKED: Final[tuple[tuple[str, dict[str, str], tuple[str, str]], ...]] = (
    ("query", QUERY, ("/api/v1/read", "/api/v1/query")),
    ("query_range", RANGED, ("/api/v1/read", "/api/v1/query_range")),
    ("series", {"match[]": "up", **SPAN}, ("/api/v1/read", "/api/v1/series")),
    ("labels", {"match[]": "up", **SPAN}, ("/api/v1/read", "/api/v1/labels")),
    ("label/of/values", {"match[]": "up", **SPAN}, ("/api/v1/read", "/api/v1/label/of/values")),
    ("search/label_names", {"match[]": "up", **SPAN}, ("/api/v1/read", "/api/v1/labels")),
    ("metadata", {}, ("", "/api/v1/metadata")),
    ("query_exemplars", RANGED, ("", "/api/v1/query_exemplars")),
    ("rules", {}, ("", "/api/v1/rules")),
    ("alerts", {}, ("", "/api/v1/alerts")),
)


@pytest.mark.parametrize("api", [False, True], ids=["reads", "api"])
async def test_every_way_to_the_store_bears_what_the_client_sent(tmp_path: Path, api: bool) -> None:
    with far_store() as far:
        ways = {"metadata_url": far.url, "query_url": far.url, "pushdown": "always"}
        async with bridge(tmp_path, far, own(far=ways if api else {})) as (_, client):
            for path, params, ways_there in ASKED:
                for org in (A, B):
                    far.asked.clear()
                    headers = {ORG.upper(): f" {org} "}
                    url = f"/api/v1/{path}"
                    asked = {**params, "nocache": "1"}
                    answer = await client.get(url, params=asked, headers=headers)
                    assert answer.status_code == 200, answer.text
                    assert not ways_there[api] or ways_there[api] in {at for at, _ in far.asked}
                    assert {said for _, said in far.asked} <= {org}
            federated = await client.get("/federate?match[]=up", headers={ORG: A})
            assert federated.status_code == 200
            alone = await client.get(f"/stores/{NAME}/api/v1/query", params=QUERY, headers={ORG: A})
            assert orgs(alone) == ["one"]


async def test_each_value_has_its_own_answers_and_none_has_nothing(tmp_path: Path) -> None:
    with far_store() as far:
        async with bridge(tmp_path, far, own()) as (_, client):
            for _ in range(2):
                assert orgs(await ask(client, A)) == ["one"]
                assert orgs(await ask(client, B)) == ["two"]
                for nothing in (None, ""):
                    refused = await ask(client, nothing)
                    assert (refused.status_code, "401" in refused.text) == (503, True)
            assert {said for _, said in far.asked} == {A, B, ""}
            assert far.asked.count(("/api/v1/read", A)) == 1


async def test_other_stores_are_asked_as_ever_and_share_what_they_brought(tmp_path: Path) -> None:
    said: list[str] = []
    inner = read_app(data_of("any"))

    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        said.append(dict(scope["headers"]).get(ORG.lower().encode(), b"").decode())
        await inner(scope, receive, send)

    with far_store() as far, serving.served(other) as url:
        config = {"name": "other", "url": f"{url}/api/v1/read"}
        sections = own()
        sections["stores"]["other"] = {"profile": "prometheus"}
        async with two_stores(tmp_path, far, config, sections) as client:
            assert sorted(orgs(await ask(client, A))) == ["any", "one"]
            assert sorted(orgs(await ask(client, B))) == ["any", "two"]
            assert said == [""]


@pytest.mark.parametrize("mode", ["first", "fill"])
async def test_replicas_are_each_sent_what_they_want(tmp_path: Path, mode: str) -> None:
    with far_store() as far, serving.served(read_app(data_of("any"))) as url:
        config = {"name": "other", "url": f"{url}/api/v1/read"}
        pair = {"stores": [NAME, "other"], "mode": mode, "hedge": "0s"}
        sections = own(replicas={"pair": pair})
        sections["stores"]["other"] = {"profile": "prometheus"}
        besides = ["any"] if mode == "fill" else []
        async with two_stores(tmp_path, far, config, sections) as client:
            for _ in range(2):
                assert sorted(orgs(await ask(client, A))) == [*besides, "one"]
                assert sorted(orgs(await ask(client, B))) == [*besides, "two"]
                # The first of them has nothing for nobody.
                assert orgs(await ask(client, None)) == ["any"]


async def test_what_goes_on_without_a_request_sends_nothing(tmp_path: Path) -> None:
    learning = {"catalogue": {"bootstrap": True, "crawl": "1s", "seeds": ["up"]}}
    with far_store() as far:
        async with bridge(tmp_path, far, own(**learning)) as (_, client):
            await client.get("/api/v1/label/__name__/values")
            assert far.asked
            assert {said for _, said in far.asked} == {""}


async def test_names_are_those_that_reads_of_the_same_values_brought(tmp_path: Path) -> None:
    seeds = {"catalogue": {"bootstrap": False, "crawl": "0s", "seeds": ["secret_of_others"]}}
    with far_store() as far:
        async with bridge(tmp_path, far, own(**seeds)) as (_, client):
            await ask(client, A)
            for org, names in ((A, ["up"]), (B, [])):
                url = "/api/v1/label/__name__/values"
                answer = await client.get(url, params=SPAN, headers={ORG: org})
                assert answer.json()["data"] == names


async def test_a_header_that_cannot_be_sent_on_is_refused_without_being_shown(
    tmp_path: Path,
) -> None:
    with far_store() as far:
        async with bridge(tmp_path, far, own(forwarding={"max_value_bytes": 20})) as (_, client):
            for headers, said in (
                ([(ORG, A * 3)], "longer than forwarding.max_value_bytes (20) allows: 27 bytes"),
                ([(ORG, A), (ORG, B), (ORG, A)], "(20) allows: 31 bytes"),
                ([(ORG, A), ("Connection", f"close, {ORG}")], "names x-scope-orgid"),
            ):
                answer = await client.get("/api/v1/query", params=QUERY, headers=headers)
                assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
                assert said in answer.json()["error"]
                assert "okapi" not in answer.text
            assert far.asked == []


class Slow:
    """A store that answers a value's first read when it may."""

    def __init__(self) -> None:
        self.came, self.may = asyncio.Event(), asyncio.Event()
        self._inner = read_app(data_of("any"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if dict(scope["headers"]).get(ORG.lower().encode()) == A.encode():
            self.came.set()
            await self.may.wait()
        await self._inner(scope, receive, send)


@asynccontextmanager
async def slow_store() -> AsyncIterator[tuple[Slow, FarStore]]:
    slow = Slow()
    async with serving.listening(slow) as url:
        try:
            yield slow, FarStore(url)
        finally:
            slow.may.set()


async def test_what_answers_a_request_stays_and_others_are_refused_for_want_of_room(
    tmp_path: Path,
) -> None:
    tight = own(forwarding={"max_sets": 1})
    async with slow_store() as (slow, far), bridge(tmp_path, far, tight) as (_, client):
        first = asyncio.create_task(ask(client, A))
        await slow.came.wait()
        full = await ask(client, B)
        assert (full.status_code, full.json()["errorType"]) == (503, "unavailable")
        assert "as many as forwarding.max_sets (1) allows" in full.json()["error"]
        assert int(full.headers["retry-after"]) > 0
        assert (await ask(client, None)).status_code == 200
        slow.may.set()
        assert orgs(await first) == ["any"]
        assert orgs(await ask(client, B)) == ["any"]
        tenant = '{tenant=""}'
        assert await value(client, f"prombridge_forwarded_sets{tenant}") == 1
        assert await value(client, f"prombridge_forwarded_sets_refused_total{tenant}") == 1
        assert await value(client, f"prombridge_forwarded_sets_made_total{tenant}") == 2
        assert await value(client, "prombridge_forwarded_sets_limit") == 1


def open_sessions() -> int:
    """How many clients of stores hold connections."""
    # Not isinstance: a proxy whose object has gone refuses it.
    sessions = (one for one in gc.get_objects() if type(one) is aiohttp.ClientSession)
    return sum(not one.closed for one in sessions)


async def test_what_makes_room_lets_go_of_its_connections_but_not_of_its_samples(
    tmp_path: Path,
) -> None:
    with far_store() as far:
        async with bridge(tmp_path, far, own(forwarding={"max_sets": 2})) as (_, client):
            quiet, before = asyncio.all_tasks(), open_sessions()
            await ask(client, A)
            for number in range(20):
                assert (await ask(client, f"nobody{number}")).status_code == 503
            await asyncio.wait(
                asyncio.all_tasks() - quiet | {asyncio.create_task(asyncio.sleep(0))}
            )
            assert open_sessions() - before <= 2
            read = len(far.asked)
            assert orgs(await ask(client, A)) == ["one"]
            assert len(far.asked) == read
            assert await value(client, 'prombridge_forwarded_sets{tenant=""}') == 2


async def test_names_of_all_values_together_have_the_room_of_a_catalogue(tmp_path: Path) -> None:
    # One series takes more than half of it.
    small = {"catalogue": {"bootstrap": False, "crawl": "0s", "max_bytes": "1KB"}}
    with far_store() as far:
        async with bridge(tmp_path, far, own(**small)) as (_, client):
            for org in (A, B, A):
                await ask(client, org)
                assert await value(client, 'prombridge_forwarded_sets{tenant=""}') == 1


async def test_a_purge_reaches_what_is_remembered_of_all_values(tmp_path: Path) -> None:
    purging = Flags(web_enable_admin_api=True)
    sections = own(forwarding={"max_sets": 1})
    with far_store() as far:
        async with bridge(tmp_path, far, sections, purging) as (_, client):
            for org in (A, B):
                await ask(client, org)
            assert (await client.post("/-/cache/purge?match[]=up")).status_code == 204
            for org in (A, B):
                far.asked.clear()
                await ask(client, org)
                assert far.asked == [("/api/v1/read", org)]


async def test_a_reload_keeps_values_apart_and_what_is_remembered_of_each(tmp_path: Path) -> None:
    with far_store() as far:
        async with bridge(tmp_path, far, own()) as (service, client):
            for org, of in ((A, "one"), (B, "two")):
                assert orgs(await ask(client, org)) == [of]
            read = len(far.asked)
            await service.reload()
            for org, of in ((A, "one"), (B, "two")):
                assert orgs(await ask(client, org)) == [of]
                url = "/api/v1/label/of/values"
                named = await client.get(url, params=SPAN, headers={ORG: org})
                assert named.json()["data"] == [of]
            assert len(far.asked) == read


async def test_a_request_under_way_ends_as_it_began_though_a_reload_comes(tmp_path: Path) -> None:
    async with slow_store() as (slow, far), bridge(tmp_path, far, own()) as (service, client):
        first = asyncio.create_task(ask(client, A))
        await slow.came.wait()
        await service.reload()
        assert orgs(await ask(client, B)) == ["any"]
        assert not first.done()
        slow.may.set()
        assert orgs(await first) == ["any"]


def left_in(folder: Path) -> bytes:
    """All that stands in files below a folder."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_nothing_of_them_outlives_the_process(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    sections = own(
        cache={"dir": str(kept)},
        catalogue={"bootstrap": False, "path": str(kept / "names.db")},
    )
    async with slow_store() as (slow, anybodys):
        slow.may.set()
        for org, left in ((A, 0), (None, 1)):
            async with bridge(tmp_path, anybodys, sections) as (_, client):
                assert orgs(await ask(client, org)) == ["any"]
            found = left_in(kept)
            assert A.encode() not in found
            # What anybody may see is there: in a block and among the names.
            assert found.count(b'["of","any"]') == left
            assert bool(list((kept).rglob("*/*"))) == bool(left)


@pytest.mark.parametrize("page", ["status/cache", "status/active_queries", "status/stores"])
async def test_no_page_shows_a_value(tmp_path: Path, page: str) -> None:
    with far_store() as far:
        async with bridge(tmp_path, far, own()) as (_, client):
            await ask(client, A)
            for headers in ({}, {ORG: A}):
                shown = await client.get(f"/api/v1/{page}", headers=headers)
                assert shown.status_code == 200
                assert A not in shown.text
            assert A not in (await client.get("/metrics")).text
