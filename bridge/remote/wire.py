"""The protocol's request, headers and media types."""

from collections.abc import Sequence
from typing import Final

import snappy

from bridge.model.labels import Matcher, MatchType
from bridge.remote.proto.remote_pb2 import Query, ReadRequest
from bridge.remote.proto.types_pb2 import LabelMatcher, ReadHints
from bridge.remote.settings import ResponseType
from bridge.storage.interface import Purpose, Select

SAMPLED_MEDIA: Final = "application/x-protobuf"
STREAMED_MEDIA: Final = "application/x-streamed-protobuf"
STREAMED_MEDIA_FULL: Final = f"{STREAMED_MEDIA}; proto=prometheus.ChunkedReadResponse"
SERIES_HINT: Final = "series"

REQUEST_HEADERS: Final = (
    ("Content-Type", SAMPLED_MEDIA),
    ("Content-Encoding", "snappy"),
    ("Accept-Encoding", "snappy"),
    ("X-Prometheus-Remote-Read-Version", "0.1.0"),
)

MATCH_TYPES: Final = {
    MatchType.EQUAL: LabelMatcher.EQ,
    MatchType.NOT_EQUAL: LabelMatcher.NEQ,
    MatchType.REGEXP: LabelMatcher.RE,
    MatchType.NOT_REGEXP: LabelMatcher.NRE,
}
RESPONSE_TYPES: Final = {
    ResponseType.SAMPLES: ReadRequest.SAMPLES,
    ResponseType.STREAMED: ReadRequest.STREAMED_XOR_CHUNKS,
}


def read_request(select: Select, accepted: Sequence[ResponseType]) -> bytes:
    """The body of a request with one query: snappy over protobuf.

    No hint is sent for samples, since it could narrow the answer; a store that knows the series
    hint leaves the samples out.
    """
    times = (select.start, select.end)
    query = read_query(select.matchers, times, hint=select.purpose is Purpose.SERIES)
    types = [RESPONSE_TYPES[kind] for kind in accepted]
    request = ReadRequest(queries=[query], accepted_response_types=types)
    return bytes(snappy.compress(request.SerializeToString()))


def read_query(matchers: Sequence[Matcher], times: tuple[int, int], *, hint: bool) -> Query:
    """One query of a request, from and to these times in ms; with the series hint if wanted."""
    start, end = times
    query = Query(
        start_timestamp_ms=start,
        end_timestamp_ms=end,
        matchers=[_matcher(matcher) for matcher in matchers],
    )
    if hint:
        query.hints.CopyFrom(ReadHints(func=SERIES_HINT, start_ms=start, end_ms=end))
    return query


def _matcher(matcher: Matcher) -> LabelMatcher:
    kind = MATCH_TYPES[matcher.type]
    return LabelMatcher(type=kind, name=matcher.name, value=matcher.value)
