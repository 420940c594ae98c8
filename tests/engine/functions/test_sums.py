"""Tests that sums and means over ranges have the bits of Prometheus' own way of adding up."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge.engine.functions import sums
from tests.engine.functions.asking import ask, minutes, rows, same
from tests.oracle.series import STALE

INF, NAN = math.inf, math.nan

# Sums of these meet ties, cancel, overflow, lose everything small, and have zeros of either sign.
AWKWARD = [
    *(sign * one for one in (0.0, 0.5, 1.0, 3.0, 1e16, 2.0**53, 2.0**-53) for sign in (1, -1)),
    *(sign * one for one in (1e-16, 2.0**-106, 1 + 2.0**-52, 1e100, 1e-300) for sign in (1, -1)),
    *(sign * one for one in (5e-324, 1.7e308, 2.0**52 + 0.5, 0.1, 1e30) for sign in (1, -1)),
]
KINDS = {
    "counters": st.integers(0, 2**45).map(float),
    "small whole numbers": st.integers(-3, 3).map(float),
    "whole numbers about 2**53": st.integers(-(2**53), 2**53).map(float),
    "halves": st.integers(-(2**52), 2**52).map(lambda one: one / 2),
    "percentages": st.integers(0, 10**4).map(lambda one: one / 100),
    "any numbers": st.floats(allow_nan=False, allow_infinity=False),
    "numbers near 1": st.floats(0.5, 2.0),
    "awkward numbers": st.sampled_from(AWKWARD),
    "anything": st.one_of(st.floats(), st.sampled_from([*AWKWARD, NAN, INF, -INF])),
    "zeros of either sign": st.sampled_from([0.0, -0.0]),
}


def added(total: float, lost: float, value: float) -> tuple[float, float]:
    """kahansum.Inc of Prometheus 3.5.3, in this test's own words."""
    new = total + value
    if math.isinf(new):
        return new, 0.0
    if abs(total) >= abs(value):
        return new, lost + ((total - new) + value)
    return new, lost + ((value - new) + total)


def plain_sum(window: list[float]) -> float:
    total = lost = 0.0
    for value in window:
        total, lost = added(total, lost, value)
    return total if math.isinf(total) else total + lost


def plain_mean(window: list[float]) -> float:
    total, lost, incremental = window[0], 0.0, False
    for number, value in enumerate(window[1:], 2):
        if not incremental:
            new = added(total, lost, value)
            if not math.isinf(new[0]):
                total, lost = new
                continue
            incremental = True
            total, lost = total / (number - 1), lost / (number - 1)
        share = (number - 1) / number
        total, lost = added(share * total, share * lost, value / number)
    if incremental:
        return total + lost
    return total / len(window) + lost / len(window)


def windows(row: int, samples: int, length: int, step: int) -> tuple[Any, Any]:
    """Both edges of the windows that end at every `step`-th of a row's samples, and after it."""
    hi = np.arange(0, samples + length, step, dtype=np.int64)
    lo = np.maximum(hi - length, 0)
    return np.minimum(lo, samples) + row, np.minimum(hi, samples) + row


def found(values: list[float], lo: Any, hi: Any, *, mean: bool) -> NDArray[np.float64]:
    out = np.empty(lo.shape)
    sums._sums(np.array(values, dtype=np.float64), lo, hi, mean, out)
    return out


def agree(values: list[float], lo: Any, hi: Any) -> None:
    for mean, plain in ((False, plain_sum), (True, plain_mean)):
        out = found(values, lo, hi, mean=mean)
        for row, step in np.ndindex(lo.shape):
            window = values[lo[row, step] : hi[row, step]]
            if window:
                assert same(float(out[row, step]), plain(window)), (window, mean)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_sums_and_means_have_the_bits_of_adding_up_each_window(kind: str, data: Any) -> None:
    values = data.draw(st.lists(KINDS[kind], min_size=1, max_size=70))
    length, step = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 3))
    samples = len(values)
    # Two rows: the second one's running sums begin anew.
    both = [windows(row, samples, length, step) for row in (0, samples)]
    lo, hi = (np.stack(edges) for edges in zip(*both, strict=True))
    agree([*values, *reversed(values)], lo, hi)


@pytest.mark.parametrize("outlier", [1e300, NAN, -INF, 0.5])
def test_an_outlier_does_no_harm_to_windows_far_from_it(outlier: float) -> None:
    random = np.random.default_rng(5)
    values = (random.integers(0, 10**6, 10_000) / 1000.0).tolist()
    values[5000] = outlier
    lo, hi = windows(0, len(values), 150, 61)
    agree(values, lo[None], hi[None])


def test_a_window_longer_than_running_sums_go_on() -> None:
    values = np.random.default_rng(6).normal(size=12_000).tolist()
    lo, hi = windows(0, len(values), 9000, 400)
    agree(values, lo[None], hi[None])


def test_windows_that_were_emptied_among_others() -> None:
    values = [float(n) / 8 for n in range(60)]
    lo, hi = windows(0, len(values), 40, 1)
    hi = np.where(np.arange(len(hi)) % 3 == 1, lo, hi)
    agree(values, lo[None], hi[None])


@pytest.mark.parametrize("kind", ["percentages", "normal"])
def test_no_window_of_everyday_numbers_is_added_up_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[int] = []

    def note(vs: NDArray[np.float64], lo: int, hi: int) -> float:
        again.append(lo)
        return 0.0

    monkeypatch.setattr(sums, "_sum", note)
    random = np.random.default_rng(7)
    values = random.normal(50, 20, 1440)
    values = np.round(values, 2) if kind == "percentages" else values
    hi = np.arange(240, 1440, 2)
    lo = hi - 240
    out, size = np.empty(len(lo)), float(np.abs(values).sum())
    certain: Any = sums._certain
    certain.py_func(values, lo, hi, 0, 1440, size, out)
    assert again == []


def test_stale_markers_and_gaps_leave_windows_shorter() -> None:
    samples = [1.0, None, float(STALE), 2.0, *(0.1 * n for n in range(40)), None, NAN, 3.0]
    got = rows(ask({"x": samples}, "sum_over_time(x[20m])", minutes(0, len(samples))))["{}"]
    for step, total in enumerate(got):
        seen = samples[max(0, step - 19) : step + 1]
        kept = [one for n, one in enumerate(seen, max(0, step - 19)) if one is not None and n != 2]
        assert same(total, plain_sum(kept) if kept else None)
