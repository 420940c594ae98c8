"""Faults that others had and that could be ours: a test for each, under its number.

docs/security.md says what each was about. Those of a browser are in tests/console.
"""

import asyncio
import contextlib
import json
import logging
import random
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.faulty import FaultyProxy, Way
from bridge.api.form import MAX_PAIRS
from bridge.cache.valkey import ValkeyTier, connector
from bridge.config.flags import Flags
from bridge.model.errors import StoreError
from bridge.model.secret import Secret
from bridge.remote.settings import Authorization, HttpSettings
from tests.hostile.test_clients import connected
from tests.hostile.test_stores import QUERY
from tests.hostile.world import bridge, served
from tests.remote.stores import OPTIONS, UP, Reply, remote, reply, store, streamed_reply
from tests.remote.test_faults import BOMB, STREAM
from tests.servers.serving import listening
from tests.servers.valkey import valkey

SECRET = "okapi-word-8"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATIENCE = 60  # seconds for what takes milliseconds


@contextlib.asynccontextmanager
async def client(
    folder: Path, answer: Reply = b"", flags: Flags | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a bridge before a store that gives this answer."""
    async with store(answer) as made, bridge(folder, {"url": made.url}, flags or Flags()) as one:
        yield one


@contextlib.asynccontextmanager
async def port(folder: Path) -> AsyncIterator[str]:
    """The URL of a bridge on a real socket, whose store gives a good answer."""
    good = streamed_reply(STREAM)
    async with (
        store(good) as made,
        served(folder, {"url": made.url}) as service,
        listening(service) as url,
    ):
        yield url


async def raw(url: str, sent: bytes) -> bytes:
    """All that a server says to these bytes until it closes."""
    async with connected(url) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(sent)
        return await reader.read()


async def test_cve_2026_42154_a_snappy_length_is_not_believed(tmp_path: Path) -> None:
    """A body of some bytes that says it holds 4 GiB, from a client and from a store."""
    async with client(tmp_path, reply(BOMB)) as asking:
        refused = await asking.post("/api/v1/read", content=BOMB)
        assert refused.status_code == 400
        assert "decoded length 4294967295 exceeds limit" in refused.text
        answer = await asking.get("/api/v1/query", params=QUERY)
    assert answer.status_code == 503
    assert "declares 4294967295 bytes" in answer.json()["error"]


PROVIDERS = {
    "oauth2": {"client_id": "me", "client_secret": SECRET, "token_url": "http://127.0.0.1/t"},
    "authorization": {"credentials": SECRET},
    "basic_auth": {"username": "me", "password": SECRET},
    "http_headers": {"X-Key": {"secrets": [SECRET]}},
}


async def shown(folder: Path, entry: dict[str, object], own: dict[str, object]) -> list[str]:
    """What the status pages show of a store's entry."""
    pages = ("config", "flags", "stores", "runtimeinfo")
    given = {"catalogue": {"bootstrap": False}, "stores": {"far away": own}}
    entry = {"url": "http://127.0.0.1:1/read", **entry}
    async with bridge(folder, entry, own=given) as asking:
        return [(await asking.get(f"/api/v1/status/{page}")).text for page in pages]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_cve_2026_42151_a_providers_secret_is_not_in_the_configuration_shown(
    tmp_path: Path, provider: str
) -> None:
    texts = await shown(tmp_path, {provider: PROVIDERS[provider]}, {})
    assert "<secret>" in json.loads(texts[0])["data"]["yaml"]
    assert SECRET not in "".join(texts)


async def test_ghsa_39j6_789q_qxvh_a_clouds_key_is_not_in_the_configuration_shown(
    tmp_path: Path,
) -> None:
    signed = {"region": "eu", "access_key": "AKIA", "secret_key": SECRET}
    texts = await shown(tmp_path, {}, {"sigv4": signed})
    assert "AKIA" in texts[0]
    assert SECRET not in "".join(texts)


ELSEWHERE = (
    "/new/newhttp://evil.example",
    "/new//evil.example",
    "//evil.example/..",
    "//evil.example/%2f..",
    "/\\evil.example",
    "/prom//evil.example",
    "/graph/../../evil.example",
)


@pytest.mark.parametrize("prefix", ["/", "/prom"])
async def test_cve_2021_29622_no_path_leads_to_another_host(tmp_path: Path, prefix: str) -> None:
    async with client(tmp_path, flags=Flags(web_route_prefix=prefix)) as asking:
        for path in ELSEWHERE:
            answer = await asking.get(f"http://bridge{path}")
            assert "evil" not in answer.headers.get("location", ""), path


async def test_cve_2025_4123_no_file_path_leads_to_another_host(tmp_path: Path) -> None:
    async with port(tmp_path) as url:
        for path in ("/assets/..%2f..%2f/evil.example", "/assets/%2e%2e//evil.example/?/../.."):
            answer = await raw(url, f"GET {path} HTTP/1.0\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 404")
            assert b"location:" not in answer.lower()


OUTSIDE = (
    "/assets/../../../../../../etc/hostname",
    "/assets/..%2f..%2f..%2f..%2fetc%2fhostname",
    "/assets/%2e%2e/%2e%2e/pyproject.toml",
    "/assets//etc/hostname",
    "/../../etc/hostname",
    "/stores/../../etc/hostname",
)


async def test_cve_2021_43798_no_path_leaves_the_files_of_the_console(tmp_path: Path) -> None:
    async with port(tmp_path) as url:
        for path in OUTSIDE:
            answer = await raw(url, f"GET {path} HTTP/1.0\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 404"), path
            assert socket.gethostname().encode() not in answer


async def test_cve_2020_13379_no_parameter_or_header_names_who_is_asked(tmp_path: Path) -> None:
    good = streamed_reply(STREAM)
    async with (
        store(good) as other,
        store(good) as made,
        bridge(tmp_path, {"url": made.url}) as asking,
    ):
        place = urlsplit(other.url).netloc
        named = {"url": other.url, "store": other.url, "server": place, "target": other.url}
        headers = {"X-Forwarded-Host": place, "Host": place, "X-Original-URL": other.url}
        answer = await asking.get("/api/v1/query", params=QUERY | named, headers=headers)
        assert answer.status_code == 200
        lost = await asking.get(f"/stores/{other.url}/api/v1/query", params=QUERY)
        assert lost.status_code == 404
        assert (len(made.asked), other.asked) == (1, [])


async def test_cve_2022_31130_what_a_client_proves_itself_by_is_not_passed_on(
    tmp_path: Path,
) -> None:
    """Nor its cookie, which is CVE-2022-39201."""
    proofs = {
        "Authorization": f"Bearer {SECRET}",
        "Cookie": f"session={SECRET}",
        "X-Grafana-Id": SECRET,
        "X-Api-Key": SECRET,
        "Proxy-Authorization": SECRET,
        "Connection": "close, X-Api-Key",
    }
    async with (
        store(streamed_reply(STREAM)) as made,
        bridge(tmp_path, {"url": made.url}) as asking,
    ):
        answer = await asking.get("/api/v1/query", params=QUERY, headers=proofs)
        assert answer.status_code == 200
        (asked,) = made.asked
    assert SECRET not in str(asked)
    assert not {"authorization", "cookie"} & asked.headers.keys()


async def test_cve_2023_45289_credentials_do_not_follow_a_redirect_to_another_origin() -> None:
    """The same as CVE-2025-4673."""
    http = HttpSettings(authorization=Authorization(credentials=Secret(SECRET)))
    async with store(streamed_reply(STREAM)) as other:
        moved = reply(b"", status="307 Elsewhere", headers=f"Location: {other.url}\r\n")
        async with store(moved) as made:
            one = remote(made.url, http=http, retries=0)
            with pytest.raises(StoreError, match="it redirects to another origin"):
                await one.select(UP, OPTIONS)
            await one.aclose()
            assert SECRET in made.asked[0].headers["authorization"]
        assert other.asked == []


async def test_cve_2025_62727_ranges_of_a_file_are_not_taken_apart(tmp_path: Path) -> None:
    ranges = "bytes=" + ",".join(f"{n}-" for n in range(5000))
    async with client(tmp_path) as asking:
        whole = await asking.get("/")
        answer = await asking.get("/", headers={"Range": ranges})
    assert answer.status_code == 200
    assert answer.content == whole.content


PART = b"--b\r\nContent-Disposition: form-data; name=query\r\n\r\n1\r\n"
PARTED = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_cve_2023_30798_a_form_has_so_many_parts_and_no_more(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        for parts, status in ((1, 200), (1000, 200), (1001, 400), (200_000, 400)):
            body = PART * parts + b"--b--\r\n"
            answer = await asking.post("/api/v1/query", content=body, headers=PARTED)
            assert answer.status_code == status, parts


async def test_cve_2023_30798_so_it_is_with_pairs(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        for count, status in ((MAX_PAIRS, 200), (MAX_PAIRS + 1, 400), (4_000_000, 400)):
            body = b"query=1" + b"&a=1" * (count - 1)
            answer = await asking.post("/api/v1/query", content=body, headers=FORM)
            assert answer.status_code == status
        assert "more than the 10000 that a request may have" in answer.json()["error"]


async def test_cve_2024_47874_a_part_without_a_file_name_has_a_limit(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        body = PART[:-3] + b"1" * (17 << 20) + b"\r\n--b--\r\n"
        answer = await asking.post("/api/v1/query", content=body, headers=PARTED)
    assert answer.status_code == 413


async def test_cve_2025_54121_a_large_file_in_a_form_touches_no_disk(tmp_path: Path) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name=a; filename="a"\r\n\r\n'
    folder = tmp_path / "bridge"
    folder.mkdir()
    async with client(folder) as asking:
        before = open_files()
        body = head + b"x" * (10 << 20) + b"\r\n" + PART + b"--b--\r\n"
        answer = await asking.post("/api/v1/query", content=body, headers=PARTED)
        assert open_files() == before
    assert answer.status_code == 200


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n"
HEAD = b"POST /api/v1/query HTTP/1.1\r\nHost: b\r\nContent-Type: text/plain\r\n"
UNCLEAR = {
    "a chunk that does not end": b"Transfer-Encoding: chunked\r\n\r\n1\r\nAXX0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an odd coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a length with a sign": b"Content-Length: +0\r\n\r\n",
    "a folded length": b"Content-Length:\r\n 0\r\n\r\n",
    "a bare line feed in a chunk": b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
}


async def test_cve_2025_43859_no_request_hides_in_another_whose_end_is_unclear(
    tmp_path: Path,
) -> None:
    async with port(tmp_path) as url:
        for name, unclear in UNCLEAR.items():
            answer = await raw(url, HEAD + unclear + SMUGGLED)
            assert answer.startswith(b"HTTP/1.1 4"), name
            assert answer.count(b"HTTP/1.1 ") == 1, name


ESCAPES = ("%1b%5b31m%0d%0aforged", "%0d%0aX-Forged:%201", "%00%0aforged")


PLACES = ("/{}", "/api/v1/label/{}/values", "/api/v1/query?query={}", "/stores/{}/api/v1/query")


async def test_cve_2020_7694_no_path_writes_into_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with port(tmp_path) as url:
        for path in (place.format(text) for place in PLACES for text in ESCAPES):
            await raw(url, f"GET {path} HTTP/1.0\r\nX-Grafana-User: a\x1b[1m\r\n\r\n".encode())
    for record in caplog.records:
        assert record.getMessage().isprintable()
    assert "\x1b" not in caplog.text


async def test_cve_2020_7695_no_path_or_header_writes_into_an_answers_head(
    tmp_path: Path,
) -> None:
    async with port(tmp_path) as url:
        for text, path in ((text, place.format(text)) for place in PLACES for text in ESCAPES):
            sent = f"GET {path} HTTP/1.0\r\nOrigin: a{text}\r\n\r\n".encode()
            head, _, _ = (await raw(url, sent)).partition(b"\r\n\r\n")
            names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
            assert b"x-forged" not in names
            assert b"forged" not in head.split(b"\r\n")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The port of a Valkey."""
    with valkey(tmp_path / "valkey") as (url, _):
        yield int(url.rpartition(":")[2])


async def test_cve_2023_28858_an_answer_given_up_is_not_read_by_the_next(redis: int) -> None:
    """The same as CVE-2023-28859."""
    proxy = FaultyProxy(redis, [b"-"], random.Random(1))
    async with proxy.served(), asyncio.timeout(PATIENCE):
        tier = ValkeyTier(connector(f"redis://127.0.0.1:{proxy.listening}"), timeout=PATIENCE)
        for name in ("one", "two"):
            tier.put(name, name.encode(), 60_000)
        await tier.settled()
        assert await tier.get(["one"]) == [b"one"]
        proxy.turn(Way.STALL)
        asked = asyncio.create_task(tier.get(["one"]))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        proxy.turn(Way.OPEN)
        for _ in range(5):
            assert await tier.get(["two"]) == [b"two"]
        await tier.aclose()


async def test_cve_2026_27880_the_path_that_is_checked_is_the_path_that_is_served(
    tmp_path: Path,
) -> None:
    """What a proxy in front does not take for /api/v1/query is not answered as if it were."""
    async with port(tmp_path) as url:
        for path in ("//api/v1/query", "/api/v1//query", "/./api/v1/query", "/x/../api/v1/query"):
            answer = await raw(url, f"GET {path}?query=1 HTTP/1.0\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 404"), path
