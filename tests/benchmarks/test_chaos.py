"""What a run with faults finds; and some seconds of one, which find nothing."""

import asyncio
import random
from pathlib import Path

import pytest

from benchmarks.chaos import Answer, Findings, Run, Vitals, ran
from benchmarks.mischief import FAULTS
from tests.servers.binaries import NODE_EXPORTER, PROMETHEUS
from tests.servers.fixtures import entered

ASKED = 1000.0


def matrix(*points: tuple[float, str]) -> dict[str, object]:
    return {"result": [{"metric": {}, "values": list(map(list, points))}] if points else []}


def differences(ours: object, theirs: object) -> tuple[list[str], int]:
    """What a run finds in two answers, and the points that are too young to count."""
    run = Run(None, 0, random.Random(1))  # type: ignore[arg-type]
    found = list(run._differences(Answer("", {}, ASKED, ours), theirs))
    return found, run.findings.young


@pytest.mark.parametrize(
    ("ours", "theirs", "wrong", "young"),
    [
        (matrix((900, "1")), matrix((900, "1")), 0, 0),
        (matrix((900, "1")), matrix((900, "2")), 1, 0),
        (matrix((900, "1")), matrix((900, "1.0000000000000002")), 0, 0),
        (matrix((900, "1")), matrix(), 1, 0),
        (matrix(), matrix((999, "2")), 0, 1),
        (["a"], ["a", "b"], 0, 0),
        (["a", "c"], ["a", "b"], 1, 0),
    ],
)
def test_a_wrong_answer_is_found_and_a_young_one_forgiven(
    ours: object, theirs: object, wrong: int, young: int
) -> None:
    found, forgiven = differences(ours, theirs)
    assert (len(found), forgiven) == (wrong, young)


def test_a_leak_is_found() -> None:
    findings = Findings(lives=[[Vitals(0, 20, 5, 1), Vitals(9, 90, 90, 1)], []])
    assert len(findings.bad) == 2


def test_every_fault_has_a_name() -> None:
    assert {name.split()[0] for name in FAULTS} == {
        "store",
        "Valkey",
        "disk",
        "prombridge",
        "clock",
    }


@pytest.mark.long
def test_some_seconds_of_chaos_bring_no_wrong_answer(tmp_path: Path) -> None:
    for program in (PROMETHEUS, NODE_EXPORTER):
        entered(program.locate)
    findings = asyncio.run(ran(tmp_path, seconds=18, seed=3))
    assert findings.bad == []
    assert findings.checked > 0
    assert findings.faults.total() > 0
