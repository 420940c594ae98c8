"""What start timestamps tell: beginnings between samples, and starts that cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.starts import began_anew, overlaps
from bridge.model.histogram_rate import created_anew
from bridge.model.labels import EMPTY_LABELS, LabelTable
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS
from bridge.model.vectors import Windows

TIMES = [100, 200, 300]


def columns(times: list[int], created: list[int]) -> Columns:
    """One row of samples that began at these times."""
    offsets, values = np.array([0, len(times)]), np.zeros(len(times))
    starts = np.array(created, np.int64)
    return Columns.frozen(offsets, np.array(times, np.int64), values, created=starts)


def windows(held: Columns, edges: list[tuple[int, int]]) -> Windows:
    """Windows over samples of one row."""
    lo, hi = (np.array([column]) for column in zip(*edges, strict=True))
    none = np.zeros(len(edges), np.int64)
    return Windows(LabelTable((EMPTY_LABELS,)), held, lo, hi, none, none, none, 0)


@pytest.mark.parametrize(
    ("created", "anew"),
    [
        ([50, 50, 50], [False, False, False]),
        ([50, 150, 150], [False, True, False]),
        ([50, 100, 200], [False, True, True]),
        ([0, 100, 200], [False, False, True]),
        ([100, 100, 300], [False, False, False]),
        ([120, 100, 0], [False, False, False]),
        ([50, 250, 150], [False, False, False]),
    ],
    ids=["goes on", "began", "anew each time", "unknown", "at the sample", "later", "impossible"],
)
def test_a_counter_began_after_the_sample_before(created: list[int], anew: list[bool]) -> None:
    held = columns(TIMES, created)
    assert began_anew(held, held.created).tolist() == anew


def test_without_start_timestamps_nothing_began_anew() -> None:
    assert not began_anew(columns(TIMES, []), NO_STARTS).any()


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 200)), min_size=2, max_size=8))
def test_floats_and_histograms_begin_anew_by_one_rule(samples: list[tuple[int, int]]) -> None:
    times = np.cumsum([gap for gap, _ in samples]).tolist()
    held = columns(times, [start for _, start in samples])
    rule = created_anew.py_func  # type: ignore[attr-defined]
    by_kernel = [rule(held.timestamps, held.created, row) for row in range(1, len(times))]
    assert began_anew(held, held.created).tolist()[1:] == by_kernel


def test_only_windows_that_hold_both_samples_overlap() -> None:
    held = columns(TIMES, [50, 60, 250])
    found = overlaps(windows(held, [(0, 1), (0, 2), (1, 2), (1, 3), (0, 3), (3, 3)]), held.created)
    assert found.tolist() == [[False, True, False, False, True, False]]


def test_a_counter_that_goes_on_overlaps_with_nothing() -> None:
    held = columns(TIMES, [50, 50, 0])
    assert not overlaps(windows(held, [(0, 3)]), held.created).any()
