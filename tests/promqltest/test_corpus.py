"""Prometheus' own scripts: no case that is attempted fails, in any of its forms."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.promqltest.runner import Runner
from tests.promqltest.script import parse_script

CORPUS = Path(__file__).parents[3] / "shared" / "promqltest"
OURS = Path(__file__).parent / "ours"

# How many cases of each script pass at least; what is missing needs what is not built yet.
PASSED = {
    "aggregators": 125,
    "at_modifier": 78,
    "collision": 2,
    "duration_expression": 59,
    "extended_vectors": 120,
    "fill-modifier": 46,
    "functions": 323,
    "histograms": 93,
    "info": 52,
    "limit": 1,
    "literals": 25,
    "name_label_dropping": 30,
    "native_histograms": 1,
    "operators": 142,
    "range_queries": 14,
    "selectors": 31,
    "staleness": 17,
    "start_timestamps": 0,
    "subquery": 32,
    "trig_functions": 19,
    "type_and_unit": 58,
}


def _text(path: Path) -> str:
    return path.read_text()


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
@pytest.mark.parametrize(("name", "least"), PASSED.items())
async def test_no_attempted_case_of_prometheus_fails(name: str, least: int) -> None:
    commands = parse_script(_text(CORPUS / f"{name}.test"))
    with ThreadPoolExecutor(2) as workers:
        count = await Runner(workers, shifted=True).run(name, commands)
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed + count.not_attempted.total() == count.cases
    assert count.passed >= least


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
def test_every_script_of_prometheus_is_run() -> None:
    assert {path.stem for path in CORPUS.glob("*.test")} == set(PASSED)


@pytest.mark.parametrize("path", sorted(OURS.glob("*.test")), ids=lambda path: path.stem)
async def test_every_case_of_ours_passes(path: Path) -> None:
    commands = parse_script(_text(path))
    with ThreadPoolExecutor(2) as workers:
        count = await Runner(workers, shifted=True).run(path.name, commands)
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed == count.cases > 0
