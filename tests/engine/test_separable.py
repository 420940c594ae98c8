"""Which queries have steps that know nothing of each other."""

from dataclasses import replace

import pytest

from bridge.engine.functions import FUNCTIONS
from bridge.engine.passes import Setting, rewritten
from bridge.engine.query import DEFAULTS, Switches
from bridge.engine.separable import Separable, separable
from bridge.model.time import Steps
from bridge.promql.features import Features
from bridge.promql.parser import parse

SIGNATURES = {name: one.signature for name, one in FUNCTIONS.items()}
FEATURES = Features(experimental_functions=True, extended_range_selectors=True, fill_modifiers=True)


def when(text: str, switches: Switches = DEFAULTS) -> Separable:
    tree = parse(text, SIGNATURES, FEATURES)
    return separable(rewritten(tree, Setting(Steps(0, 10, 1), FUNCTIONS)), FUNCTIONS, switches)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x offset 5m",
        "1 + 2 * 3",
        "time() - x",
        "vector(1)",
        "-rate(x[5m]) * 8",
        "sum by (job) (rate(x[5m]))",
        "topk(3, x)",
        "avg(clamp_min(x, 0) > 1)",
        "quantile(scalar(z), x)",
        "sum(x) / on (job) group_left sum by (job) (y)",
        "count(count by (cpu) (x))",
        "count(x * on (job) y)",
        "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
        "absent(x)",
        "x and on (job) y or z unless z",
        "predict_linear(x[1h], 4 * 3600)",
        'sum({__name__="x", job=~"a|b"})',
    ],
)
def test_steps_know_nothing_of_each_other(text: str) -> None:
    assert when(text) is Separable.ALWAYS


@pytest.mark.parametrize(
    "text",
    [
        "sum(sum by (job) (x))",
        "sum(x * on (job) y)",
        "avg(x or y)",
        "topk(1, sum by (job) (x))",
        "sum(histogram_quantile(0.9, x_bucket))",
        "sum(count by (job) (x))",
        "1 + sum(max by (job) (rate(x[5m]) > 0)) / scalar(z)",
    ],
)
def test_steps_are_alike_where_rows_are(text: str) -> None:
    assert when(text) is Separable.ALIKE


@pytest.mark.parametrize(
    "text",
    [
        '{job="a"}',
        '{__name__=~"x|y"}',
        'rate({__name__!="x", job="a"}[5m])',
        "x @ 10",
        "sum(x) / x @ end()",
        "x[10m:1m]",
        "max_over_time(rate(x[5m])[1h:1m])",
        "rate(x[5m] smoothed)",
        "x anchored",
        "sum(topk by (job) (1, x) * on (job) y)",
        "topk(3, limitk(5, sum by (job) (x)))",
        'sum(count_values by (job) ("value", x))',
        'label_replace(x, "a", "$1", "b", "(.*)")',
        'label_join(x, "a", ",", "b")',
        "sort(x)",
        "info(x)",
        "x + fill(0) y",
    ],
)
def test_what_ties_steps_together(text: str) -> None:
    assert when(text) is Separable.NEVER


@pytest.mark.parametrize(
    "switch", ["delayed_name_removal", "type_and_unit_labels", "use_start_timestamps"]
)
def test_with_some_features_no_query_is_taken_apart(switch: str) -> None:
    assert when("x", replace(DEFAULTS, **{switch: True})) is Separable.NEVER
