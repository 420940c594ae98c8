"""What Grafana's Prometheus plugin reads as it was meant, and nothing else: types, shapes, order.

The plugin reads JSON as a stream, so this reader keeps the order of keys and every number as text.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# What Go's strconv.ParseFloat takes of the forms that a Prometheus may send.
_FLOAT: Final = re.compile(r"[+-]?(Inf|NaN|\d+(\.\d+)?(e[+-]\d+)?)")

# Statuses whose body the plugin parses; anything else it shows as raw text.
PARSED_STATUSES: Final = frozenset({*range(200, 300), 400, 422, 503})


# Of a body that it does not parse it shows so many bytes.
_SHOWN: Final = 1024


# What Grafana never asks for: remote read and write, whose refusals are texts, and a document.
_NOT_READ: Final = frozenset({"read", "write", "otlp/v1/metrics", "openapi.yaml"})


class Unreadable(Exception):
    """The plugin would fail on this answer, or show something else than was meant."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it was written."""

    text: str


class Members(list[tuple[str, Any]]):
    """A JSON object: its keys and values in the order of the text."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One series as the panel gets it: labels, times in ms, values; histograms are counted only."""

    labels: dict[str, str]
    times: list[int]
    values: list[float]
    histograms: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """An answer as the panel gets it."""

    type: str
    frames: list[Frame]
    notices: list[str]
    error: str | None


def read_exchange(path: str, status: int, content_type: str, body: bytes) -> None:
    """Any answer of the API, by its path; raises Unreadable."""
    endpoint = path.partition("/api/v1/")[2]
    if endpoint in _NOT_READ:
        return
    if status == 204:
        _need(not body, "a body where there is to be none")
    elif status >= 400:
        _refusal(status, content_type, body)
    elif endpoint in {"query", "query_range"}:
        read(status, body)
    elif endpoint == "labels" or endpoint.startswith("label/"):
        read_strings(body)
    elif endpoint == "rules":
        read_rule_groups(content_type, body)
    elif endpoint.startswith("search/"):
        read_search(content_type, body)
    elif endpoint in _READERS:
        _READERS[endpoint](body)
    else:
        _success(body)


def _refusal(status: int, content_type: str, body: bytes) -> None:
    """An error: JSON with texts, and short where it is shown as it comes."""
    _need("json" in content_type, f"content type is {content_type}")
    members = dict(_object(_parsed(body), "answer"))
    _need(members.get("status") == "error", f"status is {members.get('status')!r}")
    _need(bool(_string(members["errorType"], "errorType")), "no errorType")
    _need(bool(_string(members["error"], "error")), "no error")
    _need(status in PARSED_STATUSES or len(body) <= _SHOWN, "an error that is cut off")


def read(status: int, body: bytes) -> Answer:
    """The answer to a query; raises Unreadable."""
    if status not in PARSED_STATUSES:
        raise Unreadable(f"status {status} is shown as raw text")
    members = _object(_parsed(body), "answer")
    answer = dict(members)
    _need(len(answer) == len(members), "a key twice in the answer")
    notices = [
        _string(text, "notice") for key in ("warnings", "infos") for text in answer.get(key, ())
    ]
    if answer.get("status") == "error":
        error = f"{_string(answer['errorType'], 'errorType')}: {_string(answer['error'], 'error')}"
        return Answer("error", [], [], error)
    _need(answer.get("status") == "success", f"status is {answer.get('status')!r}")
    kind, frames = _data(_object(answer["data"], "data"))
    return Answer(kind, frames, notices, None)


def read_strings(body: bytes) -> list[str]:
    """The answer to a request for label names or values."""
    return [_string(one, "entry") for one in _array(_success(body), "data")]


def read_series(body: bytes) -> list[dict[str, str]]:
    """The answer to a request for series."""
    return [_labels(one) for one in _array(_success(body), "data")]


def read_metadata(body: bytes) -> dict[str, tuple[str, str]]:
    """The answer to a request for metadata: type and help of each metric, from its first entry."""
    metrics: dict[str, tuple[str, str]] = {}
    for name, entries in _object(_success(body), "data"):
        first = dict(_object(_array(entries, name)[0], name))
        metrics[name] = (_string(first["type"], "type"), _string(first["help"], "help"))
    return metrics


def read_rule_groups(content_type: str, body: bytes) -> list[Any]:
    """The answer to a request for rules; the alerting pages insist on the content type."""
    _need("json" in content_type, f"content type is {content_type}")
    return _array(dict(_object(_success(body), "data"))["groups"], "groups")


def read_exemplars(body: bytes) -> list[Any]:
    """The answer to a request for exemplars."""
    series = _array(_success(body), "data")
    for one in series:
        members = _object(one, "exemplars")
        _need([key for key, _ in members] == ["seriesLabels", "exemplars"], "labels come first")
        _labels(members[0][1])
        for exemplar in _array(members[1][1], "exemplars"):
            _exemplar(dict(_object(exemplar, "exemplar")))
    return series


def _exemplar(members: dict[str, Any]) -> None:
    _need(members.keys() == {"labels", "value", "timestamp"}, f"exemplar holds {sorted(members)}")
    _labels(members["labels"])
    _float(members["value"])
    _need(isinstance(members["timestamp"], Number), "time of an exemplar is not a number")


def read_alerts(body: bytes) -> list[Any]:
    """The answer to a request for alerts."""
    return _array(dict(_object(_success(body), "data"))["alerts"], "alerts")


def read_search(content_type: str, body: bytes) -> list[dict[str, Any]]:
    """The answer to a search: batches in lines, then the one that says whether there is more."""
    _need(content_type.startswith("application/x-ndjson"), f"content type is {content_type}")
    _need(body.endswith(b"\n"), "the last line is cut off")
    *batches, trailer = [dict(_object(_parsed(line), "line")) for line in body.splitlines()]
    _need(trailer.get("status") == "success", f"status is {trailer.get('status')!r}")
    _need(isinstance(trailer.get("has_more"), bool), "nothing says whether there is more")
    _need(bool(batches), "no batch")
    for batch in batches:
        _need(batch.keys() <= {"results", "warnings"}, f"a batch holds {sorted(batch)}")
        for text in _array(batch.get("warnings", []), "warnings"):
            _string(text, "warning")
    found = [one for batch in batches for one in _array(batch["results"], "results")]
    return [_result(dict(_object(one, "result"))) for one in found]


def _result(members: dict[str, Any]) -> dict[str, Any]:
    texts = {name: text for name, text in members.items() if name != "score"}
    _need(len({"name", "value"} & texts.keys()) == 1, f"a result holds {sorted(members)}")
    for name, text in texts.items():
        _string(text, name)
    score = members.get("score")
    _need(score is None or isinstance(score, Number), "a score is not a number")
    return members


_READERS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "alerts": read_alerts,
    "metadata": read_metadata,
    "query_exemplars": read_exemplars,
    "series": read_series,
}


def _parsed(body: bytes) -> Any:
    return json.loads(
        body,
        object_pairs_hook=Members,
        parse_float=Number,
        parse_int=Number,
        parse_constant=_constant,
    )


def _constant(text: str) -> Any:
    raise Unreadable(f"{text} is not JSON")


def _success(body: bytes) -> Any:
    answer = dict(_object(_parsed(body), "answer"))
    _need(answer.get("status") == "success", f"status is {answer.get('status')!r}")
    return answer["data"]


def _data(members: Members) -> tuple[str, list[Frame]]:
    held = dict(members)
    _need(len(held) == len(members), "a key twice in data")
    _need({"resultType", "result"} <= held.keys(), f"data holds {sorted(held)}")
    kind, result = held["resultType"], held["result"]
    match kind:
        case "matrix":
            return kind, [_series(one, "values", "histograms") for one in _array(result, kind)]
        case "vector":
            return kind, [_sample(one) for one in _array(result, kind)]
        case "scalar":
            time, value = _pair(result)
            return kind, [Frame({}, [time], [_float(value)])]
        case "string":
            time, text = _pair(result)
            _string(text, "value")
            return kind, [Frame({}, [time], [])]
        case _:
            raise Unreadable(f"unknown result type: {kind}")


def _series(one: Any, floats: str, histograms: str) -> Frame:
    members = dict(_object(one, "series"))
    _need(not {floats, histograms} <= members.keys(), "floats beside histograms are dropped")
    points = [_pair(point) for point in _array(members.get(floats, []), floats)]
    held = _array(members.get(histograms, []), histograms)
    for point in held:
        _histogram(point)
    # As written: cutting them to ms, as Grafana does, may make two of them one.
    written = [float(point[0].text) for point in members.get(floats, [])]
    _need(written == sorted(set(written)), "times do not rise")
    values = [_float(value) for _, value in points]
    return Frame(_labels(members["metric"]), [time for time, _ in points], values, len(held))


def _sample(one: Any) -> Frame:
    members = dict(_object(one, "sample"))
    if "histogram" in members:
        _histogram(members["histogram"])
        return Frame(_labels(members["metric"]), [], [], 1)
    time, value = _pair(members["value"])
    return Frame(_labels(members["metric"]), [time], [_float(value)])


def _histogram(point: Any) -> None:
    _, value = _pair(point)
    members = dict(_object(value, "histogram"))
    _float(members["count"])
    _float(members["sum"])
    for bucket in _array(members.get("buckets", []), "buckets"):
        rule, *bounds = _array(bucket, "bucket")
        _need(isinstance(rule, Number) and rule.text in "0123", "boundary rule is not 0 to 3")
        _need(len([_float(bound) for bound in bounds]) == 3, "a bucket has four entries")


def _pair(point: Any) -> tuple[int, Any]:
    """Time in ms and value; anything else than two entries puts the stream out of step."""
    entries = _array(point, "point")
    _need(len(entries) == 2, f"a point has {len(entries)} entries")
    time, value = entries
    if not isinstance(time, Number):
        raise Unreadable(f"time {time!r} is not a number")
    return int(float(time.text) * 1000), value


def _float(value: Any) -> float:
    text = _string(value, "value")
    _need(_FLOAT.fullmatch(text) is not None, f"value {text!r} is not a number of Go's")
    return float(text)


def _labels(value: Any) -> dict[str, str]:
    members = _object(value, "metric")
    return {name: _string(text, name) for name, text in members}


def _object(value: Any, what: str) -> Members:
    if not isinstance(value, Members):
        raise Unreadable(f"{what} is no object: {value!r}")
    return value


def _array(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list) or isinstance(value, Members):
        raise Unreadable(f"{what} is no array: {value!r}")
    return value


def _string(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{what} is no string: {value!r}")
    return value


def _need(holds: bool, text: str) -> None:
    if not holds:
        raise Unreadable(text)
