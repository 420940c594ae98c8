"""Who passes the gate, and what nobody gets by guessing."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import bcrypt
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bridge.api.credentials import Passwords
from bridge.api.gate import Gate
from bridge.api.origin import USER
from bridge.api.web_config import RateLimit, WebConfig
from bridge.config.errors import ConfigError, Problem
from bridge.model.secret import Secret


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


ANN, BOB = hashed("secret"), hashed("other")
USERS = WebConfig(users=(("ann", Secret(ANN)), ("bob", Secret(BOB))))
TOKENS = {"grafana": hashlib.sha256(b"t0ken").digest()}


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asks, and for what."""
    said = PlainTextResponse(f"{scope.get(USER, '')} {Request(scope).url.path}")
    await said(scope, receive, send)


@asynccontextmanager
async def client(
    config: WebConfig = USERS, tokens: dict[str, bytes] | None = None, clock: float = 0.0
) -> AsyncIterator[httpx.AsyncClient]:
    gate = Gate(behind, lambda: config, None if tokens is None else lambda: tokens, lambda: clock)
    transport = httpx.ASGITransport(gate)
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as made:
        yield made


@pytest.mark.parametrize(
    "path", ["/", "/-/healthy", "/-/ready", "/metrics", "//-/ready", "/%2d/ready", "/x/../metrics"]
)
async def test_without_credentials_no_path_is_open(path: str) -> None:
    async with client() as asking:
        refused = await asking.get(path)
    assert (refused.status_code, refused.text) == (401, "Unauthorized\n")
    assert refused.headers["www-authenticate"] == "Basic"
    assert refused.headers["x-content-type-options"] == "nosniff"


async def test_a_known_user_passes_again_and_again() -> None:
    async with client() as asking:
        for _ in range(3):
            assert (await asking.get("/a", auth=("ann", "secret"))).text == "ann /a"
            assert (await asking.get("/a", auth=("bob", "other"))).text == "bob /a"
            assert (await asking.get("/a", auth=("ann", "other"))).status_code == 401
            assert (await asking.get("/a", auth=("eve", "secret"))).status_code == 401
            assert (await asking.get("/a", auth=("", ""))).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + base64.b64encode(b"ann").decode(),
        "Bearer secret",
        "Digest ann",
        "Basic " + base64.b64encode(b"ann:secret\x00").decode(),
        "Basic " + base64.b64encode(b"\xff:secret").decode(),
        "Basic " + base64.b64encode(b"ann:" + b"x" * 5000).decode(),
    ],
)
async def test_broken_credentials_are_wrong_ones(header: str) -> None:
    async with client() as asking:
        assert (await asking.get("/", headers={"Authorization": header})).status_code == 401


async def test_cve_2022_46146_no_password_stands_for_another() -> None:
    """What is remembered of one user cannot be reached through parts put together otherwise."""
    passwords = Passwords()
    users = {"ann": ANN, "a": hashed("x"), f"ann:{ANN}": BOB}
    assert await passwords.right(users, "ann", b"secret")
    for user, password in (
        ("a", f"nn{ANN}secret".encode()),
        ("ann", b""),
        (f"ann{ANN}", b"secret"),
        (f"ann:{ANN}", b"secret"),
        ("", f"ann{ANN}secret".encode()),
        (f"616e6e:{ANN.encode().hex()}", b"secret"),
    ):
        assert not await passwords.right(users, user, password)
    # A changed hash is a changed password, whatever was remembered.
    assert not await passwords.right({"ann": BOB}, "ann", b"secret")
    assert await passwords.right({"ann": BOB}, "ann", b"other")
    # Nor does a user who is gone live on.
    assert not await passwords.right({}, "ann", b"secret")


async def test_what_is_remembered_is_bounded_and_wrong_guesses_are_not() -> None:
    passwords = Passwords()
    users = {f"u{number}": ANN for number in range(3)}
    for user in users:
        assert await passwords.right(users, user, b"secret")
    for number in range(20):
        assert not await passwords.right(users, "u0", str(number).encode())
    assert len(passwords._right) == 3
    assert passwords._right.maxsize == 1000


async def test_many_at_once_are_checked_and_all_pass() -> None:
    async with client() as asking:
        answers = await asyncio.gather(
            *(asking.get("/", auth=("ann", "secret" if n % 2 else "no")) for n in range(20))
        )
    assert [answer.status_code for answer in answers] == [401, 200] * 10


async def test_too_many_guesses_at_once_are_not_checked_and_who_is_known_passes() -> None:
    async with client() as asking:
        assert (await asking.get("/", auth=("ann", "secret"))).status_code == 200
        guesses = [
            asyncio.create_task(asking.get("/", auth=("nobody", f"guess {at}")))
            for at in range(300)
        ]
        done = asyncio.as_completed(guesses)
        later = [await next(done) for _ in range(100)]
        assert (await asking.get("/", auth=("ann", "secret"))).status_code == 200
        for one in guesses:
            one.cancel()
    assert [one.status_code for one in later].count(503) >= 90
    assert {one.headers.get("retry-after") for one in later if one.status_code == 503} == {"1"}


async def test_those_who_come_at_once_with_the_same_password_wait_for_one_check() -> None:
    async with client() as asking:
        answers = await asyncio.gather(
            *(asking.get("/", auth=("ann", "secret")) for _ in range(300))
        )
    assert {answer.status_code for answer in answers} == {200}


async def test_a_token_passes_and_names_its_owner() -> None:
    async with client(WebConfig(), TOKENS) as asking:
        passed = await asking.get("/", headers={"Authorization": "Bearer t0ken"})
        assert passed.text == "grafana /"
        for header in ("Bearer t0ke", "Bearer", "Bearer t0ken t0ken", "Token t0ken"):
            refused = await asking.get("/", headers={"Authorization": header})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


async def test_users_and_tokens_go_together() -> None:
    async with client(USERS, TOKENS) as asking:
        assert (await asking.get("/", auth=("ann", "secret"))).status_code == 200
        token = {"Authorization": "Bearer t0ken"}
        assert (await asking.get("/", headers=token)).status_code == 200
        assert (await asking.get("/")).status_code == 401


async def test_a_file_without_tokens_lets_nobody_in() -> None:
    async with client(WebConfig(), {}) as asking:
        headers = {"Authorization": "Bearer "}
        for refused in (await asking.get("/"), await asking.get("/", headers=headers)):
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


async def test_without_users_and_tokens_anyone_passes() -> None:
    async with client(WebConfig()) as asking:
        assert (await asking.get("/a")).text == " /a"


async def test_every_answer_bears_the_headers() -> None:
    headers = (("X-Frame-Options", "deny"), ("Content-Security-Policy", "default-src 'self'"))
    async with client(WebConfig(headers=headers, users=USERS.users)) as asking:
        for auth in (("ann", "secret"), ("ann", "wrong")):
            answer = await asking.get("/", auth=auth)
            assert answer.headers["x-frame-options"] == "deny"
            assert answer.headers["content-security-policy"] == "default-src 'self'"


async def test_a_header_is_sent_in_utf8_and_in_one_line() -> None:
    headers = (("Content-Security-Policy", " a\r\nSet-Cookie: ü… "),)
    async with client(WebConfig(headers=headers)) as asking:
        answer = await asking.get("/")
    assert (b"content-security-policy", "a  Set-Cookie: ü…".encode()) in answer.headers.raw


async def test_a_file_that_is_broken_closes_the_gate(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> WebConfig:
        raise ConfigError([Problem("web.yml", 3, "not valid YAML")])

    transport = httpx.ASGITransport(Gate(behind, broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as asking:
        answer = await asking.get("/", auth=("ann", "secret"))
    assert (answer.status_code, answer.text) == (500, "Internal Server Error\n")
    assert vars(caplog.records[0])["err"] == "web.yml:3: not valid YAML"


async def test_a_rate_limit_lets_a_burst_through_and_then_one_each_interval() -> None:
    now = [0.0]
    config = WebConfig(rate_limit=RateLimit(interval=1000, burst=2))
    gate = Gate(behind, lambda: config, clock=lambda: now[0])
    transport = httpx.ASGITransport(gate)
    seen = []
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as asking:
        for moment in (0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 9.0, 9.0, 9.0):
            now[0] = moment
            seen.append((await asking.get("/")).status_code)
    assert seen == [200, 200, 429, 429, 200, 429, 200, 200, 429]
