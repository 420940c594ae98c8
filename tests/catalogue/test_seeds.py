"""Names from settings, dashboards and rule files."""

import json
from pathlib import Path
from typing import Final

import pytest

from bridge.catalogue.seeds import names_in, seeds_of
from bridge.engine.functions import signatures
from bridge.promql.ast import Expr
from bridge.promql.parser import parse

DASHBOARDS: Final = Path(__file__).parents[2] / "grafana" / "dashboards"


def parsed(text: str) -> Expr:
    return parse(text, signatures())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", {"up"}),
        ('sum by (a) (rate(b{a=~"$a"}[$__rate_interval])) / up', {"b", "up"}),
        ("rate(a_total[${interval:text}:]) + b offset $shift", {"a_total", "b"}),
        ('{__name__=~"a|b", job="x"}', {"a", "b"}),
        ('{__name__=~"a.*"}', set()),
        ('{__name__="$metric"}', set()),
        ("topk($top, c)", {"c"}),
        ('label_values(up{job=~"$job"}, instance)', {"up"}),
        ("label_values(instance)", set()),
        ("query_result(max(d) by (e))", {"d"}),
        ("metrics(node_.*)", set()),
        ("SELECT mean(value) FROM cpu", set()),
        ("", set()),
    ],
)
def test_names_in_a_dashboards_queries(query: str, names: set[str]) -> None:
    target = {"panels": [{"panels": [{"targets": [{"expr": query}]}]}]}
    variable = {"templating": {"list": [{"query": {"query": query, "qryType": 1}}]}}
    assert names_in(json.dumps(target), parsed) == names
    assert names_in(json.dumps(variable), parsed) == names


def test_names_in_rules_and_what_they_record() -> None:
    rules = """
groups:
  - name: one
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: absent(down) == 1
"""
    assert names_in(rules, parsed) == {"job:up:sum", "up", "down"}


@pytest.mark.parametrize("file", sorted(DASHBOARDS.glob("*.json")), ids=lambda file: file.stem)
def test_our_own_dashboards_name_metrics(file: Path) -> None:
    assert names_in(file.read_text(), parsed)


def test_names_patterns_and_files_together(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.json"
    good.write_text("groups: [{rules: [{expr: b + a}]}]")
    bad.write_text("{")
    files = [str(good), str(bad), str(tmp_path / "absent")]
    seeds, faults = seeds_of(["c", "node_.*"], files, parsed)
    assert seeds.names == ("c", "a", "b")
    assert [str(one) for one in seeds.patterns] == ['__name__=~"node_.*"']
    assert [fault.partition(":")[0] for fault in faults] == files[1:]
