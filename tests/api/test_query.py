"""query, query_range, format_query and parse_query, word for word."""

import json
from typing import Any

import pytest
from httpx import AsyncClient

from bridge.api.settings import ApiSettings
from bridge.engine.query import EngineSettings
from bridge.model.errors import StoreError, StoreFault, StoreLimit, StoreTimeout, TooManySamples
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.api import world
from tests.api.world import NOW, START

END = NOW // 1000
BEGIN = START // 1000
EMPTY_QUERY = (
    'invalid parameter "query": unknown position: parse error: no expression found in input'
)


NO_STEP = "zero or negative query resolution step widths are not accepted. Try a positive integer"
TOO_MANY_POINTS = (
    "exceeded maximum resolution of 11,000 points per timeseries."
    " Try decreasing the query resolution (?step=XX)"
)
NO_RANGE_VECTOR = (
    'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
)
DEPRECATED_STATS = (
    'value "1" for parameter "stats" is deprecated and will be rejected in the next major release,'
    ' use "true" or "all"'
)
NO_COUNTER = (
    "PromQL info: metric might not be a counter, name does not end in"
    ' _total/_sum/_count/_bucket: "up" (1:6)'
)


def bad(text: str) -> dict[str, Any]:
    return {"status": "error", "errorType": "bad_data", "error": text}


async def test_vector_answer_word_for_word(client: AsyncClient) -> None:
    response = await client.get(
        "/api/v1/query", params={"query": 'up{instance="a"}', "time": f"{END}.5"}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.text == (
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up",'
        f'"instance":"a","job":"web"}},"value":[{END}.500,"1"]}}]}}}}'
    )


async def test_matrix_answer_word_for_word(client: AsyncClient) -> None:
    params = {"query": "sum(up)", "start": f"{BEGIN}", "end": f"{BEGIN + 30}", "step": "15"}
    assert (await client.post("/api/v1/query_range", data=params)).text == (
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":['
        f'[{BEGIN},"1"],[{BEGIN + 15},"1"],[{BEGIN + 30},"1"]]}}]}}}}'
    )


async def test_time_is_now_unless_given(client: AsyncClient) -> None:
    assert (await client.get("/api/v1/query?query=time()")).json()["data"]["result"] == [
        END,
        str(END),
    ]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            "time=foo&query=1",
            "invalid time value for 'time': cannot parse \"foo\" to a valid timestamp",
        ),
        ("limit=x&time=foo&query=1", 'strconv.Atoi: parsing "x": invalid syntax'),
        ("limit=-1&query=1", "limit must be non-negative"),
        (
            "limit=99999999999999999999&query=1",
            'strconv.Atoi: parsing "99999999999999999999": value out of range',
        ),
        ("timeout=x&query=1", 'cannot parse "x" to a valid duration'),
        ("timeout=1e30&query=1", 'cannot parse "1e30" to a valid duration. It overflows int64'),
    ],
)
async def test_a_wrong_parameter_is_named(client: AsyncClient, query: str, answer: str) -> None:
    response = await client.get(f"/api/v1/query?{query}")
    name = {"in": "time", "st": "limit", "li": "limit", "ca": "timeout"}[answer[:2]]
    assert (response.status_code, response.json()) == (
        400,
        bad(f'invalid parameter "{name}": {answer}'),
    )


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("", EMPTY_QUERY),
        ("query=", EMPTY_QUERY),
        ("query=sum(", 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
        (
            "query=1&lookback_delta=x",
            'error parsing lookback delta duration: cannot parse "x" to a valid duration',
        ),
        (
            "query=sum(&lookback_delta=x",
            'error parsing lookback delta duration: cannot parse "x" to a valid duration',
        ),
        ("query=%zz", EMPTY_QUERY),
        ("query=1;2", EMPTY_QUERY),
    ],
)
async def test_instant_query_refusals(client: AsyncClient, query: str, answer: str) -> None:
    response = await client.get(f"/api/v1/query?{query}")
    assert (response.status_code, response.json()) == (400, bad(answer))


RANGE = {"query": "up", "start": str(BEGIN), "end": str(END), "step": "15"}


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"start": ""}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        (
            {"end": "x", "step": "x"},
            'invalid parameter "end": cannot parse "x" to a valid timestamp',
        ),
        ({"end": "1"}, 'invalid parameter "end": end timestamp must not be before start time'),
        (
            {"start": "1e300"},
            'invalid parameter "start": cannot parse "1e300" to a valid timestamp',
        ),
        ({"step": ""}, 'invalid parameter "step": cannot parse "" to a valid duration'),
        ({"step": "0"}, f'invalid parameter "step": {NO_STEP}'),
        ({"step": "-1"}, f'invalid parameter "step": {NO_STEP}'),
        (
            {"step": "0.0001"},
            'invalid parameter "step": query resolution step widths below 1ms are not accepted',
        ),
        ({"start": "0", "end": "11001", "step": "1"}, TOO_MANY_POINTS),
        ({"start": "0", "end": "1.8e12", "step": "1"}, TOO_MANY_POINTS),
        (
            {"limit": "x", "start": ""},
            'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax',
        ),
        ({"query": "up[5m]"}, f'invalid parameter "query": {NO_RANGE_VECTOR}'),
    ],
)
async def test_range_query_refusals(
    client: AsyncClient, changed: dict[str, str], answer: str
) -> None:
    response = await client.post("/api/v1/query_range", data=RANGE | changed)
    assert (response.status_code, response.json()) == (400, bad(answer))


@pytest.mark.parametrize(
    "changed",
    [
        {"start": "0", "end": "11000", "step": "1"},
        {"start": "1.8e12", "end": "1.8e12", "step": "1"},
        {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T01:00:00+01:00", "step": "1m"},
    ],
)
async def test_range_queries_at_the_edge_are_answered(
    client: AsyncClient, changed: dict[str, str]
) -> None:
    response = await client.post("/api/v1/query_range", data=RANGE | changed)
    assert (response.status_code, response.json()["data"]["result"]) == (200, [])


async def test_milliseconds_sent_as_seconds_are_answered(client: AsyncClient) -> None:
    response = await client.get("/api/v1/query", params={"query": "up", "time": "1.8e12"})
    assert response.json()["data"] == {"resultType": "vector", "result": []}


async def test_limit_cuts_series_and_says_so(client: AsyncClient) -> None:
    answer = (await client.get("/api/v1/query?query=up&limit=1")).json()
    assert len(answer["data"]["result"]) == 1
    assert answer["warnings"] == ["results truncated due to limit"]


async def test_limit_leaves_scalars_alone(client: AsyncClient) -> None:
    assert "warnings" not in (await client.get("/api/v1/query?query=1&limit=1")).json()


@pytest.mark.parametrize("wanted", ["true", "all", "1"])
async def test_stats_on_demand(client: AsyncClient, wanted: str) -> None:
    answer = (await client.get("/api/v1/query", params={"query": "up", "stats": wanted})).json()
    assert set(answer["data"]) == {"resultType", "result", "stats"}
    assert set(answer["data"]["stats"]) == {"timings", "samples", "stages"}
    assert {"engine.plan", "engine.evaluate", "api.encode"} <= set(
        answer["data"]["stats"]["stages"]
    )
    assert answer["data"]["stats"]["samples"]["samplesRead"] > 0
    if wanted == "1":
        assert answer["warnings"] == [DEPRECATED_STATS]


async def test_no_stats_unless_asked(client: AsyncClient) -> None:
    assert "stats" not in (await client.get("/api/v1/query?query=1&stats=")).json()["data"]


@pytest.mark.parametrize("time", ["0", "-1", "0s"])
async def test_no_time_at_all_is_a_timeout(client: AsyncClient, time: str) -> None:
    response = await client.get("/api/v1/query", params={"query": "up", "timeout": time})
    assert (response.status_code, response.json()) == (
        503,
        {
            "status": "error",
            "errorType": "timeout",
            "error": "query timed out in query execution",
        },
    )


async def test_lookback_delta_widens_the_look_back(client: AsyncClient) -> None:
    late = {"query": "count(up)", "time": str(END + 400)}
    assert (await client.get("/api/v1/query", params=late)).json()["data"]["result"] == []
    wide = late | {"lookback_delta": "10m"}
    assert len((await client.get("/api/v1/query", params=wide)).json()["data"]["result"]) == 1


async def test_infos_are_passed_on(client: AsyncClient) -> None:
    answer = (await client.get("/api/v1/query?query=rate(up[5m])")).json()
    assert answer["infos"] == [NO_COUNTER]
    assert "warnings" not in answer


async def test_labels_keep_their_html_and_errors_escape_it(client: AsyncClient) -> None:
    assert b'"a<b":"x&y"' in (await client.get("/api/v1/query?query=odd")).content
    refused = await client.get("/api/v1/query", params={"query": "1", "time": "<&>"})
    assert b'cannot parse \\"\\u003c\\u0026\\u003e\\" to' in refused.content


async def test_broken_utf8_is_refused_not_failed(client: AsyncClient) -> None:
    response = await client.get("/api/v1/query?query=%ff%fe")
    assert response.status_code == 400
    assert "\ufffd" in response.json()["error"] or "\\xff" in response.json()["error"]


async def test_broken_utf8_in_a_body(client: AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    response = await client.post("/api/v1/query", content=b'query=up{a="\xff"}', headers=form)
    assert response.status_code in {200, 400}


@pytest.mark.parametrize(
    "query",
    ["(" * 300 + "1" + ")" * 300, "-" * 5000 + "1", "(" * 200_000, "sum(" * 3000, "[" * 1000],
)
@pytest.mark.parametrize("path", ["query", "format_query", "parse_query"])
async def test_deep_nesting_never_fails_the_bridge(
    client: AsyncClient, path: str, query: str
) -> None:
    response = await client.post(f"/api/v1/{path}", data={"query": query})
    assert response.status_code in {200, 400}
    assert response.json()["status"] in {"success", "error"}


async def test_a_query_of_megabytes_is_answered(client: AsyncClient) -> None:
    query = "1" + " " * (4 << 20)
    assert (await client.post("/api/v1/query", data={"query": query})).status_code == 200


async def test_a_body_beyond_the_limit_is_refused(client: AsyncClient) -> None:
    response = await client.post("/api/v1/query", data={"query": " " * (17 << 20)})
    assert (response.status_code, response.json()) == (
        413,
        bad("request body is larger than 16 MiB"),
    )


class Failing:
    """A store that cannot answer."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def select(self, _select: Select, _options: ReadOptions) -> Selection:
        raise self._error


FAULT = StoreFault("main", 0, 1)


@pytest.mark.parametrize(
    ("error", "status", "kind", "text"),
    [
        (StoreError("main: 500", FAULT), 503, "unavailable", "main: 500"),
        (StoreTimeout("main: slow", FAULT), 503, "timeout", "main: slow"),
        (StoreLimit("main: limit", FAULT), 422, "execution", "main: limit"),
        (
            TooManySamples("query execution"),
            422,
            "execution",
            "query processing would load too many samples into memory in query execution",
        ),
        (
            RuntimeError("a secret"),
            500,
            "internal",
            "internal error; the log of prombridge says which",
        ),
    ],
)
@pytest.mark.parametrize(
    "path", ["query?query=up", "series?match[]=up", "labels?match[]=up&match[]=x"]
)
async def test_a_failing_store_is_an_error(
    path: str, error: Exception, status: int, kind: str, text: str
) -> None:
    async with world.client(Failing(error)) as client:
        response = await client.get(f"/api/v1/{path}")
    assert response.status_code == status
    assert response.json() == {"status": "error", "errorType": kind, "error": text}


class Recording:
    """A store that notes how it was asked."""

    def __init__(self) -> None:
        self.inner = world.store()
        self.options: list[ReadOptions] = []
        self.selects: list[Select] = []

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.options.append(options)
        self.selects.append(select)
        return await self.inner.select(select, options)


@pytest.mark.parametrize(
    ("headers", "params", "nocache", "fresh"),
    [
        ({}, {}, False, False),
        ({}, {"nocache": "1"}, True, False),
        ({"FromAlert": "true"}, {}, False, True),
        ({"Cache-Control": "no-cache"}, {}, False, True),
        ({"Cache-Control": "max-age=0"}, {}, False, False),
    ],
)
async def test_what_a_request_wants_of_the_cache(
    headers: dict[str, str], params: dict[str, str], nocache: bool, fresh: bool
) -> None:
    recording = Recording()
    async with world.client(recording) as client:
        await client.get("/api/v1/query", params={"query": "up", **params}, headers=headers)
    assert [(one.nocache, one.fresh) for one in recording.options] == [(nocache, fresh)]


async def test_too_many_samples_is_an_execution_error() -> None:
    async with world.client(limits=EngineSettings(max_samples=1)) as client:
        response = await client.get("/api/v1/query?query=up")
    assert (response.status_code, response.json()["errorType"]) == (422, "execution")


async def test_format_query(client: AsyncClient) -> None:
    response = await client.get("/api/v1/format_query", params={"query": "sum  by(job)(up)"})
    assert response.json() == {"status": "success", "data": "sum by (job) (up)"}
    refused = await client.get("/api/v1/format_query?query=sum(")
    assert refused.json() == bad(
        'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'
    )


async def test_parse_query_gives_the_tree_with_sorted_keys(client: AsyncClient) -> None:
    response = await client.post("/api/v1/parse_query", data={"query": "-foo offset 5m"})
    selector = {
        "type": "vectorSelector",
        "name": "foo",
        "offset": 300_000,
        "offsetExpr": None,
        "matchers": [{"name": "__name__", "value": "foo", "type": "="}],
        "timestamp": None,
        "startOrEnd": None,
        "anchored": False,
        "smoothed": False,
    }
    tree = {"type": "unaryExpr", "op": "-", "expr": selector}
    assert response.json() == {"status": "success", "data": tree}
    compact = json.dumps(tree, separators=(",", ":"), sort_keys=True)
    assert response.text == f'{{"status":"success","data":{compact}}}'


async def test_everything_stands_below_the_route_prefix() -> None:
    async with world.client(settings=ApiSettings(route_prefix="/prometheus")) as client:
        assert (await client.get("/prometheus/api/v1/query?query=1")).status_code == 200
        assert (await client.get("/api/v1/query?query=1")).status_code == 404
