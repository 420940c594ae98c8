"""The API as an OpenAPI 3.1 document, made from the table of paths.

What a handler takes stands here; a test holds that every path has its row, and asks by them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bridge.api.status import DIALECT

Json = dict[str, Any]

_TIME: Final = "#/components/schemas/Time"
_DURATION: Final = "#/components/schemas/Duration"
_TEXT: Final = "#/components/schemas/Text"
_INTEGER: Final = "#/components/schemas/Integer"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a path, in the URL or in a form."""

    name: str
    schema: str
    description: str
    required: bool = False
    repeated: bool = False

    def schema_of(self) -> Json:
        """The schema of what is given under this name."""
        one = {"$ref": self.schema}
        return {"type": "array", "items": one} if self.repeated else one

    def document(self) -> Json:
        """The parameter as it stands in a URL."""
        return {
            "name": self.name,
            "in": "query",
            "description": self.description,
            "required": self.required,
            "schema": self.schema_of(),
        }


_QUERY: Final = Parameter("query", _TEXT, "A PromQL expression.", required=True)
_LIMIT: Final = Parameter("limit", _INTEGER, "How many are returned at most; 0 for all.")
_START: Final = Parameter("start", _TIME, "Where the range begins.")
_END: Final = Parameter("end", _TIME, "Where the range ends.")
_MATCH: Final = Parameter("match[]", _TEXT, "A selector; each adds what fits.", repeated=True)
_LOOKBACK: Final = Parameter("lookback_delta", _DURATION, "Replaces --query.lookback-delta.")
_NOCACHE: Final = Parameter("nocache", _TEXT, "1 reads from the store whatever is remembered.")
_EVALUATION: Final = (
    Parameter("timeout", _DURATION, "What the query may take; shortens --query.timeout."),
    _LIMIT,
    _LOOKBACK,
    Parameter("stats", _TEXT, "true adds timings and counts, all those of each step."),
    _NOCACHE,
)
_SEARCH: Final = (
    Parameter("search[]", _TEXT, "What to search for; any may fit, 32 at most.", repeated=True),
    _MATCH,
    Parameter("start", _TIME, "Where the range begins; an hour ago by default."),
    Parameter("end", _TIME, "Where the range ends; now by default."),
    Parameter("fuzz_alg", _TEXT, "subsequence (default) or jarowinkler."),
    Parameter("fuzz_threshold", _INTEGER, "The least score, 0 to 100; 0 by default."),
    Parameter("case_sensitive", _TEXT, "Whether case counts; true by default."),
    Parameter("sort_by", _TEXT, "alpha (default) or score."),
    Parameter("sort_dir", _TEXT, "asc (default) or dsc, with sort_by=alpha."),
    Parameter("include_score", _TEXT, "Whether each is told with its score."),
    Parameter("limit", _INTEGER, "How many; 100 by default, see --web.search.max-limit."),
    Parameter("batch_size", _INTEGER, "How many in a line; 100 by default."),
)

PARAMETERS: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "/api/v1/query": (_QUERY, Parameter("time", _TIME, "When; now by default."), *_EVALUATION),
    "/api/v1/query_range": (
        _QUERY,
        Parameter("start", _TIME, "The first step.", required=True),
        Parameter("end", _TIME, "No step is later.", required=True),
        Parameter("step", _DURATION, "From one step to the next.", required=True),
        *_EVALUATION,
    ),
    "/api/v1/query_cost": (
        _QUERY,
        Parameter("time", _TIME, "When; now by default."),
        Parameter("start", _TIME, "The first step of a range query."),
        Parameter("end", _TIME, "No step is later."),
        Parameter("step", _DURATION, "From one step to the next."),
        _LOOKBACK,
        _NOCACHE,
    ),
    "/api/v1/query_exemplars": (_QUERY, _START, _END),
    "/api/v1/format_query": (_QUERY,),
    "/api/v1/parse_query": (_QUERY,),
    "/api/v1/series": (
        Parameter("match[]", _TEXT, "A selector; each adds what fits.", True, repeated=True),
        _START,
        _END,
        _LIMIT,
    ),
    "/api/v1/labels": (_MATCH, _START, _END, _LIMIT),
    "/api/v1/label/{name:text}/values": (_MATCH, _START, _END, _LIMIT),
    "/api/v1/search/metric_names": (
        *_SEARCH,
        Parameter("include_metadata", _TEXT, "Whether type, help and unit are told."),
    ),
    "/api/v1/search/label_names": _SEARCH,
    "/api/v1/search/label_values": (
        Parameter("label", _TEXT, "A label's name.", required=True),
        *_SEARCH,
    ),
    "/api/v1/metadata": (
        Parameter("metric", _TEXT, "Only this one."),
        Parameter("limit", _INTEGER, "How many metrics."),
        Parameter("limit_per_metric", _INTEGER, "How many entries of each."),
    ),
    "/api/v1/rules": (
        Parameter("type", _TEXT, "alert or record."),
        Parameter("group_limit", _INTEGER, "How many groups."),
        Parameter("group_next_token", _TEXT, "Where the last page ended."),
        Parameter("exclude_alerts", _TEXT, "Whether alerts are left out."),
        _MATCH,
    ),
    "/api/v1/targets": (Parameter("state", _TEXT, "active, dropped or any."),),
    "/api/v1/targets/metadata": (
        Parameter("match_target", _TEXT, "A selector of targets."),
        Parameter("metric", _TEXT, "Only this one."),
        Parameter("limit", _INTEGER, "How many."),
    ),
    "/api/v1/targets/relabel_steps": (
        Parameter("scrapePool", _TEXT, "A scrape pool.", required=True),
        Parameter("labels", _TEXT, "Labels as a JSON object.", required=True),
    ),
    "/api/v1/scrape_pools/config": (
        Parameter("scrapePool", _TEXT, "A scrape pool.", required=True),
    ),
    "/api/v1/status/self_metrics": (
        Parameter("metric_name_pattern", _TEXT, "A regular expression for whole names."),
    ),
    "/api/v1/status/cache": (
        Parameter("limit", _INTEGER, "How many selectors of each store, 1 to 10000."),
    ),
    "/api/v1/status/tsdb": (Parameter("limit", _INTEGER, "How many of each, 1 to 10000."),),
}
# What is answered in lines, each by itself JSON.
_SEARCHES: Final = frozenset(path for path, taken in PARAMETERS.items() if _SEARCH[0] in taken)
_ERRORS: Final = {
    400: "The request is wrong.",
    413: "The body is too large.",
    422: "The query cannot be evaluated, or exceeds a limit.",
    500: "This part of the API is switched off, or prombridge is at fault.",
    503: "Time is over, or a store did not answer.",
}


def document(summaries: Mapping[str, str], prefix: str) -> bytes:
    """The document, as YAML, of these paths below `prefix`."""
    paths = {_open(path): _operations(path, told) for path, told in summaries.items()}
    held = {
        "openapi": "3.1.0",
        "info": {
            "title": "prombridge",
            "version": DIALECT,
            "description": "The Prometheus HTTP API in front of remote-read stores.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "responses": _responses()},
    }
    text: str = yaml.safe_dump(held, sort_keys=False, allow_unicode=True)
    return text.encode()


def _open(path: str) -> str:
    return path.replace("{name:text}", "{name}")


def _operations(path: str, summary: str) -> Json:
    taken = PARAMETERS.get(path, ())
    shared: Json = {"summary": summary or path, "responses": _answers(path)}
    variable = [_NAME] if "{" in path else []
    asked = [one.document() for one in taken]
    post = {**shared, "operationId": f"post {path}", "parameters": variable}
    if taken:
        post["requestBody"] = {"content": {"application/x-www-form-urlencoded": _form(taken)}}
    get = {**shared, "operationId": f"get {path}", "parameters": [*variable, *asked]}
    return {"get": get, "post": post}


_NAME: Final[Json] = {
    "name": "name",
    "in": "path",
    "description": "A label's name; U__… is its escaped form.",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}


def _form(taken: Iterable[Parameter]) -> Json:
    return {
        "schema": {
            "type": "object",
            "properties": {one.name: one.schema_of() for one in taken},
            "required": [one.name for one in taken if one.required],
        }
    }


def _answers(path: str) -> Json:
    kind = "Lines" if path in _SEARCHES else "Success"
    refused = {str(code): {"$ref": f"#/components/responses/Error{code}"} for code in _ERRORS}
    return {"200": {"$ref": f"#/components/responses/{kind}"}, **refused}


def _responses() -> Json:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    success = {"application/json": {"schema": {"$ref": "#/components/schemas/Success"}}}
    lines = {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/Text"}}}
    return {
        "Success": {"description": "The answer.", "content": success},
        "Lines": {"description": "JSON in lines: batches of results, a trailer.", "content": lines},
        **{
            f"Error{code}": {"description": told, "content": error}
            for code, told in _ERRORS.items()
        },
    }


_STRINGS: Final[Json] = {"type": "array", "items": {"type": "string"}}
_SCHEMAS: Final[Json] = {
    "Time": {
        "description": "Unix seconds, or RFC 3339.",
        "oneOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
    },
    "Duration": {
        "description": "Seconds, or a duration such as 5m.",
        "oneOf": [{"type": "number"}, {"type": "string", "pattern": "^([0-9]+[smhdwy])+$"}],
    },
    "Text": {"type": "string"},
    "Integer": {"type": "integer"},
    "Success": {
        "type": "object",
        "required": ["status", "data"],
        "properties": {
            "status": {"const": "success"},
            "data": {},
            "warnings": _STRINGS,
            "infos": _STRINGS,
        },
        "additionalProperties": False,
    },
    "Error": {
        "type": "object",
        "required": ["status", "errorType", "error"],
        "properties": {
            "status": {"const": "error"},
            "errorType": {"type": "string"},
            "error": {"type": "string", "minLength": 1},
        },
        "additionalProperties": False,
    },
}
