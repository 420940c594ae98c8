"""Requests that are none, too long, or ask for another protocol; on real sockets."""

import asyncio
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.cli.connections import ConnectionLimits
from tests.cli.sockets import (
    ASKED,
    SOON,
    WAITING,
    World,
    bounded,
    connected,
    only,
    running,
    served,
)

READS = b"POST /reads HTTP/1.1\r\nHost: b\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
USUAL = ConnectionLimits()
# What makes no request, behind what does.
BROKEN = (b"\x16\x03\x01", b"GET /caf\xe9 HTTP/1.1\r\n\r\n", READS + CHUNKED + b"zz\r\n")


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (b"GET /at-once HTTP/1.1\r\n\r\n", b"missing required Host header"),
        (b"GET http://b/at-once HTTP/1.1\r\n\r\n", b"missing required Host header"),
        (b"GET /at-once HTTP/1.1\r\n" + UPGRADE + b"\r\n", b"missing required Host header"),
        (b"GET /at-once HTTP/1.1\r\nHost: b\r\nhost: b\r\n\r\n", b"too many Host headers"),
        (b"GET /at-once HTTP/1.0\r\nHost: b\r\nHost: c\r\n\r\n", b"too many Host headers"),
    ],
)
async def test_a_request_names_one_host(head: bytes, fault: bytes) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        assert await client.answer(ASKED) == b"good"
        client.writer.write(head + ASKED)
        status, _, rest = (await client.reader.read()).partition(b"\r\n")
        assert status == b"HTTP/1.1 400 Bad Request"
        assert rest.partition(b"\r\n\r\n")[2] == b"400 Bad Request: " + fault


@pytest.mark.parametrize(
    "head",
    [b"GET /at-once HTTP/1.0\r\n\r\n", b"GET /at-once HTTP/1.1\r\nHost:\r\n\r\n"],
)
async def test_a_host_may_be_empty_and_older_requests_need_none(head: bytes) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        assert await client.answer(head) == b"good"


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_is_broken_is_refused_behind_the_answers_before_it(broken: bytes) -> None:
    world = World()
    async with served(bounded(world, USUAL)) as port, connected(port) as client:
        client.writer.write(WAITING + broken)
        await world.came.wait()
        client.writer.write(ASKED)
        async with connected(port) as other:
            assert await other.answer(ASKED) == b"good"
        world.may.set()
        assert await client.answer() == b"late"
        assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")


async def test_so_it_is_behind_one_that_waits_for_its_turn() -> None:
    world = World()
    async with served(bounded(world, USUAL)) as port, connected(port) as client:
        client.writer.write(WAITING + ASKED + READS + CHUNKED + b"zz\r\n")
        await world.came.wait()
        world.may.set()
        assert await client.answer() == b"late"
        assert await client.answer() == b"good"
        assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")


async def test_a_body_that_breaks_is_refused_at_once() -> None:
    world = World()
    async with served(bounded(world, USUAL)) as port, connected(port) as client:
        client.writer.write(READS + CHUNKED + b"1\r\na\r\nzz\r\n")
        assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")
        await world.left.wait()


async def test_nothing_is_written_into_an_answer_whose_request_breaks() -> None:
    begun = asyncio.Event()

    async def begins(_scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    async with served(only(begins)) as port, connected(port) as client:
        client.writer.write(READS + CHUNKED)
        await begun.wait()
        client.writer.write(b"zz\r\n")
        head, _, body = (await client.reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == b"half"


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize(
    "body", [b"Content-Length: 4\r\n\r\nbody", CHUNKED + b"4\r\nbody\r\n0\r\n\r\n"]
)
async def test_a_body_is_one_also_if_another_protocol_is_asked_for(body: bytes, gap: bool) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        head, end, rest = (READS + UPGRADE + body).partition(b"\r\n\r\n")
        client.writer.write(head + end)
        if gap:
            async with connected(port) as other:
                assert await other.answer(ASKED) == b"good"
        assert await client.answer(rest + ASKED) == b"body"
        assert await client.answer() == b"good"


async def test_no_request_hides_in_the_body_of_one_that_asks_for_another_protocol() -> None:
    hidden = b"GET /waits HTTP/1.1\r\n\r\n"
    world = World()
    async with served(bounded(world, USUAL)) as port, connected(port) as client:
        length = b"Content-Length: %d\r\n\r\n" % len(hidden)
        client.writer.write(READS + UPGRADE + length)
        async with connected(port) as other:
            assert await other.answer(ASKED) == b"good"
        client.writer.write(hidden)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await client.reader.readexactly(len(hidden)) == hidden
        assert await client.answer(ASKED) == b"good"
        assert not world.came.is_set()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /at-once HTTP/1.0\r\n",
        b"GET /at-once HTTP/1.1\r\nHost: b\r\nConnection: close\r\n",
    ],
)
async def test_so_is_the_last_of_a_connection(head: bytes) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        assert await client.answer(head + UPGRADE + b"\r\n") == b"good"
        assert await client.ended()


async def test_requests_behind_one_that_asks_for_another_protocol_are_answered() -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        asking = b"GET /at-once HTTP/1.1\r\nHost: b\r\n" + UPGRADE + b"\r\n"
        client.writer.write(1000 * asking + ASKED)
        for _ in range(1001):
            assert await client.answer() == b"good"


async def test_nothing_is_connected_to() -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        client.writer.write(b"CONNECT /at-once HTTP/1.1\r\nHost: b\r\n\r\n" + ASKED)
        answers = await client.reader.read()
        assert answers.startswith(b"HTTP/1.1 400 ")
        assert answers.count(b"HTTP/1.1") == 1


MEBI = 1 << 20


@pytest.mark.parametrize(
    "head",
    [
        b"GET /at-once HTTP/1.1\r\n" + b"a: b\r\n" * 1002,
        b"GET /at-once HTTP/1.1\r\n" + (b"a: " + b"b" * 4000 + b"\r\n") * 300,
        b"GET /at-once HTTP/1.1\r\na: " + b"b" * 2 * MEBI,
        b"GET /at-once HTTP/1.1\r\n" + b"b" * 2 * MEBI,
        b"GET /" + b"b" * 2 * MEBI,
        READS + CHUNKED + b"0\r\na: " + b"b" * 2 * MEBI,
        READS + CHUNKED + b"1\r\na\r\n0\r\n" + b"a: b\r\n" * (MEBI // 3),
    ],
    ids=["lines", "long lines", "a value", "a name", "a path", "behind a body", "lines behind it"],
)
async def test_a_head_has_a_bound(head: bytes) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        client.writer.write(head)
        assert (await client.reader.read()).startswith(b"HTTP/1.1 431 ")


async def test_a_head_may_have_much_and_a_body_may_come_in_little_chunks() -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        lines = 250 * (b"a: " + b"b" * 4000 + b"\r\n") + 700 * b"a: b\r\n"
        assert await client.answer(ASKED[:-2] + lines + b"\r\n") == b"good"
        client.writer.write(READS + CHUNKED + b"1\r\na\r\n" * MEBI + b"0\r\n\r\n")
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"content-length: %d\r\n" % MEBI in head


@pytest.mark.parametrize("before", [b"", ASKED])
@pytest.mark.parametrize("target", [b"http://b:99999/", b"/" * 70_000, b"b:80"])
async def test_what_names_no_place_is_refused(target: bytes, before: bytes) -> None:
    async with served(bounded(World(), USUAL)) as port, connected(port) as client:
        if before:
            await client.answer(before)
        client.writer.write(b"GET %s HTTP/1.1\r\nHost: b\r\n\r\n" % target)
        assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")


async def query_of(target: bytes) -> bytes:
    """The query string of a request to a target, as an application sees it."""

    async def shown(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == "/"
        await Response(scope["query_string"])(scope, receive, send)

    async with served(only(shown)) as port, connected(port) as client:
        client.writer.write(b"GET %s HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n" % target)
        head, _, body = (await client.reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        return body


async def test_a_url_may_be_as_long_as_a_head() -> None:
    query = b"query=" + b"1" * (MEBI - 1000)
    assert await query_of(b"/?" + query) == query


@pytest.mark.parametrize(
    ("target", "query"),
    [
        (b"/?a?b", b"a?b"),
        (b"/", b""),
        (b"/?", b""),
        # A comment of PromQL, for Prometheus too.
        (b"/?query=1#b", b"query=1#b"),
        (b"http://b?c", b"c"),
        (b"http://b:80/?c", b"c"),
    ],
)
async def test_what_stands_behind_the_path_is_the_query(target: bytes, query: bytes) -> None:
    assert await query_of(target) == query


async def test_what_stands_behind_a_body_is_no_header() -> None:
    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        names = request.headers.get("x-scope-orgid", "none")
        await Response(names)(scope, receive, send)

    async with served(only(named)) as port, connected(port) as client:
        trailer = b"1\r\na\r\n0\r\nX-Scope-OrgID: b\r\n\r\n"
        assert await client.answer(READS + CHUNKED + trailer) == b"none"


async def test_a_connection_ends_whose_request_was_answered_before_it_was_there() -> None:
    async with served(bounded(World(), SOON)) as port, connected(port) as client:
        client.writer.write(b"GET /at-once HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\na")
        assert await client.answer() == b"good"
        client.writer.write(b"b")
        assert await client.ended()


async def test_a_request_ends_with_its_connection_also_if_others_wait_behind_it() -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def watches(_scope: Scope, receive: Receive, _send: Send) -> None:
        came.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with running(only(watches)) as (server, port), connected(port) as client:
        client.writer.write(2 * ASKED)
        await came.wait()
        for one in list(server.server_state.connections):
            cast("asyncio.WriteTransport", one.transport).abort()
        await left.wait()
