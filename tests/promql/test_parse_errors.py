"""Every wrong query of Prometheus' own tests gets Prometheus' first error at Prometheus' place."""

import json
from pathlib import Path

import pytest

from bridge.model.errors import ParseError
from bridge.promql.features import Features
from bridge.promql.parser import parse
from tests.promql.signatures import SIGNATURES

CORPUS = Path(__file__).parents[3] / "shared" / "promqltest" / "parse_errors.json"
# The switches of the test that the corpus comes from.
FEATURES = Features(experimental_functions=True, extended_range_selectors=True)


def corpus() -> list[tuple[str, list[tuple[int, int, str]]]]:
    if not CORPUS.exists():
        return []
    cases: list[tuple[str, list[tuple[int, int, str]]]] = json.loads(CORPUS.read_text())
    return cases


@pytest.mark.skipif(not CORPUS.exists(), reason=f"no corpus of wrong queries at {CORPUS}")
def test_corpus_is_whole() -> None:
    assert len(corpus()) == 147


@pytest.mark.parametrize(("query", "errors"), corpus())
def test_wrong_query_gets_the_first_error_of_prometheus(
    query: str, errors: list[tuple[int, int, str]]
) -> None:
    with pytest.raises(ParseError) as caught:
        parse(query, SIGNATURES, FEATURES)
    pos = caught.value.pos
    assert (pos.start, pos.end, caught.value.message) == tuple(errors[0])
