"""What a Prometheus that scrapes `/federate` gets is the same from both, byte by byte."""

import math
import time

import numpy as np
import pytest

from bridge.model.histogram import Hint, Histogram
from tests.oracle.raw import Call, send
from tests.oracle.series import Dataset, NativeData, SeriesData
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
_COUNTED = Histogram(
    schema=3,
    count=21.0,
    sum=-7.25,
    zero_count=2.0,
    zero_threshold=1e-9,
    positive_spans=((-3, 2), (4, 1)),
    positive=(3.0, 4.0, 5.0),
    negative_spans=((1, 2),),
    negative=(6.0, 1.0),
)
_WEIGHED = Histogram(schema=-1, count=2.5, sum=4.0, positive_spans=((0, 1),), positive=(2.5,))
_HIGH = Histogram(
    schema=8,
    count=1.0,
    sum=1.0,
    positive_spans=((0, 1),),
    positive=(1.0,),
    hint=Hint.GAUGE,
)
NATIVE = (
    ({"__name__": "latency", "job": "a"}, _COUNTED),
    ({"__name__": "latency", "job": "b", "z.z": "1"}, _WEIGHED),
    ({"__name__": "many", "job": "own"}, _COUNTED),
    ({"__name__": "depth.of"}, _HIGH),
)
_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
QUERIES = (
    "match[]={__name__=~'latency|depth.*'}",
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
    _PROTOBUF,
    f"{_PROTOBUF};escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    f"text/plain;q=0.3,{_PROTOBUF};q=0.4;escaping=values",
    f"text/plain;q=0.5,{_PROTOBUF};q=0.4",
    f"text/plain;version=1.0.0;escaping=dots,{_PROTOBUF};q=0.4",
    "application/vnd.google.protobuf;proto=other;encoding=delimited;escaping=dots",
)


@pytest.fixture(scope="module")
def both(
    prometheus_server: PrometheusFactory, bridge_server: BridgeFactory
) -> tuple[Running, Running]:
    # Federation knows no other time than now.
    now = time.time_ns() // 1_000_000
    times = np.array([now - 60_000, now - 1000])
    made = (SeriesData(labels, times, np.array([2.5, value])) for labels, value in SERIES)
    native = (NativeData(labels, times[1:], (held,)) for labels, held in NATIVE)
    oracle = prometheus_server(PrometheusOptions(flags=("--enable-feature=native-histograms",)))
    write_prometheus(oracle.url, Dataset(tuple(made), now - 60_000, now, tuple(native)))
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
    # Native histograms have no text form.
    text = ours.headers["content-type"].startswith("text/plain")
    assert (ours.body == b"") == (query == "match[]={}" or (text and query == QUERIES[0]))
