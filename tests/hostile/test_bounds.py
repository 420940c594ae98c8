"""Nothing grows without a bound, whatever clients and stores come up with."""

import asyncio
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app.service import Service
from bridge.cache import memory, purges
from bridge.catalogue import catalogue
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.engine import prepared, stretch
from bridge.model import labels
from bridge.model.labels import Labels
from bridge.remote import forms
from bridge.remote.server import read_app
from bridge.storage.memory import MemoryStore
from bridge.telemetry import queries
from tests.hostile.census import census, without_cancelled_timers
from tests.remote.stores import START, reply, store
from tests.servers.serving import served

AT: Final = START // 1000
EACH: Final = 25  # distinct inputs of each kind in a round
SETTLING: Final = 30  # seconds that work behind an answer may take
SERIES: Final = 300
# Every bound is a little more than a round brings, so that a few rounds go beyond it.
SMALL: Final[dict[str, Any]] = {
    "cache": {"max_bytes": "256KB", "answers_max_bytes": "256KB", "sealed_ttl": "1d"},
    "catalogue": {"max_series": 15, "bootstrap": False},
    "forwarding": {"max_sets": 5},
    "budgets": {
        "user": {"bytes_per_day": "1TB"},
        "dashboard": {"samples_per_hour": 10**12},
        "remembered": 5,
    },
    "tenants": {
        "header": "X-Scope-OrgID",
        "names": {
            "a": {"header_values": ["a"], "matchers": '{team="a"}'},
            "ops": {"header_values": ["ops"], "operator": True},
        },
    },
}
FLAGS: Final = Flags(web_enable_lifecycle=True, web_enable_admin_api=True)


class World:
    """A bridge over a store with many series and over one that fails, and a client of it."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.begun = 0

    async def round(self) -> None:
        """A round of requests none of which was there before."""
        first, quiet = self.begun, asyncio.all_tasks()
        self.begun += EACH
        for number in range(first, self.begun):
            await self._strange(number)
        if begun := asyncio.all_tasks() - quiet:
            # What goes on behind the answers ends; what does not is counted.
            await asyncio.wait(begun, timeout=SETTLING)
        await without_cancelled_timers()

    async def _strange(self, number: int) -> None:
        tenant = "ops" if number % 2 else "a"
        headers = {
            "X-Scope-OrgID": tenant,
            "X-Grafana-User": f"user{number}",
            "X-Dashboard-Uid": f"dashboard{number}",
            "X-Panel-Id": f"{number}",
            "User-Agent": f"agent/{number}",
            f"X-Header-{number}": "strange",
            "Authorization": f"Bearer {number}",
        }
        span = {"start": AT - 60, "end": AT, "step": 15}
        one = f'many{{n="{number}",team="a"}}'
        asked: tuple[tuple[str, dict[str, str | int]], ...] = (
            ("query", {"query": one, "time": AT}),
            ("query_range", {"query": f"{one} + {number}", **span}),
            # The same samples, another way to group them each time.
            ("query", {"query": f"sum by (by{number}) (few)", "time": AT}),
            ("query", {"query": f"few * on (on{number}) group_left few", "time": AT}),
            ("query", {"query": f"label_replace(few, 'l{number}', 'x', '', '')", "time": AT}),
            ("query", {"query": f"few offset {number}m", "time": AT}),
            ("query", {"query": f"broken_{number}(", "time": AT}),
            ("query", {"query": f"few{{n=~'.*{number}.*'}}", "time": AT}),
            ("series", {"match[]": one, **span}),
            ("labels", {"match[]": f'many{{n=~"{number}."}}', **span}),
            (f"label/l{number}/values", {"match[]": "few", **span}),
            ("query_cost", {"query": one, "time": AT}),
            (f"nothing/{number}", {}),
        )
        # Answers that may be given again: they rest on no sample.
        known: list[tuple[str, dict[str, str | int]]] = [
            ("query", {"query": f"vector({number})", "time": AT + at}) for at in range(4)
        ]
        for path, params in (*asked, *known):
            await self.client.get(f"/api/v1/{path}", params=params, headers=headers)
        # Several who ask the same at once, some of whom go away.
        equal = {"query": f"sum(few) + {number}", "time": str(AT)}
        asking = [
            asyncio.create_task(self.client.get("/api/v1/query", params=equal, headers=headers))
            for _ in range(4)
        ]
        await asyncio.sleep(0)
        for leaving in asking[::3]:
            leaving.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        for path in ("query", "query_range", "labels", "query_cost"):
            params = {"query": "few", "match[]": "few", "time": AT, **span}
            sent_on = {**headers, "X-Org": f"org{number}"}
            await self.client.get(f"/api/v1/{path}", params=params, headers=sent_on)
        for path in (
            f"/stores/bad/api/v1/query?query=up{number}&time={AT}",
            f"/stores/unknown{number}/api/v1/query?query=up",
            f"/federate?match[]=few{{n='{number}'}}",
            f"/api/v1/query?query=up&time={AT}&strange{number}=1",
        ):
            await self.client.get(path, headers=headers)
        await self.client.request(f"M{number}", "/api/v1/query", headers=headers)
        unknown = {"X-Scope-OrgID": f"unknown{number}"}
        await self.client.get("/api/v1/query?query=up", headers=unknown)

    async def steered(self) -> None:
        """What an operator may do, again and again."""
        operator = {"X-Scope-OrgID": "ops"}
        for _ in range(EACH):
            self.begun += 1
            purge = f"/-/cache/purge?match[]=few{{n='{self.begun}'}}"
            assert (await self.client.post(purge, headers=operator)).status_code == 204
            assert (await self.client.post("/-/reload", headers=operator)).status_code == 200


def settings(folder: Path, good: str, bad: str) -> Any:
    config, own = folder / "prometheus.yml", folder / "prombridge.yml"
    reads = [{"name": "good", "url": f"{good}/api/v1/read"}, {"name": "bad", "url": bad}]
    config.write_text(yaml.safe_dump({"remote_read": reads}))
    partial = {"partial_response": "warn", "retries": 0, "profile": "prometheus"}
    sending = partial | {"forward_headers": ["X-Org"]}
    own.write_text(yaml.safe_dump({**SMALL, "stores": {"good": sending, "bad": partial}}))
    return load(config, own, FLAGS).settings


def data() -> MemoryStore:
    times = [START - 60_000 + 15_000 * at for at in range(5)]
    named = [("many", SERIES), ("few", 10)]
    series = [
        Labels.of({"__name__": name, "n": f"{number}", "team": "a"})
        for name, count in named
        for number in range(count)
    ]
    for one in series:
        # The store is in this process: what is derived of its labels is there from the start.
        one.drop(frozenset({"__name__"}))
    return MemoryStore((one, times, [1.0] * len(times)) for one in series)


def grown(before: Counter[str], after: Counter[str]) -> dict[str, tuple[int, int]]:
    """Whatever has become larger by more than half of what two rounds bring."""
    return {
        where: (before[where], size)
        for where, size in sorted(after.items())
        if size - before[where] > EACH
    }


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    failing = [
        reply(f"oops {number}".encode(), "text/plain", f"{500 + number % 10} Oops {number}")
        for number in range(99)
    ]
    with served(read_app(data())) as good:
        async with store(*failing) as bad:
            service = Service(
                loaded := settings(folder, good, bad.url), warming=False, load=lambda: loaded
            )
            async with (
                service.router.lifespan_context(service),
                AsyncClient(transport=ASGITransport(service), base_url="http://bridge") as client,
            ):
                yield World(client)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that no setting changes, a few rounds wide."""
    monkeypatch.setattr(queries, "_MOST_ORIGINS", EACH // 5)
    monkeypatch.setattr(purges, "_MOST", EACH)
    monkeypatch.setattr(forms, "_SELECTORS", EACH)
    monkeypatch.setattr(catalogue, "_PROBE_ROWS", EACH * 101)
    monkeypatch.setattr(memory, "_MISSED", EACH)
    monkeypatch.setattr(prepared, "_KEPT", 64 << 10)
    monkeypatch.setattr(stretch, "_MET", EACH)
    monkeypatch.setattr(labels, "_TABLES_DERIVED", 4)
    monkeypatch.setattr(labels, "_DERIVED", 1)


Act = Callable[[World], Awaitable[None]]


@pytest.mark.long
@pytest.mark.parametrize("act", [World.round, World.steered])
async def test_every_container_stays_as_it_is_whatever_comes(tmp_path: Path, act: Act) -> None:
    async with world(tmp_path) as made:
        counts = []
        for rounds in (4, 2, 2):
            for _ in range(rounds):
                await act(made)
            counts.append(census())
        first, second = (grown(*pair) for pair in pairwise(counts))
        # What some work still holds that is not over comes and goes; what leaks grows each time.
        found = {where: (first[where], second[where]) for where in first.keys() & second.keys()}
        assert not found, "\n".join(f"{where}: {held}" for where, held in found.items())


class Leaking:
    """Owns a list."""

    __module__ = "bridge.leaking"

    def __init__(self) -> None:
        self.held: list[int] = []


async def test_a_container_that_grows_is_named() -> None:
    leak = Leaking()
    before = census()
    leak.held += range(2 * EACH)
    assert grown(before, census()) == {"bridge.leaking.Leaking.held": (0, 2 * EACH)}


async def test_a_proxy_of_what_is_gone_is_passed_over() -> None:
    leak = Leaking()
    held = [weakref.proxy(leak)]
    del leak
    assert census()["objects of bridge.leaking.Leaking"] == 0
    assert len(held) == 1
