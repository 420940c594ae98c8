"""The query page: typing, completion, tables, graphs, several panels, errors."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.visit import NODE_CPU, Visit


def test_a_fresh_visitor_types_with_completion_and_sees_a_graph(visit: Visit, shots: Path) -> None:
    begun = time.perf_counter()
    visit.open("/")
    opened = time.perf_counter()
    visit.panel().get_by_role("tab", name="Graph").click()
    visit.editor().click()
    keyboard = visit.page.keyboard
    keyboard.type("sum by (instance) (rate(node_cpu_se")
    expect(option(visit, "node_cpu_seconds_total")).to_have_attribute("aria-selected", "true")
    visit.page.screenshot(path=shots / "completion.png")
    option(visit, "node_cpu_seconds_total").click()
    keyboard.type("{mod")
    option(visit, "mode").click()
    keyboard.type('!="id')
    keyboard.press("Control+Space")
    option(visit, "idle").click()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    keyboard.type("[5m")
    assert visit.expression() == NODE_CPU
    keyboard.press("Escape")
    executed = time.perf_counter()
    visit.panel().get_by_role("button", name="Execute").click()
    graph = visit.page.get_by_role("img", name=re.compile("Graph of 4 series"))
    expect(graph.locator("canvas")).to_be_visible()
    shown = time.perf_counter()
    print(f"console: opened {opened - begun:.2f} s, graph {shown - executed:.2f} s after Execute")
    assert ink(visit.page) > 0.002
    visit.page.screenshot(path=shots / "graph.png")


def option(visit: Visit, name: str) -> Locator:
    """One of the completions offered."""
    return visit.page.get_by_role("option", name=name)


def ink(page: Page) -> float:
    """The share of the chart that is drawn on in a colour rather than a grey."""
    share: float = page.evaluate(
        """() => {
            const canvas = document.querySelector(".chart canvas");
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let coloured = 0;
            for (let at = 0; at < data.length; at += 4) {
                const dots = [data[at], data[at + 1], data[at + 2]];
                if (data[at + 3] > 128 && Math.max(...dots) - Math.min(...dots) > 60) coloured += 1;
            }
            return coloured / (data.length / 4);
        }"""
    )
    return share


def test_enter_executes_and_shift_enter_breaks_the_line(visit: Visit) -> None:
    visit.open()
    visit.enter("up ==")
    visit.page.keyboard.press("Shift+Enter")
    visit.page.keyboard.insert_text("1")
    assert visit.expression().split() == ["up", "==", "1"]
    assert "g0.expr" not in visit.parameters()
    visit.page.keyboard.press("Enter")
    visit.settle()
    assert visit.parameters()["g0.expr"].split("\n")[0] == "up =="
    rows = visit.panel().get_by_role("row")
    assert rows.filter(has_text='instance="web-1:9100"').inner_text().endswith("1")
    expect(visit.panel().locator(".summary")).to_contain_text(re.compile(r"\d series.* m?s"))


SHAPES = [
    ("1 + 1", "scalar", "2"),
    ('"text"', "string", "text"),
    ('up{instance="web-1:9100"}[1m]', "web-1:9100", "1 @ 20"),
    ("vector(0)", "{}", "0"),
]


@pytest.mark.parametrize(("expr", "label", "value"), SHAPES)
def test_the_table_shows_every_type_of_value(
    visit: Visit, expr: str, label: str, value: str
) -> None:
    visit.open(parameters={"g0.expr": expr, "g0.tab": "1"})
    visit.settle()
    row = visit.panel().locator("tbody tr").first
    expect(row).to_contain_text(label)
    expect(row).to_contain_text(value)


def test_what_is_empty_says_so(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": "no_such_metric", "g0.tab": "1"})
    expect(visit.panel()).to_contain_text("Empty result")
    visit.tab("Graph")
    expect(visit.panel()).to_contain_text("No series has a sample in this range")


def test_remarks_of_an_answer_are_shown(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": "rate(node_load1[5m])", "g0.tab": "0"})
    expect(visit.panel().locator(".notice.info")).to_contain_text("might not be a counter")


@pytest.mark.parametrize("tab", ["table", "graph", "explain"])
def test_an_error_is_shown_and_its_position_marked(visit: Visit, shots: Path, tab: str) -> None:
    visit.open(parameters={"g0.expr": "sum(up) + ünd(rate(", "g0.tab": tab})
    alert = visit.panel().get_by_role("alert")
    expect(alert).to_contain_text("parse error")
    position = re.search(r"1:(\d+): parse error", alert.inner_text())
    assert position is not None
    mark = visit.panel().locator(".error-mark").first
    expect(mark).to_be_visible()
    before = visit.page.evaluate(
        """() => {
            const root = document.querySelector(".editor").shadowRoot;
            const range = document.createRange();
            range.setStart(root.querySelector(".cm-line"), 0);
            range.setEndBefore(root.querySelector(".error-mark"));
            return new TextEncoder().encode(range.toString()).length;
        }"""
    )
    assert before == int(position[1]) - 1
    visit.page.screenshot(path=shots / f"error-{tab}.png")
    visit.editor().click()
    visit.page.keyboard.press("End")
    visit.page.keyboard.type(" ")
    expect(mark).to_be_hidden()


def test_a_chart_is_drawn_once_for_each_thing_it_shows(visit: Visit) -> None:
    visit.page.add_init_script(
        """window.drawn = 0;
        new MutationObserver((changes) => {
            const added = changes.flatMap((change) => [...change.addedNodes]);
            window.drawn += added.filter((node) => node.classList?.contains("uplot")).length;
        }).observe(document, { childList: true, subtree: true });"""
    )
    visit.open(parameters={"g0.expr": "up", "g0.tab": "0"})
    visit.settle()
    swatch = visit.panel().locator(".swatch-button").first
    swatch.click()
    expect(swatch).to_have_attribute("aria-pressed", "false")
    visit.page.wait_for_function("window.drawn >= 2")
    visit.enter("node_load1")
    visit.execute()
    expect(swatch).to_have_attribute("aria-label", re.compile("node_load1"))
    expect(swatch).to_have_attribute("aria-pressed", "true")
    visit.panel().locator(".u-over").hover()
    assert visit.page.evaluate("window.drawn") == 3


def test_a_chart_zooms_where_it_is_dragged_over(visit: Visit) -> None:
    end = "2026-01-01 00:00:00"
    visit.open(parameters={"g0.expr": "vector(time())", "g0.tab": "0", "g0.end_input": end})
    over = visit.panel().locator(".u-over")
    expect(over).to_be_visible()
    box = over.bounding_box()
    assert box is not None
    mouse, row = visit.page.mouse, box["y"] + 50
    mouse.move(box["x"] + box["width"] * 0.25, row)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.6, row, steps=4)
    mouse.move(box["x"] + box["width"] * 0.75, row, steps=4)
    mouse.up()
    visit.page.wait_for_url(re.compile("g0.range_input=(?!1h)"))
    held = visit.parameters()
    minutes = re.fullmatch(r"(\d+)m(?:\d+s)?", held["g0.range_input"])
    assert minutes is not None
    assert 28 <= int(minutes[1]) <= 31
    assert held["g0.end_input"].startswith("2025-12-31 23:4")
    visit.page.go_back()
    expect(visit.panel().get_by_label("Range", exact=True)).to_have_value("1h")


def test_the_pointer_tells_the_series_and_its_value(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": 'up{instance="web-1:9100"} * 7', "g0.tab": "0"})
    visit.panel().locator(".u-over").hover()
    tooltip = visit.panel().locator(".tooltip")
    expect(tooltip).to_contain_text("web-1:9100")
    expect(tooltip).to_contain_text("7")
    expect(tooltip).to_contain_text("UTC")


def test_the_legend_isolates_and_toggles(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": NODE_CPU, "g0.tab": "0"})
    entries = visit.panel().locator(".legend li")
    expect(entries).to_have_count(4)
    off = visit.panel().locator(".legend li.off")
    entries.nth(1).locator(".legend-name").click()
    expect(off).to_have_count(3)
    entries.nth(1).locator(".legend-name").click()
    expect(off).to_have_count(0)
    entries.nth(2).locator(".swatch-button").click()
    expect(off).to_have_count(1)
    entries.nth(3).locator(".legend-name").click(modifiers=["Control"])
    expect(off).to_have_count(2)


def test_range_end_resolution_and_display_are_kept_in_the_address(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": NODE_CPU, "g0.tab": "0"})
    panel = visit.panel()
    panel.get_by_label("Range", exact=True).fill("90m")
    panel.get_by_label("Range", exact=True).press("Enter")
    panel.get_by_label("End time", exact=True).fill("2026-01-31 12:00")
    panel.get_by_label("End time", exact=True).press("Enter")
    panel.get_by_label("Resolution").select_option("custom")
    panel.get_by_label("Step").fill("45s")
    panel.get_by_label("Step").press("Enter")
    panel.get_by_role("button", name="Stacked").click()
    visit.settle()
    expected = {
        "g0.expr": NODE_CPU,
        "g0.tab": "graph",
        "g0.range_input": "1h30m",
        "g0.end_input": "2026-01-31 12:00:00",
        "g0.moment_input": "2026-01-31 12:00:00",
        "g0.res_type": "custom",
        "g0.res_step": "45",
        "g0.display_mode": "stacked",
    }
    assert visit.parameters() == expected
    visit.page.reload()
    assert visit.parameters() == expected
    expect(panel.get_by_label("Range", exact=True)).to_have_value("1h30m")
    expect(panel.get_by_label("Step")).to_have_value("45s")
    panel.get_by_role("button", name="Longer range").click()
    expect(panel.get_by_label("Range", exact=True)).to_have_value("2h")


def test_several_panels_live_side_by_side(visit: Visit, shots: Path) -> None:
    visit.open(parameters={"g0.expr": NODE_CPU, "g0.tab": "0"})
    visit.page.get_by_role("button", name="Add panel").click()
    visit.enter("up", 2)
    visit.execute(2)
    assert visit.parameters()["g1.expr"] == "up"
    assert visit.parameters()["g0.expr"] == NODE_CPU
    visit.page.screenshot(path=shots / "panels.png", full_page=True)
    visit.page.get_by_role("button", name="Remove panel 1").click()
    expect(visit.panel(2)).to_be_hidden()
    expect(visit.editor(1)).to_have_text("up")
    visit.page.go_back()
    expect(visit.editor(1)).to_have_text(NODE_CPU)
    expect(visit.editor(2)).to_have_text("up")


LINKS: list[tuple[str, dict[str, str], Callable[[Visit], None]]] = [
    (
        "2.x",
        {
            "g0.expr": "up",
            "g0.tab": "0",
            "g0.stacked": "1",
            "g0.show_exemplars": "0",
            "g0.range_input": "2h",
            "g0.end_input": "2026-01-01 12:00",
            "g0.step_input": "60",
        },
        lambda visit: has(visit, "Graph", "2h", "2026-01-01 12:00:00", "1m", "Stacked"),
    ),
    (
        "alert",
        {"g0.expr": "up == 0", "g0.tab": "1"},
        lambda visit: expect(selected(visit)).to_have_text("Table"),
    ),
    (
        "3.x",
        {
            "g0.expr": "up",
            "g0.show_tree": "0",
            "g0.tab": "graph",
            "g0.end_input": "2026-01-01 12:00:00",
            "g0.moment_input": "2026-01-01 12:00:00",
            "g0.range_input": "1d12h",
            "g0.res_type": "custom",
            "g0.res_step": "300",
            "g0.display_mode": "lines",
            "g0.show_exemplars": "0",
        },
        lambda visit: has(visit, "Graph", "1d12h", "2026-01-01 12:00:00", "5m", "Lines"),
    ),
]


def selected(visit: Visit) -> Locator:
    return visit.panel().get_by_role("tab", selected=True)


def has(visit: Visit, tab: str, span: str, end: str, step: str, display: str) -> None:
    panel = visit.panel()
    expect(selected(visit)).to_have_text(tab)
    expect(panel.get_by_label("Range", exact=True)).to_have_value(span)
    expect(panel.get_by_label("End time", exact=True)).to_have_value(end)
    expect(panel.get_by_label("Step")).to_have_value(step)
    pressed = panel.get_by_role("button", name=display, exact=True)
    expect(pressed).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("parameters", "check"), [link[1:] for link in LINKS], ids=[link[0] for link in LINKS]
)
def test_links_of_prometheus_work(
    visit: Visit, parameters: dict[str, str], check: Callable[[Visit], None]
) -> None:
    visit.open("/graph", parameters)
    assert visit.expression() == parameters["g0.expr"]
    check(visit)


def test_an_expression_is_formatted(visit: Visit) -> None:
    visit.open()
    visit.enter("sum( up )by(job)")
    visit.panel().get_by_role("button", name="Format").click()
    expect(visit.editor()).to_have_text("sum by (job) (up)")


def test_a_query_is_explained(visit: Visit, shots: Path) -> None:
    visit.open(parameters={"g0.expr": NODE_CPU, "g0.tab": "explain"})
    tree = visit.panel().locator(".tree")
    expect(tree).to_contain_text("sum by (instance)")
    expect(tree).to_contain_text('node_cpu_seconds_total{mode!="idle"}[5m]')
    expect(visit.panel()).to_contain_text("samples read")
    visit.page.screenshot(path=shots / "explain.png", full_page=True)


def test_the_console_works_below_a_prefix(page: Page, below_a_prefix: str) -> None:
    visit = Visit(page, below_a_prefix)
    visit.open("/graph", {"g0.expr": "up", "g0.tab": "1"})
    visit.settle()
    expect(visit.panel().locator("tbody tr")).not_to_have_count(0)
    page.get_by_role("link", name="Configuration").click()
    page.wait_for_url(f"{below_a_prefix}/config")
    expect(page.locator(".yaml")).to_contain_text("remote_read")
    page.get_by_role("link", name="Query").click()
    assert visit.expression() == "up"
    assert visit.complaints == []


def test_everything_is_reached_by_keyboard(visit: Visit) -> None:
    visit.open()
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visit.page.get_by_role("tab", name="Table").focus()
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.get_by_role("tab", name="Graph")).to_be_focused()
    expect(selected(visit)).to_have_text("Graph")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowLeft")
    expect(selected(visit)).to_have_text("Explain")


def test_an_explanation_tells_what_will_be_read_and_what_is_remembered(visit: Visit) -> None:
    visit.open(parameters={"g0.expr": "node_load15", "g0.tab": "graph", "g0.range_input": "30m"})
    visit.settle()
    visit.tab("Explain")
    reads = visit.panel().get_by_role("region", name="Reads")
    expect(reads).to_contain_text("node_load15")
    expect(reads.get_by_role("img", name=re.compile(r"\d+ % remembered"))).to_be_attached()
    expect(reads).to_contain_text("To be read of stores")


def test_an_answer_says_in_words_how_much_of_it_was_remembered(visit: Visit) -> None:
    visit.open(
        parameters={"g0.expr": "node_load5", "g0.tab": "table", "g0.moment_input": "2026-01-01"}
    )
    visit.settle()
    summary = visit.panel().locator(".summary")
    expect(summary).to_contain_text("1 read, nothing of it in memory")
    visit.panel().get_by_role("button", name="Execute").click()
    expect(summary).to_contain_text("all of it from memory")
