"""Clients that dawdle, go away or send too much: others are answered, nothing is left behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from bridge.demo.store import demo_store
from bridge.remote.server import read_app
from tests.grafana.reader import read_exchange
from tests.grafana.requests import NOW_MS
from tests.hostile import world as hostile
from tests.remote.stores import store
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.serving import listening, served

END = NOW_MS // 1000
LARGE = urlencode(
    {"query": "node_cpu_seconds_total", "start": END - 86_400, "end": END, "step": 15}
)
FORM = "application/x-www-form-urlencoded"
PATIENCE = 60  # seconds for what takes milliseconds


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A prombridge in front of the demo's store."""
    folder = tmp_path_factory.mktemp("clients")
    with (
        served(read_app(demo_store(NOW_MS).querier)) as url,
        prombridge(folder, reading(f"{url}/api/v1/read")) as running,
    ):
        yield running


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection, closed without a word at the end."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(method: str, target: str, length: int = 0) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: bridge", f"Content-Type: {FORM}"]
    if method == "POST":
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def answered(url: str) -> None:
    """The bridge answers others."""
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{url}/api/v1/query", params={"query": "1+1"})
    assert response.json()["data"]["result"][1] == "2"


async def at_rest(running: Running, files: int) -> None:
    """No query is under way, and no more files are open than before."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
        while True:
            active = await client.get(f"{running.url}/api/v1/status/active_queries")
            # This client's own connection is one.
            if active.json()["data"] == [] and open_files(running) <= files + 1:
                return
            await asyncio.sleep(0)


def open_files(running: Running) -> int:
    return len(list(Path(f"/proc/{running.pid}/fd").iterdir()))


async def test_who_goes_away_takes_its_reads_along(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hanging(_writer: asyncio.StreamWriter) -> None:
        asked.set()

    async with (
        asyncio.timeout(PATIENCE),
        store(hanging) as made,
        hostile.served(tmp_path, {"url": made.url}) as service,
        listening(service) as url,
    ):
        async with connected(url) as (_, writer):
            writer.write(head("GET", "/api/v1/query?query=up"))
            await asked.wait()
        await made.dropped.wait()
        await answered(url)


async def test_who_reads_a_byte_at_a_time_holds_up_nobody(bridge: Running) -> None:
    files = open_files(bridge)
    async with connected(bridge.url) as (reader, writer):
        writer.write(head("GET", f"/api/v1/query_range?{LARGE}"))
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(12) == b"HTTP/1.1 200"
        for _ in range(3):
            await reader.readexactly(1)
            await answered(bridge.url)
    await at_rest(bridge, files)


async def test_who_sends_a_byte_at_a_time_holds_up_nobody(bridge: Running) -> None:
    body = urlencode({"query": "1+1"}).encode()
    async with connected(bridge.url) as (reader, writer):
        writer.write(head("POST", "/api/v1/query", len(body)))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
        await answered(bridge.url)
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("sent", [0, 1, 5])
async def test_who_goes_away_while_sending_leaves_nothing(bridge: Running, sent: int) -> None:
    files = open_files(bridge)
    body = urlencode({"query": "sum(up)"}).encode()
    async with connected(bridge.url) as (_, writer):
        writer.write(head("POST", "/api/v1/query", len(body)) + body[:sent])
        await writer.drain()
        await answered(bridge.url)
    await at_rest(bridge, files)


@pytest.mark.parametrize(("size", "status"), [(10_000_000, 200), (17 << 20, 413)])
async def test_bodies_have_a_limit(bridge: Running, size: int, status: int) -> None:
    body = b"query=1&time=4&a=" + b"1" * size
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        response = await client.post(
            f"{bridge.url}/api/v1/query", content=body, headers={"Content-Type": FORM}
        )
    assert response.status_code == status
    read_exchange("/api/v1/query", status, response.headers["content-type"], response.content)


# As older versions of Grafana ask, or as a wrong URL of a data source makes it ask.
ODD = (
    ("POST", "/api/v1/label/job/values", 200),
    ("POST", "/api/v1/label/job/values?match[]=up&limit=1", 200),
    ("POST", "/api/v1/metadata", 200),
    ("POST", "/api/v1/rules", 200),
    ("POST", "/api/v1/query?query=1%2B1&time=4", 200),
    ("POST", "/api/v1/query", 400),
    ("GET", "/api/v1/label/U__no_zz_escape/values", 200),
    ("GET", "/api/v1/label//values", 400),
    ("GET", "/api/v1/labels?limit=-1", 400),
    ("GET", "/api/v1/series?match[]=up&limit=-1", 400),
    ("GET", "/api/v1/query?query=up&limit=-1", 400),
    ("GET", "//api/v1/query?query=1", 404),
    ("GET", "/api//v1/query?query=1", 404),
    ("GET", "/api/v1/query/?query=1", 404),
    ("PATCH", "/api/v1/query?query=1", 405),
    ("DELETE", "/api/v1/label/job/values", 405),
)


@pytest.mark.parametrize(("method", "target", "status"), ODD)
async def test_odd_requests_have_an_answer_in_the_api_s_form(
    bridge: Running, method: str, target: str, status: int
) -> None:
    async with connected(bridge.url) as (reader, writer):
        writer.write(head(method, target).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    first, _, body = answer.partition(b"\r\n\r\n")
    assert int(first.split()[1]) == status
    path = target.partition("?")[0]
    if status >= 400:
        # What the path does not say its error does.
        path = "/api/v1/query"
    read_exchange(path, status, "application/json", body)
    assert b"content-type: application/json" in first.lower()
