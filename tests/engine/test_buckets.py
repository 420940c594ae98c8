"""Classic histograms: which series are one, and quantiles and fractions of their buckets."""

import math

import numpy as np
import pytest

from bridge.engine.buckets import classic_buckets, fractions, quantiles
from bridge.model.labels import Labels, LabelTable
from bridge.model.vectors import Matrix

TIME = np.array([60_000])


def vector(buckets: dict[str, float | None], name: str = "x_bucket") -> Matrix:
    """One step of bucket series, by `le`; None is absent."""
    labels = LabelTable([Labels.of({"__name__": name, "le": bound}) for bound in buckets])
    values = np.array([[math.nan if held is None else held] for held in buckets.values()])
    return Matrix(labels, values, np.array([[held is not None] for held in buckets.values()]))


def quantile(buckets: dict[str, float | None], wanted: float) -> float | None:
    """The quantile, or None where there is no histogram."""
    held = vector(buckets)
    found, _ = quantiles(held, classic_buckets(held), np.array([wanted]), TIME)
    return float(found.values[0, 0]) if found.present[0, 0] else None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 3.0), (-1.0, -math.inf), (2.0, math.inf)],
)
def test_a_quantile_lies_within_its_bucket(wanted: float, expected: float) -> None:
    assert quantile({"1": 2.0, "5": 4.0, "+Inf": 4.0}, wanted) == expected


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile({"1": 1.0, "5": 2.0, "+Inf": 10.0}, 0.9) == 5.0


@pytest.mark.parametrize("lacking", [{"1": 1.0, "5": 2.0}, {"+Inf": 1.0}, {"1": 0.0, "+Inf": 0.0}])
def test_without_an_infinite_bound_another_one_or_observations_it_is_nan(
    lacking: dict[str, float | None],
) -> None:
    found = quantile(lacking, 0.5)
    assert found is not None
    assert math.isnan(found)


def test_absent_buckets_are_passed_over() -> None:
    assert quantile({"1": None, "2": 4.0, "+Inf": 4.0}, 0.5) == 1.0
    assert quantile({"1": None, "+Inf": None}, 0.5) is None


def test_buckets_are_ordered_by_bound_whatever_the_order_of_their_labels() -> None:
    assert quantile({"10": 4.0, "+Inf": 4.0, "9": 0.0}, 0.5) == 9.5


def test_bounds_that_are_one_number_in_two_spellings_are_added() -> None:
    assert quantile({"1": 1.0, "1.0": 1.0, "2": 4.0, "+Inf": 4.0}, 0.5) == 1.0


def test_counts_that_fall_are_raised_and_told_of() -> None:
    held = vector({"1": 4.0, "2": 2.0, "+Inf": 4.0})
    found, fixed = quantiles(held, classic_buckets(held), np.array([0.5]), TIME)
    assert found.values[0, 0] == 0.5
    assert fixed.keys() == {"x_bucket"}


def test_a_series_whose_bound_is_no_number_is_unusable_if_it_is_present() -> None:
    assert [one.get("le") for one in classic_buckets(vector({"a": 1.0})).unusable] == ["a"]
    assert classic_buckets(vector({"a": None})).unusable == ()


def test_a_fraction_is_the_share_between_two_values() -> None:
    held = vector({"1": 2.0, "5": 4.0, "+Inf": 4.0})
    found = fractions(held, classic_buckets(held), np.array([0.5]), np.array([3.0]))
    assert found.values[0, 0] == 0.5
