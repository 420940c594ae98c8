"""Signals to a bridge that serves: reload, drain, end."""

import asyncio
import signal
from pathlib import Path

import httpx
import uvicorn

from bridge.cli.connections import ConnectionLimits
from bridge.cli.serving import _Server
from tests.cli.world import GOOD, LONG, QUERY, serving
from tests.remote.stores import store


async def test_hangup_reloads_and_a_failed_reload_goes_on(tmp_path: Path) -> None:
    async with (
        store(GOOD) as old,
        store(GOOD) as new,
        serving(tmp_path, old) as bridge,
        httpx.AsyncClient(base_url=bridge.url, timeout=LONG) as client,
    ):
        bridge.config.write_text("nonsense: true")
        bridge.process.send_signal(signal.SIGHUP)
        assert "field nonsense not found" in await bridge.line("Error reloading config")
        assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
        bridge.write(new.url)
        bridge.process.send_signal(signal.SIGHUP)
        await bridge.line("Completed loading of configuration file")
        assert (await client.get("/api/v1/query", params=QUERY)).status_code == 200
        assert new.asked
        bridge.process.terminate()
        assert await bridge.process.wait() == 0


async def refused(url: str) -> None:
    """Waits until nobody listens there any more; who still waited to be let in is reset."""
    while True:
        try:
            async with httpx.AsyncClient() as client:
                await client.get(f"{url}/-/healthy")
        except httpx.ConnectError:
            return
        except httpx.NetworkError:
            continue


async def test_a_query_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    may, came = asyncio.Event(), asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        came.set()
        await may.wait()
        writer.write(GOOD)
        await writer.drain()
        writer.close()

    async with (
        store(slow) as upstream,
        serving(tmp_path, upstream) as bridge,
        httpx.AsyncClient(base_url=bridge.url, timeout=LONG) as client,
    ):
        query = asyncio.create_task(client.get("/api/v1/query", params=QUERY))
        await came.wait()
        bridge.process.terminate()
        await refused(bridge.url)
        assert not query.done()
        may.set()
        assert (await query).status_code == 200
        assert await bridge.process.wait() == 0


async def test_a_second_signal_does_not_wait_and_lets_go_of_the_store(tmp_path: Path) -> None:
    came = asyncio.Event()

    async def never(_writer: asyncio.StreamWriter) -> None:
        came.set()

    async with (
        store(never) as upstream,
        serving(tmp_path, upstream) as bridge,
        httpx.AsyncClient(base_url=bridge.url, timeout=LONG) as client,
    ):
        query = asyncio.create_task(client.get("/api/v1/query", params=QUERY))
        await came.wait()
        bridge.process.terminate()
        await refused(bridge.url)
        bridge.process.terminate()
        await upstream.dropped.wait()
        assert await bridge.process.wait() == 0
        answer = await query
        assert (answer.status_code, answer.json()["error"]) == (503, "prombridge is shutting down")
        assert "Traceback" not in await bridge.rest()


async def test_quit_over_http_ends_the_process(tmp_path: Path) -> None:
    async with (
        store(GOOD) as upstream,
        serving(tmp_path, upstream, "--web.enable-lifecycle") as bridge,
        httpx.AsyncClient(base_url=bridge.url, timeout=LONG) as client,
    ):
        assert (await client.post("/-/quit")).text == "Requesting termination... Goodbye!"
        assert await bridge.process.wait() == 0


class Transport:
    """A transport whose client does not read."""

    def __init__(self) -> None:
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return 1

    def abort(self) -> None:
        self.aborted = True


class Connected:
    """uvicorn's side of a connection; one that has just been made has no transport."""

    def __init__(self, transport: Transport | None) -> None:
        self.transport = transport


async def test_a_server_ends_connections_whose_clients_do_not_read() -> None:
    dropped: list[int] = []
    moment = [0.0]
    config = uvicorn.Config(lambda: None)
    server = _Server(config, ConnectionLimits(), lambda: dropped.append(1), lambda: moment[0])
    stuck = Transport()
    server.server_state.connections |= {Connected(stuck), Connected(None)}  # type: ignore[arg-type]
    for moment[0] in (0.0, 29.0):
        server.drop_slow_readers()
    assert dropped == []
    moment[0] = 30.0
    server.drop_slow_readers()
    assert stuck.aborted
    assert dropped == [1]
