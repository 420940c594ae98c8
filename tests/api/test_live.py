"""Notices as server-sent events, over real sockets: who is told what, and for how long."""

import asyncio
import contextlib
import gc
import json
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from httpx import ASGITransport, AsyncClient

from bridge.api.lifecycle import CannotReload, Steady
from bridge.api.live import PATH
from bridge.api.notices import RELOAD_FAILED, SHUTTING_DOWN
from bridge.api.routes import application
from bridge.api.tenancy import Tenant
from bridge.app.service import Service
from bridge.cli.connections import ConnectionLimits
from bridge.cli.serving import _Server, listen
from bridge.cli.slow_readers import PATIENCE_SECONDS
from bridge.config.flags import Flags
from bridge.config.load import load
from tests.api import world
from tests.cli.world import GOOD, serving
from tests.remote.stores import store
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

PATIENCE = 120
FLAGS = Flags(web_max_notifications_subscribers=2)
ASKED = f"GET {PATH} HTTP/1.1\r\nHost: b\r\nOrigin: http://page\r\n\r\n"
HEALTHY = "GET /-/healthy HTTP/1.1\r\nHost: b\r\n\r\n"
# What it cannot reach is asked for nothing here.
CONFIG = {"remote_read": [{"name": "far", "url": "http://127.0.0.1:1/read"}]}
OWN = {"catalogue": {"bootstrap": False}, "stores": {"far": {"profile": "prometheus"}}}


@dataclass(slots=True)
class Bridge:
    """A whole bridge on a socket in this loop."""

    service: Service
    server: _Server
    port: int
    config: Path
    moment: list[float]
    dropped: list[int]

    async def fail(self) -> None:
        """Tries to reload what is no configuration."""
        self.config.write_text("nonsense: true")
        with pytest.raises(CannotReload):
            await self.service.reload()

    async def recover(self) -> None:
        """Reloads a configuration."""
        self.config.write_text(yaml.safe_dump(CONFIG))
        await self.service.reload()

    def shown(self, name: str) -> float | None:
        """The value of a metric about those who are told."""
        full = f"prombridge_api_notification_{name}"
        return self.service.metrics.registry.get_sample_value(full)


@contextlib.asynccontextmanager
async def served(folder: Path, limits: ConnectionLimits | None = None) -> AsyncIterator[Bridge]:
    config, own = folder / "prometheus.yml", folder / "prombridge.yml"
    config.write_text(yaml.safe_dump(CONFIG))
    own.write_text(yaml.safe_dump(OWN))

    def loaded() -> Any:
        return load(config, own, FLAGS).settings

    service = Service(loaded(), warming=False, load=loaded)
    listener = listen(service, "127.0.0.1", 0)
    moment, dropped = [0.0], list[int]()
    server = _Server(
        uvicorn.Config(service, log_config=None, access_log=False, server_header=False),
        limits or ConnectionLimits(),
        lambda: dropped.append(1),
        lambda: moment[0],
    )
    port = int(listener.address.rpartition(":")[2])
    task = asyncio.create_task(server.serve([listener.socket]))
    try:
        async with asyncio.timeout(PATIENCE):
            yield Bridge(service, server, port, config, moment, dropped)
    finally:
        service.stop()
        server.should_exit = True
        await task


class Events:
    """A connection that follows notices."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.head: list[str] = []

    async def begin(self, request: str = ASKED) -> str:
        """Sends a request; the status of the answer, whose head is read."""
        self.writer.write(request.encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        self.head = head.strip().split("\r\n")
        return self.head[0].split()[1]

    async def chunk(self) -> bytes:
        """The next chunk; empty at the end."""
        size = int(await self.reader.readline(), 16)
        body = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def told(self) -> tuple[str, bool]:
        """The next event: its text and whether it holds."""
        text, active, _ = await self.dated()
        return text, active

    async def dated(self) -> tuple[str, bool, str]:
        """The next event with its date."""
        event = await self.chunk()
        assert event.startswith(b'data: {"text":')
        assert event.endswith(b"}\n\n")
        held = json.loads(event.removeprefix(b"data: "))
        assert list(held) == ["text", "date", "active"]
        return held["text"], held["active"], held["date"]

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Events]:
    events = Events(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield events
    finally:
        await events.leave()


async def test_who_follows_is_told_what_holds_and_each_change(tmp_path: Path) -> None:
    async with served(tmp_path) as bridge, connected(bridge.port) as early:
        assert await early.begin() == "200"
        await bridge.fail()
        assert await early.told() == (RELOAD_FAILED, True)
        async with connected(bridge.port) as late:
            assert await late.begin() == "200"
            first = await late.dated()
            assert first[:2] == (RELOAD_FAILED, True)
            await bridge.recover()
            assert await late.dated() == (RELOAD_FAILED, False, first[2])
            assert await early.told() == (RELOAD_FAILED, False)
        assert bridge.shown("updates_sent_total") == 3
        assert bridge.shown("updates_dropped_total") == 0


async def test_who_follows_below_a_store_is_told_the_same_and_makes_room_when_he_leaves(
    tmp_path: Path,
) -> None:
    below = ASKED.replace(PATH, f"/stores/far{PATH}")
    async with served(tmp_path) as bridge, connected(bridge.port) as idle:
        for _ in range(2 * FLAGS.web_max_notifications_subscribers):
            async with connected(bridge.port) as events:
                assert await events.begin(below) == "200"
                await bridge.fail()
                assert await events.told() == (RELOAD_FAILED, True)
            await bridge.recover()
            while bridge.shown("active_subscribers"):
                assert await idle.begin(HEALTHY) == "200"
                await idle.reader.readexactly(len("prombridge is Healthy.\n"))


async def test_there_is_room_for_as_many_as_the_flag_says_and_who_left_makes_room(
    tmp_path: Path,
) -> None:
    async with (
        served(tmp_path) as bridge,
        connected(bridge.port) as first,
        connected(bridge.port) as second,
        connected(bridge.port) as third,
        connected(bridge.port) as idle,
    ):
        assert [await first.begin(), await second.begin(), await third.begin()] == [
            *("200", "200"),
            "204",
        ]
        assert bridge.shown("active_subscribers") == 2
        await first.leave()
        # The connection of the third is kept: it may ask again.
        while await third.begin() == "204":
            assert "content-type: text/event-stream" in third.head
        await bridge.fail()
        assert await third.told() == await second.told() == (RELOAD_FAILED, True)
        await third.leave()
        second.writer.transport.abort()
        while bridge.shown("active_subscribers"):
            assert await idle.begin(HEALTHY) == "200"
            await idle.reader.readexactly(len("prombridge is Healthy.\n"))


async def test_a_stream_keeps_nothing_of_a_configuration_that_was_replaced(tmp_path: Path) -> None:
    async with served(tmp_path) as bridge, connected(bridge.port) as events:
        assert await events.begin() == "200"
        held = bridge.service._current
        old, holdings, retiring = (
            weakref.ref(held),
            weakref.ref(held.holdings),
            bridge.service._retiring,
        )
        del held
        bridge.config.write_text(
            yaml.safe_dump({**CONFIG, "global": {"external_labels": {"a": "b"}}})
        )
        await bridge.service.reload()
        await asyncio.gather(*retiring)
        gc.collect()
        assert old() is None
        assert holdings() is None
        await bridge.fail()
        assert await events.told() == (RELOAD_FAILED, True)


async def test_a_stream_without_news_is_neither_slow_nor_idle(tmp_path: Path) -> None:
    limits = ConnectionLimits(read_seconds=0.2)
    async with (
        served(tmp_path, limits) as bridge,
        connected(bridge.port) as events,
        connected(bridge.port) as idle,
    ):
        assert await events.begin() == "200"
        # Says nothing, and goes: by then the time of the stream's connection is over as well.
        assert await idle.reader.read() == b""
        for bridge.moment[0] in (0.0, PATIENCE_SECONDS, 10 * PATIENCE_SECONDS):
            bridge.server.drop_slow_readers()
        assert bridge.dropped == []
        await bridge.fail()
        assert await events.told() == (RELOAD_FAILED, True)


async def test_an_old_client_is_told_what_holds_and_asks_again(tmp_path: Path) -> None:
    old = ASKED.replace("HTTP/1.1", "HTTP/1.0")
    async with served(tmp_path) as bridge, connected(bridge.port) as events:
        await bridge.fail()
        assert await events.begin(old) == "200"
        assert not any(one.lower().startswith("transfer-encoding") for one in events.head)
        body = await events.reader.read()
        assert json.loads(body.removeprefix(b"data: "))["text"] == RELOAD_FAILED
        assert bridge.shown("active_subscribers") == 0
        async with connected(bridge.port) as asking:
            assert await asking.begin(ASKED.replace("GET", "HEAD")) == "200"
            assert await asking.begin(ASKED.replace("GET", "POST")) == "405"


async def test_a_tenant_is_told_that_nothing_comes() -> None:
    lifecycle = Steady()
    lifecycle.notices.add(RELOAD_FAILED, world.NOW)
    async with world.api() as made:
        app = application(replace(made, lifecycle=lifecycle, tenant=Tenant("alpha")))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client:
            refused = await client.get(PATH)
            counted = (await client.get("/metrics")).status_code
    assert (refused.status_code, refused.content, counted) == (204, b"", 403)
    assert made.metrics.registry.get_sample_value(
        "prombridge_http_requests_total", {"handler": "/notifications/live", "code": "204"}
    )


async def test_streams_end_at_once_when_the_process_is_told_to(tmp_path: Path) -> None:
    async with store(GOOD) as upstream, serving(tmp_path, upstream) as bridge:
        port = int(bridge.url.rpartition(":")[2])
        async with connected(port) as events, connected(port) as other:
            assert await events.begin() == await other.begin() == "200"
            bridge.process.terminate()
            for one in (events, other):
                assert await one.told() == (SHUTTING_DOWN, True)
                assert await one.chunk() == b""
                assert await one.reader.read() == b""
            async with asyncio.timeout(PATIENCE):
                assert await bridge.process.wait() == 0
            assert "Traceback" not in await bridge.rest()


async def test_prometheus_begins_and_tells_the_same(
    tmp_path: Path, prometheus_server: PrometheusFactory
) -> None:
    flags = ("--web.max-notifications-subscribers=2", "--web.enable-lifecycle")
    theirs = prometheus_server(PrometheusOptions(flags=flags))
    config = theirs.log.parent / "prometheus.yml"
    held = config.read_text()
    async with (
        served(tmp_path) as bridge,
        asyncio.timeout(PATIENCE),
        AsyncClient(base_url=theirs.url) as client,
    ):
        found = []
        for port in (bridge.port, int(theirs.url.rpartition(":")[2])):
            async with (
                connected(port) as first,
                connected(port) as second,
                connected(port) as third,
            ):
                status = [await one.begin() for one in (first, second, third)]
                heads = [headers(one) for one in (first, third)]
                if port == bridge.port:
                    await bridge.fail()
                    await bridge.recover()
                else:
                    config.write_text("nonsense: true")
                    assert (await client.post("/-/reload")).status_code == 500
                    config.write_text(held)
                    assert (await client.post("/-/reload")).status_code == 200
                told = [await one.told() for one in (first, second, first, second)]
            found.append((status, heads, told))
    ours, expected = found
    assert ours == expected


# What a proxy in front, or the server itself, adds to every answer.
_EVERYWHERE = {"date", "vary", "x-content-type-options", "access-control-allow-origin"}


def headers(events: Events) -> dict[str, str]:
    """The headers of an answer that are its own."""
    pairs = (line.partition(": ") for line in events.head[1:])
    return {name.lower(): value for name, _, value in pairs if name.lower() not in _EVERYWHERE}
