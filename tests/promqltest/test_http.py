"""Prometheus' own scripts through the whole bridge, and what a case may not lose on the way."""

import os
from pathlib import Path

import pytest

from tests.promqltest.http import FORMS, bridged
from tests.promqltest.script import Eval, share_of
from tests.promqltest.test_corpus import CASES, CORPUS

# Scripts with native histograms or start timestamps: only for these encodings make a difference.
NATIVE = (
    "aggregators",
    "extended_vectors",
    "functions",
    "histograms",
    "info",
    "limit",
    "native_histograms",
    "operators",
    "range_queries",
    "start_timestamps",
    "subquery",
)
EVERY = ("streamed", "samples")
ASKED = [(name, form) for name in CASES for form in FORMS if form in EVERY or name in NATIVE]
# One case in so many; `make laws` takes all of them.
SHARE = int(os.environ.get("HTTP_SHARE", "6"))


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
@pytest.mark.parametrize(("name", "form"), ASKED)
async def test_every_case_of_prometheus_passes(name: str, form: str, tmp_path: Path) -> None:
    commands = share_of(CORPUS / f"{name}.test", SHARE)
    async with bridged(tmp_path, FORMS[form]) as runner:
        count = await runner.run(name, commands)
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed == count.cases
    # A sampled answer has no place for start timestamps.
    assert count.cases + count.not_carried == sum(isinstance(one, Eval) for one in commands)
    assert SHARE > 1 or count.cases + count.not_carried == CASES[name]
    assert not count.not_carried or not FORMS[form].carries_starts
