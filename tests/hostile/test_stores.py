"""Whatever a store does, a client gets the whole answer or one sentence, and never a secret."""

import asyncio
import base64
import logging
import socket
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.hostile.world import NAME, QUIET, UNNAMED, bridge
from tests.remote.stores import START, Reply, chunked_reply, reply, store, streamed_reply
from tests.remote.test_faults import FAULTS, SAMPLES, STREAM

NOW = START // 1000 + 60
QUERY = {"query": "up", "time": f"{NOW}"}
SPAN = {"start": f"{NOW - 60}", "end": f"{NOW}"}
READ_FOR_QUERY = "(reading 2023-11-14T22:09:20.001Z to 2023-11-14T22:14:20Z)"
READ_FOR_SPAN = "(reading 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z)"
REQUESTS: tuple[tuple[str, Mapping[str, str], str], ...] = (
    ("query", QUERY, READ_FOR_QUERY),
    (
        "query_range",
        {"query": "sum(rate(up[1m]))", **SPAN, "step": "15"},
        "(reading 2023-11-14T22:12:20.001Z to 2023-11-14T22:14:20Z)",
    ),
    ("series", {"match[]": "up", **SPAN}, READ_FOR_SPAN),
    ("labels", {"match[]": "up", **SPAN}, READ_FOR_SPAN),
    ("label/job/values", {"match[]": "up", **SPAN}, READ_FOR_SPAN),
)
LONG = b"disk is gone " * 10_000


async def reset(writer: asyncio.StreamWriter) -> None:
    """The start of a good answer, then a TCP reset."""
    writer.write(streamed_reply(STREAM)[:-20])
    await writer.drain()
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


REFUSALS: dict[str, tuple[Reply, str]] = {
    **FAULTS,
    "403": (reply(b"no", "text/plain", "403 Forbidden"), "HTTP 403 Forbidden: no "),
    "404": (reply(b"404 page not found\n", "text/plain", "404 Not Found"), "HTTP 404 Not Found: "),
    "500 at length": (
        reply(LONG, "text/plain", "500 Internal Server Error"),
        "HTTP 500 Internal Server Error: disk is gone disk is gone",
    ),
    "429": (reply(b"slower", "text/plain", "429 Too Many Requests"), "HTTP 429 Too Many Requests"),
    "503 in HTML": (
        reply(b"<html><h1>503</h1></html>", "text/html", "503 Service Unavailable"),
        "HTTP 503 Service Unavailable: <html>",
    ),
    "a good answer of another type": (
        reply(SAMPLES, "application/octet-stream"),
        "not a remote read endpoint: HTTP 200 OK application/octet-stream: ",
    ),
    "no HTTP at all": (b"SSH-2.0-OpenSSH_9.9\r\n", "no answer from http://127.0.0.1:"),
    "a reset in the middle": (reset, "HTTP 200 OK, but the answer ends early: "),
}


@pytest.mark.parametrize(("path", "parameters", "read"), REQUESTS, ids=[one[0] for one in REQUESTS])
@pytest.mark.parametrize(("answer", "text"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_fault_is_one_sentence_for_the_client(
    tmp_path: Path, answer: Reply, text: str, path: str, parameters: Mapping[str, str], read: str
) -> None:
    async with store(answer) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get(f"/api/v1/{path}", params=parameters)
    said = _refusal(response, 503, "unavailable")
    assert said.startswith(f'store "{NAME}": {text}')
    assert said.endswith(read)
    assert len(said) < 500


def _refusal(response: Response, status: int, kind: str) -> str:
    """The sentence of an error that has this status and type, and nothing besides."""
    assert response.status_code == status, response.text
    body = response.json()
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert set(body) == {"status", "errorType", "error"}
    said: str = body["error"]
    assert "\n" not in said
    assert "Traceback" not in said
    assert "www-authenticate" not in response.headers
    return said


@pytest.mark.parametrize("size", range(0, len(STREAM), 5))
async def test_a_stream_cut_anywhere_is_no_answer(tmp_path: Path, size: int) -> None:
    cut = chunked_reply(STREAM[:size], end=b"") if size else chunked_reply(end=b"")
    async with store(cut) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get("/api/v1/query", params=QUERY)
    assert "HTTP 200 OK, but" in _refusal(response, 503, "unavailable")


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted"])
async def test_a_success_is_a_success(tmp_path: Path, status: str) -> None:
    good = reply(SAMPLES, status=status)
    async with store(good) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get("/api/v1/query", params=QUERY)
    assert [one["value"][1] for one in response.json()["data"]["result"]] == ["3", "5"]


async def test_a_closed_port_is_one_sentence(tmp_path: Path) -> None:
    async with store(b"") as made:
        url = made.url
    async with bridge(tmp_path, {"url": url}) as client:
        response = await client.get("/api/v1/query", params=QUERY)
    said = _refusal(response, 503, "unavailable")
    assert said.startswith(f'store "{NAME}": no answer from {url}: ')
    assert said.endswith(READ_FOR_QUERY)


async def test_a_store_that_stalls_is_a_timeout(tmp_path: Path) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(streamed_reply(STREAM)[:-20])
        await writer.drain()

    entry = {"remote_timeout": "2s"}
    async with store(stall) as made, bridge(tmp_path, {"url": made.url, **entry}) as client:
        response = await client.get("/api/v1/query", params=QUERY)
        async with asyncio.timeout(30):
            await made.dropped.wait()
    text = f'store "{NAME}": no complete answer within remote_timeout (2s) {READ_FOR_QUERY}'
    assert _refusal(response, 503, "timeout") == text


async def test_a_limit_of_the_store_is_not_a_failure(tmp_path: Path) -> None:
    limit = reply(b"exceeded sample limit (5000)\n", "text/plain", "400 Bad Request")
    async with store(limit) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get("/api/v1/query", params=QUERY)
    assert "exceeded sample limit (5000)" in _refusal(response, 422, "execution")


async def test_one_failing_selector_fails_the_query(tmp_path: Path) -> None:
    good, bad = streamed_reply(STREAM), reply(b"gone", "text/plain", "500 Gone")
    async with store(good, bad) as made, bridge(tmp_path, {"url": made.url}) as client:
        response = await client.get("/api/v1/query", params={**QUERY, "query": "up or down"})
    _refusal(response, 503, "unavailable")


PASSWORD, TOKEN = "zebra-word-7", "okapi-word-8"
BASIC = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
CREDENTIALS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "basic auth": (
        {"basic_auth": {"username": "reader", "password": PASSWORD}},
        (PASSWORD, BASIC),
    ),
    "bearer": ({"authorization": {"credentials": TOKEN}}, (TOKEN,)),
    "in the URL": (
        {"url": f"http://reader:{PASSWORD}@{{address}}?token={TOKEN}"},
        (PASSWORD, TOKEN, BASIC),
    ),
    "in a URL that is the name": (
        {"url": f"http://reader:{PASSWORD}@{{address}}?token={TOKEN}", "name": ""},
        (PASSWORD, TOKEN, BASIC),
    ),
    "a header": ({"headers": {"X-Key": TOKEN}}, (TOKEN,)),
    "a secret header": ({"http_headers": {"X-Tenant": {"secrets": [TOKEN]}}}, (TOKEN,)),
}
ECHO = f"authorization: Basic {BASIC}, Bearer {TOKEN}, reader:{PASSWORD}"
SECRET_FAULTS: dict[str, Reply] = {
    "401": FAULTS["401"][0],
    "HTML": FAULTS["HTML"][0],
    "wrong checksum": FAULTS["wrong checksum"][0],
    "nothing at all": b"",
    "an echo": reply(ECHO.encode(), "text/plain", "401 Unauthorized"),
    "an echo at the limit": reply(b"x" * 240 + ECHO.encode(), "text/plain", "401 Unauthorized"),
    "an echo in the status": reply(b"", "text/plain", f"401 {ECHO}"),
    "an echo as the type": reply(b"", ECHO),
    "an echo in a stream": streamed_reply(STREAM + ECHO.encode()),
}


@pytest.mark.parametrize("answer", SECRET_FAULTS.values(), ids=SECRET_FAULTS.keys())
@pytest.mark.parametrize(("settings", "secrets"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
async def test_secrets_are_shown_nowhere(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    settings: Mapping[str, Any],
    secrets: Sequence[str],
    answer: Reply,
) -> None:
    caplog.set_level(logging.DEBUG, "bridge")
    async with store(answer) as made:
        url = settings.get("url", "http://{address}").format(address=f"127.0.0.1:{made.port}/read")
        own = UNNAMED if "name" in settings else QUIET
        async with bridge(tmp_path, {**settings, "url": url}, own=own) as client:
            response = await client.get("/api/v1/query", params=QUERY)
            shown = [_refusal(response, 503, "unavailable"), *await _pages(client)]
        sent = str(made.asked[0])
    assert any(secret in sent for secret in secrets), "the store was not sent its credentials"
    logged = [record.getMessage() + str(vars(record)) for record in caplog.records]
    text = "".join(shown + logged)
    assert not [secret for secret in secrets if secret in text or secret[:-2] in text]


async def _pages(client: AsyncClient) -> list[str]:
    paths = ("/metrics", "/api/v1/status/config", "/api/v1/status/runtimeinfo", "/-/ready", "/")
    return [(await client.get(path)).text for path in paths]
