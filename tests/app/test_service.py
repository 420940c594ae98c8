"""Reloading, draining, ending: the whole bridge in this process."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import snappy
import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app.service import Service
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.remote.proto.remote_pb2 import Query, ReadRequest
from bridge.remote.proto.types_pb2 import LabelMatcher
from tests.remote.stores import START, Store, store, streamed_reply
from tests.remote.test_faults import STREAM

QUERY = {"query": "up", "time": f"{START // 1000 + 60}"}
QUIET = {"catalogue": {"bootstrap": False}, "stores": {"far": {"profile": "prometheus"}}}
GOOD = streamed_reply(STREAM)


class World:
    """A bridge and its two files."""

    def __init__(self, folder: Path) -> None:
        self.config, self.own = folder / "prometheus.yml", folder / "prombridge.yml"
        self.left = 0

    def write(self, url: str, own: dict[str, Any] | None = None, **sections: Any) -> None:
        entry = {"name": "far", "url": url}
        self.config.write_text(yaml.safe_dump({"remote_read": [entry], **sections}))
        self.own.write_text(yaml.safe_dump(QUIET | (own or {})))

    def leave(self) -> None:
        self.left += 1

    @asynccontextmanager
    async def served(self, flags: Flags) -> AsyncIterator[tuple[Service, AsyncClient]]:
        def loaded() -> Any:
            return load(self.config, self.own, flags).settings

        service = Service(loaded(), warming=False, load=loaded, leave=self.leave)
        async with (
            service.router.lifespan_context(service),
            AsyncClient(transport=ASGITransport(service), base_url="http://bridge") as client,
        ):
            yield service, client


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


ENABLED = Flags(web_enable_lifecycle=True)


def asked(upstream: Store) -> int:
    return len(upstream.asked)


async def shown(client: AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{name} "))
    return float(value)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_reload_takes_up_a_new_store(world: World, method: str) -> None:
    async with store(GOOD) as old, store(GOOD) as new:
        world.write(old.url)
        async with world.served(ENABLED) as (_, client):
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
            before = asked(old)
            world.write(new.url)
            reloaded = await client.request(method, "/-/reload")
            assert (reloaded.status_code, reloaded.content) == (200, b"")
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
            assert (asked(old), asked(new) > 0) == (before, True)
            yaml_ = (await client.get("/api/v1/status/config")).json()["data"]["yaml"]
            assert new.url in yaml_


async def test_a_reload_keeps_what_is_remembered(world: World) -> None:
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (_, client):
            first = await client.get("/api/v1/query", params=QUERY)
            before = asked(upstream)
            for changed in (
                {"query": {"max_bytes": "1GB"}},
                {"catalogue": {"bootstrap": False, "ttl": "1d"}},
            ):
                world.write(upstream.url, changed)
                assert (await client.post("/-/reload")).status_code == 200
                assert (await client.get("/api/v1/query", params=QUERY)).text == first.text
            assert asked(upstream) == before


async def test_a_failed_reload_keeps_the_old_configuration_and_says_why(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    successful = "prombridge_config_last_reload_successful"
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (_, client):
            assert await shown(client, successful) == 1
            moment = await shown(client, "prombridge_config_last_reload_success_timestamp_seconds")
            world.write("nonsense", color="red")
            failed = await client.post("/-/reload")
            assert failed.status_code == 500
            assert failed.text.startswith("failed to reload config: ")
            assert "field color not found in type config.plain" in failed.text
            assert "Error reloading config" in caplog.messages
            assert await shown(client, successful) == 0
            again = await shown(client, "prombridge_config_last_reload_success_timestamp_seconds")
            assert again == moment > 0
            info = (await client.get("/api/v1/status/runtimeinfo")).json()["data"]
            assert info["reloadConfigSuccess"] is False
            (notice,) = (await client.get("/api/v1/notifications")).json()["data"]
            assert (notice["text"], notice["active"]) == ("Configuration reload has failed.", True)
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
            world.write(upstream.url)
            assert (await client.post("/-/reload")).status_code == 200
            assert (await client.get("/api/v1/notifications")).json()["data"] == []
            assert await shown(client, successful) == 1


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"tenants": {"default": "a", "names": {"a": {"operator": True}}}}, "tenants: there are"),
        ({"web": {"tokens_file": "tokens"}}, "web.tokens_file: only a restart"),
    ],
)
async def test_a_reload_of_an_emptied_file_opens_nothing(
    world: World, section: dict[str, Any], why: str
) -> None:
    world.write("http://127.0.0.1:1/", section)
    before = world.own.read_text()
    async with world.served(ENABLED) as (_, client):
        world.own.write_text("")
        failed = await client.post("/-/reload")
        assert (failed.status_code, why in failed.text) == (500, True)
        world.own.write_text(before)
        assert (await client.post("/-/reload")).status_code == 200


async def test_a_log_that_cannot_be_opened_fails_the_reload(world: World, tmp_path: Path) -> None:
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (_, client):
            world.write(upstream.url, **{"global": {"query_log_file": "nothing/query.log"}})
            failed = await client.post("/-/reload")
            file = tmp_path / "nothing/query.log"
            assert failed.text == (
                f"failed to reload config: can't create json log file: open {file}:"
                " No such file or directory\n"
            )


async def test_a_query_under_way_ends_under_the_configuration_it_began_with(world: World) -> None:
    may, came = asyncio.Event(), asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        came.set()
        await may.wait()
        writer.write(GOOD)
        await writer.drain()
        writer.close()

    async with store(slow) as old, store(GOOD) as new:
        world.write(old.url, {"catalogue": {"bootstrap": False, "crawl": "0s"}})
        async with world.served(ENABLED) as (service, client):
            query = asyncio.create_task(client.get("/api/v1/query", params=QUERY))
            await came.wait()
            world.write(new.url)
            await service.reload()
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
            assert not query.done()
            may.set()
            assert (await query).status_code == 200


async def test_logs_are_opened_anew(world: World, tmp_path: Path) -> None:
    log = tmp_path / "query.log"
    section = {"global": {"query_log_file": "query.log"}}
    async with store(GOOD) as upstream:
        world.write(upstream.url, **section)
        async with world.served(ENABLED) as (service, client):
            await client.get("/api/v1/query", params=QUERY)
            rotated = log.rename(tmp_path / "query.log.1")
            await service.reload()
            await client.get("/api/v1/query", params=QUERY)
    for file in (rotated, log):
        (line,) = file.read_text().splitlines()
        assert json.loads(line)["params"]["query"] == "up"


@pytest.mark.parametrize("path", ["/-/reload", "/-/quit"])
async def test_lifecycle_is_off_unless_it_is_switched_on(world: World, path: str) -> None:
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(Flags()) as (_, client):
            refused = await client.post(path)
            assert (refused.status_code, refused.text) == (403, "Lifecycle API is not enabled.")
            wrong = await client.get(path)
            assert (wrong.status_code, wrong.text) == (405, "Only POST or PUT requests allowed")
            for other in (f"/{path}", f"/.{path}", path.replace("-", "%2d") + "/"):
                assert (await client.post(other)).status_code in {403, 404}
    assert world.left == 0


async def test_quit_asks_for_the_end(world: World) -> None:
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (_, client):
            answer = await client.put("/-/quit")
            assert (answer.status_code, answer.text) == (
                200,
                "Requesting termination... Goodbye!",
            )
    assert world.left == 1


async def test_who_stops_is_not_ready(world: World) -> None:
    async with store(GOOD) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (service, client):
            service.stop()
            ready = await client.get("/-/ready")
            assert (ready.status_code, ready.headers["x-prometheus-stopping"]) == (503, "true")
            assert (await client.get("/-/healthy")).status_code == 200
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200


async def test_a_query_whose_time_is_over_lets_go_of_the_stores_socket(world: World) -> None:
    async def never(_writer: asyncio.StreamWriter) -> None: ...

    async with store(GOOD, never) as upstream:
        world.write(upstream.url)
        async with world.served(ENABLED) as (_, client):
            # The first request to a store takes longer: it may not be sent when time is over.
            assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
            hurried = QUERY | {"timeout": "300ms", "nocache": "1"}
            late = await client.get("/api/v1/query", params=hurried)
            assert (late.status_code, late.json()["errorType"]) == (503, "timeout")
            await upstream.dropped.wait()


LIMITED = {
    "query": {"max_matchers": 2, "max_regex_bytes": 3, "max_range": "1h"},
    "stores": {"far": {"profile": "prometheus"}},
}
ALL = LabelMatcher(type=LabelMatcher.RE, name="job", value="(..")
EVER = "213503982334d14h25m51s615ms"
BEYOND = [
    (
        Query(matchers=[ALL] * 3),
        "the number of matchers of a selector is 3, more than query.max_matchers (2) allows",
    ),
    (
        Query(matchers=[LabelMatcher(type=LabelMatcher.NRE, name="job", value="(é..")]),
        "a regular expression's length in bytes is 5, more than query.max_regex_bytes (3) allows",
    ),
    (
        Query(end_timestamp_ms=3_600_001),
        "the query reads 1h1ms of time, more than query.max_range (1h) allows",
    ),
    (
        Query(start_timestamp_ms=-(1 << 63), end_timestamp_ms=(1 << 63) - 1),
        f"the query reads {EVER} of time, more than query.max_range (1h) allows",
    ),
    (Query(matchers=[ALL]), "error parsing regexp: missing closing ): `(..`"),
]


@pytest.mark.parametrize("path", ["/api/v1/read", "/stores/far/api/v1/read"])
@pytest.mark.parametrize(("query", "error"), BEYOND)
async def test_remote_read_has_the_limits_of_queries(
    world: World, path: str, query: Query, error: str
) -> None:
    body = bytes(snappy.compress(ReadRequest(queries=[Query(), query]).SerializeToString()))
    async with store(GOOD) as upstream:
        world.write(upstream.url, LIMITED)
        async with world.served(Flags()) as (_, client):
            refused = await client.post(path, content=body)
            assert (refused.status_code, refused.text) == (400, f"{error}\n")


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"max_series": 1}, r"series read is \d+, more than query.max_series \(1\) allows"),
        ({"max_read_bytes": 1}, r"from stores is \d+, more than query.max_read_bytes \(1\) allows"),
        ({"max_bytes": 1}, r"take \d+ bytes, more than query.max_bytes \(1\) allows"),
    ],
)
async def test_remote_read_may_bring_no_more_than_queries(
    world: World, limits: dict[str, int], error: str
) -> None:
    named = LabelMatcher(type=LabelMatcher.NEQ, name="__name__", value="")
    query = Query(start_timestamp_ms=START, end_timestamp_ms=START + 60_000, matchers=[named])
    body = bytes(snappy.compress(ReadRequest(queries=[query]).SerializeToString()))
    async with store(GOOD) as upstream:
        for given, status in (({}, 200), (limits, 400)):
            world.write(
                upstream.url, {"query": given, "stores": {"far": {"profile": "prometheus"}}}
            )
            async with world.served(Flags()) as (_, client):
                answer = await client.post("/api/v1/read", content=body)
                assert answer.status_code == status
    assert re.search(error, answer.text)
