"""Functions over windows and groups of native histograms, beside what Prometheus answered.

Two series at most, scraped irregularly, some with start timestamps; evaluated at three times.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bridge.model import histogram_neighbours, histogram_quantile, histogram_rate, histogram_sums
from bridge.model.histogram import EMPTY, Histograms
from tests.model.histogram_vectors import Json, bits, cases, same, table

CASES = cases(Path(__file__).with_name("histogram_windows.json"))
TIMES = np.array([200_000, 280_000, 360_000])
RANGE = 300_000

RATE_NOTES = {
    histogram_rate.MIXED: "mix of histograms with exponential",
    histogram_rate.NOT_COUNTER: "is not a counter",
    histogram_rate.NOT_GAUGE: "is not a gauge",
    histogram_rate.RECONCILED_ADDITION: "reconciled during addition",
    histogram_rate.RECONCILED_SUBTRACTION: "reconciled during subtraction",
    histogram_rate.START_OVERLAP: "start time that overlaps",
}


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A case's samples, and which of them each step sees."""

    table: Histograms
    offsets: np.ndarray
    times: np.ndarray
    created: np.ndarray
    lo: np.ndarray
    hi: np.ndarray

    @staticmethod
    def of(case: Json) -> "World":
        samples = [one for _, series in case["series"] for one in series]
        offsets = np.cumsum([0, *(len(series) for _, series in case["series"])])
        times, created = (np.array([one[at] for one in samples], np.int64) for at in (0, 1))
        shape = (len(case["series"]), len(TIMES))
        lo, hi = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row in range(shape[0]):
            own = times[offsets[row] : offsets[row + 1]]
            lo[row] = offsets[row] + np.searchsorted(own, TIMES - RANGE, "right")
            hi[row] = offsets[row] + np.searchsorted(own, TIMES, "right")
        return World(table(one[2] for one in samples), offsets, times, created, lo, hi)

    @property
    def newest(self) -> np.ndarray:
        """The sample that an instant selector sees, or -1."""
        return np.where(self.hi > self.lo, self.hi - 1, -1)


def expected(case: Json, expression: str) -> dict[tuple[str, int], Json]:
    """Every point of an answer, by series and time."""
    found = case["results"][expression]["series"]
    return {(name, time): value for name, points in found for time, value in points}


def check(
    points: dict[tuple[str, int], Json], index: np.ndarray, found: Histograms, names: list[str]
) -> None:
    """Asserts that cells hold the points, and nothing else."""
    held = {
        (names[row], int(TIMES[step])): int(index[row, step])
        for row, step in zip(*np.nonzero(index >= 0), strict=True)
    }
    assert held.keys() == points.keys()
    assert all(same(found, row, points[cell]) for cell, row in held.items())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["rate", "increase", "delta", "irate", "idelta"])
def test_rates_are_those_of_prometheus(case: Json, name: str) -> None:
    world, rate = World.of(case), histogram_rate
    index, notes = np.zeros(world.lo.size, np.int64), np.zeros(world.lo.size, np.int64)
    if name in ("irate", "idelta"):
        later = (world.hi - 1).ravel()
        earlier = np.where((world.hi - world.lo).ravel() >= 2, later - 1, -1)
        found = rate.instant_rates(
            world.table.arrays,
            world.times,
            world.created,
            earlier,
            later,
            name == "irate",
            index,
            notes,
        )
    else:
        found = rate.extrapolated_rates(
            world.table.arrays,
            world.times,
            world.created,
            world.lo,
            world.hi,
            TIMES - RANGE,
            TIMES,
            name != "delta",
            RANGE / 1000 if name == "rate" else 0.0,
            index,
            notes,
        )
    names = [str(row) for row in range(len(world.lo))]
    points = expected(case, f"{name}(x[5m])")
    check(points, index.reshape(world.lo.shape), Histograms.frozen(found), names)
    seen = int(np.bitwise_or.reduce(notes))
    warnings = case["results"][f"{name}(x[5m])"]["warnings"]
    for note, text in RATE_NOTES.items():
        assert bool(seen & note) == any(text in warning for warning in warnings), text


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["sum", "avg"])
def test_sums_over_time_are_those_of_prometheus(case: Json, name: str) -> None:
    world = World.of(case)
    index, notes = np.zeros(world.lo.size, np.int64), np.zeros(world.lo.size, np.int64)
    found = histogram_sums.over_windows(
        world.table.arrays, world.lo, world.hi, name == "avg", index, notes
    )
    names = [str(row) for row in range(len(world.lo))]
    points = expected(case, f"{name}_over_time(x[5m])")
    check(points, index.reshape(world.lo.shape), Histograms.frozen(found), names)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["sum", "avg"])
@pytest.mark.parametrize("by", ["", "by (g) "])
def test_aggregations_do_not_depend_on_row_ranges(case: Json, name: str, by: str) -> None:
    world, mean = World.of(case), name == "avg"
    groups = np.array([group if by else 0 for group, _ in case["series"]], np.int64)
    size = (int(groups.max()) + 1) * len(TIMES)
    index, counts = np.full(size, -1, np.int64), np.zeros(size, np.int64)
    notes, totals, lost = np.zeros(size, np.int64), EMPTY, EMPTY
    for row in range(len(groups)):
        cells, members = np.ascontiguousarray(world.newest[[row]]), groups[[row]]
        states = histogram_sums.fold_rows(
            world.table.arrays,
            cells,
            members,
            totals.arrays,
            lost.arrays,
            mean,
            index,
            counts,
            notes,
        )
        totals, lost = map(Histograms.frozen, states)
    found = histogram_sums.finish_folds(totals.arrays, lost.arrays, mean, index, counts, notes)
    names = [str(group) if by else "" for group in range(size // len(TIMES))]
    points = expected(case, f"{name} {by}(x)" if by else f"{name}(x)")
    check(points, index.reshape(-1, len(TIMES)), Histograms.frozen(found), names)


@pytest.mark.parametrize("case", CASES)
def test_resets_changes_and_variance_are_those_of_prometheus(case: Json) -> None:
    world = World.of(case)
    resets, changes = (np.zeros(len(world.times), np.bool_) for _ in range(2))
    histogram_neighbours.compare(
        world.table.arrays, world.offsets, world.times, world.created, resets, changes
    )
    rows = np.arange(len(world.times))
    variances = np.zeros(len(rows))
    histogram_quantile.variances(world.table.arrays, rows, variances)
    for name, flags in (("resets", resets), ("changes", changes)):
        for (series, time), value in expected(case, f"{name}(x[5m])").items():
            row, step = int(series), int(np.searchsorted(TIMES, time))
            assert flags[world.lo[row, step] + 1 : world.hi[row, step]].sum() == value
    for (series, time), value in expected(case, "histogram_stdvar(x)").items():
        row = world.newest[int(series), np.searchsorted(TIMES, time)]
        assert bits(variances[row]) == bits(float(value))
