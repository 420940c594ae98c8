"""What a Prometheus that scrapes `/federate` gets is the same from both, letter by letter."""

import math
import time

import numpy as np
import pytest

from tests.oracle.raw import Call, send
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

SERIES = (
    ({"__name__": "up", "job": "a"}, 1.0),
    ({"__name__": "up", "job": "b", "instance": "i:1"}, math.nan),
    ({"__name__": "many", "text": 'a"b\\c\nd', "é": "ü"}, 1795405268.123),
    ({"__name__": "huge", "region": "own"}, 1e21),
    ({"__name__": "tiny"}, 1e-9),
    ({"__name__": "with.dot", "a-b": "c", "z_": "1"}, -math.inf),
    ({"__name__": "negative"}, -0.0),
)
QUERIES = (
    "match[]=up",
    "match[]={__name__=~'.%2B'}",
    "match[]={job='b'}&match[]=up&match[]=tiny",
    "match[]={}",
    "match[]={__name__=~'.*',job=''}",
)
ACCEPTED = (
    "",
    "text/plain",
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.2",
    "text/plain;version=0.0.4;escaping=dots",
    "text/plain;version=0.0.4;escaping=values",
)


@pytest.fixture(scope="module")
def both(
    prometheus_server: PrometheusFactory, bridge_server: BridgeFactory
) -> tuple[Running, Running]:
    # Federation knows no other time than now.
    now = time.time_ns() // 1_000_000
    times = np.array([now - 60_000, now - 1000])
    made = (SeriesData(labels, times, np.array([2.5, value])) for labels, value in SERIES)
    oracle = prometheus_server(PrometheusOptions())
    write_prometheus(oracle.url, Dataset(tuple(made), now - 60_000, now))
    return oracle, bridge_server(f"{oracle.url}/api/v1/read")


@pytest.mark.parametrize("accepted", ACCEPTED)
@pytest.mark.parametrize("query", QUERIES)
def test_federation_is_prometheus_own(
    both: tuple[Running, Running], query: str, accepted: str
) -> None:
    call = Call("GET", f"/federate?{query}", (("Accept", accepted),))
    theirs, ours = (send(one.url, call) for one in both)
    assert ours.body == theirs.body
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert (ours.body == b"") == (query == "match[]={}")
