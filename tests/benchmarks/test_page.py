"""What the benchmark writes into the documentation, and the charts beside it."""

import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.drawing import Lines, dots, lines
from benchmarks.page import BEGIN, END, replaced
from benchmarks.sides import BEFORE, COLD, Measured

PAGE = Path(__file__).parents[2] / "docs/performance.md"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = PAGE.read_text()
    once = replaced(page, "| a table |")
    assert replaced(once, "| a table |") == once
    assert once.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert once.partition(END)[2] == page.partition(END)[2] != ""
    assert "| a table |" in once


def test_a_ratio_is_the_median_of_the_rounds_not_of_the_times() -> None:
    row = Measured("x", {BEFORE: [1.0, 2.0, 10.0], COLD: [0.5, 4.0, 5.0]}, {})
    assert (row.ratio(COLD), row.median(COLD)) == (0.5, 4.0)


def test_each_query_has_a_dot_for_each_contestant() -> None:
    rows = [("`a < b`", {"one": 0.001, "two": 0.2}), ("b", {"one": 3.0, "two": 0.05})]
    found = titles(dots(["one", "two"], rows))
    shown = ["one", "two", "one: 1 ms", "two: 200 ms", "one: 3 s", "two: 50 ms"]
    assert found == shown


def test_slower_is_further_right_and_all_of_it_inside() -> None:
    root = parsed(dots(["one", "two"], [("a", {"one": 0.02, "two": 0.7})]))
    fast, slow = [float(one.get("cx", "")) for one in circles(root)][2:]
    assert 330 < fast < slow < 740


def test_curves_have_a_point_for_each_size() -> None:
    chart = Lines("title", "series", [10, 100, 1000], {"one": [0.1, 0.2, 4.0]})
    assert titles(lines(["one"], [0], [chart, chart])) == [
        "one",
        *["one: 100 ms", "one: 200 ms", "one: 4 s"] * 2,
    ]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def circles(root: ET.Element) -> list[ET.Element]:
    return root.findall(".//{*}circle")


def titles(svg: str) -> list[str | None]:
    """What is told of each dot."""
    return [one[0].text for one in circles(parsed(svg))]
