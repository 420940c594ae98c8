"""Requests of a tenant that tries everything, at random: every path, selectors of any kind."""

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import cramjam

from bridge.api.live import PATH as LIVE
from bridge.api.routes import ADMIN, FEDERATE, FOR_TENANTS, HANDLERS, OPENAPI, RECEIVERS, STORAGE
from bridge.api.stores import PREFIX
from bridge.console.pages import PAGES
from bridge.model.labels import Matcher, MatchType
from bridge.remote.settings import ResponseType
from bridge.remote.wire import read_request
from bridge.storage.interface import Purpose, Select

STEP: Final = 15_000
SAMPLES: Final = 240
# What tells the two tenants apart; all else of the hidden one bears the mark, which no request has.
TEAM: Final = "team"
MARK: Final = "S3CR3T"
# The hidden one's samples begin here: so many digits, and so many bytes, that no other number has.
HIDDEN: Final = 7e15
_TRACES: Final = (
    MARK.encode(),
    b"7000000000000",
    b"7.000000000000",
    *(struct.pack(f"{order}d", HIDDEN)[at] for order, at in ((">", slice(6)), ("<", slice(2, 8)))),
)
_PROTOBUF: Final = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
# What stores' own APIs tell, and what is counted.
_PASSED: Final = ("metadata", "rules", "alerts", "notifications", "status/tsdb")

_SELECTORS: Final = (
    "up",
    "{__name__=~'.+'}",
    "requests_total",
    "{team='beta'}",
    "{team=~'.*'}",
    "up{team!='alpha'}",
    "up{team='beta'}",
    "up{team=~'alpha|beta'}",
    "{__name__=~'.*[S]3CR.T.*'}",
    "{instance=~'.*[S]3CR.T.*'}",
    "{instance!=''}",
    "target_info",
    "{job='web'}",
    "{__name__='up',job!='web'}",
    "nothing",
)
_EXPRESSIONS: Final = (
    "{0}",
    "sum({0})",
    "count by (team, instance) ({0})",
    "rate({0}[5m])",
    "max_over_time({0}[10m] offset 5m)",
    "sum_over_time(sum({0})[20m:1m])",
    "avg_over_time(({0} + on (instance) group_left () {1})[10m:1m] @ end())",
    "info({0})",
    "info({0}, {{team='beta'}})",
    "info({0}, {{owner=~'.+'}})",
    "absent({0})",
    "absent_over_time({0}[5m])",
    "count_values('v', {0})",
    "topk(3, {0})",
    "sort_by_label({0}, 'instance')",
    "group({0}) unless {1}",
    "{0} or {1}",
    "{0} and on (job) {1}",
    "label_replace({0}, 'team', 'beta', '', '')",
    "label_join({0}, 'all', '/', 'team', 'instance', 'job')",
    "scalar(sum({0}))",
    "quantile(0.5, {0})",
    "{0} @ 0",
    "{0}[5m]",
    "last_over_time({0}[1h])",
    "{0} {{",
    "vector(1)",
)
_NAMES: Final = ("__name__", "team", "instance", "job", "owner", "secret_label", "U__team", "")
# What says when, or how much of something that both tenants use.
_STEADY: Final = frozenset(
    {"query", "query_range", "series", "labels", "format_query", "parse_query"}
)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request; the answer of a `steady` one depends on the data and on nothing else."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    steady: bool = False


class Asker:
    """Makes requests about data that end at `end` (ms)."""

    def __init__(self, seed: int, end: int) -> None:
        self._random = random.Random(seed)
        self._end = end // 1000
        self._kinds: Sequence[tuple[int, Callable[[], Asking]]] = (
            (8, self._query),
            (8, self._ranged),
            (4, self._series),
            (4, self._labels),
            (5, self._values),
            (4, self._searched),
            (3, self._federate),
            (4, self._read),
            (3, self._told),
            (3, self._passed),
            (4, self._other),
        )

    def ask(self) -> Asking:
        """The next request."""
        weights = [weight for weight, _ in self._kinds]
        ((_, kind),) = self._random.choices(self._kinds, weights)
        return kind()

    def _of(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def _expression(self) -> str:
        shape: str = self._of(_EXPRESSIONS)
        return shape.format(self._of(_SELECTORS), self._of(_SELECTORS))

    def _moment(self) -> int:
        return int(self._end - self._random.randrange(0, SAMPLES * STEP // 1000, 60))

    def _span(self) -> dict[str, Any]:
        start = self._moment()
        return {"start": start, "end": self._random.choice([self._end, start + 300])}

    def _formed(self, name: str, pairs: Any, *, steady: bool | None = None) -> Asking:
        if self._random.random() < 0.1:
            pairs = [*(pairs.items() if isinstance(pairs, dict) else pairs), ("nocache", "1")]
        prefix = self._of(["", "", "/stores/far"])
        path, text = f"{prefix}/api/v1/{name}", urlencode(pairs)
        told = name in _STEADY if steady is None else steady
        if self._random.random() < 0.5:
            return Asking("GET", f"{path}?{text}", steady=told)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Asking("POST", path, text.encode(), kind, told)

    def _query(self) -> Asking:
        return self._formed("query", {"query": self._expression(), "time": self._moment()})

    def _ranged(self) -> Asking:
        span = self._span() | {"step": self._of([15, 60, 300])}
        return self._formed("query_range", {"query": self._expression()} | span)

    def _matches(self, least: int) -> list[tuple[str, Any]]:
        count = self._random.randint(least, 2)
        return [("match[]", self._of(_SELECTORS)) for _ in range(count)]

    def _series(self) -> Asking:
        return self._formed("series", [*self._matches(1), *self._span().items()], steady=False)

    def _labels(self) -> Asking:
        return self._formed("labels", [*self._matches(0), *self._span().items()], steady=False)

    def _values(self) -> Asking:
        name = quote(self._of(_NAMES), safe="")
        pairs = [*self._matches(0), *self._span().items()]
        return self._formed(f"label/{name}/values", pairs, steady=False)

    def _searched(self) -> Asking:
        name = self._of(["metric_names", "label_names", "label_values"])
        terms = [("search[]", self._of(["up", "own", "secret", "e"]))] * self._random.randint(0, 1)
        told = [("include_metadata", "1"), ("label", self._of(_NAMES)), ("fuzz_alg", "jarowinkler")]
        pairs = [*self._matches(0), *terms, *told, *self._span().items()]
        return self._formed(f"search/{name}", pairs)

    def _federate(self) -> Asking:
        prefix = self._of(["", "/stores/far"])
        path = f"{prefix}{FEDERATE}?{urlencode(self._matches(1))}"
        return Asking("GET", path, headers={"Accept": self._of(["*/*", _PROTOBUF])})

    def _read(self) -> Asking:
        kinds = ((ResponseType.SAMPLES,), (ResponseType.STREAMED,))
        wide = (Matcher("__name__", MatchType.NOT_EQUAL, ""),)
        team = (Matcher(TEAM, MatchType.EQUAL, "beta"),)
        named = (Matcher("__name__", MatchType.EQUAL, "up"),)
        span = (self._moment() * 1000, self._end * 1000)
        purpose = self._of(list(Purpose))
        select = Select(self._of([wide, team, named, (*wide, *team), ()]), *span, purpose)
        body = read_request(select, self._of(kinds))
        return Asking("POST", f"{self._of(['', '/stores/far'])}/api/v1/read", body)

    def _told(self) -> Asking:
        """What tells of a query, or of the reads that it needs."""
        name = self._of(["query_cost", "query_exemplars", "format_query", "parse_query"])
        text = self._expression()
        return self._formed(name, {"query": text, "time": self._end, "step": 60} | self._span())

    def _passed(self) -> Asking:
        """What is asked of stores' own APIs as it comes, and what is counted."""
        pairs = self._of([[], self._matches(0), [("metric", "up")], [("type", "alert")]])
        span = self._span() | {"step": 60}
        cost = ("query_cost", {"query": self._of(_SELECTORS)} | span)
        return self._formed(*self._of([*((path, pairs) for path in _PASSED), cost, cost]))

    def _other(self) -> Asking:
        """Any other path there is, with a selector or without."""
        paths = [*HANDLERS, *ADMIN, *STORAGE, *RECEIVERS, OPENAPI, FEDERATE, LIVE, *PAGES]
        paths += ["/metrics", "/-/healthy", "/-/ready", "/-/reload", "/-/quit", "/version"]
        paths += ["/-/../metrics", "//metrics", "/%2d/reload", "/METRICS", "/api/v1/nothing"]
        path = self._of(paths).replace("{name:text}", "team")
        path = f"{self._of(['', PREFIX + '/far']) if path in HANDLERS else ''}{path}"
        query = urlencode(self._matches(0)) if self._random.random() < 0.5 else ""
        return Asking(self._of(["GET", "POST"]), f"{path}?{query}")


def operators_only(asking: Asking) -> bool:
    """Whether the path tells of all tenants."""
    path = asking.path.partition("?")[0].removeprefix(f"{PREFIX}/far")
    return path in HANDLERS.keys() - FOR_TENANTS


def plain(body: bytes, encoding: str) -> bytes:
    """An answer's body as it is read."""
    return bytes(cramjam.snappy.decompress_raw(body)) if encoding == "snappy" else body


def shows_hidden(shown: bytes) -> bool:
    """Whether a name, a value or a sample of the hidden tenant is in there."""
    return any(trace in shown for trace in _TRACES)
