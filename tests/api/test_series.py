"""series, labels and label values."""

import pytest
from httpx import AsyncClient

from bridge.model.labels import Matcher, MatchType
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from tests.api import world
from tests.api.world import NOW, START

ALL = '{__name__!=""}'


def bad(text: str) -> tuple[int, dict[str, str]]:
    return 400, {"status": "error", "errorType": "bad_data", "error": text}


def bad_time(name: str, text: str) -> str:
    reason = f'cannot parse "{text}" to a valid timestamp'
    return f"invalid parameter \"{name}\": invalid time value for '{name}': {reason}"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "match", "data"),
    [
        (
            "series",
            ['up{instance="a"}', "requests_total", 'up{job="web",instance="a"}'],
            [
                {"__name__": "requests_total", "job": "web"},
                {"__name__": "up", "instance": "a", "job": "web"},
            ],
        ),
        ("series", ["nothing"], []),
        ("labels", ["up"], ["__name__", "instance", "job"]),
        ("labels", ["odd", "requests_total"], ["__name__", "a<b", "job", "tab"]),
        ("labels", ["nothing"], []),
        ("label/instance/values", ["up"], ["a", "b"]),
        ("label/__name__/values", [ALL], ["odd", "requests_total", "up"]),
        ("label/instance/values", ["requests_total"], []),
        ("label/U__a_3c_b/values", [ALL], ["x&y"]),
        ("label/nothing/values", [ALL], []),
    ],
)
async def test_found_by_remote_read(
    client: AsyncClient, method: str, path: str, match: list[str], data: object
) -> None:
    where = {"params": {"match[]": match}} if method == "GET" else {"data": {"match[]": match}}
    response = await client.request(method, f"/api/v1/{path}", **where)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (200, {"status": "success", "data": data})


async def test_values_are_escaped_as_go_does(client: AsyncClient) -> None:
    values = await client.get("/api/v1/label/U__a_3c_b/values?match[]=odd")
    assert values.text == '{"status":"success","data":["x\\u0026y"]}'
    series = await client.get("/api/v1/series?match[]=odd")
    assert series.text == (
        '{"status":"success","data":[{"__name__":"odd","a<b":"x&y","tab":"a\\tb"}]}'
    )


async def test_a_post_with_everything_in_the_url(client: AsyncClient) -> None:
    response = await client.post("/api/v1/label/instance/values?match[]=up&limit=40000")
    assert response.json()["data"] == ["a", "b"]


EVERYTHING = {
    "labels": ["__name__", "a<b", "instance", "job", "tab"],
    "label/job/values": ["web"],
    "label/__name__/values": ["odd", "requests_total", "up"],
}


@pytest.mark.parametrize(("path", "data"), EVERYTHING.items())
async def test_without_a_selector_all_names_of_a_store_that_honours_the_series_hint(
    client: AsyncClient, path: str, data: list[str]
) -> None:
    response = await client.get(f"/api/v1/{path}")
    assert response.json() == {"status": "success", "data": data}
    assert response.headers["X-Prombridge-Source"] == "catalogue; complete=true"


async def test_with_a_metric_the_store_is_asked(client: AsyncClient) -> None:
    response = await client.get("/api/v1/labels?match[]=up")
    assert response.headers["X-Prombridge-Source"] == "probe; complete=true"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("labels?match[]=up", ["__name__"]),
        ("label/instance/values?match[]=up", ["a"]),
        ("series?match[]=up", [{"__name__": "up", "instance": "a", "job": "web"}]),
    ],
)
async def test_limit_cuts_and_says_so(client: AsyncClient, path: str, kept: object) -> None:
    response = await client.get(f"/api/v1/{path}&limit=1")
    assert response.json() == {
        "status": "success",
        "data": kept,
        "warnings": ["results truncated due to limit"],
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("series", "no match[] parameter provided"),
        ("series?limit=x", "no match[] parameter provided"),
        ("series?match[]=up&a=%zz", 'error parsing form values: invalid URL escape "%zz"'),
        (
            "series?match[]=up&limit=x",
            'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax',
        ),
        ("series?match[]=up{", 'invalid parameter "match[]": 1:4: parse error: '),
        (
            "series?match[]={}",
            'invalid parameter "match[]": match[] must contain at least one non-empty matcher',
        ),
        ("labels?match[]={}", "match[] must contain at least one non-empty matcher"),
        ("label/a/values?match[]={}", "match[] must contain at least one non-empty matcher"),
        ("labels?match[]=up[5m]", "1:3: parse error: "),
        ("labels?start=x&end=y", bad_time("start", "x")),
        ("label/a/values?end=y", bad_time("end", "y")),
        ("label/U__/values", 'invalid label name: ""'),
        ("label/%ff/values", 'invalid label name: "\\xff"'),
    ],
)
async def test_refusals(client: AsyncClient, path: str, text: str) -> None:
    response = await client.get(f"/api/v1/{path}")
    answer = response.json()
    answer["error"] = answer["error"][: len(text)] if text.endswith(": ") else answer["error"]
    assert (response.status_code, answer) == bad(text)


class Recording:
    """A store that notes what it was asked."""

    def __init__(self) -> None:
        self.selects: list[Select] = []

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.selects.append(select)
        return await world.store().select(select, options)


HALF_A_DAY = 12 * 3_600_000


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("", NOW - HALF_A_DAY, NOW),
        (f"&end={START // 1000}", START - HALF_A_DAY, START),
        (f"&start={START // 1000}", START, NOW),
        (
            "&start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z",
            NOW - HALF_A_DAY,
            NOW,
        ),
    ],
)
@pytest.mark.parametrize("path", ["series", "labels", "label/job/values"])
async def test_what_is_read(path: str, times: str, start: int, end: int) -> None:
    recording = Recording()
    async with world.client(recording) as client:
        await client.get(f"/api/v1/{path}?match[]=up{times}")
    matcher = Matcher("__name__", MatchType.EQUAL, "up")
    assert recording.selects == [Select((matcher,), start, end, Purpose.SERIES)]


async def test_an_end_before_the_start_reads_nothing() -> None:
    recording = Recording()
    async with world.client(recording) as client:
        response = await client.get("/api/v1/labels?match[]=up&start=2&end=1")
    assert (response.json()["data"], recording.selects) == ([], [])


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        ("U__http_2e_code", "http.code"),
        ("U__a__b", "a_b"),
        ("U__a_zz_b", "U__a_zz_b"),
        ("U__a_d800_b", "U__a_d800_b"),
        ("U__a_110000_b", "U__a_110000_b"),
        ("U__a_", "U__a_"),
        ("a_2e_b", "a_2e_b"),
        ("U___e9_", "é"),
    ],
)
async def test_escaped_label_names(escaped: str, name: str) -> None:
    store = world.labelled({"__name__": "m", name: "found"})
    async with world.client(store) as client:
        response = await client.get(f"/api/v1/label/{escaped}/values?match[]=m")
    assert response.json()["data"] == ["found"]


async def test_a_label_name_may_hold_a_line_break() -> None:
    async with world.client(world.labelled({"__name__": "up", "a\nb": "c"})) as client:
        response = await client.get("/api/v1/label/a%0Ab/values?match[]=up")
    assert response.json()["data"] == ["c"]
