"""Federation: the newest samples as text, numbers and names as Prometheus writes them."""

import math
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from google.protobuf.proto import parse_length_prefixed
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.escaping import Escaping, negotiated
from bridge.api.exposition import go_shortest
from bridge.api.settings import ApiSettings
from bridge.model.histogram import Hint, Histogram, Histograms
from bridge.model.labels import Labels
from bridge.model.samples import STALE_NAN_BITS
from bridge.remote.proto import metrics_pb2 as proto
from bridge.storage.memory import MemoryStore
from tests.api import world
from tests.api.world import NOW

PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
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


async def families(store: MemoryStore) -> list[proto.MetricFamily]:
    """What a scraper that takes protobuf is sent."""
    async with world.client(store) as client:
        response = await client.get(
            "/federate?match[]={__name__=~'.%2B'}", headers={"Accept": PROTOBUF}
        )
    assert response.headers["content-type"].startswith("application/vnd.google.protobuf; proto=")
    body, found = BytesIO(response.content), []
    while body.tell() < len(response.content):
        found.append(parse_length_prefixed(proto.MetricFamily, body))
    return found


ONE = Histogram(count=3.0, sum=1.5, positive_spans=((2, 1),), positive=(3.0,))


def labelled(name: str) -> Labels:
    return Labels.of({"__name__": name})


def table(one: Histogram) -> Histograms:
    return Histograms.of([one])


async def test_the_newest_is_a_float_or_a_histogram_whichever_is_later() -> None:
    store = MemoryStore()
    store.append(labelled("became"), [NOW - 1000], [5.0])
    store.append_histograms(labelled("became"), [NOW], table(ONE))
    store.append_histograms(labelled("counted"), [NOW - 2000], table(ONE))
    store.append(labelled("counted"), [NOW - 1000], [7.0])
    store.append_histograms(labelled("ended"), [NOW - 2000], table(ONE))
    store.append_histograms(labelled("ended"), [NOW], table(Histogram(sum=STALE)))
    became, counted = await families(store)
    assert (became.name, became.type) == ("became", proto.HISTOGRAM)
    assert became.metric[0].timestamp_ms == NOW
    assert list(became.metric[0].histogram.positive_count) == [3.0]
    assert (counted.name, counted.type) == ("counted", proto.UNTYPED)
    assert counted.metric[0].untyped.value == 7.0


async def test_a_metric_of_several_kinds_is_a_family_of_each() -> None:
    store = MemoryStore()
    store.append(Labels.of({"__name__": "mixed", "job": "a"}), [NOW], [1.0])
    store.append_histograms(Labels.of({"__name__": "mixed", "job": "b"}), [NOW], table(ONE))
    gauge = replace(ONE, hint=Hint.GAUGE)
    store.append_histograms(Labels.of({"__name__": "mixed", "job": "c"}), [NOW], table(gauge))
    found = [(one.name, one.type) for one in await families(store)]
    kinds = (proto.UNTYPED, proto.HISTOGRAM, proto.GAUGE_HISTOGRAM)
    assert found == [("mixed", kind) for kind in kinds]


async def test_custom_buckets_become_classic_ones() -> None:
    custom = Histogram(
        schema=-53,
        count=10.0,
        sum=2.5,
        positive_spans=((0, 1), (1, 2)),
        positive=(1.0, 2.0, 7.0),
        bounds=(0.1, 0.5, 1.0),
    )
    store = MemoryStore()
    store.append_histograms(labelled("batch"), [NOW], table(custom))
    (family,) = await families(store)
    held = family.metric[0].histogram
    assert not held.HasField("schema")
    assert [(one.upper_bound, one.cumulative_count_float) for one in held.bucket] == [
        (0.1, 1),
        (0.5, 1),
        (1.0, 3),
    ]
    assert (held.sample_count_float, held.sample_sum) == (10, 2.5)


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
    assert negotiated(accept).escaping.escape("a.b_c") == name


def test_plain_names_need_no_escape() -> None:
    assert {one.escape("a:b_c") for one in Escaping} == {"a:b_c"}
