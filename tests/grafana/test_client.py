"""Grafana's own Prometheus library is at home: all it asks is answered, all answers are read."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.demo.store import demo_store
from bridge.remote.server import read_app
from tests.grafana.library import Exchange, Library, Said, installed, library
from tests.grafana.reader import read_exchange
from tests.servers.bridge import prombridge, reading
from tests.servers.fixtures import entered
from tests.servers.serving import served

CPU = 'sum by (instance) (rate(node_cpu_seconds_total{job=~"$job",mode="idle"}[$__rate_interval]))'
NODES = ["batch-1:9100", "db-1:9100", "web-1:9100", "web-2:9100"]

pytestmark = pytest.mark.xdist_group("grafana-client")

Json = Any


@dataclass(frozen=True, slots=True)
class Grafana:
    """The library in front of one bridge, and the hour that its dashboards show, in ms.

    `searches`: whether the bridge has the search API.
    """

    library: Library
    range: tuple[int, int]
    searches: bool

    def ask(self, command: str, **given: Json) -> Said:
        said = self.library.ask(command, **given)
        for one in said.exchanges:
            read_exchange(one.path, one.status, one.type, one.body.encode())
        return said

    def result(self, command: str, **given: Json) -> Json:
        said = self.ask(command, **given)
        assert said.error is None, said.error
        return said.result

    def open(self, **settings: Json) -> None:
        """A fresh data source, and two variables of the dashboard."""
        values = {"job": ["node"], "instance": "web-1:9100"}
        self.result("open", settings=settings, values=values)

    def panel(self, *targets: Json, moved: int = 0) -> Json:
        """What a panel asks when the dashboard's hour has moved on by so many ms."""
        given = [{"refId": chr(ord("A") + at), **target} for at, target in enumerate(targets)]
        return {
            "requestId": "Q1",
            "panelId": 2,
            "panelName": "CPU",
            "dashboardUID": "nodes",
            "dashboardTitle": "Nodes",
            "intervalMs": 15_000,
            "range": [self.range[0] + moved, self.range[1] + moved],
            "targets": given,
        }

    def query(self, *targets: Json) -> Json:
        return self.result("query", request=self.panel(*targets))

    def variable(self, query: str) -> Json:
        return self.result("variable", query=query, range=self.range)


def form(exchange: Exchange) -> dict[str, list[str]]:
    """What a request holds, in its URL or its body."""
    return parse_qs("&".join((urlsplit(exchange.target).query, exchange.form or "")))


# All that does not search is answered the same with the search API and without.
@pytest.fixture(
    scope="module",
    params=[("", ()), ("/prometheus", ("--enable-feature=search-api",))],
    ids=["at the root", "below a path, with searches"],
)
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Grafana]:
    entered(installed)
    folder = tmp_path_factory.mktemp("client")
    prefix, flags = request.param
    # The bridge learns names from the newest hours, so that its store has to be of today.
    now = time.time_ns() // 1_000_000
    with (
        served(read_app(demo_store(now).querier)) as store,
        prombridge(folder, reading(f"{store}/api/v1/read"), flags, prefix) as bridge,
        library(f"{bridge.url}{prefix}", folder / "library.log") as made,
    ):
        yield Grafana(made, (now - 3_600_000, now), bool(flags))


@pytest.fixture
def grafana(started: Grafana) -> Grafana:
    started.open()
    return started


def test_save_and_test_succeeds(grafana: Grafana) -> None:
    said = grafana.ask("test")
    assert said.result == {
        "status": "success",
        "message": "Successfully queried the Prometheus API.",
    }
    assert [one.path for one in said.exchanges] == ["/api/v1/query", "/api/v1/status/buildinfo"]


def test_explore_offers_exemplars_and_expands_no_rules(grafana: Grafana) -> None:
    assert grafana.result("explore") == {"exemplars": True, "rules": {}}


@pytest.mark.parametrize("series_endpoint", [False, True])
def test_editor_knows_metrics_labels_and_types(grafana: Grafana, series_endpoint: bool) -> None:
    grafana.open(seriesEndpoint=series_endpoint)
    known = grafana.result("editor", range=grafana.range)
    assert {"up", "node_load1", "http_requests_total"} <= set(known["metrics"])
    assert known["histograms"] == ["http_request_duration_seconds_bucket"]
    assert {"instance", "job", "mode"} <= set(known["labels"])
    assert known["metadata"]["http_requests_total"]["type"] == "counter"


@pytest.mark.parametrize("cache_level", ["Low", "Medium", "High", "None"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("label_names(up)", ["device", "instance", "job"]),
        ("label_values(job)", ["node", "shop"]),
        ('label_values(up{job=~"$job"}, instance)', NODES),
        ('label_values(up{instance="$instance",}, job)', ["node"]),
        ("label_values(no_such_metric, job)", []),
        ("metrics(node_load.*)", ["node_load1", "node_load15", "node_load5"]),
        (
            'up{job="shop"}',
            ['up{instance="web-1:8080",job="shop"}', 'up{instance="web-2:8080",job="shop"}'],
        ),
        ("query_result(1+1)", ["2"]),
    ],
)
def test_variable_is_filled(
    grafana: Grafana, query: str, expected: list[str], cache_level: str
) -> None:
    grafana.open(cacheLevel=cache_level)
    assert grafana.variable(query) == expected


def test_variable_of_all_label_names(grafana: Grafana) -> None:
    assert {"__name__", "instance", "job"} <= set(grafana.variable("label_names()"))


def test_variable_of_a_query_shows_series_value_and_time(grafana: Grafana) -> None:
    end = -(-grafana.range[1] // 1000) * 1000
    found = grafana.variable('query_result(sort(up{job="shop"}))')
    assert sorted(found) == [
        f'up{{instance="web-1:8080",job="shop"}} 1 {end}',
        f'up{{instance="web-2:8080",job="shop"}} 1 {end}',
    ]


def test_variable_with_a_wrong_query_shows_its_error(grafana: Grafana) -> None:
    said = grafana.ask("variable", query="query_result(sum(up)", range=grafana.range)
    assert said.error is not None
    assert "unclosed left parenthesis" in said.error
    # Grafana repeats as GET what was refused as POST.
    assert [one.method for one in said.exchanges] == ["POST", "GET"]


JOB = {"key": "job", "operator": "=", "value": "node"}
ONE_OF = {"key": "job", "operator": "=|", "value": "node", "values": ["node", "shop"]}
UP = {"refId": "A", "expr": "up"}


def test_filters_offer_names_and_values(grafana: Grafana) -> None:
    asked = {"range": grafana.range, "queries": [UP]}
    assert grafana.result("keys", filters=[JOB], **asked) == ["__name__", "instance"]
    assert grafana.result("values", key="instance", filters=[JOB], **asked) == NODES
    both = grafana.result("values", key="instance", filters=[ONE_OF], **asked)
    assert both == sorted([*NODES, "web-1:8080", "web-2:8080"])


def test_filters_narrow_a_panel(grafana: Grafana) -> None:
    request = grafana.panel({"expr": "up", "range": True})
    answer = grafana.result("query", request={**request, "filters": [JOB]})
    assert [frame["fields"][1]["labels"]["instance"] for frame in answer["frames"]] == NODES


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_panel_over_a_range(grafana: Grafana, method: str) -> None:
    grafana.open(httpMethod=method)
    said = grafana.ask("query", request=grafana.panel({"expr": CPU, "range": True}))
    frames = said.result["frames"]
    assert [frame["fields"][1]["labels"]["instance"] for frame in frames] == NODES
    end = grafana.range[1] // 15_000 * 15_000
    for frame in frames:
        assert frame["fields"][0]["values"] == list(range(end - 3_600_000, end + 1, 15_000))
        assert frame["notices"] == []
    (asked,) = said.exchanges
    assert asked.method == method
    assert "[1m0s]" in form(asked)["query"][0]
    assert asked.headers["X-Dashboard-Uid"] == "nodes"


def test_panel_of_now(grafana: Grafana) -> None:
    answer = grafana.query({"expr": 'sort_desc(node_load1{job="node"})', "instant": True})
    shown = [float(frame["fields"][1]["values"][0]) for frame in answer["frames"]]
    assert shown == sorted(shown, reverse=True)
    assert {frame["fields"][0]["values"][0] for frame in answer["frames"]} == {grafana.range[1]}


def test_panel_with_all_kinds_of_targets(grafana: Grafana) -> None:
    answer = grafana.query(
        {"expr": "up", "instant": True, "range": True, "exemplar": True},
        {"expr": "scalar(sum(up))", "range": True, "legendFormat": "all"},
        {"expr": "1/0", "instant": True, "range": False},
        {"expr": "no_such_metric", "range": True},
    )
    assert answer["errors"] == []
    by_ref: dict[str, list[Json]] = {}
    for frame in answer["frames"]:
        by_ref.setdefault(frame["refId"], []).append(frame)
    assert {ref: len(frames) for ref, frames in by_ref.items()} == {
        "A": 6,
        "A-Instant": 6,
        "B": 1,
        "C": 1,
        "D": 1,
    }
    assert by_ref["B"][0]["fields"][1]["shown"] == "all"
    assert by_ref["C"][0]["fields"][1]["values"] == ["Infinity"]
    assert by_ref["D"][0]["fields"] == []


def test_table_has_a_column_for_each_label(grafana: Grafana) -> None:
    answer = grafana.query({"expr": "up", "instant": True, "range": False, "format": "table"})
    (table,) = answer["frames"]
    names = [column["name"] for column in table["fields"]]
    assert names == ["Time", "__name__", "instance", "job", "Value"]
    assert table["fields"][4]["values"] == [1, 1, 1, 1, 1, 1]


def test_heatmap_has_a_row_for_each_bucket(grafana: Grafana) -> None:
    rates = "sum by (le) (increase(http_request_duration_seconds_bucket[$__rate_interval]))"
    answer = grafana.query({"expr": rates, "range": True, "format": "heatmap"})
    (heatmap,) = answer["frames"]
    _, *buckets = heatmap["fields"]
    bounds = [float(bucket["shown"] or bucket["name"]) for bucket in buckets]
    assert len(bounds) == 12
    assert bounds == sorted(bounds)
    assert all(value >= -1e-9 for bucket in buckets for value in bucket["values"])


def test_panel_shows_what_is_wrong_with_its_query(grafana: Grafana) -> None:
    answer = grafana.query({"expr": "sum(up", "range": True}, {"expr": "up", "range": True})
    (error,) = answer["errors"]
    assert error.startswith('bad_data: invalid parameter "query": 1:7: parse error: unclosed left')
    assert len(answer["frames"]) == 6
    (error,) = grafana.query({"expr": "up + on() up", "range": True})["errors"]
    assert error.startswith("execution: found duplicate series")


def test_panel_shows_warnings_and_infos(grafana: Grafana) -> None:
    grafana.open(customQueryParameters="limit=2")
    answer = grafana.query({"expr": "rate(node_load1[5m])", "range": True})
    shown = [(notice["severity"], notice["text"]) for notice in answer["frames"][0]["notices"]]
    assert len(answer["frames"]) == 2
    assert shown[0] == ("warning", "results truncated due to limit")
    assert shown[1][0] == "info"
    assert "metric might not be a counter" in shown[1][1]


def test_inspector_shows_statistics(grafana: Grafana) -> None:
    grafana.open(queryStatsEnabled=True, queryTimeout="60s")
    answer = grafana.query({"expr": "sum(up)", "range": True})
    assert answer["frames"][0]["stats"]["samples"]["totalQueryableSamples"] > 0


def test_annotations_are_regions(grafana: Grafana) -> None:
    day = [grafana.range[1] - 86_400_000, grafana.range[1]]
    annotation = {
        "expr": '(up{instance=~"batch-1:.*|web-1:.*"} == bool 0) > 0',
        "step": "60s",
        "titleFormat": "down",
        "textFormat": "{{instance}}",
        "tagKeys": "job",
    }
    said = grafana.result(
        "annotations", annotation=annotation, request={**grafana.panel(), "range": day}
    )
    assert said
    assert {(one["title"], one["text"]) for one in said} == {("down", "batch-1:9100")}
    assert all(one["tags"] == ["node"] for one in said)
    # The demo cuts a machine off for half an hour of every day.
    assert max(one["timeEnd"] - one["time"] for one in said) >= 1_200_000


def test_refresh_asks_only_for_what_is_new(grafana: Grafana) -> None:
    grafana.open(incrementalQuerying=True)
    target = {"expr": CPU, "range": True}
    back = -120_000
    grafana.result("query", request=grafana.panel(target, moved=back))
    said = grafana.ask("query", request=grafana.panel(target))
    (asked,) = said.exchanges
    span = int(form(asked)["end"][0]) - int(form(asked)["start"][0])
    assert 600 <= span <= 600 + 120 + 15
    merged = [[column["values"] for column in frame["fields"]] for frame in said.result["frames"]]
    grafana.open()
    whole = grafana.query(target)
    plain = [[column["values"] for column in frame["fields"]] for frame in whole["frames"]]
    # What was kept may reach a step further back than the hour.
    assert [[column[-len(plain[0][0]) :] for column in frame] for frame in merged] == plain


@pytest.mark.parametrize("rate_step", [None, "$__rate_interval", "1m"])
def test_least_step_of_a_panel_is_kept(grafana: Grafana, rate_step: str | None) -> None:
    said = grafana.ask(
        "query", request=grafana.panel({"expr": "up", "range": True, "interval": rate_step})
    )
    assert form(said.exchanges[0])["step"] == ["15" if rate_step is None else "60"]
    assert len(said.result["frames"]) == 6


def paths(said: Said) -> set[str]:
    return {one.path for one in said.exchanges}


def test_editor_that_searches_knows_the_same(grafana: Grafana) -> None:
    asked = grafana.result("editor", range=grafana.range)
    grafana.open(enableSearchApi=True)
    said = grafana.ask("editor", range=grafana.range)
    assert said.error is None
    for known in ("metrics", "labels", "histograms"):
        assert sorted(said.result[known]) == sorted(asked[known])
    assert said.result["metadata"] == asked["metadata"]
    assert ("/api/v1/labels" in paths(said)) != grafana.searches
    assert ("/api/v1/search/label_names" in paths(said)) == grafana.searches


def test_editor_offers_what_fits_a_word(grafana: Grafana) -> None:
    grafana.open(enableSearchApi=True)
    said = grafana.ask("offered", term="node_load", range=grafana.range)
    assert said.error is None
    loads = ["node_load1", "node_load15", "node_load5"]
    assert sorted(said.result["results"][:3]) == loads
    # Without searches names are found out by a regular expression.
    assert said.result.get("hasMore") == (False if grafana.searches else None)
    assert any(one.status == 500 for one in said.exchanges) != grafana.searches
    again = grafana.ask("offered", term="node_load", range=grafana.range)
    searched = paths(again) == {"/api/v1/search/metric_names"}
    assert searched == grafana.searches


@pytest.mark.parametrize(
    ("match", "expected"),
    [('up{job="shop"}', ["web-1:8080", "web-2:8080"]), ('up{job="none"}', [])],
)
def test_editor_offers_values_of_a_selector(
    grafana: Grafana, match: str, expected: list[str]
) -> None:
    grafana.open(enableSearchApi=True)
    given = {"term": "web", "label": "instance", "match": match}
    said = grafana.ask("offered", range=grafana.range, **given)
    assert said.error is None
    assert sorted(said.result["results"]) == expected
    assert "/api/v1/search/label_values" in paths(said)


def test_search_that_is_refused_shows_why(grafana: Grafana) -> None:
    grafana.open(enableSearchApi=True)
    said = grafana.ask("offered", term="up", match="up{", range=grafana.range)
    # Of labels Grafana shows no error: nothing is offered.
    assert ("parse error" in (said.error or "")) == grafana.searches
