"""Headers that every answer has."""

import pytest
from httpx import AsyncClient

from bridge.api.settings import ApiSettings
from tests.api import world

CORS = "Access-Control-Allow-Origin"


async def test_without_an_origin_there_is_no_cors(client: AsyncClient) -> None:
    headers = (await client.get("/api/v1/query?query=1")).headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["vary"] == "Origin, Accept-Encoding"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/v1/query?query=1", "/api/v1/query", "/nothing"])
async def test_any_origin_is_let_in(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers={"Origin": "http://x"})).headers
    assert headers[CORS] == "*"
    assert headers["access-control-allow-headers"] == "Accept, Authorization, Content-Type, Origin"
    assert headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert headers["access-control-expose-headers"] == "Date"


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://a.example", True), ("https://a.example.evil", False)]
)
async def test_only_a_whole_origin_fits(origin: str, allowed: bool) -> None:
    settings = ApiSettings(cors_origin=r"https://\w\.example")
    async with world.client(settings=settings) as client:
        headers = (await client.get("/api/v1/query?query=1", headers={"Origin": origin})).headers
    assert headers.get(CORS) == (origin if allowed else None)


async def test_options_are_answered_everywhere(client: AsyncClient) -> None:
    response = await client.options("/api/v1/query_range", headers={"Origin": "http://x"})
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers[CORS] == "*"


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("gzip;q=1.0", True),
        ("gzip;q=0", False),
        ("zstd, br", False),
        ("identity", False),
        ("", False),
    ],
)
async def test_long_answers_are_compressed_on_demand(
    client: AsyncClient, accepted: str, compressed: bool
) -> None:
    params = {"query": "up", "start": "1700000000", "end": "1700000600", "step": "1"}
    url = "/api/v1/query_range"
    plain = await client.get(url, params=params, headers={"Accept-Encoding": "identity"})
    response = await client.get(url, params=params, headers={"Accept-Encoding": accepted})
    assert (response.headers.get("content-encoding") == "gzip") is compressed
    assert (response.num_bytes_downloaded < len(plain.content)) is compressed
    assert response.content == plain.content


async def test_short_answers_are_not_compressed(client: AsyncClient) -> None:
    response = await client.get("/api/v1/query?query=1", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in response.headers
