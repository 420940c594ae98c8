"""Tests of what is kept of a query by its text."""

import pytest

from bridge.engine.functions import FUNCTIONS, signatures
from bridge.engine.passes import Setting, rewritten
from bridge.engine.plan import Timing, plan
from bridge.engine.prepared import Prepared, Prepareds
from bridge.model.time import Steps
from bridge.promql.features import Features
from bridge.promql.parser import parse

_FEATURES = Features(experimental_functions=True)
_SOME, _OTHERS = Steps(0, 600_000, 60_000), Steps.at(3_600_000)


def prepared(text: str) -> Prepared:
    return Prepared.of(text, parse(text, signatures(), _FEATURES), FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "sum(rate(x[5m])) / 2",
        "x @ 5 + (x)",
        "x @ start()",
        "max_over_time(x[10m:1m] @ end())",
        "rate(x[step() + 1m])",
        "x offset (range() / 2)",
        "max_over_time(x[10m:(step() + 1s)])",
        "start() + end() + step() + range()",
        "vector(range())",
    ],
)
def test_a_kept_tree_is_the_one_of_the_steps_that_are_asked(text: str) -> None:
    kept = prepared(text)
    for steps in (_SOME, _OTHERS, _SOME):
        anew = rewritten(kept.expr, Setting(steps, FUNCTIONS))
        assert kept.rewritten(steps, FUNCTIONS) == anew


def test_a_tree_that_is_the_same_at_all_steps_is_rewritten_once() -> None:
    kept = prepared("sum(rate(x[5m]))")
    assert kept.rewritten(_SOME, FUNCTIONS) is kept.rewritten(_OTHERS, FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "x",
        "x offset 1m + x offset 1h",
        "rate(x[5m]) / rate(x[1h] offset -1m)",
        "sum(x{a='1'}) + rate(x[5m] @ 100)",
        "x @ start() - x",
        "max_over_time(x[10m:1m]) + x",
        "x smoothed + rate(x[5m] anchored)",
    ],
)
def test_reads_are_those_of_a_plan_made_anew_at_any_steps(text: str) -> None:
    features = Features(experimental_functions=True, extended_range_selectors=True)
    kept = Prepared.of(text, parse(text, signatures(), features), FUNCTIONS)
    for timing in (Timing(300_000, 60_000), Timing(1000, 60_000)):
        for steps in (_SOME, _OTHERS, Steps(5, 4, 1), Steps(-7, 90_000_001, 3_600_000), _SOME):
            anew = plan(rewritten(kept.expr, Setting(steps, FUNCTIONS)), steps, timing)
            assert kept.plan(steps, timing, FUNCTIONS) == anew


@pytest.mark.parametrize(
    ("text", "nodes", "nested"),
    [("1", 1, False), ("sum(rate(x[5m]))", 4, False), ("max_over_time(x[5m:1m])", 3, True)],
)
def test_the_size_of_a_tree_is_known(text: str, nodes: int, nested: bool) -> None:
    kept = prepared(text)
    assert (kept.nodes, kept.nested) == (nodes, nested)


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("x + 1", 0),
        ("rate(x[1h])", 0),
        ("max_over_time(x[5m]) + sum_over_time((x[10m] offset 1h))", 600_000),
        ("max_over_time(x[5m] @ 100)", None),
        ("sum_over_time(x[step() + 1m])", None),
    ],
)
def test_it_is_known_how_long_a_time_every_step_looks_through(
    text: str, range_: int | None
) -> None:
    assert prepared(text).range == range_


def test_what_was_asked_last_is_kept() -> None:
    kept = Prepareds()
    first = prepared("x")
    kept.keep(first)
    assert kept.find("x") is first
    assert kept.find("y") is None


def test_kept_trees_take_a_bounded_amount_of_memory() -> None:
    kept = Prepareds()
    queries = [prepared(" + ".join([f"x{number}"] * 200)) for number in range(100)]
    for one in queries:
        kept.keep(one)
    held = [one for one in queries if kept.find(one.text) is not None]
    assert 0 < sum(one.nbytes for one in held) <= 16 << 20
    assert queries[-1] in held
    assert queries[0] not in held


def test_a_tree_that_would_drive_out_all_others_is_not_kept() -> None:
    kept = Prepareds()
    kept.keep(prepared("x"))
    large = prepared(" + ".join(["x"] * 450) + "#" * (1 << 20))
    kept.keep(large)
    assert kept.find(large.text) is None
    assert kept.find("x") is not None
