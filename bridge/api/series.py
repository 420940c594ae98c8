"""series, labels and label values: by remote read with a selector, else as seen so far."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bridge.api import params
from bridge.api.encode import encode_labels
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.params import TimeRange
from bridge.api.query import fresh, nocache
from bridge.model.annotations import RESULTS_TRUNCATED
from bridge.model.errors import BadData, QueryTimeout
from bridge.model.labels import Labels, Matcher, quoted
from bridge.model.time import MAX_TIME, MIN_TIME
from bridge.promql.selectors import parse_selector
from bridge.storage.interface import Purpose, ReadOptions, Select

# What a request without start means: Prometheus takes all of time, no store should be asked that.
DEFAULT_RANGE_MS: Final = 12 * 3_600_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the three endpoints have in common."""

    limit: int
    range: TimeRange
    matcher_sets: tuple[tuple[Matcher, ...], ...]


async def series(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/series`: the label sets that fit any `match[]`."""
    params.refuse_broken(request.form)
    if not request.form.all("match[]"):
        raise BadData("no match[] parameter provided")
    limit, span = params.limit(request.form), _range(api, request)
    with params.parameter("match[]"):
        matcher_sets = _matcher_sets(request)
    found, warnings = await _read(api, request, _Wanted(limit, span, matcher_sets))
    kept, remarks = _truncated(sorted(found), limit)
    return Answer(b"[%s]" % b",".join(map(encode_labels, kept)), warnings + remarks)


async def label_names(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/labels`."""
    wanted = _wanted(api, request)
    if not wanted.matcher_sets:
        return _listed(api.seen.names(), wanted.limit, ())
    found, warnings = await _read(api, request, wanted)
    return _listed({name for labels in found for name, _ in labels.pairs}, wanted.limit, warnings)


async def label_values(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/label/<name>/values`."""
    name = _label_name(request.path["name"])
    wanted = _wanted(api, request)
    if not wanted.matcher_sets:
        return _listed(api.seen.values(name), wanted.limit, ())
    found, warnings = await _read(api, request, wanted)
    return _listed({labels.get(name) for labels in found} - {""}, wanted.limit, warnings)


def _wanted(api: Api, request: ApiRequest) -> _Wanted:
    limit = params.limit(request.form)
    return _Wanted(limit, _range(api, request), _matcher_sets(request))


def _range(api: Api, request: ApiRequest) -> TimeRange:
    """The range asked; without an end until now, without a start the 12 h before the end."""
    asked = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    end = api.now() if asked.end == MAX_TIME else asked.end
    start = end - DEFAULT_RANGE_MS if asked.start == MIN_TIME else asked.start
    return TimeRange(start, end)


def _matcher_sets(request: ApiRequest) -> tuple[tuple[Matcher, ...], ...]:
    return params.selectors(request.form.all("match[]"), parse_selector)


async def _read(
    api: Api, request: ApiRequest, wanted: _Wanted
) -> tuple[set[Labels], tuple[str, ...]]:
    span = wanted.range
    if span.end < span.start:
        return set(), ()
    options = ReadOptions(
        nocache(request), fresh(request), api.limits.max_samples, api.limits.max_bytes
    )
    selects = {
        Select(matchers, span.start, span.end, Purpose.SERIES) for matchers in wanted.matcher_sets
    }
    try:
        async with asyncio.timeout(api.limits.timeout / 1000), asyncio.TaskGroup() as group:
            reads = [group.create_task(api.querier.select(one, options)) for one in selects]
    except TimeoutError:
        raise QueryTimeout("series lookup") from None
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    selections = [read.result() for read in reads]
    found = {labels for selection in selections for labels in selection.block.labels}
    warnings = {text: None for selection in selections for text in selection.warnings}
    return found, tuple(warnings)


def _listed(texts: Iterable[str], limit: int, warnings: tuple[str, ...]) -> Answer:
    kept, remarks = _truncated(sorted(texts), limit)
    return Answer(go_json(kept), warnings + remarks)


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
