"""Headers that are sent on: which of a request's, with which values, and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.forwarding import Forwarding, ForwardingSettings, Values, values_of
from bridge.api.origin import USER
from bridge.api.tenancy import REFUSAL
from bridge.model.errors import BadData, Overloaded

NAMES = frozenset({b"x-org", b"cookie", b"authorization"})
SECRET = "okapi-word-8"
Pairs = list[tuple[bytes, bytes]]


def scope_of(*pairs: tuple[bytes, bytes], path: str = "/api/v1/query", **more: Any) -> Scope:
    return {"type": "http", "path": path, "headers": list(pairs), **more}


def told(*pairs: tuple[bytes, bytes], **more: Any) -> dict[str, str]:
    found = values_of(scope_of(*pairs, **more), NAMES, 100)
    return {name: value.reveal() for name, value in found}


def refusal(*pairs: tuple[bytes, bytes]) -> str:
    with pytest.raises(BadData) as error:
        told(*pairs)
    return str(error.value)


def test_only_what_is_named_is_taken() -> None:
    pairs = (b"x-org", b"a"), (b"x-other", b"b"), (b"x-org-2", b"c"), (b"x_org", b"d")
    assert told(*pairs) == {"x-org": "a"}
    assert told((b"host", b"a")) == {}


def test_several_of_one_name_are_one_as_http_joins_them() -> None:
    assert told((b"x-org", b"a"), (b"x-org", b" b ")) == {"x-org": "a, b"}
    assert told((b"cookie", b"a=1"), (b"cookie", b"b=2")) == {"cookie": "a=1; b=2"}


def test_what_is_empty_counts_as_absent() -> None:
    assert told((b"x-org", b"")) == told((b"x-org", b" \t")) == {}
    assert told((b"x-org", b""), (b"x-org", b"a")) == {"x-org": "a"}


def test_what_proved_to_prombridge_who_asks_is_not_sent_on() -> None:
    pairs = (b"authorization", b"Bearer mine"), (b"cookie", b"a=1"), (b"x-org", b"a")
    assert told(*pairs, **{USER: "ann"}) == {"x-org": "a"}
    assert set(told(*pairs)) == {"authorization", "cookie", "x-org"}


def test_two_authorizations_are_refused() -> None:
    pair = (b"authorization", SECRET.encode())
    text = refusal(pair, pair)
    assert text == "the header authorization is there twice, and it is sent on to stores"


@pytest.mark.parametrize("value", [b"X-Org", b"close, x-org", b"keep-alive ,\tX-ORG", b"x-org,"])
def test_a_header_that_is_said_to_go_no_further_is_refused(value: bytes) -> None:
    text = refusal((b"connection", value), (b"x-org", b"a"))
    assert text == "the header Connection names x-org, which is sent on to stores"
    assert told((b"connection", value), (b"x-other", b"a")) == {}


@pytest.mark.parametrize("bad", [b"\r\nX-Evil: 1", b"\0", b"\x1b[1m", b"\x7f", "é".encode()])
def test_what_is_no_printable_ascii_is_refused_without_being_shown(bad: bytes) -> None:
    text = refusal((b"x-org", SECRET.encode() + bad + b"x"))
    assert text == "the header x-org is sent on to stores, and not all of it is printable ASCII"


def test_a_value_has_a_longest_length_also_when_joined() -> None:
    assert told((b"x-org", b"a" * 100)) == {"x-org": "a" * 100}
    for pairs in ([(b"x-org", b"a" * 101)], [(b"x-org", b"a" * 50)] * 2):
        text = refusal(*pairs)
        assert text.startswith("the header x-org is sent on to stores, and longer than")
        assert "forwarding.max_value_bytes (100) allows: 10" in text


NAMED = st.sampled_from([b"x-org", b"cookie", b"authorization", b"x-other", b"connection", b"te"])


@given(st.lists(st.tuples(NAMED, st.binary(max_size=20)), max_size=5))
def test_whatever_comes_is_refused_or_taken_whole(pairs: Pairs) -> None:
    try:
        found = told(*pairs)
    except BadData as error:
        text = str(error)
        assert not any(value.decode("latin-1") in text for _, value in pairs if len(value) > 3)
        return
    assert set(found) == {name.decode() for name, value in pairs if name in NAMES and value.strip()}
    for name, value in found.items():
        held = [one.strip().decode() for raw, one in pairs if raw == name.encode() and one.strip()]
        assert value == ("; " if name == "cookie" else ", ").join(held)
        assert value.isascii()
        assert not set(value) & set("\r\n\0")


class Asked:
    """What became of requests: who answered each, and the values it was answered for."""

    def __init__(self) -> None:
        self.by: list[tuple[str, str, int]] = []
        self.pinned: list[Values] = []

    def app(self, name: str) -> ASGIApp:
        async def answer(scope: Scope, _receive: Receive, _send: Send) -> None:
            self.by.append((name, str(scope.get(REFUSAL, "")), len(self.pinned)))

        return answer

    @contextmanager
    def at(self, values: Values) -> Iterator[ASGIApp]:
        if any(value.reveal() == "full" for _, value in values):
            raise Overloaded("full", 1)
        self.pinned.append(values)
        yield self.app("sending")
        self.pinned.remove(values)

    async def ask(
        self, *pairs: tuple[bytes, bytes], path: str = "/api/v1/query"
    ) -> tuple[str, str, int]:
        plain, anyone = self.app("plain"), self.app("anyone")
        made = Forwarding(ForwardingSettings(), ["x-org"], "/prom", plain, self.at, anyone)

        async def nothing(*_: Any) -> Any: ...

        await made(scope_of(*pairs, path=f"/prom{path}"), nothing, nothing)
        assert self.pinned == []
        return self.by.pop()


async def test_a_request_goes_to_whose_values_it_bears() -> None:
    asked, bearing = Asked(), (b"x-org", b"a")
    assert await asked.ask() == ("plain", "", 0)
    assert await asked.ask(bearing) == ("sending", "", 1)
    for path in ("/federate", "/stores/far/api/v1/read", "/api/v1/read"):
        assert await asked.ask(bearing, path=path) == ("sending", "", 1)


@pytest.mark.parametrize("path", ["/", "/assets/app.js", "/metrics", "/-/reload", "/-/healthy"])
async def test_what_reads_nothing_of_a_store_is_nobodys(path: str) -> None:
    assert await Asked().ask((b"x-org", b"a"), path=path) == ("plain", "", 0)


async def test_a_refusal_is_told_by_who_answers_anyone() -> None:
    asked = Asked()
    assert await asked.ask((b"x-org", b"full")) == ("anyone", "full", 0)
    name, text, _ = await asked.ask((b"x-org", b"\0"))
    assert (name, "printable" in text) == ("anyone", True)
