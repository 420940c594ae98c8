"""Faults of other consoles that could be this one's: a test for each, under its number."""

import json

import pytest
from playwright.sync_api import Route, expect

from tests.console.visit import Visit

# Without a policy and with names taken for markup, this would run.
MARKUP = "<img src=x onerror='document.title=\"pwned\"'><script>document.title='pwned'</script>"
QUOTED = json.dumps(MARKUP)


def unharmed(visit: Visit) -> None:
    """Nothing ran, and no element came of a name or a value."""
    assert "pwned" not in visit.page.title()
    assert visit.page.locator("img[src='x'], script:not([src])").count() == 0


def asked(visit: Visit, expr: str, tab: str) -> None:
    visit.open(parameters={"g0.expr": expr, "g0.tab": tab})
    visit.settle()


@pytest.mark.parametrize("tab", ["1", "0"])
def test_cve_2026_40179_a_labels_value_is_text(visit: Visit, tab: str) -> None:
    """In the table, the legend and under the pointer."""
    asked(visit, f'label_replace(node_load1, "le", {QUOTED}, "", "")', tab)
    expect(visit.panel()).to_contain_text("<img src=x")
    if tab == "0":
        chart = visit.panel().locator(".chart")
        chart.hover(position={"x": 300, "y": 100})
        visit.panel().locator(".tooltip, [role=tooltip]").first.wait_for(state="attached")
    unharmed(visit)


@pytest.mark.parametrize("tab", ["1", "0"])
def test_ghsa_fw8g_cg8f_9j28_a_metrics_name_is_text(visit: Visit, tab: str) -> None:
    asked(visit, f'label_replace(up, "__name__", {QUOTED}, "", "")', tab)
    expect(visit.panel()).to_contain_text("<img src=x")
    unharmed(visit)


def test_cve_2019_10215_a_completion_is_text(visit: Visit) -> None:
    def names(route: Route) -> None:
        route.fulfill(json={"status": "success", "data": [f"node_{MARKUP}", "node_load1"]})

    visit.page.route("**/api/v1/label/__name__/values*", names)
    visit.open()
    visit.editor().click()
    visit.page.keyboard.type("node_")
    visit.page.get_by_role("option").first.wait_for()
    unharmed(visit)


def test_cve_2019_3826_an_expression_that_is_kept_is_text(visit: Visit) -> None:
    """In the address, in the editor, and in the error about it; and when one comes back."""
    asked(visit, MARKUP, "1")
    expect(visit.panel()).to_contain_text("parse error")
    unharmed(visit)
    visit.open("/config")
    visit.page.go_back()
    visit.page.get_by_role("heading", level=1).first.wait_for(state="attached")
    assert MARKUP[:10] in visit.expression()
    unharmed(visit)
