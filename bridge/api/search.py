"""Searches for names and values: what fits best first, in lines of JSON.

Source: web/api/v1/search.go of Prometheus, which has it behind `--enable-feature=search-api`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from threading import Event
from typing import Final

from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.headers import SOURCE_HEADER, fresh
from bridge.api.query import nocache
from bridge.api.scores import Hit, best
from bridge.api.search_params import Search, boolean, search_of
from bridge.api.series import in_time
from bridge.catalogue.answers import Found, Lookup
from bridge.catalogue.passed import Metadata
from bridge.model.errors import BadData, SwitchedOff
from bridge.model.labels import METRIC_NAME
from bridge.storage.interface import ReadOptions

_NDJSON: Final = "application/x-ndjson; charset=utf-8"
_DESCRIPTION: Final = ("type", "help", "unit")
# Below this Go writes an exponent.
_PLAIN: Final = 1e-6

# What a line says of a name or value besides its score: JSON that starts with a comma, or nothing.
Describe = Callable[[str], bytes]


async def metric_names(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/search/metric_names`: names of metrics, also with what is known of them."""
    search = _search(api, request, "metric_names")
    wanted = boolean(request.form, "include_metadata", default=False)

    async def answer() -> Answer:
        found = await api.catalogue.values(METRIC_NAME, _lookup(api, request, search))
        known = await api.catalogue.metadata() if wanted else {}
        return await _answer(search, found, "name", partial(_described, known))

    return await in_time(api, answer())


async def label_names(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/search/label_names`: names of labels."""
    search = _search(api, request, "label_names")
    names = api.catalogue.names(_lookup(api, request, search))
    return await in_time(api, _searched(search, names, "name"))


async def label_values(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/search/label_values`: values of a label."""
    search = _search(api, request, "label_values")
    label = request.form.get("label")
    if not label:
        raise BadData('missing required parameter "label"')
    values = api.catalogue.values(label, _lookup(api, request, search))
    return await in_time(api, _searched(search, values, "value"))


def _search(api: Api, request: ApiRequest, endpoint: str) -> Search:
    if not api.settings.enable_search:
        raise SwitchedOff("search API disabled")
    most = api.settings.search_max_limit
    return search_of(request.form, endpoint, api.now(), most, api.limits.limits)


def _lookup(api: Api, request: ApiRequest, search: Search) -> Lookup:
    options = ReadOptions(
        nocache(request.form), fresh(request.headers), api.limits.max_samples, api.limits.max_bytes
    )
    return Lookup(search.matcher_sets, search.window, options)


async def _searched(search: Search, asked: Awaitable[Found[str]], key: str) -> Answer:
    return await _answer(search, await asked, key, lambda _: b"")


async def _answer(search: Search, found: Found[str], key: str, describe: Describe) -> Answer:
    """The lines of what fits; scoring ends when nobody waits for it any more."""
    over = Event()
    try:
        text = await asyncio.to_thread(_text, search, found, key, describe, over)
    finally:
        over.set()
    source = f"{found.origin}; complete={str(found.complete).lower()}"
    return Answer(text, headers=(("Content-Type", _NDJSON), (SOURCE_HEADER, source)), bare=True)


def _text(search: Search, found: Found[str], key: str, describe: Describe, over: Event) -> bytes:
    hits, more = best(found.items, search.wanted, search.order, search.limit, over)
    records = [_record(key, hit, describe, scored=search.scored) for hit in hits]
    lines = _batches(records, search.batch_size, sorted(found.warnings))
    trailer = b'{"status":"success","has_more":%s}\n' % (b"true" if more else b"false")
    return b"".join((*lines, trailer))


def _batches(records: Sequence[bytes], size: int, warnings: Sequence[str]) -> Iterator[bytes]:
    """Lines of `size` records; there is a first one, with the warnings, even for none."""
    rest = b',"warnings":%s' % go_json(warnings) if warnings else b""
    for at in range(0, max(len(records), 1), size):
        yield b'{"results":[%s]%s}\n' % (b",".join(records[at : at + size]), rest)
        rest = b""


def _record(key: str, hit: Hit, describe: Describe, *, scored: bool) -> bytes:
    text, score = hit
    told = b',"score":%s' % _go_float(score) if scored else b""
    return b'{"%s":%s%s%s}' % (key.encode(), go_json(text), told, describe(text))


def _described(known: Metadata, name: str) -> bytes:
    """Type, help and unit of a metric, as far as they are known; of several entries the first's."""
    entry = next(iter(known.get(name, ())), {})
    pairs = ((key, entry.get(key)) for key in _DESCRIPTION)
    return b"".join(b',"%s":%s' % (key.encode(), go_json(text)) for key, text in pairs if text)


def _go_float(value: float) -> bytes:
    """A score as encoding/json of Go writes a float64."""
    if 0 < value < _PLAIN:
        mantissa, _, exponent = repr(value).partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}".encode()
    text = f"{Decimal(repr(value)):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()
