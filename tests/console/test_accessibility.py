"""Every page in both themes, wide and narrow: axe finds nothing, nothing scrolls sideways."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.console.npm import packages
from tests.console.visit import NODE_CPU, Visit

VIEWS = {
    "empty": ("/", {}),
    "table": ("/query", {"g0.expr": "up", "g0.tab": "table"}),
    "graph": ("/query", {"g0.expr": NODE_CPU, "g0.tab": "graph"}),
    "explain": ("/query", {"g0.expr": NODE_CPU, "g0.tab": "explain"}),
    "error": ("/query", {"g0.expr": "sum(", "g0.tab": "graph"}),
    "stores": ("/stores", {}),
    "cache": ("/cache", {}),
    "catalogue": ("/catalogue", {}),
    "config": ("/config", {}),
    "status": ("/status", {}),
}
WIDTHS = {"wide": 1280, "narrow": 390}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_page_is_accessible(visit: Visit, shots: Path, view: str, theme: str) -> None:
    page = visit.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    visit.open(*VIEWS[view])
    page.wait_for_load_state("networkidle")
    page.evaluate((packages() / "axe-core/axe.min.js").read_text())
    for name, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=shots / f"{view}-{theme}-{name}.png", full_page=True)
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_follows_the_system_unless_chosen(visit: Visit) -> None:
    page = visit.page

    def shown(theme: str) -> None:
        expect(page.locator("html")).to_have_attribute("data-theme", theme)

    visit.open()
    shown("light")
    page.emulate_media(color_scheme="dark")
    shown("dark")
    page.get_by_role("button", name="Light theme").click()
    shown("light")
    page.reload()
    shown("light")
    page.get_by_role("button", name="The system's theme").click()
    shown("dark")


def test_a_phone_shows_the_way_to_every_page(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})
    visit.open()
    links = visit.page.get_by_role("navigation").get_by_role("link").all()
    assert len(links) == 6
    for link in links:
        box = link.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
