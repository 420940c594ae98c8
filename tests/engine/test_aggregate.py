"""Tests of aggregation operators as a query meets them."""

import pytest

from bridge.engine.aggregate import WHOLES, grouping
from bridge.engine.fold import FOLDS
from bridge.model.errors import ExecutionError
from bridge.model.labels import Grouping, Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.promql.ast import AggregateExpr
from bridge.promql.parser import parse
from bridge.promql.tokens import AGGREGATORS
from bridge.storage.memory import MemoryStore
from tests.engine.world import MINUTE, ask

_RANGE = Steps(0, 2 * MINUTE, MINUTE)


def store() -> MemoryStore:
    """Four series in two groups, the values 1 to 4 all the time."""
    times = [0, MINUTE, 2 * MINUTE]
    return MemoryStore(
        (Labels.of({"__name__": "x", "g": g, "i": i}), times, [value] * 3)
        for g, i, value in (("a", "1", 1.0), ("a", "2", 2.0), ("b", "1", 3.0), ("b", "2", 4.0))
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sum(x)", Grouping((), without=False)),
        ("sum by (b, a) (x)", Grouping(("a", "b"), without=False)),
        ("sum without (b, a, b) (x)", Grouping(("a", "b"), without=True)),
    ],
)
def test_groupings_are_sorted_so_that_equal_ones_are_equal(text: str, found: Grouping) -> None:
    expr = parse(text, {})
    assert isinstance(expr, AggregateExpr)
    assert grouping(expr) == found


def test_every_operator_is_either_a_fold_or_a_whole() -> None:
    known = FOLDS.keys() | WHOLES.keys()
    assert known <= AGGREGATORS
    for name in AGGREGATORS - known:
        with pytest.raises(ExecutionError, match=rf"^{name}\(\) is not implemented$"):
            ask(store(), f"{name}(1, x)", _RANGE)


@pytest.mark.parametrize("name", sorted(FOLDS))
def test_of_nothing_there_is_nothing(name: str) -> None:
    result = ask(store(), f"{name}(missing)", _RANGE)
    assert isinstance(result.value, Matrix)
    assert len(result.value) == 0


@pytest.mark.parametrize(
    ("query", "warnings"),
    [
        ("quantile(0.5, x)", []),
        ("quantile(2, x)", ["got 2 (1:10)"]),
        ("quantile((2), x)", ["got 2 (1:11)"]),
        ("quantile(time() / 60 - 1, x)", ["got -1 (1:10)"]),
        ("quantile(time() / 20 - 1, x)", ["got 5 (1:10)", "got -1 (1:10)"]),
        ("quantile(NaN, x)", ["got NaN (1:10)"]),
    ],
)
def test_warnings_about_quantiles_name_the_extremes(query: str, warnings: list[str]) -> None:
    result = ask(store(), query, _RANGE)
    prefix = "PromQL warning: quantile value should be between 0 and 1, "
    assert sorted(result.warnings) == sorted(prefix + text for text in warnings)


@pytest.mark.parametrize("op", ["topk", "bottomk", "limitk"])
@pytest.mark.parametrize(
    ("k", "text"),
    [
        ("NaN", "Parameter value is NaN"),
        ("1e20", "Scalar value 1e+20 overflows int64"),
        ("Inf", "Scalar value +Inf overflows int64"),
        ("3e19 - 1e18 * time()", "Scalar value -9e+19 underflows int64"),
    ],
)
def test_k_must_be_a_count(op: str, k: str, text: str) -> None:
    with pytest.raises(ExecutionError) as failed:
        ask(store(), f"{op}({k}, x)", _RANGE)
    assert str(failed.value) == text


@pytest.mark.parametrize("op", ["topk", "bottomk", "limitk"])
@pytest.mark.parametrize("k", ["0", "-1", "0.99", "-Inf", "-1e30"])
def test_less_than_one_row_is_none(op: str, k: str) -> None:
    result = ask(store(), f"{op}({k}, x)", _RANGE)
    assert isinstance(result.value, Matrix)
    assert len(result.value) == 0


def test_k_may_change_from_step_to_step() -> None:
    result = ask(store(), "topk by (g) (time() / 60, x)", _RANGE)
    assert isinstance(result.value, Matrix)
    assert result.value.present.tolist() == [
        [False, False, True],
        [False, True, True],
        [False, False, True],
        [False, True, True],
    ]


def test_the_label_of_count_values_is_checked_before_the_series() -> None:
    clashing = 'count_values("", -label_replace(x, "i", "", "", ""))'
    with pytest.raises(ExecutionError, match=r'^invalid label name ""$'):
        ask(store(), clashing, Steps.at(0))
