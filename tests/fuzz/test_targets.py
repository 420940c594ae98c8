"""The harnesses accept what they were made for, and whatever earlier runs found."""

import pytest

from tests.fuzz.harness import Harness
from tests.fuzz.targets import TARGETS

HARNESSES = pytest.mark.parametrize("harness", TARGETS.values(), ids=TARGETS)


@HARNESSES
def test_no_reader_does_what_it_may_not(harness: Harness) -> None:
    for data in (b"", *harness.seeds(), *harness.kept()):
        harness.check(data)
