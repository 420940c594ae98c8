"""A real store is killed in the middle of 1,000 queries, and comes back."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import pytest
from httpx import AsyncClient

from bridge.remote.breaker import PAUSE_SECONDS
from tests.hostile.world import NAME, UNNAMED, bridge
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.binaries import PROMETHEUS
from tests.servers.fixtures import entered
from tests.servers.killable import Killable, answers
from tests.servers.process import free_port
from tests.servers.prometheus import PrometheusOptions, prometheus_command

QUERIES: Final = 1000
AT_A_TIME: Final = 20
# The store is killed when so many are answered, and started again once all are.
BEFORE: Final = 300
SERIES: Final = 50
TIMEOUT: Final = 3  # seconds, of a read
STEP: Final = 15_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Killable]:
    folder, port = tmp_path / "store", free_port()
    entered(PROMETHEUS.locate)
    command = prometheus_command(folder, PrometheusOptions(), port)
    url = f"http://127.0.0.1:{port}"
    made = Killable(command, url, answers(f"{url}/-/ready"), folder / "log")
    made.start()
    try:
        yield made
    finally:
        made.kill()


@dataclass
class Tally:
    """What came of the queries."""

    answered: asyncio.Event = field(default_factory=asyncio.Event)
    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def written(url: str) -> int:
    """Fills the store; returns the moment of its last samples, ms."""
    end = int(time.time() * 1000) // STEP * STEP - 2 * STEP
    times = end - np.arange(40, dtype=np.int64)[::-1] * STEP
    series = tuple(
        SeriesData({"__name__": "x", "n": f"{n}"}, times, np.full(40, float(n)))
        for n in range(SERIES)
    )
    write_prometheus(url, Dataset(series, int(times[0]), end))
    return end


async def ask(client: AsyncClient, number: int, end: int) -> httpx.Response:
    """One query past the cache: the sum of some series."""
    least = number % SERIES
    pattern = "|".join(map(str, range(least, SERIES)))
    asked = {"query": f'sum(x{{n=~"{pattern}"}})', "time": f"{end / 1000}", "nocache": "1"}
    return await client.get("/api/v1/query", params=asked)


def right(number: int) -> str:
    return str(sum(range(number % SERIES, SERIES)))


async def asked_all(client: AsyncClient, end: int, tally: Tally) -> None:
    """All queries, some at a time; what is answered is compared."""
    numbers = iter(range(QUERIES))

    async def worker() -> None:
        for number in numbers:
            begun = time.monotonic()
            response = await ask(client, number, end)
            tally.longest = max(tally.longest, time.monotonic() - begun)
            tally.outcomes[str(response.status_code)] += 1
            if response.status_code == 200:
                result = response.json()["data"]["result"]
                if [one["value"][1] for one in result] != [right(number)]:
                    tally.wrong.append(json.dumps(result))
            elif response.json()["errorType"] not in {"unavailable", "timeout"}:
                tally.wrong.append(response.text)
            if tally.outcomes.total() >= BEFORE:
                tally.answered.set()

    await asyncio.gather(*(worker() for _ in range(AT_A_TIME)))


async def test_a_store_killed_amid_queries_gives_errors_and_no_wrong_answer(
    store: Killable, tmp_path: Path
) -> None:
    end = await asyncio.to_thread(written, store.url)
    entry = {"url": f"{store.url}/api/v1/read", "remote_timeout": f"{TIMEOUT}s"}
    own = UNNAMED | {"stores": {NAME: {"retries": 1, "profile": "prometheus"}}}
    async with bridge(tmp_path, entry, own=own) as client:
        # What is compiled for the first query is not the store's time.
        assert (await ask(client, 0, end)).status_code == 200
        tally = Tally()
        asking = asyncio.create_task(asked_all(client, end, tally))
        await tally.answered.wait()
        await asyncio.to_thread(store.kill)
        await asking
        assert tally.wrong == []
        assert tally.outcomes["200"] >= BEFORE
        assert tally.outcomes["503"] > 0
        assert tally.outcomes.total() == QUERIES
        assert tally.longest < TIMEOUT + 2

        await asyncio.to_thread(store.start)
        begun = time.monotonic()
        for number in itertools.count():
            response = await ask(client, number, end)
            recovered = time.monotonic() - begun
            if response.status_code == 200:
                break
            assert recovered < PAUSE_SECONDS + 1, response.text
            await asyncio.sleep(0.05)
        result = response.json()["data"]["result"]
        assert [one["value"][1] for one in result] == [right(number)]
    print(f"{dict(tally.outcomes)}, longest {tally.longest:.2f} s, back after {recovered:.2f} s")
