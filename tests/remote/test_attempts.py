"""What is sent with a read, when it is tried again, and what is told of it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bridge.model.errors import StoreError, StoreTimeout
from bridge.model.secret import Secret
from bridge.remote.client import RemoteStore
from bridge.remote.settings import (
    Authorization,
    BasicAuth,
    HttpHeader,
    HttpSettings,
    StoreSettings,
)
from tests.remote.stores import (
    OPTIONS,
    UP,
    chunked_reply,
    found,
    remote,
    reply,
    store,
    streamed_reply,
)
from tests.remote.test_client import WIRE_A, WIRE_B, A, split_frames
from tests.remote.wires import (
    sampled_body,
    streamed_body,
)


async def test_credentials_and_headers_are_sent(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "password"
    secret.write_text("old\n")
    http = HttpSettings(
        basic_auth=BasicAuth("user", password_file=str(secret)),
        headers=(HttpHeader("X-Many", values=("1",), secrets=(Secret("2"),)),),
    )
    async with store(reply(sampled_body([]))) as made:
        client = remote(made.url, http=http, headers=(("X-Scope-OrgID", "team"),))
        await client.select(UP, OPTIONS)
        secret.write_text("newer\n")
        await client.select(UP, OPTIONS)
        await client.aclose()
    first, second = made.asked
    assert first.headers["authorization"] == "Basic dXNlcjpvbGQ="
    assert second.headers["authorization"] == "Basic dXNlcjpuZXdlcg=="
    assert first.headers["x-scope-orgid"] == "team"
    assert first.headers["x-many"] in ("1, 2", "2")


async def test_a_bearer_token_is_sent() -> None:
    http = HttpSettings(authorization=Authorization(credentials=Secret("t0ken")))
    async with store(reply(sampled_body([]))) as made:
        client = remote(made.url, http=http)
        await client.select(UP, OPTIONS)
        await client.aclose()
    assert made.asked[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    "status", ["502 Bad Gateway", "503 Service Unavailable", "504 Slow", "429 Calm Down"]
)
async def test_passing_failures_are_tried_again(status: str) -> None:
    bad = reply(b"later", "text/plain", status, "Retry-After: 0\r\n")
    async with store(bad, bad, reply(sampled_body([WIRE_A]))) as made:
        client = remote(made.url)
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert len(made.asked) == 3


async def test_a_lasting_failure_is_told_after_two_repetitions() -> None:
    async with store(reply(b"later", "text/plain", "503 Busy", "Retry-After: 0\r\n")) as made:
        client = remote(made.url)
        with pytest.raises(StoreError, match='store "a": HTTP 503 Busy: later'):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 3


async def test_a_store_that_wants_a_long_pause_is_not_waited_for() -> None:
    async with store(reply(b"", "text/plain", "429 No", "Retry-After: 3600\r\n")) as made:
        client = remote(made.url)
        with pytest.raises(StoreError, match='store "a": HTTP 429 No'):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 1


@dataclass(slots=True)
class Ledger:
    """Writes down what it is told."""

    entries: list[tuple[str, str, int, int]] = field(default_factory=list)

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        self.entries.append((store, code, received_bytes, samples))


async def test_each_request_is_told_to_the_observer() -> None:
    body = sampled_body([WIRE_A, WIRE_B])
    spoilt = streamed_body([WIRE_A])[:-1]
    ledger = Ledger()

    async def silence(writer: asyncio.StreamWriter) -> None:
        await writer.drain()

    busy = reply(b"", "text/plain", "503 Busy", "Retry-After: 0\r\n")
    async with store(busy, reply(body), streamed_reply(spoilt), silence) as made:
        settings = StoreSettings("a", made.url, remote_timeout_ms=2000, retries=1)
        client = RemoteStore(settings, observer=ledger)
        await client.select(UP, OPTIONS)
        for error in (StoreError, StoreTimeout):
            with pytest.raises(error):
                await client.select(UP, OPTIONS)
        await client.aclose()
    assert ledger.entries == [
        ("a", "503", 0, 0),
        ("a", "200", len(body), 4),
        ("a", "error", len(spoilt), 0),
        ("a", "timeout", 0, 0),
    ]


async def test_cancelling_a_read_closes_the_connection() -> None:
    begun = asyncio.Event()

    async def silence(writer: asyncio.StreamWriter) -> None:
        writer.write(chunked_reply(split_frames(), end=b""))
        await writer.drain()
        begun.set()

    async with store(silence) as made:
        client = remote(made.url)
        task = asyncio.create_task(client.select(UP, OPTIONS))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(made.dropped.wait(), 10)
        await client.aclose()
