"""What the bridge tells of itself, and empty forms."""

from dataclasses import replace
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from bridge.api.routes import application
from bridge.api.settings import ApiSettings
from bridge.model.errors import BridgeError
from bridge.remote.client import RemoteStore
from bridge.remote.profiles import PROFILES
from bridge.remote.settings import StoreSettings
from tests.api import world
from tests.remote.stores import OPTIONS, UP, reply, store


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("rules?group_limit=1", {"groups": []}),
        ("alerts", {"alerts": []}),
        ("alertmanagers", {"activeAlertmanagers": [], "droppedAlertmanagers": []}),
        ("query_exemplars?query=test&start=1795403939062&end=1795405739063", []),
        ("targets", {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}),
        ("targets/metadata", []),
        ("scrape_pools", {"scrapePools": []}),
        ("notifications", []),
        ("status/tsdb/blocks", {"blocks": []}),
        ("status/walreplay", {"min": 0, "max": 0, "current": 0}),
    ],
)
async def test_empty_forms(client: AsyncClient, method: str, path: str, data: object) -> None:
    response = await client.request(method, f"/api/v1/{path}")
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": data})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("metadata?limit=x", "limit must be a number"),
        ("metadata?limit_per_metric=x", "limit_per_metric must be a number"),
        (
            "query_exemplars?query=a&start=2&end=1",
            "end timestamp must not be before start timestamp",
        ),
        ("query_exemplars?query=a)", "1:3: parse error: unexpected right parenthesis"),
        ("rules?type=x", 'invalid parameter "type": not supported value "x"'),
        ("rules?group_limit=0", 'invalid parameter "group_limit": group_limit needs to be greater'),
        ("rules?group_limit=1&group_next_token=x", 'invalid parameter "group_next_token": '),
        ("rules?match[]=(", '1:1: parse error: unexpected "("'),
        ("targets/metadata?limit=x", "limit must be a number"),
        ("label/%zz/values", 'the path has an invalid URL escape "%zz"'),
        ("scrape_pools/config", "no scrapePool parameter provided"),
        (
            "scrape_pools/config?scrapePool=a",
            'error retrieving scrape config: scrape pool "a" not found',
        ),
        ("targets/relabel_steps", "no scrapePool parameter provided"),
        ("targets/relabel_steps?scrapePool=a", "no labels parameter provided"),
        ("targets/relabel_steps?scrapePool=a&labels={", "error parsing labels: "),
        ("targets/relabel_steps?scrapePool=a&labels=[1]", "error parsing labels: "),
        ("targets/relabel_steps?scrapePool=a&labels={}", "error retrieving scrape config: "),
        ("status/self_metrics?metric_name_pattern=(", "invalid metric_name_pattern: "),
    ],
)
async def test_refusals(client: AsyncClient, path: str, text: str) -> None:
    response = await client.get(f"/api/v1/{path}")
    assert (response.status_code, response.json()["errorType"]) == (400, "bad_data")
    assert response.json()["error"].startswith(text)


async def test_buildinfo_names_a_dialect_and_no_features(client: AsyncClient) -> None:
    data = (await client.get("/api/v1/status/buildinfo")).json()["data"]
    assert "features" not in data
    assert data["version"].startswith("3.")
    assert {"revision", "branch", "buildUser", "buildDate", "goVersion"} < set(data)
    assert (await client.get("/version")).json() == data


async def test_config_is_shown() -> None:
    settings = ApiSettings(config_yaml="remote_read: <secret>\n")
    async with world.client(settings=settings) as client:
        response = await client.get("/api/v1/status/config")
    assert response.json()["data"] == {"yaml": "remote_read: <secret>\n"}


async def test_runtimeinfo_has_prometheus_fields(client: AsyncClient) -> None:
    data = (await client.get("/api/v1/status/runtimeinfo")).json()["data"]
    assert data["startTime"] == "2023-11-14T22:23:20.000Z"
    assert {"CWD", "hostname", "GOMAXPROCS", "storageRetention"} < set(data)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/search/nothing", "/api/v1/nothing", "/nothing"],
)
async def test_unknown_paths_are_404_in_json(client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.json() == {
        "status": "error",
        "errorType": "not_found",
        "error": f"no such path: {path}",
    }


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_wrong_methods_are_405(client: AsyncClient, method: str) -> None:
    response = await client.request(method, "/api/v1/query?query=1")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) >= {"GET", "POST"}
    assert response.json()["error"] == f"method {method} is not allowed on /api/v1/query"


async def test_health_and_readiness() -> None:
    states = iter((False, True))
    async with world.client(ready=lambda: next(states)) as client:
        healthy = await client.get("/-/healthy")
        assert (healthy.status_code, healthy.text) == (200, "prombridge is Healthy.\n")
        assert (await client.get("/-/ready")).status_code == 503
        ready = await client.get("/-/ready")
        assert (ready.status_code, ready.text) == (200, "prombridge is Ready.\n")


async def test_metrics_count_requests_by_handler_and_code(client: AsyncClient) -> None:
    await client.get("/api/v1/query?query=1")
    await client.get("/api/v1/query?query=(")
    await client.get("/api/v1/label/some/values")
    lines = (await client.get("/metrics")).text.splitlines()
    assert 'prombridge_http_requests_total{code="200",handler="/query"} 1.0' in lines
    assert 'prombridge_http_requests_total{code="400",handler="/query"} 1.0' in lines
    assert 'prombridge_http_requests_total{code="200",handler="/label/:name/values"} 1.0' in lines
    assert all(
        line.removeprefix("# HELP ").startswith(("prombridge_", "# TYPE prombridge_"))
        for line in lines
    )


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["delete_series?match[]=up", "clean_tombstones", "snapshot"])
async def test_nothing_of_a_store_is_changed(client: AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, f"/api/v1/admin/tsdb/{path}")
    refused = {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"}
    assert (response.status_code, response.json()) == (500, refused)


@pytest.mark.parametrize(("path", "flag"), [("write", "remote-write"), ("otlp/v1/metrics", "otlp")])
async def test_no_samples_are_taken_in(client: AsyncClient, path: str, flag: str) -> None:
    response = await client.post(f"/api/v1/{path}", content=b"x")
    assert response.status_code == 404
    assert response.text.endswith(f"needs to be enabled with --web.enable-{flag}-receiver\n")


async def test_flags_are_shown() -> None:
    settings = ApiSettings(flags={"query.timeout": "2m"})
    async with world.client(settings=settings) as client:
        response = await client.get("/api/v1/status/flags")
    assert response.json()["data"] == {"query.timeout": "2m"}


async def test_own_metrics_are_told_as_json(client: AsyncClient) -> None:
    await client.get("/api/v1/query?query=1")
    url = "/api/v1/status/self_metrics?metric_name_pattern=prombridge_http_request.*"
    families = {one["name"]: one for one in (await client.get(url)).json()["data"]}
    assert sorted(families) == [
        "prombridge_http_request_duration_seconds",
        "prombridge_http_requests_total",
    ]
    (counted,) = families["prombridge_http_requests_total"]["metric"]
    assert counted["counter"] == {"value": 1}
    assert {"name": "code", "value": "200"} in counted["label"]
    (timed,) = families["prombridge_http_request_duration_seconds"]["metric"]
    assert timed["histogram"]["sampleCount"] == "1"
    assert timed["histogram"]["bucket"][-1] == {"cumulativeCount": "1", "upperBound": "Infinity"}


async def test_stores_show_profile_health_and_limits_and_hide_secrets() -> None:
    refusals = (
        reply(b"no", status="500 Internal Server Error"),
        reply(b"", status="400 Bad Request"),
    )
    async with world.api() as made, store(*refusals) as listening:
        url = listening.url.replace("//", "//user:hush@") + "?key=hush"
        remote = RemoteStore(StoreSettings("managed", url, profile="alibaba", retries=0))
        served = ASGITransport(application(replace(made, stores=[remote])))
        async with AsyncClient(transport=served, base_url="http://bridge") as client:

            async def shown() -> dict[str, Any]:
                answer = await client.get("/api/v1/status/stores")
                assert "hush" not in answer.text
                (only,) = answer.json()["data"]["stores"]
                return dict(only)

            new = await shown()
            assert (new["name"], new["url"]) == ("managed", listening.url)
            assert new["profile"] == {
                "name": "alibaba",
                "verified": False,
                "note": PROFILES["alibaba"].note,
            }
            assert (new["health"], new["reads"], new["lastRead"]) == ("unknown", 0, None)
            assert new["limits"]["maxQueryRange"] == "30d"
            for health, failures in (("down", 1), ("up", 2)):
                with pytest.raises(BridgeError) as failed:
                    await remote.select(UP, OPTIONS)
                after = await shown()
                assert (after["health"], after["failures"]) == (health, failures)
                assert after["lastError"] == str(failed.value)
                assert after["lastErrorTime"] is not None
        await remote.aclose()
