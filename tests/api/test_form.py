"""Parameters from URL and body, merged as Go's net/http does."""

import pytest
from httpx import AsyncClient
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

    return await read_form(scope, receive, headers_of(scope))


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


@pytest.mark.parametrize(
    ("head", "pairs"),
    [
        (b'content-disposition: form-data;\r\n\tname="a"', [("a", "1")]),
        (b"Content-Disposition: form-data; name=a; filename=", []),
        (b'Content-Disposition: form-data; name=a; filename=""', [("a", "1")]),
        (b"Content-Disposition: form-data; name=a; filename=b", []),
        (b"Content-Disposition: attachment; name=a", []),
        (b"Content-Disposition: form-data; name=a; name=b", []),
        (b"Content-Disposition: form-data; name*=utf-8''%C3%A9", [("é", "1")]),
        (b"X\r\nContent-Disposition: form-data; name=a", [("a", "1")]),
        (b"name=a", []),
        (b"", []),
    ],
)
async def test_a_part_is_named_as_in_go(head: bytes, pairs: list[tuple[str, str]]) -> None:
    body = b"--b\r\n" + head + b"\r\n\r\n1\r\n--b--\r\n"
    assert list((await form_of(b"", body, MULTIPART)).pairs) == pairs


async def test_a_form_costs_what_it_is_long() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="' + b";" * 16_000 + b'"\r\n\r\n1\r\n'
    form = await form_of(b"", part * 999 + b"--b--\r\n", MULTIPART)
    assert form.pairs == ((";" * 16_000, "1"),) * 999
    kind = 'multipart/form-data; boundary="' + ";" * 60_000
    assert (await form_of(b"", PARTS, kind)).pairs == ()


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
