"""Limits of a store and for a store: shorter reads, turns, budgets, and one clear error."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from bridge.model.errors import LimitExceeded, StoreError, StoreLimit
from bridge.remote.breaker import Breaker
from bridge.remote.client import RemoteStore
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.remote.wire import STREAMED_MEDIA_FULL
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.remote.quirks import Quirks, QuirkyStore, client
from tests.remote.stores import (
    OPTIONS,
    START,
    UP,
    Found,
    Store,
    chunked_reply,
    equals,
    found,
    remote,
    reply,
    store,
)
from tests.remote.test_client import WIRE_A, WIRE_B
from tests.remote.wires import sampled_body, streamed_body
from tests.storage.blocks import labels, literal, plain

MINUTE = 60_000
ONE = labels(__name__="up", job="a")
TIMES = range(START, START + 64 * MINUTE, 15_000)
DATA = MemoryStore(literal({ONE: [(time, float(time)) for time in TIMES]}))
HOUR = Select((equals("__name__", "up"),), START, START + 64 * MINUTE - 1)


async def test_a_read_over_the_stores_limit_is_halved_until_it_fits() -> None:
    served = QuirkyStore(DATA, Quirks(most_samples=70))
    selection = await client(served, "prometheus").select(HOUR, OPTIONS)
    assert plain(selection.block) == plain((await DATA.select(HOUR, OPTIONS)).block)
    lengths = [one.end_timestamp_ms - one.start_timestamp_ms + 1 for one in served.asked]
    assert lengths == [length * MINUTE for length in (64, 32, 16, 16, 16, 16)]
    assert served.refused == 2


async def test_samples_of_refused_pieces_count_once() -> None:
    served = QuirkyStore(DATA, Quirks(most_samples=70))
    exact = ReadOptions(max_samples=64 * 4)
    assert (await client(served, "prometheus").select(HOUR, exact)).block.samples == 64 * 4


async def test_at_the_floor_one_error_says_what_was_asked_and_what_the_store_said() -> None:
    served = QuirkyStore(DATA, Quirks(most_samples=3))
    with pytest.raises(StoreLimit) as caught:
        await client(served, "prometheus").select(HOUR, OPTIONS)
    assert str(caught.value) == (
        'store "a": HTTP 400 Bad Request: exceeded sample limit (3); even 1m of {__name__="up"} is '
        "too much for it (reading 2023-11-14T22:13:20Z to 2023-11-14T23:17:19.999Z)"
    )
    assert len(served.asked) == 7


async def test_the_floor_can_be_set() -> None:
    served = QuirkyStore(DATA, Quirks(most_samples=3))
    settings = {"min_query_range_ms": 30_000}
    selection = await client(served, "prometheus", **settings).select(HOUR, OPTIONS)
    assert selection.block.samples == 64 * 4


async def test_a_limit_told_in_a_stream_halves_too() -> None:
    whole = streamed_body([WIRE_A, WIRE_B])
    limit = b"exceeded sample limit (2)\n"
    replies = (chunked_reply(whole, limit), chunked_reply(whole), chunked_reply())
    async with store(*replies) as made:
        one = remote(made.url)
        selection = await one.select(UP, OPTIONS)
        await one.aclose()
    assert selection.block.samples == 4
    assert len(made.asked) == 3


@pytest.mark.parametrize("key", ["max_query_range_ms", "split_interval_ms"])
async def test_long_reads_are_split(key: str) -> None:
    served = QuirkyStore(DATA, Quirks())
    selection = await client(served, "prometheus", **{key: 16 * MINUTE}).select(HOUR, OPTIONS)
    assert plain(selection.block) == plain((await DATA.select(HOUR, OPTIONS)).block)
    assert len(served.asked) == 4


async def test_thirty_days_are_the_most_that_is_asked_of_alibaba() -> None:
    day = 86_400_000
    served = QuirkyStore(DATA, Quirks(longest_range=30 * day))
    year = Select(HOUR.matchers, START - 365 * day, HOUR.end)
    selection = await client(served, "alibaba").select(year, OPTIONS)
    assert selection.block.samples == 64 * 4
    assert (len(served.asked), served.refused) == (13, 0)


@pytest.mark.parametrize("types", [(kind,) for kind in ResponseType])
@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"max_samples": 3}, r"4 samples exceed max_samples \(3\) \(reading "),
        ({"max_series": 1}, r"its series exceed max_series \(1\) \(reading "),
    ],
)
async def test_what_one_store_may_send_is_limited(
    setting: dict[str, int], text: str, types: tuple[ResponseType, ...]
) -> None:
    streams = types == (ResponseType.STREAMED,)
    wires = [WIRE_A, WIRE_B]
    good = chunked_reply(streamed_body(wires)) if streams else reply(sampled_body(wires))
    async with store(good) as made:
        one = remote(made.url, **setting)
        with pytest.raises(StoreLimit, match=text):
            await one.select(UP, OPTIONS)
        await one.aclose()
        roomy = remote(made.url, max_samples=4, max_series=2)
        assert len(found(await roomy.select(UP, OPTIONS))) == 2
        await roomy.aclose()
    assert len(made.asked) == 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ReadOptions(max_read_bytes=1 << 20),
            r"received from stores is \d{7}, more than query\.max_",
        ),
        (ReadOptions(max_series=1), r"series read is 2, more than query\.max_series \(1\) allows"),
    ],
)
async def test_a_read_that_is_too_much_for_a_query_ends_while_it_arrives(
    options: ReadOptions, text: str
) -> None:
    frames = streamed_body([WIRE_A, WIRE_B])

    async def endless(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAMED_MEDIA_FULL}\r\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece = frames * (1 + (1 << 16) // len(frames))
        with suppress(ConnectionError):
            while True:
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()

    async with asyncio.timeout(60), store(endless) as made:
        one = remote(made.url)
        with pytest.raises(LimitExceeded, match=text):
            await one.select(UP, options)
        await one.aclose()


@dataclass(slots=True)
class Crowd:
    """A store whose answers wait, so that it can count who is there."""

    there: int = 0
    most: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        self.there += 1
        self.most = max(self.most, self.there)
        if self.there >= 2:
            self.gate.set()
        await self.gate.wait()
        await asyncio.sleep(0.01)
        self.there -= 1
        writer.write(reply(sampled_body([WIRE_A])))
        await writer.drain()


async def test_no_more_requests_than_allowed_are_on_their_way() -> None:
    crowd = Crowd()
    async with store(crowd.answer) as made:
        one = remote(made.url, max_concurrency=2)
        answers = await asyncio.gather(*(one.select(UP, OPTIONS) for _ in range(8)))
        await one.aclose()
    assert [one.block.samples for one in answers] == [3] * 8
    assert crowd.most == 2


async def test_a_store_that_keeps_failing_is_left_alone_and_the_error_says_why() -> None:
    async with store(reply(b"broken", "text/plain", "500 Oops")) as made:
        one = remote(made.url)
        for _ in range(5):
            with pytest.raises(StoreError, match="HTTP 500 Oops: broken"):
                await one.select(UP, OPTIONS)
        text = r'not asked for another \S+, since it keeps failing: store "a": HTTP 500 Oops'
        with pytest.raises(StoreError, match=text):
            await one.select(UP, OPTIONS)
        await one.aclose()
    assert len(made.asked) == 5


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "429 Slow Down"])
async def test_a_store_that_refuses_is_still_asked(status: str) -> None:
    async with store(reply(b"no", "text/plain", status)) as made:
        one = remote(made.url, retries=0)
        for _ in range(7):
            with pytest.raises(StoreError, match=status):
                await one.select(UP, OPTIONS)
        await one.aclose()
    assert len(made.asked) == 7


async def test_repetitions_end_with_their_budget() -> None:
    busy = reply(b"later", "text/plain", "429 Slow Down", "Retry-After: 0\r\n")
    async with store(busy) as made:
        one = remote(made.url, retries=5)
        for _ in range(10):
            with pytest.raises(StoreError, match="429 Slow Down"):
                await one.select(UP, OPTIONS)
        await one.aclose()
    assert 20 <= len(made.asked) <= 21


async def test_a_store_killed_amid_a_thousand_reads_gives_no_wrong_answer() -> None:
    good = reply(sampled_body([WIRE_A, WIRE_B]))
    serving = Store([good])
    server = await asyncio.start_server(serving.connected, "127.0.0.1", 0)
    serving.port = server.sockets[0].getsockname()[1]
    one = RemoteStore(StoreSettings("a", serving.url, retries=0), breaker=Breaker(pause=0.05))
    answers: list[Found] = []
    outcomes: list[bool] = []

    async def read() -> None:
        try:
            answers.append(found(await one.select(UP, OPTIONS)))
        except StoreError:
            outcomes.append(False)
            return
        outcomes.append(True)

    for round_ in range(100):
        if round_ == 30:
            server.close()
            await server.wait_closed()
        await asyncio.gather(*(read() for _ in range(10)))
    assert (outcomes[:300], outcomes[300:]) == ([True] * 300, [False] * 700)
    restarted = await asyncio.start_server(serving.connected, "127.0.0.1", serving.port)
    async with restarted:
        await asyncio.sleep(0.06)
        await read()
        await asyncio.gather(*(read() for _ in range(10)))
        await one.aclose()
        await asyncio.gather(*serving.serving)
    assert outcomes[1000:] == [True] * 11
    assert all(len(answer) == 2 and answer == answers[0] for answer in answers)
