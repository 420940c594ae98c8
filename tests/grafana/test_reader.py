"""The strict reader refuses what Grafana's plugin would misread."""

import pytest

from tests.grafana.reader import (
    Unreadable,
    read,
    read_exchange,
    read_exemplars,
    read_series,
    read_strings,
)

GOOD = (
    b'{"status":"success","data":{"resultType":"matrix","result":'
    b'[{"metric":{"a":"b"},"values":[[1.5,"1"],[2,"+Inf"]]}]}}'
)


def answer(data: bytes, tail: bytes = b"") -> bytes:
    return b'{"status":"success","data":' + data + tail + b"}"


def test_a_good_answer_is_read() -> None:
    read_answer = read(200, GOOD)
    assert read_answer.type == "matrix"
    assert read_answer.frames[0].labels == {"a": "b"}
    assert read_answer.frames[0].times == [1500, 2000]
    assert read_answer.frames[0].values == [1.0, float("inf")]


def test_an_error_is_read_with_its_type() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"no"}'
    assert read(400, body).error == "bad_data: no"


def test_notices_are_warnings_then_infos() -> None:
    body = answer(b'{"resultType":"vector","result":[]}', b',"infos":["i"],"warnings":["w"]')
    assert read(200, body).notices == ["w", "i"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, GOOD),
        (200, b"<html>"),
        (200, b'{"status":"ok"}'),
        (200, answer(b'{"result":[]}')),
        (200, answer(b'{"resultType":"vector","result":null}')),
        (200, answer(b'{"resultType":"vector","result":{}}')),
        (200, answer(b'{"resultType":"table","result":[]}')),
        (200, answer(b'{"resultType":"scalar","result":[1,2]}')),
        (200, answer(b'{"resultType":"scalar","result":["1","2"]}')),
        (200, answer(b'{"resultType":"scalar","result":[1,"2","3"]}')),
        (200, answer(b'{"resultType":"scalar","result":[1,"infinity"]}')),
        (200, answer(b'{"resultType":"scalar","result":[1,NaN]}')),
        (200, answer(b'{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"2"]}]}')),
        (200, answer(b'{"resultType":"vector","result":[]}', b',"warnings":[1]')),
        (
            200,
            answer(
                b'{"resultType":"matrix","result":[{"metric":{},"values":[[2,"1"],[1,"1"]]}]}',
            ),
        ),
        (
            200,
            answer(
                b'{"resultType":"vector","result":[{"metric":{},'
                b'"histogram":[1,{"count":"1","sum":"1","buckets":[[4,"0","1","1"]]}]}]}'
            ),
        ),
        (
            200,
            answer(
                b'{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]],'
                b'"histograms":[[2,{"count":"1","sum":"1"}]]}]}'
            ),
        ),
    ],
)
def test_an_answer_that_would_be_misread_is_refused(status: int, body: bytes) -> None:
    with pytest.raises((Unreadable, ValueError)):
        read(status, body)


@pytest.mark.parametrize("data", [b"null", b"{}", b'[{"a":"b"}]', b"[1]"])
def test_label_lists_are_arrays_of_strings(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_strings(answer(data))


@pytest.mark.parametrize("data", [b"null", b'["a"]', b'[{"a":1}]'])
def test_series_are_arrays_of_label_sets(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_series(answer(data))


EXEMPLAR = b'{"labels":{},"value":"6","timestamp":1600096945.479}'


def test_exemplars_are_read() -> None:
    series = b'[{"seriesLabels":{"a":"b"},"exemplars":[%s]}]' % EXEMPLAR
    assert len(read_exemplars(answer(series))) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b'[{"exemplars":[],"seriesLabels":{}}]',
        b'[{"seriesLabels":{},"exemplars":[{"labels":{},"value":6,"timestamp":1}]}]',
        b'[{"seriesLabels":{},"exemplars":[{"labels":{},"value":"6","timestamp":"1"}]}]',
        b'[{"seriesLabels":{},"exemplars":[{"labels":{},"value":"6","timestamp":1,"more":1}]}]',
    ],
)
def test_exemplars_have_no_other_form(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_exemplars(answer(data))


ERROR = b'{"status":"error","errorType":"bad_data","error":"%s"}'


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        ("/api/v1/query", 500, "application/json", ERROR % (b"x" * 2000)),
        ("/api/v1/query", 400, "text/html", ERROR % b"no"),
        ("/api/v1/labels", 400, "application/json", ERROR % b""),
        ("/below/api/v1/labels", 200, "application/json", answer(b"{}")),
        ("/api/v1/label/job/values", 200, "application/json", answer(b"[1]")),
        ("/api/v1/rules", 200, "text/plain", answer(b'{"groups":[]}')),
        ("/api/v1/alerts", 200, "application/json", answer(b'{"alerts":null}')),
        ("/api/v1/metadata", 200, "application/json", answer(b'{"up":[{"type":null}]}')),
        ("/api/v1/targets", 200, "application/json", b'{"status":"fine"}'),
        ("/api/v1/admin/tsdb/snapshot", 204, "", b"{}"),
    ],
)
def test_every_endpoint_has_its_reader(path: str, status: int, kind: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_exchange(path, status, kind, body)
