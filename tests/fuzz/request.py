"""Requests to the API over a store in memory: an answer or a refusal, never an error of ours."""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from bridge.api.routes import FEDERATE, HANDLERS, application
from bridge.api.settings import ApiSettings
from bridge.engine.query import EngineSettings
from tests.api.world import NOW, START, api
from tests.fuzz.harness import Harness, Reader

_PATHS = (*(path.replace("{name:text}", "job") for path in HANDLERS), FEDERATE)
_FORM = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data; boundary=b"
_WAYS = (("GET", _FORM), ("POST", _FORM), ("POST", _MULTIPART))
_SETTINGS = ApiSettings(enable_search=True)
_LIMITS = EngineSettings(timeout=1000, max_samples=10_000)

Asked = Callable[[str, str, bytes, bytes], tuple[int, bytes]]


@cache
def _asked() -> Asked:
    """What asks one application, on one loop, for as long as the process lives."""
    loop = asyncio.new_event_loop()
    made: Any = application(
        loop.run_until_complete(api(settings=_SETTINGS, limits=_LIMITS).__aenter__())
    )

    async def ask(method: str, path: str, kind: bytes, text: bytes) -> tuple[int, bytes]:
        query, body = (text, b"") if method == "GET" else (b"", text)
        sent: list[dict[str, Any]] = []
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            # The client stays: it never disconnects.
            return unread.pop() if unread else await loop.create_future()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
            "root_path": "", "headers": [(b"content-type", kind), (b"host", b"bridge")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 9090), "state": {},
        }  # fmt: skip
        await made(scope, receive, send)
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])

    return lambda *question: loop.run_until_complete(ask(*question))


def _check(data: bytes) -> None:
    """The first byte says which path, the second how; what follows is the query or the body."""
    if len(data) < 2:
        return
    path, (method, kind) = _PATHS[data[0] % len(_PATHS)], _WAYS[data[1] % len(_WAYS)]
    status, body = _asked()(method, path, kind, data[2:])
    assert status < 500 or status == 503, (status, body)
    if path != FEDERATE and status != 204:
        # A search answers in lines, the last of which says how it ended.
        assert json.loads(body.splitlines()[-1])["status"] in {"success", "error"}


def _seeds() -> Iterator[bytes]:
    times = f"start={START // 1000}&end={NOW // 1000}&step=30"
    questions = {
        "/api/v1/query": f"query=sum(up)&time={NOW / 1000}&timeout=1s&lookback_delta=5m&limit=2",
        "/api/v1/query_range": f"query=rate(requests_total[1m])&{times}&stats=all",
        "/api/v1/query_cost": f"query=up&{times}",
        "/api/v1/format_query": "query=sum%20by(job)(up)",
        "/api/v1/parse_query": "query=up%5B5m%5D",
        "/api/v1/series": f"match[]=up&match[]=%7Bjob%3D~%22w.*%22%7D&{times}&limit=3",
        "/api/v1/labels": f"match[]=up&{times}",
        "/api/v1/label/job/values": f"match[]=odd&{times}",
        "/api/v1/search/metric_names": "search[]=u&fuzz_threshold=50&sort_by=score&limit=2",
        "/api/v1/metadata": "metric=up&limit=1&limit_per_metric=1",
        FEDERATE: "match[]=up",
    }
    for path, text in questions.items():
        yield bytes([_PATHS.index(path), 0]) + text.encode()
        yield bytes([_PATHS.index(path), 1]) + text.encode()
    part = '--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nup\r\n--b--\r\n'
    yield bytes([0, 2]) + part.encode()


HARNESSES = (Harness("request", (Reader(_check, _seeds),), ("bridge.api", "bridge.promql")),)
