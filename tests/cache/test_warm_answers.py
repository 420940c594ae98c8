"""Answers are the same through a cache that was filled in random pieces, with evictions between.

A share of what `make laws` asks: Prometheus' own scripts, and random expressions beside a real one.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.storage.interface import Querier
from tests.cache.warmed import Warmed
from tests.oracle.fuzz import describe, fuzz, question
from tests.oracle.fuzz_data import END, START, nasty
from tests.oracle.fuzz_words import words
from tests.oracle.writer import write_prometheus
from tests.promqltest.runner import Runner
from tests.promqltest.script import share_of
from tests.promqltest.test_corpus import CASES, CORPUS, OURS
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

# One case in so many of each script; so many random expressions.
SHARE = int(os.environ.get("WARM_SHARE", "12"))
COUNT = int(os.environ.get("WARM_COUNT", "80"))
SEED = 7
OURS_NAMES = sorted(OURS.glob("*.test"))


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"Prometheus' scripts are not in {CORPUS}")
async def test_the_scripts_of_prometheus_pass_through_a_warm_cache(name: str) -> None:
    await passes(CORPUS / f"{name}.test")


@pytest.mark.parametrize("path", OURS_NAMES, ids=lambda path: path.stem)
async def test_our_scripts_pass_through_a_warm_cache(path: Path) -> None:
    await passes(path)


async def passes(path: Path) -> None:
    made: list[Warmed] = []

    def before(store: Querier) -> Querier:
        made.append(Warmed(store))
        return made[-1]

    with ThreadPoolExecutor(2) as workers:
        count = await Runner(workers, shifted=True, before=before).run(
            path.name, share_of(path, SHARE)
        )
    assert not count.failures, "\n\n".join(map(str, count.failures))
    assert count.passed == count.cases == len(made)


def test_random_expressions_get_the_same_answers_through_a_warm_cache(
    prometheus_server: PrometheusFactory,
) -> None:
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, nasty())
    known = words(nasty(), START, END)
    made: list[Warmed] = []

    def before(store: Querier) -> Querier:
        made.append(Warmed(store, END))
        return made[-1]

    asked = [(number, question(known, SEED, number)) for number in range(COUNT)]
    summary = asyncio.run(fuzz(server.url, asked, before=before))
    assert not [describe(one) for one in summary.differing]
    assert sum(one.pieces for one in made) > COUNT
