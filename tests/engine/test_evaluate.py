"""Laws of evaluation: steps are independent, and it does not matter how rows are cut."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.engine.functions import signatures
from bridge.engine.query import Result
from bridge.model.time import Steps
from bridge.promql.ast import Expr
from bridge.promql.features import Features
from bridge.promql.printer import to_text
from tests.engine.world import (
    BOUNDS,
    INSTANCES,
    JOBS,
    MINUTE,
    NAMES,
    SECOND,
    Cut,
    answer,
    at,
    random_store,
    shown,
    without_bounds,
)
from tests.promql.generators import Vocabulary, expressions, range_expressions

# Their value is about the whole query, so that a step alone gives another.
_OF_THE_QUERY = frozenset({"start", "end", "range", "step"})
_LANGUAGE = Features(experimental_functions=True, duration_expressions=False, fill_modifiers=True)
_WORDS = Vocabulary(
    tuple(one for one in signatures().values() if one.name not in _OF_THE_QUERY),
    metrics=(*NAMES, "missing"),
    labels=("job", "instance", "le"),
    values=(*JOBS, *INSTANCES, *BOUNDS, ""),
    patterns=(".*", ".+", "a.*|db"),
    strings=("job", "instance", "$1", "(.).*", "-", ""),
    numbers=(0.0, 1.0, 2.0, 0.5, -1.0, 0.1, 1e300, float("inf"), float("nan")),
    ranges=(20 * SECOND, MINUTE, 90 * SECOND, 4 * MINUTE),
    offsets=(0, 0, 0, 30 * SECOND, -MINUTE),
    times=(0, 2 * MINUTE, 5 * MINUTE + 1, -SECOND),
    features=_LANGUAGE,
)
_STEPS = st.builds(
    lambda start, interval, count: Steps(start, start + (count - 1) * interval, interval),
    st.sampled_from((-MINUTE, 0, 61 * SECOND, 5 * MINUTE)),
    st.sampled_from((SECOND, 20 * SECOND, MINUTE, 4 * MINUTE)),
    st.integers(1, 6),
)
_SEEDS = st.integers(0, 50)
_CUTS = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


@settings(max_examples=2 * settings().max_examples)
@given(range_expressions(_WORDS), _STEPS, _SEEDS)
def test_evaluation_over_steps_is_evaluation_at_each_step(
    expr: Expr, steps: Steps, seed: int
) -> None:
    store, query = random_store(seed), to_text(without_bounds(expr))
    over = answer(store, query, steps)
    if isinstance(over, str):
        # One bad step fails the whole query.
        return
    for time in steps.times().tolist():
        one = answer(store, query, Steps.at(time))
        assert isinstance(one, Result), f"{query} at {time}: {one}"
        assert at(shown(over), time) == shown(one), f"{query} at {time}"


@settings(max_examples=2 * settings().max_examples)
@given(expressions(_WORDS), _STEPS, _SEEDS, _CUTS)
def test_evaluation_by_row_ranges_is_evaluation_of_the_whole_block(
    expr: Expr, steps: Steps, seed: int, every: tuple[int, ...]
) -> None:
    store, query = random_store(seed), to_text(expr)
    for when in (steps, Steps.at(steps.start)):
        whole, apart = answer(store, query, when), answer(Cut(store, every), query, when)
        if isinstance(whole, str) or isinstance(apart, str):
            assert whole == apart, query
            continue
        assert list(shown(whole).items()) == list(shown(apart).items()), query
        assert sorted(whole.warnings) == sorted(apart.warnings), query
        assert sorted(whole.infos) == sorted(apart.infos), query


@given(range_expressions(_WORDS), _STEPS, _SEEDS)
def test_a_range_of_one_step_is_an_instant(expr: Expr, steps: Steps, seed: int) -> None:
    store, query = random_store(seed), to_text(expr)
    once = replace(steps, end=steps.start)
    ranged, instant = answer(store, query, once), answer(store, query, Steps.at(steps.start))
    if isinstance(ranged, str) or isinstance(instant, str):
        assert ranged == instant
    else:
        assert shown(ranged) == shown(instant)
