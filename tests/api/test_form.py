"""Parameters from URL and body, merged as Go's net/http does."""

import pytest
from httpx import AsyncClient
from starlette.requests import Request
from starlette.types import Message

from bridge.api.form import Form, read_form
from bridge.api.headers import headers_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="match[]"\r\n\r\nup{x="\xc3\xa9"}\r\n--b--\r\n'
)


async def form_of(url: bytes, body: bytes = b"", content_type: str = URLENCODED) -> Form:
    headers = [(b"content-type", content_type.encode())] if content_type else []
    scope = {"type": "http", "method": "POST", "query_string": url, "headers": headers}

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return await read_form(Request(scope, receive), headers_of(scope))


@pytest.mark.parametrize(
    ("url", "body", "content_type", "pairs"),
    [
        (b"a=1&b=2", b"", URLENCODED, [("a", "1"), ("b", "2")]),
        (b"a=1", b"a=2", URLENCODED, [("a", "2"), ("a", "1")]),
        (b"a=1", b"a=2", f"{URLENCODED}; charset=utf-8", [("a", "2"), ("a", "1")]),
        (b"a=1", b"a=2", "", [("a", "2"), ("a", "1")]),
        (b"a=1", b'{"a":2}', "application/json", [("a", "1")]),
        (b"a=0", PARTS, MULTIPART, [("a", "0"), ("a", "1"), ("match[]", 'up{x="é"}')]),
        (b"", PARTS[:40], MULTIPART, []),
        (b"a=x+y%2B%41", b"", URLENCODED, [("a", "x y+A")]),
        (b"a=%C3%A9&b=\xc3\xa9", b"", URLENCODED, [("a", "é"), ("b", "é")]),
        (b"a=%ff", b"", URLENCODED, [("a", "\udcff")]),
        (b"match%5B%5D=x&match[]=y", b"", URLENCODED, [("match[]", "x"), ("match[]", "y")]),
        (b"a&=b&&", b"", URLENCODED, [("a", ""), ("", "b")]),
        (b"a=b=c", b"", URLENCODED, [("a", "b=c")]),
    ],
)
async def test_pairs_in_order_of_precedence(
    url: bytes, body: bytes, content_type: str, pairs: list[tuple[str, str]]
) -> None:
    form = await form_of(url, body, content_type)
    assert (list(form.pairs), form.error) == (pairs, "")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        (b"a=%zz&b=1", 'invalid URL escape "%zz"'),
        (b"a=%4&b=1", 'invalid URL escape "%4"'),
        (b"a=%&b=1", 'invalid URL escape "%"'),
        (b"a=1;2&b=1", "invalid semicolon separator in query"),
    ],
)
async def test_a_broken_pair_is_left_out(url: bytes, error: str) -> None:
    assert await form_of(url) == Form((("b", "1"),), error)


async def test_the_body_of_a_get_does_not_count(client: AsyncClient) -> None:
    response = await client.request(
        "GET",
        "/api/v1/query?query=1",
        content=b"query=2",
        headers={"content-type": URLENCODED},
    )
    assert response.json()["data"]["result"][1] == "1"


async def test_what_is_made_of_a_form_is_made_once_however_it_is_sent() -> None:
    made: list[Form] = []

    def make(form: Form, given: int) -> int:
        made.append(form)
        return len(form.pairs) + given

    for url, body in ((b"once=1&b=2", b""), (b"", b"once=1&b=2"), (b"once=1&b=2", b"")):
        assert (await form_of(url, body)).once(make, 1) == 3
    assert len(made) == 1
    assert (await form_of(b"once=1&b=2")).once(make, 2) == 4
