"""metadata and status/tsdb: what the catalogue knows, in Prometheus' shape."""

import pytest
from httpx import AsyncClient

UNKNOWN = [{"help": "", "type": "unknown", "unit": ""}]
COUNTER = [{"help": "", "type": "counter", "unit": ""}]


@pytest.mark.parametrize(
    ("parameters", "data"),
    [
        ("", {"odd": UNKNOWN, "requests_total": COUNTER, "up": UNKNOWN}),
        ("limit=2&limit_per_metric=1", {"odd": UNKNOWN, "requests_total": COUNTER}),
        ("limit=1", {"odd": UNKNOWN}),
        ("limit=0", {}),
        ("limit=-1", {"odd": UNKNOWN, "requests_total": COUNTER, "up": UNKNOWN}),
        ("metric=requests_total", {"requests_total": COUNTER}),
        ("metric=nothing", {}),
    ],
)
async def test_metadata(client: AsyncClient, parameters: str, data: object) -> None:
    assert (await client.get("/api/v1/metadata")).json()["data"] == {}
    await client.get("/api/v1/labels")
    response = await client.get(f"/api/v1/metadata?{parameters}")
    assert response.json() == {"status": "success", "data": data}


async def test_cardinality_has_prometheus_shape(client: AsyncClient) -> None:
    await client.get("/api/v1/labels")
    data = (await client.get("/api/v1/status/tsdb?limit=2")).json()["data"]
    head = data.pop("headStats")
    assert set(head) == {"numSeries", "numLabelPairs", "chunkCount", "minTime", "maxTime"}
    assert (head["numSeries"], head["numLabelPairs"]) == (4, 8)
    assert data == {
        "seriesCountByMetricName": [{"name": "up", "value": 2}, {"name": "odd", "value": 1}],
        "labelValueCountByLabelName": [
            {"name": "__name__", "value": 3},
            {"name": "instance", "value": 2},
        ],
        "memoryInBytesByLabelName": [
            {"name": "__name__", "value": 61},
            {"name": "job", "value": 24},
        ],
        "seriesCountByLabelValuePair": [
            {"name": "job=web", "value": 3},
            {"name": "__name__=up", "value": 2},
        ],
    }


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ("0", "limit must be a positive number"),
        ("-1", "limit must be a positive number"),
        ("x", "limit must be a positive number"),
        ("10001", "limit must not exceed 10000"),
    ],
)
async def test_refused_limits(client: AsyncClient, limit: str, text: str) -> None:
    response = await client.get(f"/api/v1/status/tsdb?limit={limit}")
    assert (response.status_code, response.json()["error"]) == (400, text)
