"""What was looked at is received as ever."""

import asyncio

from starlette.types import Message

from bridge.api.peeked import Peeked

GONE: Message = {"type": "http.disconnect"}


def message(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def peeked(*messages: Message) -> Peeked:
    rest = iter(messages)

    async def receive() -> Message:
        return next(rest)

    return Peeked(receive)


async def test_a_whole_body_is_seen_and_received() -> None:
    request = peeked(message(b"a=1"), GONE)
    assert request.body == request.body == b"a=1"
    assert [await request(), await request()] == [message(b"a=1"), GONE]
    assert request.body is None


async def test_of_a_part_and_of_who_is_gone_nothing_is_seen() -> None:
    for first in (message(b"a=", more=True), GONE):
        request = peeked(first, message(b"1"))
        assert request.body is None
        assert [await request(), await request()] == [first, message(b"1")]


async def test_what_has_not_arrived_is_waited_for_by_who_receives_it() -> None:
    arrived: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def receive() -> Message:
        return await arrived

    request = Peeked(receive)
    assert request.body is None
    arrived.set_result(message(b"late"))
    assert await request() == message(b"late")
