"""Clients that go away, and errors that nobody expected."""

import asyncio
import logging

import pytest
from starlette.types import Message

from bridge.api.routes import application
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.api import world


class Hanging:
    """A store that never answers; `reading` and `cancelled` tell of its one read."""

    def __init__(self) -> None:
        self.reading = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def select(self, _select: Select, _options: ReadOptions) -> Selection:
        self.reading.set()
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.mark.parametrize("path", ["/api/v1/query", "/api/v1/series"])
async def test_a_client_that_goes_away_cancels_its_reads(path: str) -> None:
    store = Hanging()
    sent: list[Message] = []
    requests = iter(
        (
            {"type": "http.request", "body": b"query=up&match[]=up", "more_body": False},
            {"type": "http.disconnect"},
        )
    )

    async def receive() -> Message:
        message = next(requests)
        if message["type"] == "http.disconnect":
            await store.reading.wait()
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }
    async with world.api(store) as api:
        await application(api)(scope, receive, send)
    assert store.cancelled.is_set()
    assert sent[0]["status"] == 499


class Broken:
    """A store with a defect."""

    async def select(self, _select: Select, _options: ReadOptions) -> Selection:
        raise RuntimeError("something odd")


async def test_an_unexpected_error_is_logged_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with world.client(Broken()) as client:
        response = await client.get("/api/v1/query?query=up")
    assert response.status_code == 500
    assert "odd" not in response.text
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert "something odd" in str(record.exc_info[1])
