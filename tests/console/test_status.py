"""The status pages: stores, cache, catalogue, configuration, process."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.visit import Visit
from tests.servers.bridge import prombridge, reading
from tests.servers.process import free_port


def test_the_store_that_was_read_answers(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": "up", "g0.tab": "table"})
    visit.settle()
    visit.page.get_by_role("link", name="Stores").click()
    card = visit.page.locator(".card")
    expect(card).to_contain_text("/api/v1/read")
    expect(card.locator(".badge")).to_have_text("answers")


def test_a_dead_store_and_its_error_are_shown(page: Page, tmp_path: Path, shots: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}/api/v1/read"
    with prombridge(tmp_path, reading(dead)) as server:
        visit = Visit(page, server.url)
        visit.open(parameters={"g0.expr": "up", "g0.tab": "table"})
        expect(visit.panel().get_by_role("alert")).to_contain_text("A store is unavailable")
        page.get_by_role("link", name="Stores").click()
        expect(page.locator(".badge")).to_have_text("does not answer")
        expect(page.locator(".notice.error")).to_contain_text("Last error")
        page.screenshot(path=shots / "store-down.png")


def test_the_cache_map_shows_what_was_read(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": "node_load5", "g0.tab": "graph"})
    visit.settle()
    visit.page.get_by_role("link", name="Cache").click()
    entry = visit.page.locator(".held li", has_text="node_load5")
    expect(entry).to_contain_text("4 series")
    expect(entry.locator("rect").first).to_be_attached()


def test_a_metric_of_the_catalogue_leads_to_its_query(visit: Visit) -> None:
    visit.open("/tsdb-status")
    visit.page.get_by_role("link", name="node_cpu_seconds_total").click()
    visit.settle()
    assert visit.expression() == "node_cpu_seconds_total"


def test_configuration_and_flags_are_shown(page: Page, below_a_prefix: str) -> None:
    visit = Visit(page, below_a_prefix)
    visit.open("/config")
    expect(page.locator(".yaml")).to_contain_text("remote_read")
    visit.open("/flags")
    expect(page.locator("main")).to_contain_text("--web.route-prefix")
    expect(page.locator("main")).to_contain_text("/team/prom")


def test_licences_are_a_click_away(visit: Visit) -> None:
    visit.open("/status")
    visit.page.get_by_role("link", name="code of others").click()
    expect(visit.page.locator("body")).to_contain_text("@prometheus-io/codemirror-promql")
