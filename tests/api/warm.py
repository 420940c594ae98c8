"""An API over a cache that holds what it is asked for, and clients of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlencode

from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp, Message

from bridge.api.endpoint import Api
from bridge.api.routes import application
from bridge.cache.memory import Memory
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels
from bridge.telemetry.trace import Stage
from tests.api import world
from tests.cache.world import HOUR, MINUTE, Clock, LoggedStore

X = Labels.of({"__name__": "x", "job": "a"})
# A query whose answer is worth compressing.
LONG = "x or " + " or ".join(f'label_replace(x, "n", "{n}", "", "")' for n in range(5))


class Warm:
    """A cache over a store with six hours of one series, and a client of an API over it."""

    def __init__(
        self, made: Api, app: ASGIApp, client: AsyncClient, store: LoggedStore, memory: Memory
    ) -> None:
        self.api, self.app, self.client, self.store, self.memory = made, app, client, store, memory
        self.now = self.clock = store.clock.wall

    @property
    def found(self) -> float:
        """How often an answer was given again."""
        return self._sample("prombridge_answers_lookups_total", {"result": "hit"})

    def steps(self, result: str) -> float:
        """How many steps were known, or evaluated."""
        return self._sample("prombridge_answers_steps_total", {"result": result})

    def _sample(self, name: str, labels: dict[str, str]) -> float:
        return self.api.metrics.registry.get_sample_value(name, labels) or 0.0

    async def ask(self, form: Mapping[str, str] = {}, since: int = 3 * HOUR) -> bytes:
        answer = await self.client.get("/api/v1/query_range", params={**self.form(since), **form})
        assert answer.status_code == 200
        return answer.content

    def form(self, since: int = 3 * HOUR) -> dict[str, str]:
        """A range query of an hour that ended so many ms ago."""
        end = (self.now - since) // 1000
        return {"query": "x", "start": str(end - 3600), "end": str(end), "step": "60"}

    @property
    def stages(self) -> float:
        """How many stages of requests were run."""
        name = "prombridge_stage_duration_seconds_count"
        return sum(self._sample(name, {"stage": str(stage)}) for stage in Stage)

    async def exchange(
        self, method: str, url: Mapping[str, str], *bodies: bytes, gzip: bool = False
    ) -> bytes:
        """The body of the answer, as it is sent, to a range query that arrives in these pieces."""
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        coding = [(b"accept-encoding", b"gzip")] if gzip else []
        scope = {
            "type": "http",
            "method": method,
            "path": "/api/v1/query_range",
            "query_string": urlencode(url).encode(),
            "headers": [kind, *coding],
        }
        pieces = iter(bodies)
        sent: list[Message] = []

        async def receive() -> Message:
            body = next(pieces)
            return {"type": "http.request", "body": body, "more_body": body is not bodies[-1]}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        assert sent[0]["status"] == 200
        return b"".join(one["body"] for one in sent[1:])


@asynccontextmanager
async def warmed() -> AsyncIterator[Warm]:
    """An API that was asked for `form()` until the answer is known."""
    store = LoggedStore(Clock())
    now = store.clock.wall
    store.put(X, {at: at / 7 for at in range(now - 6 * HOUR, now, MINUTE)})
    memory = Memory(CacheSettings(), store.clock)
    cache = SampleCache(store, memory, "s")
    async with world.api() as made:
        engine = made.engine.over(cache)
        over = replace(made, engine=engine, querier=cache, now=lambda: found.clock)
        app = application(over)
        transport = ASGITransport(app)
        async with AsyncClient(transport=transport, base_url="http://bridge") as client:
            found = Warm(over, app, client, store, memory)
            first = await found.ask()
            await cache.settled()
            assert await found.ask() == first
            yield found
            await cache.aclose()
