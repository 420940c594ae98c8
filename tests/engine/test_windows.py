"""Tests of which samples each step sees."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.engine import windows
from bridge.engine.windows import Bounds, as_samples, latest, latest_windows, ranges
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Columns
from bridge.model.time import Steps, Window
from bridge.model.vectors import Matrix
from tests.promqltest.compare import almost_equal
from tests.promqltest.sequence import STALE

Rows = list[list[tuple[int, float]]]

_VALUES = st.sampled_from((1.0, 2.0, -0.0, float("nan"), STALE))
_ROW = st.dictionaries(st.integers(-20, 40), _VALUES, max_size=12).map(
    lambda samples: sorted(samples.items())
)
_ROWS = st.lists(_ROW, max_size=4)
_STEPS = st.builds(
    lambda start, interval, count: Steps(start, start + interval * (count - 1), interval),
    st.integers(-30, 30),
    st.integers(1, 15),
    st.integers(1, 6),
)
_LENGTHS, _OFFSETS = st.integers(1, 25), st.integers(-20, 20)
_ATS = st.one_of(st.none(), st.integers(-30, 30))


def columns(rows: Rows) -> Columns:
    """Columns of these times and values."""
    flat = [sample for row in rows for sample in row]
    return Columns.frozen(
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([time for time, _ in flat], np.int64),
        np.array([value for _, value in flat], np.float64),
    )


def table(rows: Rows) -> LabelTable:
    """One label set a row."""
    return LabelTable(Labels.of({"row": str(n)}) for n in range(len(rows)))


def is_stale(value: float) -> bool:
    """Whether a value is the staleness marker."""
    return almost_equal(value, STALE)


def seen_by_hand(row: list[tuple[int, float]], start: int, end: int) -> list[tuple[int, float]]:
    """The samples after `start` up to and including `end`."""
    return [(time, value) for time, value in row if start < time <= end]


def same(one: float, other: float) -> bool:
    """Whether two values have the same bits."""
    return np.float64(one).tobytes() == np.float64(other).tobytes()


@given(_ROWS, _STEPS, _LENGTHS, _OFFSETS, _ATS)
def test_a_step_sees_the_samples_within_its_range(
    rows: Rows, steps: Steps, length: int, offset: int, at: int | None
) -> None:
    found = ranges(table(rows), columns(rows), Bounds(steps, length, offset, at), length)
    for r, row in enumerate(rows):
        for t, time in enumerate(steps.times().tolist()):
            end = (time if at is None else at) - offset
            wanted = [one for one in seen_by_hand(row, end - length, end) if not is_stale(one[1])]
            part = slice(int(found.lo[r, t]), int(found.hi[r, t]))
            assert found.columns.timestamps[part].tolist() == [stamp for stamp, _ in wanted]
            values = found.columns.values[part].tolist()
            assert all(map(same, values, [value for _, value in wanted]))
            assert (found.starts[t], found.ends[t], found.times[t]) == (end - length, end, time)


@given(_ROWS, _STEPS, _LENGTHS, _OFFSETS, _ATS)
def test_a_step_sees_the_newest_sample_within_the_lookback(
    rows: Rows, steps: Steps, length: int, offset: int, at: int | None
) -> None:
    seen = Bounds(steps, length, offset, at)
    matrix = latest(table(rows), columns(rows), seen)
    single = latest_windows(table(rows), columns(rows), seen, length)
    for r, row in enumerate(rows):
        for t, time in enumerate(steps.times().tolist()):
            end = (time if at is None else at) - offset
            held = seen_by_hand(row, end - length, end)
            there = bool(held) and not is_stale(held[-1][1])
            assert matrix.present[r, t] == there
            assert single.hi[r, t] - single.lo[r, t] == there
            if there:
                assert same(float(matrix.values[r, t]), held[-1][1])
                newest = single.columns.timestamps[single.lo[r, t]]
                assert newest == held[-1][0]


@given(_ROWS, _STEPS, _LENGTHS)
def test_the_window_is_all_that_any_step_sees(rows: Rows, steps: Steps, length: int) -> None:
    seen = Bounds(steps, length, 0, None)
    kept = [seen_by_hand(row, seen.window.start - 1, seen.window.end) for row in rows]
    for one in (rows, kept):
        assert seen.window == Window(steps.start - length + 1, steps.last)
        matrix = latest(table(one), columns(one), seen)
        whole = latest(table(rows), columns(rows), seen)
        assert np.array_equal(matrix.present, whole.present)


@given(_ROWS, _STEPS)
def test_points_become_samples_at_their_steps(rows: Rows, steps: Steps) -> None:
    matrix = latest(table(rows), columns(rows), Bounds(steps, 10, 0, None))
    samples = as_samples(matrix, steps.times())
    times = steps.times()
    for r in range(len(rows)):
        part = slice(int(samples.offsets[r]), int(samples.offsets[r + 1]))
        assert samples.timestamps[part].tolist() == times[matrix.present[r]].tolist()
        assert samples.values[part].tobytes() == matrix.values[r, matrix.present[r]].tobytes()


@pytest.mark.parametrize(
    ("time", "value"), [(999, None), (1000, 1.0), (2999, 1.0), (3000, 2.0), (4000, None)]
)
def test_a_stale_marker_ends_the_lookback(time: int, value: float | None) -> None:
    rows: Rows = [[(1000, 1.0), (3000, 2.0), (4000, STALE)]]
    matrix = latest(table(rows), columns(rows), Bounds(Steps.at(time), 300_000, 0, None))
    assert (matrix.values[0, 0] if matrix.present[0, 0] else None) == value


def test_ordinary_nan_is_a_value() -> None:
    rows: Rows = [[(0, float("nan"))]]
    matrix = latest(table(rows), columns(rows), Bounds(Steps.at(0), 1, 0, None))
    assert matrix.present.tolist() == [[True]]


def test_without_markers_columns_are_not_copied() -> None:
    held = columns([[(0, 1.0), (1, float("nan"))]])
    assert windows.without_stale(held) is held


@given(_ROWS, _STEPS, _LENGTHS)
def test_kernels_are_their_plain_python(rows: Rows, steps: Steps, length: int) -> None:
    held, seen = columns(rows), Bounds(steps, length, 0, None)
    matrix = latest(table(rows), held, seen)
    assert _run(windows._edges.py_func, held, seen) == _run(windows._edges, held, seen)
    assert _newest(windows._latest.py_func, held, seen) == _newest(windows._latest, held, seen)
    compact = windows._compact
    assert _compacted(compact.py_func, matrix, seen) == _compacted(compact, matrix, seen)


def _run(kernel: Callable[..., Any], held: Columns, seen: Bounds) -> bytes:
    out = np.zeros((len(held), len(seen.ends)), np.int64)
    kernel(held.offsets, held.timestamps, seen.ends, out)
    return out.tobytes()


def _newest(kernel: Callable[..., Any], held: Columns, seen: Bounds) -> tuple[bytes, bytes]:
    shape = (len(held), len(seen.ends))
    values, present = np.zeros(shape), np.zeros(shape, np.bool_)
    stale = np.array([STALE])
    kernel(
        held.offsets,
        held.timestamps,
        held.values,
        seen.starts,
        seen.ends,
        stale,
        values,
        present,
    )
    return values.tobytes(), present.tobytes()


def _compacted(kernel: Callable[..., Any], matrix: Matrix, seen: Bounds) -> tuple[bytes, bytes]:
    count = int(matrix.present.sum())
    times, values = np.zeros(count, np.int64), np.zeros(count)
    kernel(matrix.values, matrix.present, seen.times, times, values)
    return times.tobytes(), values.tobytes()
