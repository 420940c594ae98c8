"""Whose request it is, by user, token or header, and what is said to those who are nobody."""

import json
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.lifecycle import Steady
from bridge.api.origin import BEARER, TENANT, USER
from bridge.api.routes import for_anyone
from bridge.api.settings import ApiSettings
from bridge.api.tenancy import Tenancy, TenancySettings, Tenant

HEADER = "X-Scope-OrgID"
TENANTS = (
    Tenant("a", users=("ann", "both"), header_values=("a",)),
    Tenant("b", users=("both",), tokens=("ann",), header_values=("b", "shared")),
    Tenant("c", header_values=("shared-with-none",)),
)


def client(default: str = "", header: str = HEADER, prefix: str = "", **proven: Any) -> AsyncClient:
    """A client of tenants that answer with their names; `proven` is what the gate found."""
    settings = TenancySettings(TENANTS, header, default)
    anyone = for_anyone(ApiSettings(route_prefix=prefix), lambda: True, Steady())
    tenancy = Tenancy(settings, {one.name: _named(one.name) for one in TENANTS}, anyone)

    async def gated(scope: Scope, receive: Receive, send: Send) -> None:
        scope.update({USER: proven["user"], BEARER: proven.get("bearer", False)} if proven else {})
        await tenancy(scope, receive, send)

    return AsyncClient(transport=ASGITransport(gated), base_url="http://bridge")


def _named(name: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope[TENANT] == name
        await PlainTextResponse(name)(scope, receive, send)

    return app


async def tenant(values: list[str], **about: Any) -> tuple[int, str]:
    """The status, and the tenant's name or the error."""
    async with client(**about) as asking:
        headers = [(HEADER, value) for value in values]
        answer = await asking.get("/api/v1/query", headers=headers)
    if answer.status_code == 200:
        return 200, answer.text
    return answer.status_code, json.loads(answer.text)["error"]


async def test_users_and_tokens_of_one_name_are_apart() -> None:
    assert await tenant([], user="ann") == (200, "a")
    assert await tenant([], user="ann", bearer=True) == (200, "b")


async def test_the_header_says_whose_a_request_is() -> None:
    assert await tenant(["b"]) == (200, "b")
    assert await tenant(["b", "b"]) == (200, "b")
    assert await tenant(["b"], user="stranger") == (200, "b")


async def test_the_header_chooses_only_among_a_users_own_tenants() -> None:
    assert await tenant(["b"], user="both") == (200, "b")
    error = 'X-Scope-OrgID names a tenant that user "ann" does not belong to'
    assert await tenant(["b"], user="ann") == (403, error)
    error = 'user "both" belongs to several tenants: say which by the header X-Scope-OrgID'
    assert await tenant([], user="both") == (403, error)


@pytest.mark.parametrize("value", ["nobody", "", "A", "a|b", " a\t, b"])
async def test_an_unknown_name_is_refused_even_with_a_default(value: str) -> None:
    status, error = await tenant([value], default="a")
    assert status == 403
    assert error.startswith("X-Scope-OrgID names no tenant that is known: ")


async def test_a_header_that_says_two_things_is_refused() -> None:
    assert await tenant(["a", "b"]) == (403, "the header X-Scope-OrgID is there twice")


async def test_without_a_word_it_is_the_defaults_or_nobodys() -> None:
    assert await tenant([], default="c") == (200, "c")
    assert await tenant([], default="c", user="stranger") == (200, "c")
    assert await tenant([], user="stranger") == (403, 'user "stranger" belongs to no tenant')
    status, error = await tenant([])
    assert (status, error) == (
        401,
        (
            "the request does not say which tenant it is of:"
            " credentials of a user or a token of one or the header X-Scope-OrgID"
        ),
    )


async def test_without_a_header_set_up_none_counts() -> None:
    assert await tenant(["b"], header="", user="ann") == (200, "a")
    assert (await tenant(["b"], header=""))[0] == 401


@pytest.mark.parametrize("prefix", ["", "/bridge"])
async def test_nobody_sees_health_and_no_path_more(prefix: str) -> None:
    async with client(prefix=prefix) as asking:
        assert (await asking.get(f"{prefix}/-/healthy")).status_code == 200
        assert (await asking.get(f"{prefix}/-/ready")).status_code == 200
        for path in ("/metrics", "/api/v1/query", "/stores/far/api/v1/query", "//metrics"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                refused = await asking.request(method, f"{prefix}{path}")
                assert refused.status_code == 401, (method, path)
                assert refused.json()["errorType"] == "unauthorized"
                assert refused.headers["www-authenticate"] == 'Basic realm="prombridge"'


async def test_preflights_bear_no_credentials_and_are_answered() -> None:
    async with client() as asking:
        answer = await asking.options("/api/v1/query", headers={"Origin": "http://grafana"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
