"""Prometheus' own scripts, and ours: every case passes, in every form."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.promqltest.runner import Runner
from tests.promqltest.script import parse_script

CORPUS = Path(__file__).parents[3] / "shared" / "promqltest"
OURS = Path(__file__).parent / "ours"

# How many cases each script has.
CASES = {
    "aggregators": 160,
    "at_modifier": 78,
    "collision": 2,
    "duration_expression": 59,
    "extended_vectors": 169,
    "fill-modifier": 46,
    "functions": 431,
    "histograms": 185,
    "info": 53,
    "limit": 37,
    "literals": 25,
    "name_label_dropping": 30,
    "native_histograms": 522,
    "operators": 214,
    "range_queries": 18,
    "selectors": 31,
    "staleness": 17,
    "start_timestamps": 26,
    "subquery": 34,
    "trig_functions": 19,
    "type_and_unit": 58,
}


def _text(path: Path) -> str:
    return path.read_text()


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
@pytest.mark.parametrize(("name", "cases"), CASES.items())
async def test_every_case_of_prometheus_passes(name: str, cases: int) -> None:
    commands = parse_script(_text(CORPUS / f"{name}.test"))
    with ThreadPoolExecutor(2) as workers:
        count = await Runner(workers, shifted=True).run(name, commands)
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed == count.cases == cases


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
def test_every_script_of_prometheus_is_run() -> None:
    assert {path.stem for path in CORPUS.glob("*.test")} == set(CASES)


@pytest.mark.parametrize("path", sorted(OURS.glob("*.test")), ids=lambda path: path.stem)
async def test_every_case_of_ours_passes(path: Path) -> None:
    commands = parse_script(_text(path))
    with ThreadPoolExecutor(2) as workers:
        count = await Runner(workers, shifted=True).run(path.name, commands)
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed == count.cases > 0
