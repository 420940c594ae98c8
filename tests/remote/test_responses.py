"""A response to a request: its headers as text, and its body without compression."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from bridge.remote.responses import Response


@dataclass(frozen=True)
class Body(httpx.AsyncByteStream):
    whole: bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.whole), 5):
            yield self.whole[at : at + 5]


def response(*headers: tuple[bytes, bytes], status: int = 200, body: bytes = b"") -> Response:
    return Response(status, "OK", headers, Body(body))


def test_a_header_is_found_in_any_case_and_several_are_one_list() -> None:
    made = response((b"X-A", b"1"), (b"date", b"now"), (b"x-a", b"2"), (b"X-Empty", b""))
    found = [made.header(name) for name in ("x-A", "Date", "X-Empty", "X-Absent")]
    assert found == ["1, 2", "now", "", None]
    assert list(made.pairs()) == [("x-a", "1"), ("date", "now"), ("x-a", "2"), ("x-empty", "")]


def test_a_header_is_text_whatever_its_bytes() -> None:
    made = response((b"A", "é".encode()), (b"B", b"\xe9"))
    assert (made.header("a"), made.header("b")) == ("é", "é")


@pytest.mark.parametrize(("status", "leads"), [(301, "/x"), (308, "/x"), (200, None), (304, None)])
def test_only_a_redirect_leads_elsewhere(status: int, leads: str | None) -> None:
    assert response((b"Location", b"/x"), status=status).location == leads
    assert response(status=status).location is None


async def test_compression_is_taken_off_where_it_is_wanted() -> None:
    plain = b"a text that is long enough"
    made = response((b"Content-Encoding", b"gzip"), body=gzip.compress(plain)).decoding()
    assert b"".join([piece async for piece in made.aiter_bytes()]) == plain
    assert made.num_bytes_downloaded == len(gzip.compress(plain))
