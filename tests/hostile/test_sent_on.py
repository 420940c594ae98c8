"""Faults of others that a header could have that is sent on to a store."""

import hashlib
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from bridge.api.gate import Gate
from bridge.api.web_config import WebConfig
from tests.hostile.test_stores import QUERY
from tests.hostile.test_vulnerabilities import SECRET, raw
from tests.hostile.world import NAME, UNNAMED, bridge, served
from tests.remote.stores import reply, store, streamed_reply
from tests.remote.test_faults import STREAM
from tests.servers.serving import listening

ORG: Final = "X-Scope-OrgID"
ASKING: Final = f"/api/v1/query?{urlencode(QUERY)}"


def sending(*names: str) -> dict[str, Any]:
    """The own file of a bridge that sends these headers on."""
    quiet = {"retries": 0, "profile": "prometheus"}
    return {**UNNAMED, "stores": {NAME: {**quiet, "forward_headers": list(names)}}}


async def test_cve_2022_31130_not_even_where_it_may_be_sent_on(tmp_path: Path) -> None:
    """Once prombridge itself asks for tokens, what proves who a client is stays with it."""
    proofs = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", ORG: "team-a"}
    tokens = {"me": hashlib.sha256(SECRET.encode()).digest()}
    async with (
        store(streamed_reply(STREAM)) as made,
        served(tmp_path, {"url": made.url}, own=sending("Authorization", "Cookie", ORG)) as app,
    ):
        for asks in (None, lambda: tokens):
            gate = httpx.ASGITransport(Gate(app, WebConfig, asks))
            async with httpx.AsyncClient(transport=gate, base_url="http://bridge") as asking:
                answer = await asking.get("/api/v1/query", params=QUERY, headers=proofs)
                assert answer.status_code == 200
        before, after = (one.headers for one in made.asked)
    assert (before["authorization"], before["cookie"]) == (f"Bearer {SECRET}", f"session={SECRET}")
    assert before[ORG.lower()] == after[ORG.lower()] == "team-a"
    assert SECRET not in str(after)


async def test_cve_2022_31813_no_client_takes_away_a_header_that_is_sent_on(
    tmp_path: Path,
) -> None:
    """Without the header that a proxy in front has set, the store would show something else."""
    async with (
        store(streamed_reply(STREAM)) as made,
        served(tmp_path, {"url": made.url}, own=sending(ORG)) as service,
        listening(service) as url,
    ):
        for named in (ORG, f"close, {ORG.lower()}", f"{ORG.upper()} ,close"):
            head = f"GET {ASKING} HTTP/1.0\r\n{ORG}: team-a\r\nConnection: {named}\r\n\r\n"
            answer = await raw(url, head.encode())
            assert answer.startswith(b"HTTP/1.1 400"), named
            assert b"which is sent on to stores" in answer
        assert made.asked == []


BREAKS = (b"\r\n X-Evil: 1", b"\rX-Evil: 1", b"\nX-Evil: 1", b"\0X-Evil: 1", b"\x0bX-Evil: 1")


async def test_cve_2016_5699_no_value_writes_into_the_head_of_a_read(tmp_path: Path) -> None:
    """What cannot stand in a header is refused by the server; in its own process as well."""
    async with (
        store(streamed_reply(STREAM)) as made,
        served(tmp_path, {"url": made.url}, own=sending(ORG)) as service,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(service), base_url="http://bridge"
        ) as within,
        listening(service) as url,
    ):
        for value in (b"team-a" + written for written in BREAKS):
            head = f"GET {ASKING} HTTP/1.0\r\n{ORG}: ".encode() + value + b"\r\n\r\n"
            assert (await raw(url, head)).startswith(b"HTTP/1.1 400")
            refused = await within.get(ASKING, headers=[(ORG.encode(), value)])
            assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
    assert not any("evil" in str(one.headers).lower() for one in made.asked)


async def test_cve_2023_45289_nor_does_what_a_client_sent(tmp_path: Path) -> None:
    proofs = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", ORG: SECRET}
    async with store(streamed_reply(STREAM)) as other:
        moved = reply(b"", status="307 Elsewhere", headers=f"Location: {other.url}\r\n")
        async with (
            store(moved) as made,
            bridge(tmp_path, {"url": made.url}, own=sending(*proofs)) as asking,
        ):
            answer = await asking.get("/api/v1/query", params=QUERY, headers=proofs)
            assert answer.status_code == 503
            assert "it redirects to another origin" in answer.json()["error"]
            assert SECRET not in answer.text
            sent = made.asked[0].headers
            assert [sent[name.lower()] for name in proofs] == list(proofs.values())
        assert other.asked == []
