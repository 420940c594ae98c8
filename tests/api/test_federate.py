"""Federation: the newest samples as text, numbers and names as Prometheus writes them."""

import math

import numpy as np
import pytest
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.escaping import Escaping, negotiated
from bridge.api.federate import go_shortest
from bridge.api.settings import ApiSettings
from bridge.model.labels import Labels
from bridge.model.samples import STALE_NAN_BITS
from bridge.storage.memory import MemoryStore
from tests.api import world
from tests.api.world import NOW

STALE = float(np.array([STALE_NAN_BITS], np.uint64).view(np.float64)[0])


async def test_newest_samples_come_by_metric(client: AsyncClient) -> None:
    response = await client.get("/federate?match[]=up&match[]=odd&match[]=up")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert response.text == (
        f'# TYPE odd untyped\nodd{{a_b="x&y",tab="a\\tb",instance=""}} +Inf {NOW}\n'.replace(
            "\\t", "\t"
        )
        + "# TYPE up untyped\n"
        f'up{{instance="a",job="web"}} 1 {NOW}\n'
        f'up{{instance="b",job="web"}} 0 {NOW}\n'
    )


async def test_external_labels_are_added_where_a_series_has_none() -> None:
    settings = ApiSettings(external_labels=(("region", "eu"), ("job", "other")))
    async with world.client(settings=settings) as client:
        response = await client.get("/federate?match[]=requests_total")
    assert response.text.endswith(f'{{job="web",instance="",region="eu"}} 40 {NOW}\n')


async def test_series_that_ended_or_are_old_are_left_out() -> None:
    store = MemoryStore(
        [
            (Labels.of({"__name__": "ended"}), [NOW - 1000, NOW], [1.0, STALE]),
            (Labels.of({"__name__": "old"}), [NOW - 300_001], [1.0]),
            (Labels.of({"__name__": "kept"}), [NOW - 300_000], [1.0]),
            (Labels.of({"job": "nameless"}), [NOW], [1.0]),
        ]
    )
    async with world.client(store) as client:
        response = await client.get("/federate?match[]={__name__=~'.*'}")
    assert response.text == f'# TYPE kept untyped\nkept{{instance=""}} 1 {NOW - 300_000}\n'


@pytest.mark.parametrize("query", ["", "match[]={}", "match[]=nothing"])
async def test_nothing_is_an_empty_text(client: AsyncClient, query: str) -> None:
    response = await client.get(f"/federate?{query}")
    assert (response.status_code, response.text) == (200, "")


async def test_errors_are_texts(client: AsyncClient) -> None:
    response = await client.get("/federate?match[]=(")
    assert (response.status_code, response.text) == (400, '1:1: parse error: unexpected "("\n')
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1e5, "100000"),
        (1e6, "1e+06"),
        (1795405268.123, "1.795405268123e+09"),
        (123456.789, "123456.789"),
        (0.0001, "0.0001"),
        (1e-5, "1e-05"),
        (-2.5e300, "-2.5e+300"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_go_does(value: float, text: str) -> None:
    assert go_shortest(value) == text


@given(st.floats(allow_nan=False))
def test_a_number_reads_back(value: float) -> None:
    assert float(go_shortest(value)) == value


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "a_b_c"),
        ("text/plain;version=1.0.0;escaping=allow-utf-8", "a.b_c"),
        ("application/json, text/plain; version=0.0.4; escaping=dots", "a_dot_b__c"),
        ("text/plain;escaping=values", "U__a_2e_b__c"),
        ("text/plain;escaping=nonsense", "a_b_c"),
    ],
)
def test_names_are_escaped_as_asked(accept: str, name: str) -> None:
    assert negotiated(accept).escape("a.b_c") == name


def test_plain_names_need_no_escape() -> None:
    assert {one.escape("a:b_c") for one in Escaping} == {"a:b_c"}
