"""A store of the tests that answers from a MemoryStore, wrongly in one or several known ways."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import re2
import snappy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType
from bridge.remote.client import RemoteStore
from bridge.remote.proto.remote_pb2 import Query, QueryResult, ReadRequest, ReadResponse
from bridge.remote.proto.types_pb2 import Label, LabelMatcher, Sample, TimeSeries
from bridge.remote.settings import StoreSettings
from bridge.storage.interface import Purpose, ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.remote.wires import Wire, streamed_body
from tests.storage.blocks import Plain, Points, plain

MEDIA = "application/x-protobuf"
STREAMED_MEDIA = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
TYPES = {
    LabelMatcher.EQ: MatchType.EQUAL,
    LabelMatcher.NEQ: MatchType.NOT_EQUAL,
    LabelMatcher.RE: MatchType.REGEXP,
    LabelMatcher.NRE: MatchType.NOT_REGEXP,
}
NEGATIVE = (MatchType.NOT_EQUAL, MatchType.NOT_REGEXP)


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a store does otherwise than Prometheus; 0 and empty: nothing."""

    streams: bool = False
    single_query: bool = False
    end_exclusive: bool = False
    unanchored: bool = False
    regexes: bool = True
    missing_is_null: bool = False
    names: str = "all"
    wants_matcher: bool = False
    unknown_name: str = ""
    unknown_label: str = ""
    no_results_when_empty: bool = False
    no_body_when_empty: bool = False
    status: int = 200
    content_encoding: str = "snappy"
    compressed: bool = True
    disorder: bool = False
    series_hint: bool = False
    more_than_asked: bool = False
    longest_range: int = 0
    most_samples: int = 0
    cut_header: str = ""


class Refused(Exception):
    """A request that the store does not take; the text is its answer."""

    def __init__(self, text: str, status: int = 400) -> None:
        self.status = status
        super().__init__(text)


@dataclass(slots=True)
class QuirkyStore:
    """The store: an ASGI application; `asked` holds each query that came, and `refused` counts."""

    memory: MemoryStore
    quirks: Quirks
    asked: list[Query] = field(default_factory=list)
    refused: int = 0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        asked = ReadRequest.FromString(snappy.uncompress(await request.body()))
        try:
            return await self._answer(asked)
        except Refused as error:
            self.refused += 1
            return PlainTextResponse(f"{error}\n", error.status)

    async def _answer(self, asked: ReadRequest) -> Response:
        quirks = self.quirks
        if quirks.single_query and len(asked.queries) != 1:
            raise Refused("currently only supports one query at a time")
        found = [await self._found(query) for query in asked.queries]
        types = list(asked.accepted_response_types) or [ReadRequest.SAMPLES]
        if quirks.streams and types[0] == ReadRequest.STREAMED_XOR_CHUNKS:
            wires = [Wire(one.pairs, points) for one, points in found[0].items() if points]
            return Response(streamed_body(wires), quirks.status, media_type=STREAMED_MEDIA)
        return self._sampled(found)

    def _sampled(self, found: Sequence[Plain]) -> Response:
        quirks = self.quirks
        headers = {"Content-Encoding": quirks.content_encoding} if quirks.content_encoding else {}
        headers |= {quirks.cut_header: "max_fetch_series_limit"} if quirks.cut_header else {}
        results = [] if quirks.no_results_when_empty and not any(found) else found
        body = ReadResponse(results=map(self._result, results)).SerializeToString()
        if quirks.compressed:
            body = bytes(snappy.compress(body))
        if quirks.no_body_when_empty and not any(found):
            body = b""
        return Response(body, quirks.status, headers, media_type=MEDIA)

    def _result(self, found: Plain) -> QueryResult:
        series = [_series(one, points) for one, points in found.items()]
        if self.quirks.disorder:
            series = [half for one in reversed(series) for half in _halves(one)]
        return QueryResult(timeseries=series)

    async def _found(self, query: Query) -> Plain:
        self.asked.append(query)
        quirks = self.quirks
        start, end = query.start_timestamp_ms, query.end_timestamp_ms
        if start > end:
            raise Refused("start is after end")
        if quirks.longest_range and end - start >= quirks.longest_range:
            raise Refused("the query time range exceeds the limit of this store", 422)
        end -= int(quirks.end_exclusive)
        matchers = [Matcher(one.name, TYPES[one.type], one.value) for one in query.matchers]
        self._check(matchers, await self._rows())
        everything = (await self.memory.select(Select((), start, end), ReadOptions())).block
        held = plain(everything)
        found = {
            one: points
            for one, points in held.items()
            if all(self._passes(m, one) for m in matchers)
        }
        if quirks.more_than_asked:
            found = held
        if quirks.most_samples and sum(map(len, found.values())) > quirks.most_samples:
            raise Refused(f"exceeded sample limit ({quirks.most_samples})")
        if quirks.series_hint and query.hints.func == "series":
            return {one: [] for one in found}
        return found

    async def _rows(self) -> Sequence[Labels]:
        ever = Select((), -(2**62), 2**62, Purpose.SERIES)
        return (await self.memory.select(ever, ReadOptions())).block.labels.rows

    def _check(self, matchers: Sequence[Matcher], rows: Sequence[Labels]) -> None:
        quirks = self.quirks
        of_name = [one for one in matchers if one.name == METRIC_NAME]
        if quirks.wants_matcher and not matchers:
            raise Refused("expected matcher")
        if quirks.names == "eq_re" and any(one.type in NEGATIVE for one in of_name):
            raise Refused("not supported on the metric name yet")
        if quirks.names == "eq" and [one.type for one in of_name] != [MatchType.EQUAL]:
            raise Refused("missing or wrong matcher on __name__")
        if not quirks.regexes and any(one.type is MatchType.REGEXP for one in matchers):
            raise Refused("bad regular expression")
        names = {one.get(METRIC_NAME) for one in rows}
        for one in of_name:
            if quirks.unknown_name and one.type is MatchType.EQUAL and one.value not in names:
                raise Refused(quirks.unknown_name)
        labels = {name for row in rows for name, _ in row.pairs}
        if quirks.unknown_label and any(one.name not in labels for one in matchers):
            raise Refused(quirks.unknown_label)

    def _passes(self, matcher: Matcher, labels: Labels) -> bool:
        value = labels.get(matcher.name)
        if self.quirks.missing_is_null and not value:
            return False
        if self.quirks.unanchored and matcher.type in (MatchType.REGEXP, MatchType.NOT_REGEXP):
            found = re2.search(matcher.value, value) is not None
            return found == (matcher.type is MatchType.REGEXP)
        return matcher.matches(value)


def _series(labels: Labels, points: Points) -> TimeSeries:
    pairs = [Label(name=name, value=value) for name, value in labels.pairs]
    return TimeSeries(
        labels=pairs, samples=[Sample(timestamp=time, value=value) for time, value in points]
    )


def _halves(series: TimeSeries) -> list[TimeSeries]:
    """A series twice: backwards, with every sample; and the first half again."""
    labels, samples = list(series.labels)[::-1], list(series.samples)
    labels.append(Label(name="empty", value=""))
    half = samples[: len(samples) // 2]
    return [
        TimeSeries(labels=labels, samples=samples[::-1]),
        TimeSeries(labels=labels, samples=half),
    ]


# Each preset's store, as its program makes it.
STORES: dict[str, Quirks] = {
    "generic": Quirks(
        single_query=True,
        unanchored=True,
        missing_is_null=True,
        wants_matcher=True,
        disorder=True,
        more_than_asked=True,
        content_encoding="",
    ),
    "prometheus": Quirks(streams=True, series_hint=True, disorder=True),
    "mimir": Quirks(streams=True),
    "cortex": Quirks(content_encoding="", disorder=True),
    "influxdb1": Quirks(
        single_query=True,
        end_exclusive=True,
        unanchored=True,
        names="eq_re",
        wants_matcher=True,
        missing_is_null=True,
    ),
    "m3": Quirks(),
    "clickhouse": Quirks(unanchored=True, disorder=True),
    "greptimedb": Quirks(
        unanchored=True,
        missing_is_null=True,
        names="eq",
        wants_matcher=True,
        unknown_name="Table not found: greptime.public.x",
        unknown_label="Schema error: No field named x",
        disorder=True,
    ),
    "tdengine": Quirks(
        status=202,
        single_query=True,
        unanchored=True,
        regexes=False,
        missing_is_null=True,
        no_results_when_empty=True,
        no_body_when_empty=True,
        disorder=True,
    ),
    "opengemini": Quirks(
        single_query=True,
        unanchored=True,
        missing_is_null=True,
        names="eq_re",
        wants_matcher=True,
        compressed=False,
    ),
    "cnosdb": Quirks(
        single_query=True,
        unanchored=True,
        missing_is_null=True,
        names="eq_re",
        wants_matcher=True,
        unknown_name="Table not found: x",
    ),
    "cratedb": Quirks(
        single_query=True, regexes=False, missing_is_null=True, content_encoding="", disorder=True
    ),
    "promscale": Quirks(),
    "alibaba": Quirks(longest_range=30 * 86_400_000, unanchored=True, missing_is_null=True),
}


def client(served: QuirkyStore, profile: str | None, **settings: object) -> RemoteStore:
    """A client of such a store."""
    made = StoreSettings("a", "http://store/read", profile=profile, **settings)  # type: ignore[arg-type]
    return RemoteStore(made, httpx.ASGITransport(served.app()))
