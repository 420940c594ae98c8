"""Refusals and empty answers are those of a real, empty Prometheus, byte for byte."""

from urllib.parse import urlencode

import pytest
from httpx import AsyncClient

from bridge.storage.memory import MemoryStore
from tests.api import world
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions

RANGE = {"query": "up", "start": "1000", "end": "2000", "step": "15"}
BAD_TIMES = ("foo", "", "1e", "2020-01-01", "1,5", '"', "<&>", "\n", "é", "1_0", "0x", "infin")
BAD_STEPS = ("0", "-1", "foo", "1x", "", "1e30", "-1e30", "5m3", "1.5m", "NaN", '"', "0s", "1h1d")
BAD_LIMITS = ("x", "-1", "1.5", "99999999999999999999", "1_0", "0x1", " 1", "+", "\u0661")
BAD_QUERIES = ("", "sum(", "a b", "{}", "up[5m", "foo(1)", "1 + ", "up{a=~'('}", '"', "\n\n)")
BAD_MATCHES = ("{}", "up{", "up[5m]", "1", "", "sum(up)", '{a=""}', '{a=~".*"}', "up{a=~'('}")

QUERIES = [
    *(f"query?{urlencode({'query': text})}" for text in BAD_QUERIES),
    *(f"query_range?{urlencode(RANGE | {'query': text})}" for text in (*BAD_QUERIES, "a[5m]")),
    *(f"query?{urlencode({'query': '1', 'time': text})}" for text in BAD_TIMES if text),
    *(f"query_range?{urlencode(RANGE | {'start': text})}" for text in BAD_TIMES),
    *(f"query_range?{urlencode(RANGE | {'end': text})}" for text in (*BAD_TIMES, "999")),
    *(f"query_range?{urlencode(RANGE | {'step': text})}" for text in BAD_STEPS),
    *(f"query?{urlencode({'query': '1', 'limit': text})}" for text in BAD_LIMITS),
    *(f"query?{urlencode({'query': '1', 'timeout': text})}" for text in ("x", "1e30", "1x")),
    *(f"query?{urlencode({'query': '1', 'lookback_delta': text})}" for text in ("x", "1e30")),
    "query_range",
    "query?limit=x&time=x&timeout=x&lookback_delta=x&query=(",
    "query?time=x&timeout=x&lookback_delta=x&query=(",
    "query?timeout=x&lookback_delta=x&query=(",
    "query?lookback_delta=x&query=(",
    "query_range?limit=x&start=x&end=x&step=x",
    "query_range?start=5&end=1&step=x",
    "query_range?start=1&end=5&step=0&timeout=x",
    "query_range?start=0&end=11000&step=1&query=(",
    "query_range?start=0&end=11001&step=1&query=(",
    "query_range?start=0&end=1.8e12&step=1&query=1",
    "query?query=1&time=4.0005",
    "query?query=up&time=1.8e12",
    "query?query=vector(1)&time=-1.5",
    "query?query=%zz&query=1&time=4",
    "query?query=1;2&query=2&time=4",
    "query?query=1&query=2&time=4",
    "query?query=%ff",
    "query?query=up{a=%22%ff%22}",
    "query?query=%22%3C%26%3E%ff%22&time=4",
    "query?query=%22%01%0a%7f%e2%80%a8%22&time=4",
    "query_range?query=1&start=0&end=30&step=15s",
    "query_range?query=1&start=0&end=30&step=0.5m",
    "query_range?query=1&start=0&end=0&step=15.0009",
    "query_range?query=1&start=1970-01-01T00:00:00Z&end=1970-01-01T01:00:30.5%2B01:00&step=7.5",
    "format_query?query=sum%20by(a)(up)",
    "format_query",
    "format_query?query=(",
]
LISTS = [
    *(f"series?{urlencode({'match[]': text})}" for text in BAD_MATCHES),
    *(f"labels?{urlencode({'match[]': text})}" for text in BAD_MATCHES),
    *(f"label/job/values?{urlencode({'match[]': text})}" for text in BAD_MATCHES),
    *(f"labels?{urlencode({'limit': text})}" for text in BAD_LIMITS),
    *(f"labels?{urlencode({'start': text})}" for text in BAD_TIMES if text),
    "series",
    "series?match[]=up&match[]=(",
    "series?match[]=up&a=%zz",
    "series?match[]=up&a=1;2",
    "series?match[]=up&limit=x&start=x",
    "series?match[]=up&start=x&end=x",
    "series?match[]=up&end=x",
    "series?match[]=up",
    "labels",
    "labels?limit=x&start=x&end=x&match[]=(",
    "labels?start=x&end=x&match[]=(",
    "labels?end=x&match[]=(",
    "labels?match[]=up&match[]=down",
    "label/job/values",
    "label/U__/values",
    "label/%ff/values",
    "label/U__a_2e_b/values",
    "label/job/values?limit=x&start=x&end=x&match[]=(",
    "label/job/values?start=5&end=1&match[]=up",
]
STATUS = [
    "rules",
    "alerts",
    "alertmanagers",
    "metadata",
    "metadata?limit=x",
    "metadata?limit_per_metric=x",
    "query_exemplars?query=up&start=2&end=1",
    "query_exemplars?query=(",
    "query_exemplars?query=up&start=x",
    "query_exemplars?query=up&start=1795403939062&end=1795405739063",
]


@pytest.fixture(scope="session")
def empty_prometheus(prometheus_server: PrometheusFactory) -> Running:
    return prometheus_server(PrometheusOptions())


@pytest.mark.parametrize("path", [*QUERIES, *LISTS, *STATUS])
async def test_get(empty_prometheus: Running, path: str) -> None:
    async with AsyncClient(base_url=empty_prometheus.url) as prometheus:
        theirs = await prometheus.get(f"/api/v1/{path}")
    async with world.client(MemoryStore()) as client:
        ours = await client.get(f"/api/v1/{path}")
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    assert ours.headers["content-type"] == theirs.headers["content-type"]


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\n2\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("url", "body", "content_type"),
    [
        ("query?query=1&time=4", b"query=2", FORM),
        ("query?query=1&time=4", b"query=2&time=5", f"{FORM}; charset=utf-8"),
        ("query?query=1&time=4", b"", FORM),
        ("query?query=1&time=4", b'{"query":"2"}', "application/json"),
        ("query?query=1&time=4", PART, MULTIPART),
        ("query?time=4", PART, MULTIPART),
        ("query?time=4", b"query=%zz&query=3", FORM),
        ("query?time=4", b'query="\xff\xc3\xa9"', FORM),
        ("series", b"match[]=up&match%5B%5D=down", FORM),
        ("series", b"match[]=up;x", FORM),
        ("labels", b"match[]=(", FORM),
    ],
)
async def test_post(empty_prometheus: Running, url: str, body: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    async with AsyncClient(base_url=empty_prometheus.url) as prometheus:
        theirs = await prometheus.post(f"/api/v1/{url}", content=body, headers=headers)
    async with world.client(MemoryStore()) as client:
        ours = await client.post(f"/api/v1/{url}", content=body, headers=headers)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
