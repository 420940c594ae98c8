"""Signatures of AWS are those that AWS documents, and a server can check them."""

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.model.errors import StoreError
from bridge.model.secret import Secret
from bridge.remote.credentials import Files
from bridge.remote.settings import HttpSettings, SigV4
from bridge.remote.signing import Keys, Signed, keys_of, signature
from tests.remote.stores import OPTIONS, UP, Asked, found, remote, reply, store
from tests.remote.test_client import WIRE_A, A
from tests.remote.wires import sampled_body

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
DATA = reply(sampled_body([WIRE_A]))

# AWS' own test suite for Signature Version 4.
VECTORS = {
    "get-vanilla": (
        Signed("GET", "https://example.amazonaws.com/", (), b""),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "post-vanilla": (
        Signed("POST", "https://example.amazonaws.com/", (), b""),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "get-vanilla-query-order-key-case": (
        Signed("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", (), b""),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
}


@pytest.mark.parametrize(("request_", "made"), VECTORS.values(), ids=VECTORS.keys())
def test_the_signature_is_that_of_aws(request_: Signed, made: str) -> None:
    keys = Keys(ACCESS, Secret(SECRET))
    headers = signature(request_, "us-east-1", keys, MOMENT, "service")
    assert headers == {
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": (
            f"AWS4-HMAC-SHA256 Credential={ACCESS}/20150830/us-east-1/service/aws4_request,"
            f" SignedHeaders=host;x-amz-date, Signature={made}"
        ),
    }


def checked(asked: Asked, path: str) -> str:
    """The signature that a request should have, from what the server received of it."""
    fields = dict(
        part.strip().split("=", 1)
        for part in asked.headers["authorization"].removeprefix("AWS4-HMAC-SHA256").split(",")
    )
    names = fields["SignedHeaders"].split(";")
    lines = "".join(f"{name}:{asked.headers[name]}\n" for name in names)
    body = hashlib.sha256(asked.body).hexdigest()
    canonical = f"POST\n{path}\n\n{lines}\n{fields['SignedHeaders']}\n{body}"
    access, *scope = fields["Credential"].split("/")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", asked.headers["x-amz-date"], "/".join(scope), digest))
    key = b"AWS4" + SECRET.encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    assert (access, scope[1:]) == (ACCESS, ["eu-west-1", "aps", "aws4_request"])
    assert {"host", "x-amz-date", "content-type"} <= set(names)
    assert fields["Signature"] == key.hex()
    return fields["SignedHeaders"]


async def test_a_store_can_check_what_it_is_sent() -> None:
    sigv4 = SigV4("eu-west-1", ACCESS, Secret(SECRET))
    async with store(DATA) as made:
        client = remote(made.url, http=HttpSettings(sigv4=sigv4))
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    checked(made.asked[0], "/api/v1/read")


async def test_a_redirect_is_signed_for_where_it_leads() -> None:
    moved = reply(b"", status="308 Moved", headers="Location: /else/where\r\n")
    async with store(moved, DATA) as made:
        sigv4 = SigV4("eu-west-1", ACCESS, Secret(SECRET))
        client = remote(made.url, http=HttpSettings(sigv4=sigv4))
        await client.select(UP, OPTIONS)
        await client.aclose()
    checked(made.asked[1], "/else/where")


async def test_a_sessions_token_is_sent_signed_and_never_shown() -> None:
    token = "session-token-1"
    sigv4 = SigV4("eu-west-1", ACCESS, Secret(SECRET), Secret(token))
    async with store(reply(token.encode(), "text/plain", "403 Forbidden")) as made:
        client = remote(made.url, http=HttpSettings(sigv4=sigv4), retries=0)
        with pytest.raises(StoreError, match="HTTP 403 Forbidden: <secret>"):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert made.asked[0].headers["x-amz-security-token"] == token
    assert "x-amz-security-token" in checked(made.asked[0], "/api/v1/read")


def test_keys_of_a_profile_are_read_again_when_the_file_changes(tmp_path: Path) -> None:
    file, files = tmp_path / "credentials", Files()
    sigv4 = SigV4("eu-west-1", profile="reader", profile_file=str(file))
    for name in ("one", "another"):
        file.write_text(f"[reader]\naws_access_key_id = {name}\naws_secret_access_key = s%{name}\n")
        keys = keys_of(sigv4, files)
        assert (keys.access, keys.secret.reveal()) == (name, f"s%{name}")


@pytest.mark.parametrize("text", ["", "[other]\nx = y\n", "nonsense"])
async def test_a_profile_without_keys_is_told_of(tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(text)
    sigv4 = SigV4("eu-west-1", profile="reader", profile_file=str(file))
    client = remote("http://127.0.0.1:1/read", http=HttpSettings(sigv4=sigv4), retries=0)
    with pytest.raises(StoreError, match="has no keys of the profile reader"):
        await client.select(UP, OPTIONS)
    await client.aclose()
