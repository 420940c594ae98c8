"""Dashboards import into any Grafana from 10.4 on, and every expression in them is PromQL."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from bridge.demo.scrape import Scraper
from bridge.demo.targets import targets
from bridge.model.labels import METRIC_NAME
from bridge.telemetry.metrics import Metrics
from tests.grafana import requests
from tests.grafana.dashboards import Dashboard, Question, dashboards, filled
from tests.grafana.reader import read, read_strings
from tests.telemetry.happened import everything_once

DASHBOARDS = dashboards()
QUESTIONS = [question for dashboard in DASHBOARDS for question in dashboard.questions()]
CORE_PANELS = frozenset(
    {"timeseries", "stat", "gauge", "bargauge", "table", "heatmap", "state-timeline", "text", "row"}
)
SOURCE = {"type": "prometheus", "uid": "${datasource}"}

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda d: d.file.stem)
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=str)


def test_there_are_two() -> None:
    assert [dashboard.file.stem for dashboard in DASHBOARDS] == ["node-overview", "prombridge"]


def test_uids_and_titles_are_unique() -> None:
    for key in ("uid", "title"):
        values = [dashboard.json[key] for dashboard in DASHBOARDS]
        assert len(set(values)) == len(values)


@each_dashboard
def test_model_is_the_classic_one(dashboard: Dashboard) -> None:
    wanted = {"id": None, "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1}
    assert {key: dashboard.json[key] for key in wanted} == wanted
    assert dashboard.json["timezone"] == "browser"
    assert re.fullmatch(r"[a-z0-9-]{1,40}", dashboard.json["uid"])
    assert dashboard.json["annotations"]["list"][0]["datasource"]["uid"] == "-- Grafana --"


@each_dashboard
def test_nothing_needs_an_import_dialogue(dashboard: Dashboard) -> None:
    assert "__inputs" not in dashboard.json
    assert "DS_" not in dashboard.file.read_text()


@each_dashboard
def test_data_source_is_the_first_variable(dashboard: Dashboard) -> None:
    first, *others = dashboard.variables()
    assert first["name"] == "datasource"
    assert (first["type"], first["query"]) == ("datasource", "prometheus")
    assert [variable["type"] for variable in others] == ["query"] * len(others)


@each_dashboard
def test_everything_asks_the_chosen_data_source(dashboard: Dashboard) -> None:
    asking = [panel for panel in dashboard.panels() if panel["type"] != "row"]
    asking += [target for panel in asking for target in panel["targets"]]
    asking += dashboard.variables()[1:]
    assert all(one["datasource"] == SOURCE for one in asking)


@each_dashboard
def test_panels_are_core_ones_with_ids_of_their_own(dashboard: Dashboard) -> None:
    panels = list(dashboard.panels())
    assert {panel["type"] for panel in panels} <= CORE_PANELS
    assert len({panel["id"] for panel in panels}) == len(panels)


@each_dashboard
def test_panels_stand_on_the_grid_without_overlap(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.json["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert columns.stop <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@each_dashboard
def test_every_variable_used_is_declared(dashboard: Dashboard) -> None:
    values = {variable["name"]: "x" for variable in dashboard.variables()}
    texts = [question.expr for question in dashboard.questions()]
    texts += [variable["query"]["query"] for variable in dashboard.variables()[1:]]
    assert not [text for text in texts if "$" in filled(text, values)]


@each_question
@pytest.mark.parametrize("chosen", [".*", "(web-1:9100|db-1:9100)", "web-1:9100"])
async def test_expression_is_answered(
    grafana: httpx.AsyncClient, question: Question, chosen: str
) -> None:
    expr = filled(question.expr, {"job": ".*", "instance": chosen, "store": ".*"})
    request = requests.instant(expr) if question.instant else requests.ranged(expr)
    response = await request.send(grafana)
    answer = read(response.status_code, response.content)
    assert answer.error is None
    # The demo's store knows nothing of prombridge itself.
    if question.dashboard == "node-overview":
        assert answer.frames, expr


async def test_variables_fill_one_after_the_other(grafana: httpx.AsyncClient) -> None:
    values: dict[str, str] = {}
    for variable in DASHBOARDS[0].variables()[1:]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert found
        request = requests.values(found[2], filled(found[1], values))
        response = await request.send(grafana)
        values[variable["name"]] = "|".join(read_strings(response.content))
    assert values == {"job": "node", "instance": "batch-1:9100|db-1:9100|web-1:9100|web-2:9100"}


@each_question
def test_rates_follow_the_zoom(question: Question) -> None:
    ranges = re.findall(r"rate\([^()]*\[([^\]]+)\]", question.expr)
    assert ranges == ["$__rate_interval"] * question.expr.count("rate(")


def metric_names(question: Question) -> Iterator[str]:
    """The metrics that an expression reads."""
    yield from re.findall(r"\b((?:node|prombridge|up)(?:_\w+)?)\{", question.expr)


def test_node_overview_reads_only_what_a_node_exporter_exposes() -> None:
    exposed = {
        labels.get(METRIC_NAME)
        for target in targets(119_666_666)
        for scrapes in Scraper(target, 119_666_666).scrape(119_666_668)
        for labels in scrapes.labels
    }
    read = {name for question in DASHBOARDS[0].questions() for name in metric_names(question)}
    assert read <= exposed


def test_prombridge_shows_all_that_is_counted_of_what_is_remembered() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "0")
    counted = {f"{family.name}_total" for family in registry.collect() if family.type == "counter"}
    remembered = {name for name in counted if re.match("prombridge_(cache|answers)_", name)}
    read = {name for question in DASHBOARDS[1].questions() for name in metric_names(question)}
    assert remembered - read == set()


def test_prombridge_shows_what_keeps_reads_from_stores() -> None:
    read = {name for question in DASHBOARDS[1].questions() for name in metric_names(question)}
    assert {"prombridge_upstream_circuit_open", "prombridge_budget_refusals_total"} <= read


def test_prombridge_reads_only_what_prombridge_exposes() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, "0")
    metrics.http("query", 200, 0.1, 1)
    metrics.stores.request_ended("store", "200", 0.1, 1, 1)
    metrics.stores.watch("store", lambda: 0, lambda: False)
    metrics.budgets.refused("tenant", "user", "samples", "hour")
    everything_once(metrics.cache)
    metrics.queries.ended(("dashboard", "user"), "", 0.1, 1, 1)
    metrics.queries.stages([("evaluate", 0.1)])
    exposed = {
        sample.name: sample.labels for family in registry.collect() for sample in family.samples
    }
    for question in DASHBOARDS[1].questions():
        names = [name for name in metric_names(question) if name != "up"]
        assert set(names) <= exposed.keys()
        for grouped in re.findall(r"by \(([^)]*)\)", question.expr):
            known: set[str] = {"instance", "job"}.union(*(exposed[name] for name in names))
            assert set(grouped.split(", ")) <= known, question


def test_variables_ask_for_labels_that_grafana_can_list() -> None:
    for dashboard in DASHBOARDS:
        for variable in dashboard.variables()[1:]:
            query: dict[str, Any] = variable["query"]
            assert re.fullmatch(r"label_values\([a-z_]+(\{.*\})?, [a-z_]+\)", query["query"])
            assert variable["definition"] == query["query"]
