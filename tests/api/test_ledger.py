"""Logs of queries, and the list of those under way."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import ASGITransport, AsyncClient

from bridge.api.ledger import Ledger
from bridge.api.routes import application
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from bridge.telemetry.lines import LineFile
from tests.api import world
from tests.api.world import NOW, START
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

GRAFANA = {
    "X-Dashboard-Uid": "rYdddlPWk",
    "X-Panel-Id": "77",
    "X-Grafana-User": "ann",
    "X-Rule-Uid": "r1",
    "User-Agent": "Grafana/13.2.3",
}
SPAN = {"start": f"{START / 1000}", "end": f"{NOW / 1000}", "step": "15.5"}


def _dropped() -> None:
    raise AssertionError("a line was dropped")


@asynccontextmanager
async def logging_to(
    file: Path, slow: Path | None = None, slow_after: float = 0.0, querier: Querier | None = None
) -> AsyncIterator[AsyncClient]:
    """A client of an API that keeps these logs; they are whole when it ends."""
    async with world.api(querier) as made:
        ledger = Ledger(
            made.metrics.queries,
            made.now,
            LineFile(file, _dropped),
            LineFile(slow, _dropped) if slow else None,
            slow_after,
        )
        transport = ASGITransport(application(replace(made, ledger=ledger)))
        async with AsyncClient(transport=transport, base_url="http://bridge") as client:
            yield client
        ledger.close()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_line_has_the_fields_of_prometheus(
    prometheus_server: PrometheusFactory, tmp_path: Path
) -> None:
    theirs, ours = tmp_path / "theirs.log", tmp_path / "ours.log"
    config = {"global": {"query_log_file": str(theirs)}}
    server = prometheus_server(PrometheusOptions(config=config))
    wrong = 'label_replace(vector(1), "a", "b", "c", "(")'
    requests = [
        ("query", {"query": "up", "time": "1.5"}),
        ("query_range", {"query": "up", **SPAN}),
        ("query", {"query": wrong, "time": "1"}),
        ("query", {"query": "up +"}),
    ]
    async with logging_to(ours) as client, httpx.AsyncClient(base_url=server.url) as other:
        for path, params in requests:
            await client.get(f"/api/v1/{path}", params=params)
            await other.get(f"/api/v1/{path}", params=params)
    assert len(lines(ours)) == len(lines(theirs)) == 3
    for mine, known in zip(lines(ours), lines(theirs), strict=True):
        for key in ("level", "msg", "params", "httpRequest", "spanID"):
            assert mine[key] == known[key]
        assert mine.get("error") == known.get("error")
        assert known["stats"]["timings"].keys() == mine["stats"]["timings"].keys()
        assert known["stats"]["samples"].keys() <= mine["stats"]["samples"].keys()
        assert known.keys() <= mine.keys()


async def test_a_line_tells_who_asked_and_what_it_cost(tmp_path: Path) -> None:
    file = tmp_path / "query.log"
    async with logging_to(file) as client:
        await client.post("/api/v1/query_range", data={"query": "up", **SPAN}, headers=GRAFANA)
    (line,) = lines(file)
    assert line["user"] == "ann"
    assert (line["dashboard"], line["panel"], line["rule"]) == ("rYdddlPWk", "77", "r1")
    assert line["userAgent"] == "Grafana/13.2.3"
    assert line["httpRequest"]["method"] == "POST"
    assert line["cost"]["seconds"] > 0
    assert line["stats"]["samples"]["samplesRead"] == 80
    assert "engine.evaluate" in line["stages"]


@pytest.mark.parametrize("path", ["query", "query_range"])
async def test_a_line_tells_how_long_the_answer_was_written(path: str, tmp_path: Path) -> None:
    file = tmp_path / "query.log"
    long = " or ".join(f'label_replace(vector({n}/3), "n", "{n}", "", "")' for n in range(6))
    times = {"query": {"time": "0"}, "query_range": {"start": "0", "end": "10999", "step": "1"}}
    async with logging_to(file) as client:
        answer = await client.get(f"/api/v1/{path}", params={"query": long, **times[path]})
    (line,) = lines(file)
    assert ("content-length" in answer.headers) == (path == "query")
    assert line["stages"]["api.encode"] > 0


async def test_what_a_header_says_stays_one_short_line(tmp_path: Path) -> None:
    file = tmp_path / "query.log"
    headers = {"X-Grafana-User": "a\tb" + "c" * 1000}
    async with logging_to(file) as client:
        await client.get("/api/v1/query", params={"query": "up"}, headers=headers)
    (line,) = lines(file)
    assert line["user"] == "a\ufffdb" + "c" * 125


async def test_only_slow_queries_are_in_the_slow_log(tmp_path: Path) -> None:
    slow = tmp_path / "slow.log"
    async with logging_to(tmp_path / "all.log", slow, slow_after=1e-9) as client:
        await client.get("/api/v1/query?query=up")
    assert [line["msg"] for line in lines(slow)] == ["slow query"]
    async with logging_to(tmp_path / "all.log", slow, slow_after=1e9) as client:
        await client.get("/api/v1/query?query=up")
    assert len(lines(slow)) == 1
    assert len(lines(tmp_path / "all.log")) == 2


async def test_without_a_slow_log_a_slow_query_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bridge"):
        async with logging_to(tmp_path / "all.log", slow_after=1e-9) as client:
            await client.get("/api/v1/query?query=up", headers=GRAFANA)
    (record,) = caplog.records
    said = (record.message, vars(record)["query"], vars(record)["user"])
    assert said == ("slow query", "up", "ann")


class Held:
    """A store that answers once it may."""

    def __init__(self) -> None:
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked.set()
        await self.may.wait()
        return await world.store().select(select, options)


async def test_queries_under_way_are_listed(tmp_path: Path) -> None:
    held = Held()
    async with logging_to(tmp_path / "query.log", querier=held) as client:
        params = {"query": "up", **SPAN}
        asking = client.get("/api/v1/query_range", params=params, headers=GRAFANA)
        query = asyncio.create_task(asking)
        await held.asked.wait()
        path = "/api/v1/status/active_queries"
        (shown,) = (await client.get(path)).json()["data"]
        held.may.set()
        assert (await query).status_code == 200
        assert (await client.get(path)).json()["data"] == []
    assert shown.pop("seconds") > 0
    assert shown == {
        "id": 1,
        "query": "up",
        "start": "2023-11-14T22:13:20.000Z",
        "end": "2023-11-14T22:23:20.000Z",
        "step": 15.5,
        "begun": "2023-11-14T22:23:20.000Z",
        "stage": "engine.fetch",
        "samplesRead": 0,
        "client": "127.0.0.1",
        "user": "ann",
        "dashboard": "rYdddlPWk",
        "panel": "77",
        "rule": "r1",
        "userAgent": "Grafana/13.2.3",
    }
