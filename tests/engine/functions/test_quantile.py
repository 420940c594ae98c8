"""Tests of quantiles of a range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.functions.asking import INF, NAN, ask, minutes, rows, same, value

TABLE = [
    (0.5, [3.0, 1.0, 2.0], 2.0),
    (0.5, [4.0, 1.0, 2.0, 3.0], 2.5),
    (0.0, [3.0, 1.0], 1.0),
    (1.0, [3.0, 1.0], 3.0),
    (0.25, [5.0], 5.0),
    (-0.1, [1.0], -INF),
    (1.1, [1.0], INF),
    (NAN, [1.0], NAN),
    # NaN is less than any number.
    (0.0, [1.0, NAN, 2.0], NAN),
    (1.0, [1.0, NAN, 2.0], 2.0),
    (0.5, [1.0, NAN, 2.0], 1.0),
    (0.5, [NAN, NAN], NAN),
    # An infinity of weight zero.
    (0.0, [1.0, INF], NAN),
    (0.5, [INF, -INF], NAN),
]


@pytest.mark.parametrize(("quantile", "samples", "expected"), TABLE)
def test_quantile_of_a_range(quantile: float, samples: list[float], expected: float) -> None:
    assert same(value({"x": samples}, f"quantile_over_time({quantile}, x[1h])"), expected)


@pytest.mark.parametrize("quantile", ["-1", "1.5", "NaN", "+Inf"])
def test_quantile_out_of_bounds_is_remarked_on(quantile: str) -> None:
    result = ask({"x": [1.0]}, f"quantile_over_time({quantile}, x[1h])")
    text = f"quantile value should be between 0 and 1, got {quantile}"
    assert result.warnings == (f"PromQL warning: {text} (1:20)",)


def test_no_remark_without_samples() -> None:
    assert ask({"x": [1.0]}, "quantile_over_time(7, none[1h])").warnings == ()


SOME = st.lists(st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0, 7.25, NAN]), min_size=1, max_size=90)
# Of equal numbers only these can be told apart: they stand as they came.
ZEROS = st.lists(st.sampled_from([-0.0, 0.0]), min_size=20, max_size=90)


@given(samples=SOME | ZEROS, span=st.integers(1, 80), step=st.integers(1, 50))
def test_sliding_is_sorting_anew(samples: list[float], span: int, step: int) -> None:
    query = f"quantile_over_time(0.4, x[{span}m])"
    found = rows(ask({"x": samples}, query, minutes(0, len(samples) - 1, step)))["{}"]
    for number, quantile in enumerate(found):
        end = number * step + 1
        seen = sorted(samples[max(0, end - span) : end], key=lambda one: (one == one, one))
        rank = 0.4 * (len(seen) - 1)
        lower, weight = int(rank), rank - int(rank)
        upper = min(lower + 1, len(seen) - 1)
        assert same(quantile, float(np.float64(seen[lower]) * (1 - weight) + seen[upper] * weight))
