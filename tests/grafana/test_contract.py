"""The requests of Grafana, replayed as they come over the wire; answers read as its plugin does."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from tests.grafana import requests
from tests.grafana.reader import (
    read,
    read_exemplars,
    read_metadata,
    read_rule_groups,
    read_series,
    read_strings,
)
from tests.grafana.requests import NOW_MS, Asked

CPU = 'rate(node_cpu_seconds_total{job="node"}[1m0s])'


async def asked(grafana: httpx.AsyncClient, request: Asked) -> httpx.Response:
    response = await request.send(grafana)
    assert response.status_code == 200, response.text
    return response


async def test_save_and_test_adds_one_and_one_in_1970(grafana: httpx.AsyncClient) -> None:
    answer = read(200, (await asked(grafana, requests.instant("1+1", "4"))).content)
    assert (answer.type, answer.frames[0].times, answer.frames[0].values) == ("scalar", [4000], [2])


async def test_range_query_gives_a_point_for_every_step(grafana: httpx.AsyncClient) -> None:
    answer = read(200, (await asked(grafana, requests.ranged(CPU))).content)
    assert answer.type == "matrix"
    assert len(answer.frames) == 8 * (4 + 4 + 8 + 2)
    end = NOW_MS // 60_000 * 60_000
    assert answer.frames[0].times == list(range(end - 3_600_000, end + 1, 15_000))
    assert answer.notices == []


WAYS: dict[str, Callable[[Asked], Asked]] = {
    "form": lambda r: r,
    "url": lambda r: Asked("GET", r.path, url=r.form or {}),
    "post with everything in the url": lambda r: Asked("POST", r.path, url=r.form or {}),
    "post with an empty body": lambda r: Asked("POST", r.path, url=r.form or {}, form={}),
    "no content type": lambda r: replace(r, headers={"Content-Type": ""}),
    "parameters beside the form": lambda r: replace(
        r, url={"max_source_resolution": "5m", "dedup": "true", "query": "the form wins"}
    ),
    "alert evaluation": lambda r: replace(
        r, headers={"FromAlert": "true", "X-Cache-Skip": "true", "X-Rule-Uid": "a"}
    ),
    "dashboard": lambda r: replace(
        r, headers={"X-Dashboard-Uid": "d", "X-Panel-Title": "CPU%20%E2%9C%93", "X-Panel-Id": "2"}
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "request_", [requests.ranged(CPU), requests.instant("topk(5, up)"), requests.labels("up")]
)
async def test_every_way_of_asking_gives_the_same(
    grafana: httpx.AsyncClient, request_: Asked, way: str
) -> None:
    plain = await asked(grafana, request_)
    other = await asked(grafana, WAYS[way](request_))
    assert other.content == plain.content


async def test_statistics_are_asked_for_in_the_url(grafana: httpx.AsyncClient) -> None:
    response = await asked(grafana, replace(requests.ranged(CPU), url={"stats": "all"}))
    assert read(200, response.content).frames
    assert response.json()["data"]["stats"]["samples"]["totalQueryableSamples"] > 0


async def test_query_timeout_is_sent_as_a_duration(grafana: httpx.AsyncClient) -> None:
    await asked(grafana, requests.ranged(CPU, timeout="60s"))


async def test_explore_opens(grafana: httpx.AsyncClient) -> None:
    rules = await asked(grafana, Asked("GET", "/api/v1/rules"))
    assert read_rule_groups(rules.headers["content-type"], rules.content) == []
    milliseconds = {"query": "test", "start": "1795403939062", "end": "1795405739063"}
    exemplars = Asked("POST", "/api/v1/query_exemplars", form=milliseconds)
    assert read_exemplars((await asked(grafana, exemplars)).content) == []


async def test_editor_opens(grafana: httpx.AsyncClient) -> None:
    await asked(grafana, requests.instant("up"))
    names = read_strings((await asked(grafana, requests.values("__name__"))).content)
    assert "up" in names
    labels = read_strings((await asked(grafana, requests.labels())).content)
    assert {"__name__", "instance", "job"} <= set(labels)
    metadata = await asked(grafana, Asked("GET", "/api/v1/metadata", url={"limit": "40000"}))
    known = read_metadata(metadata.content)
    assert known["http_requests_total"] == ("counter", "")
    assert known["http_request_duration_seconds"] == ("histogram", "")
    assert "http_request_duration_seconds_bucket" not in known


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (requests.labels('{__name__=~".*up.*"}'), ["__name__", "device", "instance", "job"]),
        (requests.values("job", "up"), ["node", "shop"]),
        (requests.values("instance", 'up{job="shop"}'), ["web-1:8080", "web-2:8080"]),
        (requests.values("instance", 'up{job="shop",}'), ["web-1:8080", "web-2:8080"]),
        (
            requests.values("__name__", '{__name__=~"node_load.*"}'),
            ["node_load1", "node_load15", "node_load5"],
        ),
        (
            requests.values("__name__", '{__name__=~"(?i).*HTTP_.*FLIGHT.*"}'),
            ["http_requests_in_flight"],
        ),
        (requests.labels('{__name__=~"up",job="shop"}'), ["__name__", "instance", "job"]),
        (
            requests.values("instance", '{__name__=~"up",job=~"shop|b"}'),
            ["web-1:8080", "web-2:8080"],
        ),
        (
            requests.values("mode", 'node_cpu_seconds_total{__ignore_usage__="",mode=~"i.*"}'),
            ["idle", "iowait", "irq"],
        ),
        (requests.values("U__job", "up"), ["node", "shop"]),
        (requests.values("nothing", "up"), []),
        (requests.values("job", "no_such_metric"), []),
    ],
    ids=str,
)
async def test_variables_and_completion(
    grafana: httpx.AsyncClient, request_: Asked, expected: list[str]
) -> None:
    assert read_strings((await asked(grafana, request_)).content) == expected


async def test_scopes_post_several_matchers_in_the_url(grafana: httpx.AsyncClient) -> None:
    url = {"match[]": ('up{job="shop"}', 'node_load1{instance="db-1:9100"}'), "limit": "10"}
    for path in ("/api/v1/label/instance/values", "/api/v1/labels"):
        response = await asked(grafana, Asked("POST", path, url=url))
        assert read_strings(response.content)
    values = await asked(grafana, Asked("POST", "/api/v1/label/instance/values", url=url))
    assert read_strings(values.content) == ["db-1:9100", "web-1:8080", "web-2:8080"]


async def test_series_variable(grafana: httpx.AsyncClient) -> None:
    found = read_series((await asked(grafana, requests.series('up{job="node"}'))).content)
    assert len(found) == 4
    assert all(labels["__name__"] == "up" for labels in found)
    none = read_series((await asked(grafana, requests.series("no_such_metric"))).content)
    assert none == []


async def test_older_versions_list_everything_as_series(grafana: httpx.AsyncClient) -> None:
    everything = requests.series('{__name__!=""}', limit="40000")
    assert len(read_series((await asked(grafana, everything)).content)) > 600
    some = await asked(grafana, requests.series('{__name__!=""}', limit="7"))
    assert len(read_series(some.content)) == 7
    assert some.json()["warnings"] == ["results truncated due to limit"]


async def test_query_result_variable(grafana: httpx.AsyncClient) -> None:
    answer = read(
        200, (await asked(grafana, requests.instant("topk(5, up)", "1795405268"))).content
    )
    assert answer.type == "vector"
    assert [frame.values for frame in answer.frames] == [[1]] * 5
    assert {time for frame in answer.frames for time in frame.times} == {1795405268000}


async def test_metrics_browser_joins_the_names_of_all_metrics(grafana: httpx.AsyncClient) -> None:
    names = "|".join(
        [*(f"no_such_metric_{number}_seconds_total" for number in range(40_000)), "up"]
    )
    response = await asked(grafana, requests.labels(f'{{__name__=~"{names}"}}'))
    assert read_strings(response.content) == ["__name__", "instance", "job"]


async def test_drilldown_asks_which_metrics_are_new(grafana: httpx.AsyncClient) -> None:
    everything = 'group by (__name__) ({__name__!="",__ignore_usage__=""}'
    query = f"{everything}) unless ({everything} offset 3h))"
    url = {"query": query}
    answer = read(200, (await asked(grafana, Asked("POST", "/api/v1/query", url=url))).content)
    assert (answer.type, answer.frames) == ("vector", [])


async def test_buckets_of_a_heatmap_share_their_times(grafana: httpx.AsyncClient) -> None:
    query = "sum by (le) (rate(http_request_duration_seconds_bucket[1m0s]))"
    answer = read(200, (await asked(grafana, requests.ranged(query))).content)
    bounds = sorted(float(frame.labels["le"]) for frame in answer.frames)
    assert len(bounds) == 12
    assert bounds[-1] == float("inf")
    assert "+Inf" in {frame.labels["le"] for frame in answer.frames}
    assert len({tuple(frame.times) for frame in answer.frames}) == 1


async def test_quantiles_of_the_demo_bring_no_remark(grafana: httpx.AsyncClient) -> None:
    rates = "sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m]))"
    request = requests.ranged(f"histogram_quantile(0.95, {rates})")
    answer = read(200, (await asked(grafana, request)).content)
    assert len(answer.frames) == 4
    assert answer.notices == []


async def test_range_alert_rule_asks_for_every_second(grafana: httpx.AsyncClient) -> None:
    end = NOW_MS // 1000
    form = {"query": "sum(up)", "start": str(end - 10_800), "end": str(end), "step": "1"}
    request = Asked("POST", "/api/v1/query_range", form=form, headers={"FromAlert": "true"})
    answer = read(200, (await asked(grafana, request)).content)
    assert len(answer.frames[0].times) == 10_801


async def test_series_keep_their_order_between_refreshes(grafana: httpx.AsyncClient) -> None:
    first, second = [
        [frame.labels for frame in read(200, (await asked(grafana, request)).content).frames]
        for request in (requests.ranged(CPU), requests.ranged(CPU, step=30))
    ]
    assert first == second
    assert first == sorted(first, key=lambda labels: sorted(labels.items()))


async def test_a_dashboard_asks_all_its_panels_at_once(grafana: httpx.AsyncClient) -> None:
    panels = [
        requests.ranged(
            f'sum by (mode) (rate(node_cpu_seconds_total{{cpu="{cpu}"}}[{minutes}m0s]))'
        )
        for cpu in range(4)
        for minutes in range(1, 16)
    ]
    together = await asyncio.gather(*(panel.send(grafana) for panel in panels))
    alone = [await panel.send(grafana) for panel in panels]
    assert [one.content for one in together] == [one.content for one in alone]
    assert all(len(read(one.status_code, one.content).frames) == 8 for one in together)


async def test_bridge_may_stand_below_a_path(below_prefix: httpx.AsyncClient) -> None:
    build = await below_prefix.get("/api/v1/status/buildinfo")
    assert build.status_code == 200
    answer = await below_prefix.post("/api/v1/query", data={"query": "up"})
    assert len(read(answer.status_code, answer.content).frames) == 6


async def test_build_is_taken_for_a_prometheus(grafana: httpx.AsyncClient) -> None:
    response = await asked(grafana, Asked("GET", "/api/v1/status/buildinfo"))
    build = response.json()["data"]
    assert "features" not in build
    assert re.fullmatch(r"\d+\.\d+\.\d+", build["version"])
    assert {"revision", "branch", "buildUser", "buildDate", "goVersion"} <= build.keys()
    assert all(isinstance(value, str) for value in build.values())


@pytest.mark.parametrize("path", ["/api/v1/search/nothing", "/api/v1/nothing", "/nothing"])
async def test_what_is_not_there_is_404_in_json(grafana: httpx.AsyncClient, path: str) -> None:
    response = await Asked("GET", path).send(grafana)
    assert response.status_code == 404
    assert response.json()["status"] == "error"


@pytest.mark.parametrize("path", ["query", "query_range", "labels", "label/job/values", "rules"])
async def test_a_wrong_method_is_405(grafana: httpx.AsyncClient, path: str) -> None:
    response = await Asked("DELETE", f"/api/v1/{path}").send(grafana)
    assert response.status_code == 405


@pytest.mark.parametrize(
    "path",
    ["rules", "alerts", "metadata", "status/buildinfo", "label/job/values"],
)
async def test_versions_that_post_everything_are_answered(
    grafana: httpx.AsyncClient, path: str
) -> None:
    get, post = [await Asked(method, f"/api/v1/{path}").send(grafana) for method in ("GET", "POST")]
    assert (get.status_code, get.content) == (post.status_code, post.content)


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (requests.instant("sum(up"), 400, r"bad_data: .*1:7: parse error: unclosed left paren"),
        (requests.instant("up", "yesterday"), 400, r'bad_data: .*"yesterday" to a valid timestamp'),
        (requests.ranged("up", step=0), 400, "bad_data: .*zero or negative query"),
        (requests.ranged("up", start="0"), 400, "bad_data: .*11,000 points"),
        (requests.ranged('label_replace(up,"a","$1","b","(")'), 422, "execution: .*expression"),
        (requests.instant("up + on() up"), 422, "execution: .*many-to-many matching not allowed.*"),
    ],
    ids=str,
)
async def test_errors_reach_the_panel(
    grafana: httpx.AsyncClient, request_: Asked, status: int, error: str
) -> None:
    response = await request_.send(grafana)
    assert response.status_code == status
    assert re.match(error, read(status, response.content).error or "")


async def test_milliseconds_given_as_seconds_are_only_an_empty_answer(
    grafana: httpx.AsyncClient,
) -> None:
    form = {"query": "up", "start": "1795403939062", "end": "1795403940062", "step": "15"}
    response = await asked(grafana, Asked("POST", "/api/v1/query_range", form=form))
    assert read(200, response.content).frames == []


@pytest.mark.parametrize("accepted", ["gzip", "zstd, br", "identity", "gzip, deflate, br, zstd"])
async def test_answers_are_gzip_or_plain(grafana: httpx.AsyncClient, accepted: str) -> None:
    request = replace(requests.ranged(CPU), headers={"Accept-Encoding": accepted})
    response = await asked(grafana, request)
    wanted = "gzip" if "gzip" in accepted else None
    assert response.headers.get("content-encoding") == wanted
    assert json.loads(response.content)["status"] == "success"
