"""A store's own API: names, metadata, rules and whole queries come from a real Prometheus."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest
import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app import application
from bridge.config.flags import Flags
from bridge.config.load import load
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.remote.stores import reply, store
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

STEP: Final = 15_000
SAMPLES: Final = 200
TIGHT: Final = Flags(query_max_samples=100)
RULES: Final = """
groups:
- name: all
  rules:
  - {alert: Always, expr: vector(1) > 0}
  - {record: one, expr: vector(1)}
"""


@pytest.fixture(scope="module")
def world(
    prometheus_server: PrometheusFactory, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Running, int]:
    """A Prometheus with rules, and when its data end."""
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text(RULES)
    config = {"rule_files": [str(rules)], "global": {"evaluation_interval": "1s"}}
    server = prometheus_server(PrometheusOptions(config=config))
    end = int(time.time() * 1000) // STEP * STEP - 4 * STEP
    times = end - np.arange(SAMPLES, dtype=np.int64)[::-1] * STEP
    series = tuple(
        SeriesData({"__name__": f"x{n % 2}_total", "job": f"j{n}"}, times, np.arange(200.0) + n)
        for n in range(6)
    )
    write_prometheus(server.url, Dataset(series, int(times[0]), end))
    return server, end


@asynccontextmanager
async def bridge(
    folder: Path, url: str, own: Mapping[str, Any], flags: Flags = TIGHT
) -> AsyncIterator[AsyncClient]:
    """A bridge in front of a store, with these settings for it."""
    config, mine = folder / "prometheus.yml", folder / "prombridge.yml"
    reads = [{"name": "far", "url": f"{url}/api/v1/read"}]
    config.write_text(yaml.safe_dump({"remote_read": reads}))
    stores = {"far": {"retries": 0, **own}}
    mine.write_text(yaml.safe_dump({"stores": stores, "catalogue": {"bootstrap": False}}))
    app = application(load(config, mine, flags).settings, warming=False)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://bridge", timeout=60) as client,
    ):
        yield client


def theirs(server: Running, path: str, **parameters: str) -> Any:
    return httpx.get(f"{server.url}/api/v1/{path}", params=parameters).json()["data"]


@pytest.mark.parametrize(
    "path", ["labels", "label/job/values", "label/__name__/values", "series", "metadata"]
)
@pytest.mark.parametrize("match", ["x0_total", '{job=~"j[12]"}', "nothing"])
async def test_names_are_those_of_the_api(
    world: tuple[Running, int], tmp_path: Path, path: str, match: str
) -> None:
    server, end = world
    asked = {"match[]": match, "start": f"{end / 1000 - 600}", "end": f"{end / 1000}"}
    async with bridge(tmp_path, server.url, {"metadata_url": server.url}) as client:
        response = await client.get(f"/api/v1/{path}", params=asked)
    ours, held = response.json()["data"], theirs(server, path, **asked)
    # Of a head's series Prometheus keeps no order.
    assert (ours if path == "metadata" else sorted(ours, key=str)) == (
        held if path == "metadata" else sorted(held, key=str)
    )
    if path != "metadata":
        assert response.headers["X-Prombridge-Source"] == "api; complete=true"
        assert "warnings" not in response.json()


async def test_labels_that_are_set_stand_in_the_names(
    world: tuple[Running, int], tmp_path: Path
) -> None:
    server, end = world
    own = {"metadata_url": f"{server.url}/api/v1/", "labels": {"dc": "x"}, "drop_labels": ["job"]}
    span = {"start": f"{end / 1000 - 600}", "end": f"{end / 1000}"}
    async with bridge(tmp_path, server.url, own) as client:
        names = await client.get("/api/v1/labels", params={"match[]": "x0_total", **span})
        assert names.json()["data"] == ["__name__", "dc"]
        asked = {"match[]": 'x0_total{dc="x"}', **span}
        series = await client.get("/api/v1/series", params=asked)
        assert series.json()["data"] == [{"__name__": "x0_total", "dc": "x"}]
        for value, found in (("x", ["x"]), ("y", [])):
            asked = {"match[]": f'x0_total{{dc="{value}"}}', **span}
            values = await client.get("/api/v1/label/dc/values", params=asked)
            assert values.json()["data"] == found


async def test_rules_alerts_and_exemplars_are_passed_on(
    world: tuple[Running, int], tmp_path: Path
) -> None:
    server, end = world
    async with bridge(tmp_path, server.url, {"metadata_url": server.url}) as client:
        rules = (await client.get("/api/v1/rules", params={"type": "alert"})).json()["data"]
        alerts = (await client.get("/api/v1/alerts")).json()["data"]
        span = {"query": "x0_total", "start": "0", "end": f"{end / 1000}"}
        exemplars = (await client.get("/api/v1/query_exemplars", params=span)).json()["data"]
    assert [[rule["name"] for rule in group["rules"]] for group in rules["groups"]] == [["Always"]]
    assert list(alerts) == ["alerts"]
    assert exemplars == []


async def test_an_api_that_overlooks_matchers_is_not_trusted(tmp_path: Path) -> None:
    everything = b'{"status":"success","data":["__name__","job"]}'
    async with store(reply(everything, "application/json")) as wrong, store(b"") as far:
        own = {"metadata_url": f"http://127.0.0.1:{wrong.port}", "profile": "prometheus"}
        async with bridge(tmp_path, f"http://127.0.0.1:{far.port}", own) as client:
            response = await client.get("/api/v1/labels")
    assert response.headers["X-Prombridge-Source"] == "catalogue; complete=false"
    assert response.json()["data"] == []


QUERIES: Final = ("x0_total", "sum(rate(x1_total[5m]))", "topk(1, x0_total) > 2")


def pushed(server: Running, pushdown: str) -> dict[str, str]:
    return {"query_url": server.url, "pushdown": pushdown}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("ranged", [False, True], ids=["instant", "range"])
async def test_a_query_over_a_limit_runs_at_the_store_and_says_so(
    world: tuple[Running, int], tmp_path: Path, query: str, ranged: bool
) -> None:
    server, end = world
    at = end / 1000
    times = {"start": f"{at - 2000}", "end": f"{at}", "step": "15"} if ranged else {"time": f"{at}"}
    path = "query_range" if ranged else "query"
    async with bridge(
        tmp_path, server.url, pushed(server, "over_limit"), Flags(query_max_samples=1)
    ) as client:
        response = await client.get(f"/api/v1/{path}", params={"query": query, **times})
    body = response.json()
    assert response.status_code == 200
    if "X-Prombridge-Source" not in response.headers:
        # One sample is within the limit.
        assert not ranged
        return
    assert response.headers["X-Prombridge-Source"] == "store; complete=true"
    assert body["data"] == theirs(server, path, query=query, **times)
    (info,) = body["infos"]
    assert info == (
        'prombridge info: computed by store "far" at its query_url, because here query processing'
        " would load too many samples into memory in query execution"
    )


@pytest.mark.parametrize(("pushdown", "status"), [("never", 422), ("always", 200)])
async def test_the_setting_decides(
    world: tuple[Running, int], tmp_path: Path, pushdown: str, status: int
) -> None:
    server, end = world
    asked = {"query": "x0_total", "step": "15"}
    asked |= {"start": f"{end / 1000 - 2000}", "end": f"{end / 1000}"}
    async with bridge(tmp_path, server.url, pushed(server, pushdown)) as client:
        response = await client.get("/api/v1/query_range", params=asked)
    assert response.status_code == status


async def test_what_is_within_the_limits_stays_here(
    world: tuple[Running, int], tmp_path: Path
) -> None:
    server, end = world
    async with bridge(tmp_path, server.url, pushed(server, "over_limit")) as client:
        asked = {"query": "x0_total", "time": f"{end / 1000}"}
        response = await client.get("/api/v1/query", params=asked)
    assert response.status_code == 200
    assert "X-Prombridge-Source" not in response.headers


async def test_a_query_that_fails_there_too_has_the_stores_words(
    world: tuple[Running, int], tmp_path: Path
) -> None:
    server, end = world
    asked = {"query": "x0_total * on () x1_total", "time": f"{end / 1000}"}
    async with bridge(tmp_path, server.url, pushed(server, "always")) as client:
        response = await client.get("/api/v1/query", params=asked)
    assert (response.status_code, response.json()["errorType"]) == (422, "execution")
    assert response.json()["error"].startswith('store "far": found duplicate series')


async def test_a_store_with_labels_of_ours_is_not_given_queries(
    world: tuple[Running, int], tmp_path: Path
) -> None:
    server, end = world
    own = {**pushed(server, "always"), "labels": {"dc": "x"}}
    async with bridge(tmp_path, server.url, own) as client:
        asked = {"query": 'x0_total{dc="x"}', "time": f"{end / 1000}"}
        response = await client.get("/api/v1/query", params=asked)
    assert "X-Prombridge-Source" not in response.headers
    assert response.json()["data"]["result"][0]["metric"]["dc"] == "x"
