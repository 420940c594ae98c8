"""The harnesses accept what they were made for, and whatever earlier runs found."""

import pytest

from tests.fuzz.harness import Harness
from tests.fuzz.targets import TARGETS

HARNESSES = pytest.mark.parametrize("harness", TARGETS.values(), ids=TARGETS)


def test_corpora_are_small_and_each_is_some_harness_own() -> None:
    files = {harness.file for harness in TARGETS.values()}
    held = set(next(iter(files)).parent.iterdir())
    assert held <= files
    assert sum(file.stat().st_size for file in held) < 300_000


@HARNESSES
def test_no_reader_does_what_it_may_not(harness: Harness) -> None:
    for data in (b"", *harness.seeds(), *harness.kept()):
        harness.check(data)
