"""Tests of the table of functions."""

from types import ModuleType

import pytest

from bridge.engine.function import elementwise
from bridge.engine.functions import FUNCTIONS, math, signatures, table
from tests.promql.signatures import SIGNATURES

# Functions of Prometheus 3.14 without a feature flag.
STABLE = """
abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp
clamp_max clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month
deg delta deriv exp first_over_time floor histogram_avg histogram_count histogram_fraction
histogram_quantile histogram_stddev histogram_stdvar histogram_sum hour idelta increase irate
label_join label_replace last_over_time ln log10 log2 max_over_time min_over_time minute month pi
predict_linear present_over_time quantile_over_time rad rate resets round scalar sgn sin sinh sort
sort_desc sqrt stddev_over_time stdvar_over_time sum_over_time tan tanh time timestamp vector year
"""
OF_THEIR_OWN_TIME = """
day_of_month day_of_week day_of_year days_in_month end hour minute month predict_linear range start
step time timestamp year
"""
KEEPING_NAMES = """
absent absent_over_time first_over_time info label_join label_replace last_over_time sort
sort_by_label sort_by_label_desc sort_desc
"""


def test_every_stable_function_is_there() -> None:
    assert {name for name, one in FUNCTIONS.items() if not one.signature.experimental} == set(
        STABLE.split()
    )


def test_functions_that_depend_on_the_time_of_the_step() -> None:
    timed = {name for name, function in FUNCTIONS.items() if not function.timeless}
    assert timed == set(OF_THEIR_OWN_TIME.split())


def test_functions_that_keep_names() -> None:
    keeping = {name for name, function in FUNCTIONS.items() if function.keeps_name}
    assert keeping == set(KEEPING_NAMES.split())


def test_two_functions_of_one_name_are_refused() -> None:
    other = ModuleType("other")
    vars(other)["absolute"] = elementwise("abs")(abs)
    with pytest.raises(ValueError, match="two functions are named abs"):
        table((math, other))


def test_signatures_are_those_of_prometheus() -> None:
    assert {name: SIGNATURES[name] for name in FUNCTIONS} == dict(signatures())
