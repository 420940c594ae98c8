"""series, labels and label values: as the catalogue finds them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from bridge.api import params
from bridge.api.encode import encode_labels
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.headers import SOURCE_HEADER, fresh
from bridge.api.params import TimeRange
from bridge.api.query import nocache
from bridge.catalogue.answers import Found, Lookup
from bridge.model.annotations import RESULTS_TRUNCATED
from bridge.model.errors import BadData, QueryTimeout
from bridge.model.labels import quoted
from bridge.model.time import MAX_TIME, MIN_TIME, Window
from bridge.promql.selectors import parse_selector
from bridge.storage.interface import ReadOptions

# What a request without start means: Prometheus takes all of time, no store should be asked that.
DEFAULT_RANGE_MS: Final = 12 * 3_600_000

T = TypeVar("T")


async def series(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/series`: the label sets that fit any `match[]`."""
    params.refuse_broken(request.form)
    if not request.form.all("match[]"):
        raise BadData("no match[] parameter provided")
    limit, span = params.limit(request.form), _range(api, request)
    with params.parameter("match[]"):
        lookup = _lookup(api, request, span)
    found = await in_time(api, api.catalogue.series(lookup))
    return _answer(found, limit, lambda kept: b"[%s]" % b",".join(map(encode_labels, kept)))


async def label_names(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/labels`."""
    limit, span = params.limit(request.form), _range(api, request)
    lookup = _lookup(api, request, span)
    return _answer(await in_time(api, api.catalogue.names(lookup)), limit, go_json)


async def label_values(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/label/<name>/values`."""
    name = _label_name(request.path["name"])
    limit, span = params.limit(request.form), _range(api, request)
    lookup = _lookup(api, request, span)
    return _answer(await in_time(api, api.catalogue.values(name, lookup)), limit, go_json)


def _range(api: Api, request: ApiRequest) -> TimeRange:
    """The range asked; without an end until now, without a start the 12 h before the end."""
    asked = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    end = api.now() if asked.end == MAX_TIME else asked.end
    start = end - DEFAULT_RANGE_MS if asked.start == MIN_TIME else asked.start
    return TimeRange(start, end)


def _lookup(api: Api, request: ApiRequest, span: TimeRange) -> Lookup:
    matcher_sets = params.selectors(request.form.all("match[]"), parse_selector, api.limits.limits)
    options = ReadOptions(
        nocache(request.form), fresh(request.headers), api.limits.max_samples, api.limits.max_bytes
    )
    return Lookup(matcher_sets, Window(span.start, span.end), options)


async def in_time(api: Api, answer: Awaitable[T]) -> T:
    """What is awaited; raises QueryTimeout when it takes longer than a query may."""
    try:
        async with asyncio.timeout(api.limits.timeout / 1000):
            return await answer
    except TimeoutError:
        raise QueryTimeout("series lookup") from None


def _answer(found: Found[T], limit: int, encode: Callable[[Sequence[T]], bytes]) -> Answer:
    kept, remarks = _truncated(found.items, limit)
    source = f"{found.origin}; complete={str(found.complete).lower()}"
    headers = ((SOURCE_HEADER, source),)
    return Answer(encode(kept), found.warnings + remarks, headers=headers)


def _truncated(items: Sequence[T], limit: int) -> tuple[Sequence[T], tuple[str, ...]]:
    if limit and len(items) > limit:
        return items[:limit], (RESULTS_TRUNCATED.text,)
    return items, ()


_ESCAPED: Final = re.compile(r"U__((?:[^_]|__|_[0-9a-fA-F]{1,6}_)*)")
_BROKEN: Final = re.compile("[\ud800-\udfff]")
_ESCAPE: Final = re.compile(r"_(?:_|([0-9a-fA-F]{1,6})_)")


def _label_name(text: str) -> str:
    """The label's name, also where it was escaped for URLs; raises BadData."""
    name = _unescaped(text)
    if not name or _BROKEN.search(name):
        raise BadData(f"invalid label name: {quoted(name)}")
    return name


def _unescaped(text: str) -> str:
    """`U__http_2e_code` as `http.code`; a text that is no such escape as it is.

    Source: UnescapeName in model/metric.go of prometheus/common.
    """
    escaped = _ESCAPED.fullmatch(text)
    if escaped is None:
        return text
    codes = [int(code, 16) for code in _ESCAPE.findall(escaped.group(1)) if code]
    if any(code > 0x10FFFF or 0xD800 <= code <= 0xDFFF for code in codes):
        return text
    return _ESCAPE.sub(lambda e: chr(int(e[1], 16)) if e[1] else "_", escaped.group(1))
