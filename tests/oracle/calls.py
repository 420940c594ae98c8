"""The requests that Prometheus and prombridge must answer alike, good and bad, by endpoint."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from urllib.parse import urlencode

from tests.oracle.raw import Call
from tests.oracle.texts import (
    BAD_EVALUATIONS,
    BAD_QUERIES,
    FEW_TIMES,
    GRIDS,
    LABELS,
    LIMITS,
    LOOKBACKS,
    MATCHES,
    PATHS,
    QUERIES,
    STATS,
    STEPS,
    TARGETS,
    TIMEOUTS,
    TIMES,
)

API = "/api/v1"
NOW = "1767610000"  # a moment with data
SPAN = {"start": "1767606400", "end": NOW}
RANGE = {"query": "up", **SPAN, "step": "60"}
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def _get(path: str, parameters: Mapping[str, str] | None = None) -> Call:
    return Call("GET", f"{API}/{path}" + (f"?{urlencode(parameters)}" if parameters else ""))


def _varied(path: str, base: Mapping[str, str], name: str, texts: Iterable[str]) -> Iterator[Call]:
    return (_get(path, {**base, name: text}) for text in texts)


def _query() -> Iterator[Call]:
    at = {"time": NOW}
    yield from _varied("query", at, "query", (*QUERIES, *BAD_QUERIES, *BAD_EVALUATIONS))
    yield from _varied("query", {"query": "up"}, "time", TIMES)
    yield from _varied("query", {"query": "sort(up)", **at}, "limit", LIMITS)
    yield from _varied("query", {"query": "1", **at}, "limit", ("x", "1"))
    yield from _varied("query", {"query": "up[1m]", **at}, "limit", ("2",))
    yield from _varied("query", {"query": "1", **at}, "timeout", TIMEOUTS)
    yield from _varied("query", {"query": "up", "time": "1767610007"}, "lookback_delta", LOOKBACKS)
    yield from _varied("query", {"query": "sum(up)", **at}, "stats", STATS)
    for target in TARGETS:
        yield Call("GET", f"{API}/{target}")


def _query_range() -> Iterator[Call]:
    yield from _varied("query_range", RANGE, "query", (*QUERIES, *BAD_QUERIES, *BAD_EVALUATIONS))
    yield from _varied("query_range", RANGE, "start", ("", *TIMES))
    yield from _varied("query_range", RANGE, "end", ("", *TIMES, "1767606399.999", SPAN["start"]))
    yield from _varied("query_range", RANGE, "step", STEPS)
    yield from _varied("query_range", RANGE | {"query": "sort(up)"}, "limit", LIMITS)
    yield from _varied("query_range", RANGE, "timeout", TIMEOUTS)
    yield from _varied("query_range", RANGE, "lookback_delta", LOOKBACKS)
    yield from _varied("query_range", RANGE | {"query": "sum(up)"}, "stats", STATS)
    grid = {"query": "vector(1)", "start": "0"}
    for end, step in (
        ("11000", "1"),
        ("11000.999", "1"),
        ("11001", "1"),
        ("1.1", "0.0001"),
        ("11", "0.001"),
    ):
        yield _get("query_range", {**grid, "end": end, "step": step})
    for times in GRIDS:
        yield _get("query_range", {"query": "up", **times})
    yield _get("query_range")


def _lists() -> Iterator[Call]:
    for path in ("series", "labels", "label/job/values", "label/__name__/values"):
        yield from _varied(path, SPAN, "match[]", MATCHES)
        yield from _varied(path, {**SPAN, "match[]": "up"}, "limit", LIMITS)
        some = {"match[]": "up", "end": NOW}
        yield from _varied(path, some, "start", FEW_TIMES)
        yield from _varied(path, {"match[]": "up", "start": SPAN["start"]}, "end", FEW_TIMES)
        span = urlencode(SPAN)
        for query in (
            "match[]=up&match[]=(",
            f"match[]=up&match[]=nothing&{span}",
            f"match[]=up&match[]=up&{span}",
            f"match[]=up&match[]={{job='pod'}}&{span}",
            f"match%5B%5D=up&{span}",
            f"match=up&match[]=up&{span}",
            f"match[]=up&{span}&a=%zz",
            f"match[]=up&{span}&a=1;2",
            "match[]=up&limit=x&start=x&end=x",
            "match[]=up&start=x&end=x",
            "match[]=(&start=5&end=1",
            "match[]=up&start=5&end=1",
            f"match[]=%ff&{span}",
            f"match[]={{a=%22%ff%22}}&{span}",
            f"match[]={{job=~%22n.*%22}}&{span}&limit=2",
            "limit=x&start=x&end=x",
        ):
            yield Call("GET", f"{API}/{path}?{query}")
    for name in LABELS:
        yield Call(
            "GET",
            f"{API}/label/{name}/values?match[]=http_request_duration_seconds_bucket&{urlencode(SPAN)}",
        )
    yield _get("series")
    yield _get("series", SPAN)


def _language() -> Iterator[Call]:
    for path in ("format_query", "parse_query"):
        yield from _varied(path, {}, "query", (*QUERIES, *BAD_QUERIES))
        yield _get(path)
        yield Call("GET", f"{API}/{path}?query=1%zz")
        yield Call("GET", f"{API}/{path}?query=%ff")
        yield Call("POST", f"{API}/{path}", (("Content-Type", FORM),), b"query=sum(up)by(job)")


def _status() -> Iterator[Call]:
    for path in (
        "rules",
        "alerts",
        "alertmanagers",
        "metadata",
        "targets",
        "targets/metadata",
        "scrape_pools",
    ):
        yield _get(path)
    yield from _varied("metadata", {}, "limit", LIMITS)
    yield from _varied("metadata", {}, "limit_per_metric", LIMITS)
    yield from _varied("metadata", {}, "metric", ("up", ""))
    yield from _varied("rules", {}, "type", ("alert", "record", "x", ""))
    yield from _varied("rules", {}, "exclude_alerts", ("true", "x", "false", "1"))
    yield from _varied("rules", {}, "group_limit", ("x", "0", "-1", "10", "2147483648", "+1"))
    yield Call("GET", f"{API}/rules?type=alert&a=%zz")
    yield from _varied("rules", {}, "group_next_token", ("x",))
    yield from _varied("rules", {"group_limit": "1"}, "group_next_token", ("x",))
    yield from _varied("rules", {}, "match[]", ("up", "(", "{}"))
    yield from _varied("targets", {}, "state", ("active", "dropped", "any", "x"))
    yield from _varied("targets/metadata", {}, "limit", ("x", "1"))
    yield from _varied("targets/metadata", {}, "match_target", ("(", "up"))
    exemplars = {"query": "up", **SPAN}
    yield from _varied(
        "query_exemplars", exemplars, "query", ("up", "(", "", "1", "sum(up)", "up[5m")
    )
    yield from _varied(
        "query_exemplars", exemplars, "start", ("x", "1767620000", "1795403939062", "")
    )
    yield from _varied("query_exemplars", exemplars, "end", ("x", "0", ""))
    for path in (
        "status/buildinfo",
        "status/runtimeinfo",
        "status/config",
        "status/flags",
        "status/tsdb",
    ):
        yield _get(path)
    for path in (
        "nothing",
        "",
        "query/more",
        "label/job",
        "label//values",
        "status",
        "search/metric_names",
        "search/label_names",
        "search/label_values",
    ):
        yield _get(path)
    for target in (
        "/api/v1",
        "/api/v2/query",
        "/-/healthy",
        "/-/ready",
        "/api/v1/../v1/labels",
        "//api/v1/query",
    ):
        yield Call("GET", target)
    yield Call("HEAD", "/-/healthy")
    yield Call("HEAD", "/-/ready")


def _storage() -> Iterator[Call]:
    """What is about a storage or scrapes of one's own."""
    for path in (
        "status/walreplay",
        "status/tsdb/blocks",
        "status/self_metrics",
        "features",
        "notifications",
        "notifications?limit=1",
        "targets/relabel_steps",
        "scrape_pools/config",
    ):
        yield _get(path)
    for path in ("delete_series", "clean_tombstones", "snapshot"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            yield Call(method, f"{API}/admin/tsdb/{path}?match[]=up")
        yield Call("POST", f"{API}/admin/tsdb/{path}?match[]=(&start=x&skip_head=x")
    for path in ("otlp/v1/metrics",):
        for method in ("GET", "POST", "PUT"):
            yield Call(method, f"{API}/{path}", body=b"x")
    yield Call("GET", f"{API}/write")


def _federate() -> Iterator[Call]:
    for query in (
        "",
        "match[]=(",
        "match[]=",
        "match[]=1",
        "match[]={}",
        "match[]=up&match[]=(",
        "match[]=nothing",
        "match[]=up",
        "match[]={job='node'}&match[]=up",
        "match[]=up&a=%zz",
        "match[]=up;x",
    ):
        yield Call("GET", f"/federate?{query}")
    yield Call("POST", "/federate", (("Content-Type", FORM),), b"match[]=up")
    yield Call("PUT", "/federate?match[]=up")


def _methods() -> Iterator[Call]:
    for path in PATHS:
        for method in ("HEAD", "PUT", "OPTIONS", "DELETE"):
            yield Call(method, f"{API}/{path}")
    for method in ("PATCH", "TRACE", "query"):
        yield Call(method, f"{API}/query?query=1&time=4")
    for path in (
        "label/job/values?match[]=up",
        "metadata",
        "rules",
        "alerts",
        "status/buildinfo",
        "nothing",
    ):
        yield Call("POST", f"{API}/{path}")
    yield Call("OPTIONS", f"{API}/nothing")


def _bodies() -> Iterator[Call]:
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    whole = part % (b"query", b"2") + b"--b--\r\n"
    two = part % (b"query", b"2") + part % (b"time", b"7") + b"--b--\r\n"
    file = (
        b'--b\r\nContent-Disposition: form-data; name="query"; filename="q"\r\n\r\n2\r\n--b--\r\n'
    )
    base = "query?query=1&time=4"
    for target, body, kind in (
        (base, b"query=2", FORM),
        (base, b"query=2&time=5", f"{FORM}; charset=utf-8"),
        (base, b"query=2&time=5", FORM.upper()),
        (base, b"query=", FORM),
        (base, b"", FORM),
        (base, b'{"query":"2"}', "application/json"),
        (base, b"query=2", "text/plain"),
        (base, b"query=2", "application/x-www-form-urlencoded;"),
        (base, b"query=2", "application/x-www-form-urlencoded; charset"),
        (base, b"query=2", ";"),
        (base, b"query=2", "nonsense"),
        (base, whole, MULTIPART),
        ("query?time=4", whole, MULTIPART),
        ("query", two, MULTIPART),
        ("query?time=4", file, MULTIPART),
        ("query?time=4", whole[:-8], MULTIPART),
        ("query?query=1&time=4", b"garbage", MULTIPART),
        ("query?query=1&time=4", whole, "multipart/form-data"),
        ("query?time=4", b"query=%zz&query=3", FORM),
        ("query?time=4", b"query=1;2&query=3", FORM),
        ("query?time=4", b'query="\xff\xc3\xa9"', FORM),
        ("query?time=4", b"query=1\x00", FORM),
        ("query?time=4", b"query=\n1\n", FORM),
        ("query?time=4", b"time=5&query=time()&time=6", FORM),
        (f"query_range?query=1&{urlencode(SPAN)}", b"step=900", FORM),
        (f"series?{urlencode(SPAN)}", b"match[]=up&match%5B%5D=down", FORM),
        (f"series?{urlencode(SPAN)}", b"match[]=up;x", FORM),
        (f"series?match[]=up&{urlencode(SPAN)}", b"match[]=nothing", FORM),
        (f"series?match[]=up&{urlencode(SPAN)}", b"match[]=%zz", FORM),
        (f"labels?{urlencode(SPAN)}", b"match[]=up", FORM),
        (f"labels?{urlencode(SPAN)}", b"match[]=(", FORM),
        (f"labels?match[]=up&{urlencode(SPAN)}", b"", FORM),
    ):
        yield Call("POST", f"{API}/{target}", (("Content-Type", kind),), body)
    yield Call("POST", f"{API}/{base}")
    yield Call("POST", f"{API}/{base}", body=b"query=2")
    yield Call("POST", f"{API}/query?time=4", body=b"query=2")
    yield from _long_bodies()


def _long_bodies() -> Iterator[Call]:
    form = (("Content-Type", FORM),)
    span = urlencode(SPAN).encode()
    for name, parameters in {
        "a comment of 3 MB": b"time=4&query=1%23" + b"x" * 3_000_000,
        "3 MB of unknown parameters": b"time=4&query=1" + b"&a=1" * 750_000,
        "3 MB of blanks": b"time=4&query=1" + b"+" * 3_000_000,
        "9 MB of blanks": b"time=4&query=1" + b"+" * 9_000_000,
        "11 MB of blanks": b"time=4&query=1" + b"+" * 11_000_000,
    }.items():
        yield Call("POST", f"{API}/query", form, parameters, name)
    names = b"%7C".join(b"metric_%d" % number for number in range(100_000))
    body = b"match[]={__name__=~%22up%7C" + names + b"%22}&" + span
    yield Call("POST", f"{API}/labels", form, body, "a selector of 100,000 names")


def _headers() -> Iterator[Call]:
    target = f"{API}/query?query=1&time=4"
    for accepted in ("gzip", "deflate", "gzip;q=1.0", "br, gzip", "identity", "*", "", "gzip;q=0"):
        yield Call("GET", target, (("Accept-Encoding", accepted),))
    for origin in ("http://example.org", "null", "", "*"):
        yield Call("GET", target, (("Origin", origin),))
        yield Call("OPTIONS", target, (("Origin", origin),))
    yield Call("GET", f"{API}/query?query=(", (("Origin", "http://example.org"),))
    yield Call("GET", f"{API}/nothing", (("Origin", "http://example.org"),))
    for accept in ("text/html", "application/json", "*/*", "application/xml;q=0.1"):
        yield Call("GET", target, (("Accept", accept),))


GROUPS = (
    _query,
    _query_range,
    _lists,
    _language,
    _status,
    _storage,
    _federate,
    _methods,
    _bodies,
    _headers,
)


def calls() -> tuple[Call, ...]:
    """Every request, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(group() for group in GROUPS)))
