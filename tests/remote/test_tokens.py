"""OAuth 2.0: tokens are fetched, kept, renewed, and never shown."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from bridge.model.errors import StoreError
from bridge.model.secret import Secret
from bridge.remote.credentials import BadCredentials, Files
from bridge.remote.settings import HttpSettings, OAuth2
from bridge.remote.tokens import Tokens
from tests.remote.stores import OPTIONS, UP, Asked, Reply, found, remote, reply, store
from tests.remote.test_client import WIRE_A, A
from tests.remote.wires import sampled_body

SECRET = "s3cret&more"


def token(text: str, **more: object) -> Reply:
    """A server's answer with a token."""
    return reply(json.dumps({"access_token": text, **more}).encode(), "application/json")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


World = tuple[Tokens, Clock, list[Asked]]


@asynccontextmanager
async def world(
    *replies: Reply, **settings: object
) -> AsyncIterator[tuple[Tokens, Clock, list[Asked]]]:
    async with store(*replies) as server:
        clock = Clock()
        made = OAuth2("me", server.url, Secret(SECRET), **settings)  # type: ignore[arg-type]
        tokens = Tokens(made, Files(), clock)
        try:
            yield tokens, clock, server.asked
        finally:
            await tokens.aclose()


async def test_a_token_is_asked_for_as_the_protocol_says() -> None:
    settings = {"scopes": ("a", "b"), "endpoint_params": (("audience", "x y"),)}
    async with world(token("t1", token_type="bearer"), **settings) as (tokens, _, asked):
        assert await tokens.authorization() == "Bearer t1"
    (request,) = asked
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "audience": ["x y"],
    }
    sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "me:s3cret%26more"


async def test_a_token_is_kept_until_it_expires() -> None:
    async with world(token("t1", expires_in=60), token("t2")) as (tokens, clock, asked):
        for clock.now in (0.0, 49.0):
            assert await tokens.authorization() == "Bearer t1"
        clock.now = 51.0
        assert await tokens.authorization() == "Bearer t2"
        clock.now = 1e9
        assert await tokens.authorization() == "Bearer t2"
        assert len(asked) == 2


async def test_many_at_once_share_one_token() -> None:
    async with world(token("t1"), token("t2")) as (tokens, _, asked):
        held = await asyncio.gather(*(tokens.authorization() for _ in range(10)))
        assert (set(held), len(asked)) == ({"Bearer t1"}, 1)


async def test_a_server_that_wants_the_secret_in_the_form_gets_it_there() -> None:
    refusal = reply(b"{}", "application/json", "401 Unauthorized")
    async with world(refusal, token("t1", expires_in=1), token("t2")) as (tokens, _, asked):
        assert await tokens.authorization() == "Bearer t1"
        assert await tokens.authorization() == "Bearer t2"
    forms = [parse_qs(one.body.decode()).get("client_secret") for one in asked]
    assert forms == [None, [SECRET], [SECRET]]


async def test_a_token_may_come_as_a_form() -> None:
    text = reply(b"access_token=t1&expires_in=5&token_type=x", "text/plain; charset=utf-8")
    async with world(text) as (tokens, _, _):
        assert await tokens.authorization() == "x t1"


BAD = {
    "refused": (
        reply(f"no {SECRET}".encode(), "text/plain", "403 Forbidden"),
        "403 Forbidden: no <secret>",
    ),
    "nothing in it": (token(""), "server response missing access_token"),
    "no object": (reply(b"[]", "application/json"), r"no token in \[\]"),
    "no JSON": (reply(b"<html>", "text/html"), "no token in <html>"),
    "too long": (reply(b"x" * (2 << 20), "text/html"), "more than 1048576 bytes"),
    "no answer": (b"", "Server disconnected"),
}


@pytest.mark.parametrize(("answer", "text"), BAD.values(), ids=BAD.keys())
async def test_what_brings_no_token_is_one_sentence(answer: Reply, text: str) -> None:
    async with world(answer) as (tokens, _, _):
        match = f"cannot fetch a token from http://.*: {text}"
        with pytest.raises(BadCredentials, match=match) as caught:
            await tokens.authorization()
        assert SECRET not in str(caught.value)


async def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one\n")
    async with store(token("t", expires_in=1)) as server:
        settings = OAuth2("me", server.url, client_secret_file=str(file))
        tokens = Tokens(settings, Files(), Clock())
        await tokens.authorization()
        file.write_text("another\n")
        await tokens.authorization()
        await tokens.aclose()
    sent = [base64.b64decode(one.headers["authorization"][6:]) for one in server.asked]
    assert sent == [b"me:one", b"me:another"]


DATA = reply(sampled_body([WIRE_A]))


async def test_a_store_is_sent_the_token_and_one_that_it_refuses_is_renewed() -> None:
    refusal = reply(b"", "text/plain", "401 Unauthorized")
    async with store(token("t1"), token("t2")) as server, store(refusal, DATA) as made:
        http = HttpSettings(oauth2=OAuth2("me", server.url, Secret(SECRET)))
        client = remote(made.url, http=http)
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert [one.headers["authorization"] for one in made.asked] == ["Bearer t1", "Bearer t2"]


async def test_a_store_that_goes_on_refusing_is_an_error_without_the_token() -> None:
    refusal = reply(b"what is token-number-1?", "text/plain", "401 Unauthorized")
    async with store(token("token-number-1")) as server, store(refusal) as made:
        http = HttpSettings(oauth2=OAuth2("me", server.url, Secret(SECRET)))
        client = remote(made.url, http=http, retries=0)
        with pytest.raises(StoreError, match="HTTP 401 Unauthorized: what is <secret>"):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 2


async def test_a_server_of_tokens_out_of_reach_is_told_of() -> None:
    async with store(DATA) as made:
        http = HttpSettings(oauth2=OAuth2("me", "http://127.0.0.1:1/token", Secret(SECRET)))
        client = remote(made.url, http=http, retries=0)
        text = 'store "a": cannot fetch a token from http://127.0.0.1:1/token: '
        with pytest.raises(StoreError, match=text):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert made.asked == []
