"""Answers whose body is there."""

from starlette.types import Message

from bridge.api.whole import Whole


async def sent(response: Whole) -> list[Message]:
    messages: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        messages.append(message)

    await response({}, receive, send)
    return messages


async def test_it_is_json_and_tells_its_length() -> None:
    start, body = await sent(Whole(b"{}", (("X-Prombridge-Cache", "hit"),)))
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"x-prombridge-cache": b"hit",
        b"content-length": b"2",
    }
    assert body == {"type": "http.response.body", "body": b"{}", "more_body": False}


async def test_a_type_of_its_own_stands_in_place_of_json() -> None:
    start, _ = await sent(Whole(b"x 1\n", (("Content-Type", "text/plain"),), gzip=True))
    assert dict(start["headers"]) == {
        b"content-type": b"text/plain",
        b"content-encoding": b"gzip",
        b"content-length": b"4",
    }
