"""Equal questions at the same time are one evaluation, and everybody is told the truth."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Message

from bridge.api.endpoint import Api
from bridge.api.routes import application
from bridge.cache.memory import Memory
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.engine.demands import TurnSettings
from bridge.engine.query import EngineSettings
from bridge.model.errors import StoreError, StoreFault
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.flights import SharedReads
from bridge.storage.interface import PASSED, Querier, ReadOptions, Select, Selection
from tests.api import world
from tests.cache.world import HOUR, MINUTE, SECOND, Clock, LoggedStore

ROWS = [Labels.of({"__name__": "x", "n": f"{number}"}) for number in range(10)]
OTHERS = 5


@dataclass
class Held:
    """A Querier that keeps back what it read until it is `open`; `inside` of it are so many reads.

    `failing`: so many of the next reads fail instead. `vouching`: what it gives is vouched for.
    """

    querier: Querier
    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    inside: int = 0
    failing: int = 0
    vouching: bool = True

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked += 1
        fails = self.asked <= self.failing
        found = await self.querier.select(select, options)
        self.inside += 1
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        if fails:
            raise StoreError("it is ill", StoreFault("held", select.start, select.end))
        return found if self.vouching else replace(found, provenance=PASSED)


class Crowd:
    """Clients of an API over a cache that knows six hours of some series and is held up."""

    def __init__(self, made: Api, store: LoggedStore, cache: SampleCache, held: Held) -> None:
        self.api, self.store, self.cache, self.held = made, store, cache, held
        self.now = store.clock.wall
        self.client = AsyncClient(
            transport=ASGITransport(application(made)), base_url="http://bridge"
        )
        self.asking: list[asyncio.Task[Response]] = []

    async def ask(
        self, form: Mapping[str, str] = {}, client: AsyncClient | None = None, since: int = 3 * HOUR
    ) -> asyncio.Task[Response]:
        """One more who asks for an hour, and waits by now if anything is held up."""
        end = (self.now - since) // 1000
        times = {"start": str(end - 3600), "end": str(end), "step": "60"}
        asked = (client or self.client).get(
            "/api/v1/query_range", params={"query": "x", **times, **form}
        )
        task = asyncio.create_task(asked)
        self.asking.append(task)
        await quiet()
        return task

    async def crowd(self) -> list[asyncio.Task[Response]]:
        """Several who ask the same."""
        return [await self.ask() for _ in range(1 + OTHERS)]

    def let_out(self) -> None:
        """Those that are held up go on, those that come are held up."""
        opened, self.held.open = self.held.open, asyncio.Event()
        opened.set()

    @property
    def awaited(self) -> float:
        """How many were given the answer for which they waited."""
        value = self.api.metrics.registry.get_sample_value
        return value("prombridge_answers_awaited_total") or 0.0


async def quiet() -> None:
    """Waits until nothing goes on but waiting: nothing here is so long that a thread does it."""
    for _ in range(100):
        await asyncio.sleep(0)


@asynccontextmanager
async def crowded(turns: TurnSettings | None = None) -> AsyncIterator[Crowd]:
    store = LoggedStore(Clock())
    now = store.clock.wall
    for number, row in enumerate(ROWS):
        store.put(row, {at: number + at / 7 for at in range(now - 6 * HOUR, now, MINUTE)})
    memory = Memory(CacheSettings(), store.clock)
    cache = SampleCache(store, memory, "s")
    names = (Matcher("__name__", MatchType.EQUAL, "x"),)
    await cache.select(Select(names, now - 6 * HOUR, now), ReadOptions())
    await cache.settled()
    store.asked.clear()
    held = Held(cache)
    limits = EngineSettings(turns=turns or TurnSettings())
    async with world.api(limits=limits) as made:
        over = replace(made, engine=made.engine.over(held), querier=held)
        found = Crowd(over, store, cache, held)
        async with found.client:
            yield found
            held.open.set()
            await asyncio.gather(*found.asking, return_exceptions=True)
        await cache.aclose()
    assert not len(over.answers.shelf.asked)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    async with crowded() as made:
        yield made


async def bodies(asking: list[asyncio.Task[Response]]) -> list[bytes]:
    answers = await asyncio.gather(*asking)
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [answer.content for answer in answers]


async def test_equal_queries_at_once_are_read_and_evaluated_once(crowd: Crowd) -> None:
    asking = await crowd.crowd()
    crowd.held.open.set()
    answers = await bodies(asking)
    assert crowd.held.asked == 1
    assert crowd.awaited == OTHERS
    assert set(answers) == {(await (await crowd.ask({"nocache": "1"}))).content}


async def test_equal_queries_with_a_long_answer_are_evaluated_once(crowd: Crowd) -> None:
    long = {"start": f"{crowd.now // 1000 - 5 * 3600}", "step": "1"}
    long["end"] = f"{crowd.now // 1000 - 2 * 3600}"
    asking = [await crowd.ask(long) for _ in range(1 + OTHERS)]
    crowd.held.open.set()
    answers = await bodies(asking)
    assert crowd.held.asked == 1
    assert "content-length" not in (await asking[0]).headers
    assert set(answers) == {(await (await crowd.ask({**long, "nocache": "1"}))).content}


async def test_each_of_them_counts_as_a_query(crowd: Crowd) -> None:
    value = crowd.api.metrics.registry.get_sample_value
    labels = {"dashboard": "", "user": "", "tenant": ""}
    asking = await crowd.crowd()
    crowd.held.open.set()
    await bodies(asking)
    assert value("prombridge_query_total", labels) == 1 + OTHERS


@pytest.mark.parametrize(
    "form",
    [
        {"nocache": "1"},
        {"stats": "true"},
        {"limit": "1"},
        {"lookback_delta": "1m"},
        {"step": "30"},
        {"query": "x + 0"},
    ],
)
async def test_who_asks_for_anything_else_is_answered_anew(
    crowd: Crowd, form: dict[str, str]
) -> None:
    await crowd.ask()
    await crowd.ask(form)
    assert crowd.held.inside == 2


@pytest.mark.parametrize("header", [{"FromAlert": "true"}, {"Cache-Control": "no-cache"}])
async def test_who_must_have_the_newest_samples_is_answered_anew(
    crowd: Crowd, header: dict[str, str]
) -> None:
    await crowd.ask()
    crowd.client.headers.update(header)
    await crowd.ask()
    assert crowd.held.inside == 2


async def test_tenants_do_not_wait_for_each_other(crowd: Crowd) -> None:
    other = replace(crowd.api, answers=crowd.api.answers.apart("other"))
    transport = ASGITransport(application(other))
    async with AsyncClient(transport=transport, base_url="http://bridge") as client:
        await crowd.ask()
        asked = await crowd.ask(client=client)
        assert crowd.held.inside == 2
        crowd.held.open.set()
        await asked


async def test_who_leads_and_goes_away_takes_nobody_with_it(crowd: Crowd) -> None:
    first, *rest = await crowd.crowd()
    first.cancel()
    await quiet()
    assert crowd.held.inside == 1
    crowd.held.open.set()
    assert len(set(await bodies(rest))) == 1
    assert crowd.held.asked == 2
    assert crowd.awaited == OTHERS - 1


async def test_who_waits_and_goes_away_disturbs_nobody(crowd: Crowd) -> None:
    first, second, *rest = await crowd.crowd()
    second.cancel()
    await quiet()
    first.cancel()
    await quiet()
    crowd.held.open.set()
    assert len(set(await bodies(rest))) == 1
    assert crowd.held.asked == 2


@pytest.mark.parametrize("leads", [True, False])
async def test_a_client_that_disconnects_disturbs_nobody(crowd: Crowd, leads: bool) -> None:
    gone, sent = asyncio.Event(), list[Message]()
    end = crowd.now // 1000 - 3 * 3600
    asked = f"query=x&start={end - 3600}&end={end}&step=60".encode()
    request: Message = {"type": "http.request", "body": b"", "more_body": False}
    bodies_to_come = iter((request,))

    async def receive() -> Message:
        for message in bodies_to_come:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/api/v1/query_range", "headers": []}
    others = [] if leads else [await crowd.ask()]

    async def leave() -> None:
        await application(crowd.api)({**scope, "query_string": asked}, receive, send)

    leaving = asyncio.create_task(leave())
    await quiet()
    others += [await crowd.ask()]
    gone.set()
    await leaving
    assert sent[0]["status"] == 499
    crowd.held.open.set()
    await bodies(others)
    assert crowd.held.asked == (2 if leads else 1)
    assert crowd.awaited == len(others) - 1


async def test_each_waits_for_as_long_as_it_says(crowd: Crowd) -> None:
    first = await crowd.ask()
    impatient = await crowd.ask({"timeout": "5ms"})
    answer = await impatient
    assert answer.status_code == 503
    assert answer.json()["error"] == "query timed out in query execution"
    crowd.held.open.set()
    await bodies([first])
    assert crowd.held.asked == 1


async def test_who_takes_the_lead_does_so_within_its_own_time(crowd: Crowd) -> None:
    first = await crowd.ask()
    second = await crowd.ask({"timeout": "500ms"})
    first.cancel()
    assert (await second).status_code == 503


async def test_after_an_error_all_go_on_at_once_and_each_has_its_own(crowd: Crowd) -> None:
    crowd.held.failing = 2
    asking = await crowd.crowd()
    crowd.let_out()
    await quiet()
    assert crowd.held.inside == OTHERS
    crowd.held.open.set()
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*asking))
    assert statuses == [200] * (OTHERS - 1) + [503] * 2


async def test_after_an_answer_that_is_not_vouched_for_all_go_on_at_once(crowd: Crowd) -> None:
    crowd.held.vouching = False
    first, *rest = await crowd.crowd()
    assert crowd.held.inside == 1
    crowd.let_out()
    await quiet()
    assert crowd.held.inside == OTHERS
    crowd.held.open.set()
    assert len(set(await bodies([first, *rest]))) == 1
    assert crowd.awaited == 0


async def test_nobody_waits_for_what_another_one_reads_of_a_store(crowd: Crowd) -> None:
    crowd.store.gate = asyncio.Event()
    early = {"start": "0", "end": "3600"}
    asking = [await crowd.ask(early) for _ in range(1 + OTHERS)]
    assert crowd.held.asked == 1 + OTHERS
    crowd.store.gate.set()
    crowd.held.open.set()
    await bodies(asking)
    assert len(crowd.store.asked) == 1


async def test_nobody_waits_for_a_read_without_a_cache(crowd: Crowd) -> None:
    crowd.store.gate = asyncio.Event()
    crowd.held.querier = SharedReads(crowd.store)
    asking = await crowd.crowd()
    assert crowd.held.asked == 1 + OTHERS
    crowd.store.gate.set()
    crowd.held.open.set()
    await bodies(asking)
    assert len(crowd.store.asked) == 1


async def test_who_waits_needs_no_turn() -> None:
    async with crowded(TurnSettings(concurrency=1, lane=0, queued=1)) as crowd:
        await crowd.ask({"query": "x + 1"})
        asking = await crowd.crowd()
        assert crowd.api.engine.turns.waiting == 1
        crowd.held.open.set()
        assert len(set(await bodies(asking))) == 1
        assert crowd.held.asked == 2


async def test_what_was_purged_meanwhile_is_given_to_nobody_who_asks_later(crowd: Crowd) -> None:
    first = await crowd.ask()
    everything = Window(0, crowd.now)
    names = (Matcher("__name__", MatchType.EQUAL, "x"),)
    times = range(crowd.now - 6 * HOUR, crowd.now, MINUTE)
    for row in ROWS:
        crowd.store.put(row, dict.fromkeys(times, 1e9))
    await crowd.cache.purge(names, everything)
    later = await crowd.ask()
    crowd.held.open.set()
    old, new = await bodies([first, later])
    assert old != new
    assert b'"1000000000"' in new
    assert crowd.awaited == 0


async def test_the_newest_samples_are_given_to_nobody_once_they_are_too_old(crowd: Crowd) -> None:
    await crowd.ask(since=0)
    crowd.store.put(ROWS[0], {crowd.now - MINUTE: 1e9})
    crowd.store.clock.advance(2 * SECOND)
    later = await crowd.ask(since=0)
    crowd.held.open.set()
    (new,) = await bodies([later])
    assert b'"1000000000"' in new
    assert crowd.awaited == 0


async def test_the_list_of_queries_shows_those_who_wait(crowd: Crowd) -> None:
    await crowd.crowd()
    shown = (await crowd.client.get("/api/v1/status/active_queries")).json()
    assert [one["query"] for one in shown["data"]] == ["x"] * (1 + OTHERS)


async def test_a_broken_query_is_refused_each_time(crowd: Crowd) -> None:
    # Its text is so long that it is looked at in a thread.
    broken = {"query": "x + " * 200, "time": "0"}
    asked = (crowd.client.get("/api/v1/query", params=broken) for _ in range(OTHERS))
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {400}
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
