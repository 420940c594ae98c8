"""Native histograms on the query page: buckets in the table, sums in the graph."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bridge.model.histogram import Histogram, Histograms
from bridge.remote.server import read_app
from bridge.storage.memory import MemoryStore
from tests.console.test_query import ink
from tests.console.visit import Visit
from tests.servers.bridge import prombridge, reading
from tests.servers.serving import served
from tests.storage.blocks import labels

STEP = 15_000


def latency(number: int) -> Histogram:
    """After so many scrapes: three buckets, the middle one the fullest."""
    share = float(number)
    return Histogram(
        count=7 * share,
        sum=11 * share,
        positive_spans=((0, 3),),
        positive=(share, 4 * share, 2 * share),
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a prombridge in front of a store with half an hour of a native histogram."""
    store, now = MemoryStore(), time.time_ns() // 1_000_000
    times = [now - number * STEP for number in range(120, 0, -1)]
    table = Histograms.of([latency(number) for number in range(1, len(times) + 1)])
    store.append_histograms(labels(__name__="latency_seconds", job="web"), times, table)
    with (
        served(read_app(store)) as url,
        prombridge(tmp_path_factory.mktemp("native"), reading(f"{url}/api/v1/read")) as bridge,
    ):
        yield bridge.url


def test_the_table_shows_buckets_and_the_graph_sums(page: Page, native: str, shots: Path) -> None:
    visit = Visit(page, native)
    visit.open(parameters={"g0.expr": "latency_seconds", "g0.tab": "table"})
    visit.settle()
    panel = visit.panel()
    expect(panel.locator(".histogram")).to_contain_text("count 840 sum 1320")
    bars = panel.get_by_role("img", name="Buckets from 0.5 to 4").locator("rect")
    assert [bar.locator("title").text_content() for bar in bars.all()] == [
        "(0.5, 1]: 120",
        "(1, 2]: 480",
        "(2, 4]: 240",
    ]
    panel.get_by_text("3 buckets").click()
    expect(panel.locator(".buckets tbody tr")).to_have_count(3)
    page.screenshot(path=shots / "histogram-table.png")
    visit.tab("Graph")
    expect(page.get_by_role("img", name=re.compile("Graph of 1 series"))).to_be_visible()
    visit.settle()
    expect(panel.get_by_role("status")).to_contain_text("sums of what was observed")
    assert ink(page) > 0.001
    page.screenshot(path=shots / "histogram-graph.png")
    assert visit.complaints == []
