"""The live run sees what differs, and tells what the horizon allows from what it does not."""

from typing import Any

import pytest

from benchmarks.live import DASHBOARD, Panel
from benchmarks.soak import Findings, Reading, differing, memory_faults


def matrix(**series: list[list[Any]]) -> dict[str, Any]:
    return {"result": [{"metric": {"n": name}, "values": held} for name, held in series.items()]}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (matrix(a=[[1, "2"]]), matrix(a=[[1, "2"]]), []),
        (matrix(a=[[1, "2"], [2, "3"]]), matrix(a=[[1, "2"], [2, "4"]]), [2]),
        (matrix(a=[[1, "2"]]), matrix(a=[[1, "2"]], b=[[5, "1"]]), [5]),
        (matrix(a=[[1, "2"]]), matrix(), [1]),
    ],
)
def test_differences_are_the_steps_at_which_a_series_is_not_the_same(
    one: dict[str, Any], other: dict[str, Any], expected: list[float]
) -> None:
    assert [point.time for point in differing(one, other)] == expected


def test_a_difference_says_what_each_side_has() -> None:
    (found,) = differing(matrix(a=[[1, "2"]]), matrix())
    assert str(found) == '{"n": "a"} at 1.000: 2, not None'


def test_only_what_is_older_than_the_horizon_is_forbidden() -> None:
    findings = Findings()
    findings.note(Panel("x"), 1000.0, iter([999.0, 950.0, 900.0]))
    assert dict(findings.differing) == {
        "still arriving": 1,
        "younger than the horizon": 1,
        "OLDER": 1,
    }
    assert findings.forbidden == ["x at 900.0: 100.0 s old"]


def test_memory_that_goes_on_growing_or_exceeds_its_budget_is_a_fault() -> None:
    flat = [Reading(at, 200 << 20, 1000, 10) for at in range(40)]
    growing = [Reading(at, (200 + 2 * at) << 20, 1000, 10) for at in range(40)]
    assert not list(memory_faults(flat))
    assert len(list(memory_faults(growing))) == 1
    assert len(list(memory_faults([Reading(0, 1, 1 << 40, 1)]))) == 1


def test_the_dashboard_has_28_queries() -> None:
    assert len(set(DASHBOARD)) == 28
