"""What Grafana needs of a Prometheus, G1 to G25, and the tests that prove each.

G6 and G7 asked for 404 where Prometheus has `status/flags` and the search API: flags are answered
as Prometheus answers them, and search is refused as Prometheus does unless it is switched on.
G14 asked for partial answers with a warning: here a failing store is an error unless
`partial_response: warn` is set.
"""

import logging
import re
from pathlib import Path
from typing import Final

import httpx
import pytest

from bridge.model.errors import StoreError, StoreFault
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.api import world
from tests.grafana.reader import read, read_exchange

TESTS: Final = Path(__file__).parents[1]

_HERE: Final = "grafana/test_checklist.py"
_CONTRACT: Final = "grafana/test_contract.py"
_CLIENT: Final = "grafana/test_client.py"
_CLIENTS: Final = "hostile/test_clients.py"

# Each box: what it asks, and where it is proven.
CHECKLIST: Final[dict[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    "G1": ("all endpoints, by GET and POST", ((_HERE, "test_g1_both_methods_are_answered_alike"),)),
    "G2": (
        "parameters of URL and body, long bodies",
        (
            (_CONTRACT, "test_every_way_of_asking_gives_the_same"),
            (_CONTRACT, "test_metrics_browser_joins_the_names_of_all_metrics"),
            (_CLIENTS, "test_bodies_have_a_limit"),
        ),
    ),
    "G3": (
        "times, steps, limits, statistics, unknown parameters",
        (
            (_CONTRACT, "test_milliseconds_given_as_seconds_are_only_an_empty_answer"),
            (_CONTRACT, "test_statistics_are_asked_for_in_the_url"),
            (_CONTRACT, "test_query_timeout_is_sent_as_a_duration"),
            (_CLIENT, "test_panel_shows_warnings_and_infos"),
        ),
    ),
    "G4": (
        "1+1 without a store",
        (
            (_HERE, "test_g4_one_and_one_asks_no_store"),
            (_CLIENT, "test_save_and_test_succeeds"),
        ),
    ),
    "G5": ("buildinfo", ((_CONTRACT, "test_build_is_taken_for_a_prometheus"),)),
    "G6": ("flags", (("api/test_status.py", "test_flags_are_shown"),)),
    "G7": (
        "search; unknown paths 404, wrong methods 405",
        (
            (_CLIENT, "test_editor_that_searches_knows_the_same"),
            ("api/test_search.py", "test_searching_is_off_unless_it_is_switched_on"),
            (_CONTRACT, "test_what_is_not_there_is_404_in_json"),
            (_CONTRACT, "test_a_wrong_method_is_405"),
        ),
    ),
    "G8": ("rules and alerts", ((_CONTRACT, "test_explore_opens"),)),
    "G9": ("exemplars", ((_CLIENT, "test_explore_offers_exemplars_and_expands_no_rules"),)),
    "G10": (
        "metadata",
        (
            (_CONTRACT, "test_editor_opens"),
            (_CLIENT, "test_editor_knows_metrics_labels_and_types"),
        ),
    ),
    "G11": (
        "health, metrics, a path prefix",
        (
            ("api/test_status.py", "test_health_and_readiness"),
            ("api/test_status.py", "test_metrics_count_requests_by_handler_and_code"),
            (_CONTRACT, "test_bridge_may_stand_below_a_path"),
        ),
    ),
    "G12": (
        "shapes of answers",
        (
            ("oracle/test_api.py", "test_all_answers_are_as_grafana_reads_them"),
            ("grafana/test_reader.py", "test_every_endpoint_has_its_reader"),
        ),
    ),
    "G13": (
        "errors",
        (
            (_CONTRACT, "test_errors_reach_the_panel"),
            (_CLIENT, "test_panel_shows_what_is_wrong_with_its_query"),
        ),
    ),
    "G14": (
        "failing stores, remarks",
        (
            ("api/test_query.py", "test_a_failing_store_is_an_error"),
            (_CLIENT, "test_panel_shows_warnings_and_infos"),
        ),
    ),
    "G15": (
        "gzip or plain, a stable order",
        (
            (_CONTRACT, "test_answers_are_gzip_or_plain"),
            (_CONTRACT, "test_series_keep_their_order_between_refreshes"),
        ),
    ),
    "G16": ("errors of labels are logged", ((_HERE, "test_g16_an_error_of_labels_is_logged"),)),
    "G17": ("11,000 points", ((_CONTRACT, "test_errors_reach_the_panel"),)),
    "G18": (
        "the language of dashboards",
        (
            ("grafana/test_dashboards.py", "test_expression_is_answered"),
            ("oracle/test_everyday.py", "test_answers_are_prometheus_answers"),
            (_HERE, "test_g18_what_dashboards_write_is_understood"),
        ),
    ),
    "G19": (
        "all series",
        (
            (_CONTRACT, "test_drilldown_asks_which_metrics_are_new"),
            (_CONTRACT, "test_older_versions_list_everything_as_series"),
        ),
    ),
    "G20": (
        "a cache of samples",
        (
            ("cache/test_samples.py", "test_a_refresh_reads_only_what_was_not_settled"),
            ("cache/test_flights.py", "test_identical_reads_in_flight_are_one"),
            ("cache/test_samples.py", "test_fresh_answers_never_rest_on_the_burst"),
            (_CLIENT, "test_refresh_asks_only_for_what_is_new"),
        ),
    ),
    "G21": (
        "sixty at once, alerts by the second",
        (
            (_CONTRACT, "test_a_dashboard_asks_all_its_panels_at_once"),
            (_CONTRACT, "test_range_alert_rule_asks_for_every_second"),
        ),
    ),
    "G22": (
        "cancelled work, time limits",
        (
            (_CLIENTS, "test_who_goes_away_takes_its_reads_along"),
            ("api/test_query.py", "test_no_time_at_all_is_a_timeout"),
        ),
    ),
    "G23": (
        "remembered names",
        (("catalogue/test_catalogue.py", "test_the_same_question_is_not_asked_again"),),
    ),
    "G24": (
        "provisioning and dashboards",
        (
            ("test_compose.py", "test_data_source_is_prombridge"),
            ("grafana/test_dashboards.py", "test_nothing_needs_an_import_dialogue"),
        ),
    ),
    "G25": ("Grafana's own code as a client", ((_CLIENT, "test_panel_over_a_range"),)),
}


def test_every_box_is_there() -> None:
    assert list(CHECKLIST) == [f"G{number}" for number in range(1, 26)]


@pytest.mark.parametrize("box", CHECKLIST)
def test_every_box_names_tests_that_there_are(box: str) -> None:
    _, proofs = CHECKLIST[box]
    for file, name in proofs:
        assert re.search(rf"^(async )?def {name}", (TESTS / file).read_text(), re.MULTILINE), name


@pytest.mark.parametrize(
    "target",
    [
        "query?query=up&time=1795405267",
        "query_range?query=up&start=1795401660&end=1795405260&step=15",
        "query_exemplars?query=up&start=1795401660&end=1795405260",
        "labels?match[]=up&end=1795405260",
        "series?match[]=up&end=1795405260",
        "label/job/values?match[]=up&end=1795405260",
        "metadata",
        "rules",
        "alerts",
        "status/buildinfo",
    ],
)
async def test_g1_both_methods_are_answered_alike(grafana: httpx.AsyncClient, target: str) -> None:
    path = f"/api/v1/{target}"
    get, post = [await grafana.request(method, path) for method in ("GET", "POST")]
    head, options = [await grafana.request(method, path) for method in ("HEAD", "OPTIONS")]
    assert (get.status_code, get.content) == (post.status_code, post.content)
    assert (head.status_code, head.content, options.status_code) == (200, b"", 204)
    kind = get.headers["content-type"]
    read_exchange(path.partition("?")[0], get.status_code, kind, get.content)


class _Down:
    """A store that is out of reach."""

    async def select(self, select: Select, _options: ReadOptions) -> Selection:
        fault = StoreFault("far", select.start, select.end)
        raise StoreError('store "far" did not answer', fault)


async def test_g4_one_and_one_asks_no_store() -> None:
    async with world.client(_Down()) as client:
        answer = await client.post("/api/v1/query", data={"query": "1+1", "time": "4"})
        assert read(answer.status_code, answer.content).frames[0].values == [2]
        failing = await client.post("/api/v1/query", data={"query": "up", "time": "4"})
    assert read(failing.status_code, failing.content).error == (
        'unavailable: store "far" did not answer'
    )


async def test_g16_an_error_of_labels_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with world.client(_Down()) as client:
        response = await client.get("/api/v1/label/job/values?match[]=up")
    (logged,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert response.status_code == 503
    assert vars(logged)["error"] == 'store "far" did not answer'


@pytest.mark.parametrize(
    "expr",
    [
        "rate(http_requests_total[1m0s])",
        "rate(http_requests_total[1h0m0s] offset -15s)",
        "max_over_time(up[30m:])",
        'up{job="node",}',
        "up{job='node'} # what is up",
        "sum by (job) (up) * on (job) group_left () count by (job) (up)",
        'up{__ignore_usage__=""}',
        'up{instance=~"web-1:8080|", job=~"shop|"}',
        '{__name__=~"(?i)UP"}',
        '{"up", "job"="shop"}',
        "up @ end()",
        "up{} > bool 0",
    ],
)
async def test_g18_what_dashboards_write_is_understood(
    grafana: httpx.AsyncClient, expr: str
) -> None:
    form = {"query": expr, "start": "1795405200", "end": "1795405260", "step": "15"}
    response = await grafana.post("/api/v1/query_range", data=form)
    assert read(response.status_code, response.content).frames
