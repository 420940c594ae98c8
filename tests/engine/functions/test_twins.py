"""Tests that kernels do the same compiled and as plain Python."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge.engine import buckets, extended
from bridge.engine.functions import extrema, over_time, quantile, rate, regression, smoothing, sums
from bridge.engine.windows import Bounds, ranges
from bridge.kernel import Kernel, WindowKernel
from bridge.model.labels import EMPTY_LABELS, LabelTable
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS
from bridge.model.time import Steps
from bridge.model.vectors import Reach, Windows

MODULES = (extrema, over_time, quantile, rate, regression, smoothing)
SECOND = 1000

finite = st.floats(-1e9, 1e9).map(lambda one: round(one, 3))
sample = st.one_of(finite, st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.7e308]))


@st.composite
def windows(draw: Any) -> Windows:
    """Windows over up to three series of up to 90 samples."""
    lengths = draw(st.lists(st.integers(0, 90), min_size=1, max_size=3))
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    times = [np.cumsum(draw_many(draw, st.integers(1, 3 * SECOND), n)) for n in lengths]
    values = np.array(draw_many(draw, sample, int(offsets[-1])), dtype=np.float64)
    columns = Columns.frozen(offsets, np.concatenate(times).astype(np.int64), values)
    span = draw(st.integers(1, 200)) * SECOND
    steps = Steps(0, 100 * SECOND, draw(st.integers(1, 40)) * SECOND)
    labels = LabelTable([EMPTY_LABELS] * len(lengths))
    return ranges(labels, columns, Bounds(steps, span, 0, None), span)


def draw_many(draw: Any, one: st.SearchStrategy[Any], count: int) -> list[Any]:
    made: list[Any] = draw(st.lists(one, min_size=count, max_size=count))
    return made


def window_kernels() -> dict[str, WindowKernel]:
    """Every window kernel of the functions, also those behind a Function's `apply`."""
    found = {}
    for module in MODULES:
        for name, value in vars(module).items():
            closure = getattr(getattr(value, "apply", None), "__closure__", None) or ()
            for held in (value, *(cell.cell_contents for cell in closure)):
                if isinstance(held, WindowKernel):
                    found[name] = held
    return found


def equal(one: NDArray[Any], other: NDArray[Any], where: NDArray[np.bool_]) -> bool:
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return bool(same[where].all())


@pytest.mark.parametrize("name", sorted(window_kernels()))
@given(over=windows())
def test_kernel_of_a_window(name: str, over: Windows) -> None:
    kernel = window_kernels()[name]
    ts, vs = over.columns.timestamps, over.columns.values
    extra = [np.full(len(over.times), 0.4)] * kernel.params
    values, present = kernel(ts, vs, over.lo, over.hi, over.starts, over.ends, over.times, *extra)
    out, shown = np.zeros_like(values), np.zeros_like(present)
    with np.errstate(all="ignore"):
        for row, step in np.ndindex(out.shape):
            bound = (over.starts[step], over.ends[step], over.times[step])
            parameters = [one[step] for one in extra]
            here = (slice(row, row + 1), step)
            edges = (over.lo[row, step], over.hi[row, step])
            kernel.py_func(ts, vs, *edges, *bound, *parameters, out[here], shown[here])
    assert (shown == present).all()
    assert equal(out, values, present)


def twice(kernel: Kernel[..., Any], arguments: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """Compares what a kernel of rows writes into its last two arrays."""
    outputs = []
    for run in (kernel, kernel.py_func):
        out, shown = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        with np.errstate(all="ignore"):
            run(*arguments, out, shown)
        outputs.append((out, shown))
    (out, shown), (other, also) = outputs
    assert (shown == also).all()
    assert equal(out, other, shown)


@given(over=windows(), counter=st.booleans(), created=st.sampled_from([0, 1, 15, 100]))
def test_kernel_of_rates(over: Windows, counter: bool, created: int) -> None:
    vs, times = over.columns.values, over.columns.timestamps
    started = (times - created) if created else NO_STARTS
    resets = np.flatnonzero(vs[1:] < vs[:-1]) + 1
    edges = (over.lo, over.hi, over.starts, over.ends)
    arguments = (times, vs, *edges, resets, started, counter, 60.0)
    twice(rate._float_rates, arguments, over.lo.shape)


@given(over=windows(), smoothed=st.booleans(), counter=st.booleans())
def test_kernels_of_extended_ranges(over: Windows, smoothed: bool, counter: bool) -> None:
    held, length = over.columns, over.range
    seen = replace(
        Bounds(
            Steps(int(over.times[0]), int(over.times[-1]), int(np.diff(over.times)[:1].sum()) or 1),
            length,
            0,
            None,
        ),
        before=length,
        after=length,
    )
    reach = Reach.SMOOTHED if smoothed else Reach.ANCHORED
    wide = extended.extended_ranges(over.labels, held, seen, length, reach)
    narrow = extended.narrowed(wide)
    edges = (narrow.lo, narrow.hi, narrow.starts, narrow.ends)
    twice(
        extended._rises,
        (held.timestamps, held.values, *edges, smoothed, counter, 60.0),
        over.lo.shape,
    )
    found = (over.lo, over.hi, wide.hi)
    twice(extended._interpolated, (held.timestamps, held.values, *found, over.ends), over.lo.shape)


@given(over=windows(), sign=st.sampled_from([1.0, -1.0]))
def test_kernel_of_extremes(over: Windows, sign: float) -> None:
    twice(extrema._maxima, (over.columns.values, over.lo, over.hi, sign), over.lo.shape)


@given(over=windows(), wanted=st.sampled_from([0.0, 0.3, 1.0, -1.0, 2.0, np.nan]))
def test_kernel_of_quantiles(over: Windows, wanted: float) -> None:
    quantiles = np.full(len(over.times), wanted)
    twice(quantile._quantiles, (over.columns.values, over.lo, over.hi, quantiles), over.lo.shape)


@given(over=windows())
def test_kernel_of_deviations(over: Windows) -> None:
    twice(quantile._deviations, (over.columns.values, over.lo, over.hi), over.lo.shape)


@given(over=windows(), mean=st.booleans())
def test_kernel_of_sums(over: Windows, mean: bool) -> None:
    held = (over.columns.values, over.lo, over.hi, mean)
    out, other = np.zeros(over.lo.shape), np.zeros(over.lo.shape)
    sums._sums(*held, out)
    with np.errstate(all="ignore"):
        sums._sums.py_func(*held, other)
    assert equal(out, other, over.hi > over.lo)


counts = st.lists(
    st.one_of(st.integers(0, 9).map(float), st.just(np.nan)), min_size=12, max_size=12
)


@given(counts=counts, present=st.lists(st.booleans(), min_size=12, max_size=12), low=finite)
def test_kernel_of_fractions(counts: list[float], present: list[bool], low: float) -> None:
    values = np.array(counts).reshape(6, 2)
    shown = np.array(present).reshape(6, 2)
    members, starts = np.arange(6), np.array([0, 3, 6])
    bounds_ = np.array([-1.0, 2.0, np.inf, 1.0, 1.0, np.inf])
    limits = (np.array([low / 1e8, -np.inf]), np.array([0.5, 1.5]))
    twice(buckets._fractions, (values, shown, members, starts, bounds_, *limits), (2, 2))


@pytest.mark.parametrize("kernel", [buckets._quantiles])
@given(counts=counts, present=st.lists(st.booleans(), min_size=12, max_size=12))
def test_kernel_of_bucket_quantiles(
    kernel: Kernel[..., Any], counts: list[float], present: list[bool]
) -> None:
    values, shown = np.array(counts).reshape(6, 2), np.array(present).reshape(6, 2)
    members, starts = np.arange(6), np.array([0, 3, 6])
    bounds_ = np.array([-1.0, 2.0, np.inf, 1.0, 1.0, np.inf])
    made = []
    runs: tuple[Callable[..., Any], ...] = (kernel, kernel.py_func)
    for run in runs:
        out, there, fixes = np.zeros((2, 2)), np.zeros((2, 2), np.bool_), np.zeros((2, 6))
        with np.errstate(all="ignore"):
            run(values, shown, members, starts, bounds_, np.array([0.3, 0.9]), out, there, fixes)
        made.append((out, there, fixes))
    assert (made[0][1] == made[1][1]).all()
    assert equal(made[0][0], made[1][0], made[0][1])
    assert equal(made[0][2], made[1][2], np.ones((2, 6), np.bool_))
