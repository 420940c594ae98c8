"""Connections of real sockets: how many at once, and how long each waits for a request."""

import asyncio
import logging
import resource
import socket
import ssl
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.api.tls import server_context
from bridge.api.web_config import ServerTls
from bridge.cli.connections import ConnectionLimits, settle
from bridge.cli.protocol import Connection
from bridge.cli.serving import _Server, listen
from tests.certificates import Authority
from tests.cli.sockets import (
    ASKED,
    PATIENCE,
    SOON,
    WAITING,
    Client,
    World,
    bounded,
    connected,
    only,
    running,
    served,
)
from tests.cli.world import GOOD, serving
from tests.remote.stores import store


async def test_a_connection_too_many_waits_for_a_place_and_is_not_refused() -> None:
    async with (
        served(bounded(World(), ConnectionLimits(most=2))) as port,
        connected(port) as held,
        connected(port) as leaving,
        connected(port) as third,
    ):
        assert await held.answer(ASKED) == await leaving.answer(ASKED) == b"good"
        waiting = asyncio.create_task(third.answer(ASKED))
        for _ in range(20):
            assert await held.answer(ASKED) == b"good"
        assert not waiting.done()
        leaving.writer.close()
        assert await waiting == b"good"


@pytest.mark.parametrize("sent", [b"", b"GET /at-once HTTP/1.1\r\nHo"])
async def test_a_connection_ends_whose_request_does_not_come(sent: bytes) -> None:
    async with served(bounded(World(), SOON)) as port, connected(port) as client:
        client.writer.write(sent)
        assert await client.ended()


async def test_a_connection_ends_whose_body_stays_out_and_the_request_with_it() -> None:
    world = World()
    async with served(bounded(world, SOON)) as port, connected(port) as client:
        client.writer.write(b"POST /reads HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\nhalf")
        assert await client.ended()
        await world.left.wait()


async def test_a_kept_connection_ends_if_no_further_request_comes() -> None:
    async with served(bounded(World(), SOON)) as port, connected(port) as client:
        assert await client.answer(ASKED) == b"good"
        assert await client.ended()


async def test_a_kept_connection_ends_if_a_further_request_stays_incomplete() -> None:
    async with served(bounded(World(), SOON)) as port, connected(port) as client:
        assert await client.answer(ASKED + b"GET /at") == b"good"
        assert await client.ended()


async def test_an_answer_may_take_longer_than_a_request() -> None:
    world = World()
    async with served(bounded(world, SOON)) as port, connected(port) as client:
        client.writer.write(WAITING)
        await world.came.wait()
        async with connected(port) as later:
            assert await later.ended()
        world.may.set()
        assert await client.answer() == b"late"


async def test_a_request_behind_one_that_is_not_answered_yet_is_waited_for() -> None:
    world = World()
    async with served(bounded(world, SOON)) as port, connected(port) as client:
        client.writer.write(
            WAITING + b"POST /reads HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nha"
        )
        await world.came.wait()
        for _ in range(2):
            async with connected(port) as later:
                assert await later.ended()
        world.may.set()
        assert await client.answer() == b"late"
        assert await client.answer(b"lf") == b"half"


async def test_requests_that_come_faster_than_answers_wait_outside_and_are_all_answered() -> None:
    world, many = World(), 20_000
    listener = bounded(world, ConnectionLimits())
    async with running(listener) as (server, port), connected(port) as client:
        client.writer.write(WAITING + many * ASKED)
        await world.came.wait()
        async with connected(port) as other:
            for _ in range(20):
                assert await other.answer(ASKED) == b"good"
        world.may.set()
        assert await client.answer() == b"late"
        for _ in range(many):
            assert await client.answer() == b"good"
            waiting = [len(one.pipeline) for one in server.server_state.connections]  # type: ignore[union-attr]
            assert max(waiting) * len(ASKED) < (1 << 14) + len(ASKED)


async def test_an_answer_whose_length_is_known_is_one_packet() -> None:
    async with served(bounded(World(), ConnectionLimits())) as port, connected(port) as client:
        client.writer.write(ASKED)
        whole = await client.reader.read(1 << 16)
        assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
        assert whole.endswith(b"\r\n\r\ngood")


async def test_the_head_of_an_answer_without_a_length_does_not_wait_for_its_body() -> None:
    world = World()

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await world.may.wait()
        await send({"type": "http.response.body", "body": b"late"})

    async with (
        served(only(endless)) as port,
        connected(port) as client,
    ):
        client.writer.write(ASKED)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"\r\ntransfer-encoding: chunked\r\n" in head
        world.may.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"4\r\nlate\r\n0\r\n\r\n"


@pytest.mark.parametrize("body", [b"longer", b"low"])
async def test_an_answer_that_is_not_as_long_as_told_ends_the_connection(body: bytes) -> None:
    async def wrong(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async with served(only(wrong)) as port, connected(port) as client:
        client.writer.write(ASKED)
        assert b"longer" not in await client.reader.read()


async def test_an_old_client_and_one_that_asks_for_the_head_alone_are_answered() -> None:
    async with served(bounded(World(), ConnectionLimits())) as port, connected(port) as client:
        client.writer.write(b"HEAD /at-once HTTP/1.1\r\nHost: b\r\n\r\n")
        assert b"\r\ncontent-length: 4\r\n" in await client.reader.readuntil(b"\r\n\r\n")
        client.writer.write(b"GET /at-once HTTP/1.0\r\n\r\n")
        whole = await client.reader.read()
        assert b"\r\nconnection: close\r\n" in whole
        assert whole.endswith(b"\r\n\r\ngood")


async def test_without_a_bound_a_connection_stays() -> None:
    forever = bounded(World(), ConnectionLimits(read_seconds=0))
    async with (
        served(forever) as port,
        served(bounded(World(), SOON)) as other,
        connected(port) as idle,
        connected(port) as kept,
        connected(other) as soon,
    ):
        assert await kept.answer(ASKED) == b"good"
        assert await soon.ended()
        assert await kept.answer(ASKED) == await idle.answer(ASKED) == b"good"


async def test_a_handshake_that_fails_gives_its_place_back(tmp_path: Path) -> None:
    ours = Authority(tmp_path, "ours")
    pair = ours.pair("server")
    tls = server_context(ServerTls(cert_file=str(pair.cert), key_file=str(pair.key)))
    listener = listen(World().app, "127.0.0.1", 0, tls, ConnectionLimits(most=1))
    async with served(listener) as port:
        for _ in range(3):
            async with connected(port) as plain:
                plain.writer.write(ASKED)
                await plain.reader.read()
        trusting = ssl.create_default_context(cafile=str(ours.cert))
        async with connected(port, trusting) as secured:
            assert await secured.answer(ASKED) == b"good"


def test_a_connection_finds_out_that_its_client_vanished() -> None:
    with socket.socket() as client:
        settle(client)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15


async def test_of_a_long_answer_the_system_takes_no_more_than_keeps_the_way_busy() -> None:
    taken, part = 0, bytes(1 << 16)

    async def long(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal taken
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            taken += len(part)

    async with running(only(long)) as (server, port), connected(port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.writer.write(ASKED)
        while True:
            if any(one.flow.write_paused for one in _flowing(server)):
                break
            await asyncio.sleep(0)
        assert taken <= 1 << 20


def _flowing(server: _Server) -> list[Connection]:
    """The connections, as far as they have begun."""
    every = server.server_state.connections
    return [one for one in every if isinstance(one, Connection) and one.flow is not None]


async def test_without_free_descriptors_it_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    listener = bounded(World(), ConnectionLimits())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with served(listener) as port, connected(port) as first:
        assert await first.answer(ASKED) == b"good"
        # In the backlog: this loop cannot accept it before there are no descriptors left.
        behind = socket.create_connection(("127.0.0.1", port))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            while "cannot accept a connection" not in caplog.text:
                await first.answer(ASKED)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        reader, writer = await asyncio.open_connection(sock=behind)
        assert await Client(reader, writer).answer(ASKED) == b"good"
        writer.close()


async def test_flags_bound_the_connections_of_a_bridge(tmp_path: Path) -> None:
    flags = ("--web.max-connections=1", "--web.read-timeout=200ms")
    async with (
        store(GOOD) as upstream,
        serving(tmp_path, upstream, *flags) as bridge,
        asyncio.timeout(PATIENCE),
    ):
        port = int(bridge.url.rpartition(":")[2])
        async with connected(port) as first, connected(port) as second:
            second.writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
            assert await first.ended()
            assert (await second.reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_client_is_who_is_connected_whatever_it_says() -> None:
    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        answer = f"{scope['scheme']} {scope['client'][0]}"
        await Response(answer)(scope, receive, send)

    said = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    async with served(only(named)) as port, connected(port) as client:
        client.writer.write(b"GET / HTTP/1.1\r\nHost: b\r\n" + said)
        assert (await client.reader.read()).endswith(b"\r\n\r\nhttp 127.0.0.1")
